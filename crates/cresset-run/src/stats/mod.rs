//! Statistics of tensors that lie in host memory: counts, extremes, moments and an exponential histogram in one pass.
//!
//! One thread handles several gigabytes a second. Elements are read in blocks that stay in the first-level cache:
//! a scan computes extremes, sums and the bucket of each element with vector instructions, then the buckets are
//! counted. Blocks with NaN, infinities or numbers too small for the scan are taken element by element instead.
//!
//! Results do not depend on the processor: every path adds in the same order, so that all give the same bits.

mod accumulator;
#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
mod scan;
mod table;
#[cfg(test)]
mod tests;

pub use accumulator::Accumulator;

use cresset_record::TensorStats;
use half::{bf16, f16};

/// Statistics of `f32` elements. Where many tensors are looked at, keep an [`Accumulator`] instead: it allocates once.
pub fn tensor_stats_f32(values: &[f32]) -> TensorStats {
    let mut accumulator = Accumulator::new();
    accumulator.add_f32(values);
    accumulator.finish()
}

/// Statistics of `f64` elements; see [`tensor_stats_f32`].
pub fn tensor_stats_f64(values: &[f64]) -> TensorStats {
    let mut accumulator = Accumulator::new();
    accumulator.add_f64(values);
    accumulator.finish()
}

/// Statistics of `f16` elements; see [`tensor_stats_f32`].
pub fn tensor_stats_f16(values: &[f16]) -> TensorStats {
    let mut accumulator = Accumulator::new();
    accumulator.add_f16(values);
    accumulator.finish()
}

/// Statistics of `bf16` elements; see [`tensor_stats_f32`].
pub fn tensor_stats_bf16(values: &[bf16]) -> TensorStats {
    let mut accumulator = Accumulator::new();
    accumulator.add_bf16(values);
    accumulator.finish()
}
