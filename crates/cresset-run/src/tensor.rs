//! Slices of numbers that a histogram can be made from.

use cresset_record::TensorStats;

use crate::stats::{tensor_stats_bf16, tensor_stats_f16, tensor_stats_f32, tensor_stats_f64};

/// Numbers side by side in memory: slices, vectors and arrays of `f32`, `f64`, `f16` and `bf16`.
pub trait Tensor {
    /// Statistics and histogram, in one pass.
    fn stats(&self) -> TensorStats;
}

macro_rules! tensor {
    ($($t:ty => $stats:ident)*) => {$(
        impl Tensor for [$t] {
            fn stats(&self) -> TensorStats {
                $stats(self)
            }
        }

        impl Tensor for Vec<$t> {
            fn stats(&self) -> TensorStats {
                $stats(self)
            }
        }

        impl<const N: usize> Tensor for [$t; N] {
            fn stats(&self) -> TensorStats {
                $stats(self)
            }
        }
    )*};
}

tensor! {
    f32 => tensor_stats_f32
    f64 => tensor_stats_f64
    half::f16 => tensor_stats_f16
    half::bf16 => tensor_stats_bf16
}
