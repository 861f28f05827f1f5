//! Tensors of any rank, and their values in host memory.

use burn_core::tensor::{DType, Device, Tensor, TensorData};
use burn_dispatch::DispatchDevice;
use cresset_run::TensorStats;
use cresset_run::stats::Accumulator;
use half::{bf16, f16};

/// A tensor of floating-point numbers that is kept until somebody has time for it. burn never changes one that more than
/// one has hold of, so this keeps the values and copies none.
pub(crate) trait Held: Send {
    /// Waits for the device and gives the values in row-major order.
    fn read(self: Box<Self>) -> Option<TensorData>;
    /// The same numbers as `f32` in one dimension, on a device.
    fn flat(self: Box<Self>, device: &Device) -> Tensor<1>;
    /// How many elements it has.
    fn elements(&self) -> usize;
    /// The device whose operations are to look at it; `None` where the host is to read it: if it lies in host memory, or has
    /// more bits than those operations keep.
    fn on_device(&self) -> Option<Device>;
}

impl<const D: usize> Held for Tensor<D> {
    fn read(self: Box<Self>) -> Option<TensorData> {
        self.try_into_data().ok()
    }

    fn flat(self: Box<Self>, device: &Device) -> Tensor<1> {
        let n = self.shape().num_elements();
        self.reshape([n]).cast(DType::F32).to_device(device)
    }

    fn elements(&self) -> usize {
        self.shape().num_elements()
    }

    fn on_device(&self) -> Option<Device> {
        let device = self.device().without_autodiff();
        let is_narrow = matches!(
            self.dtype(),
            DType::F32 | DType::Flex32 | DType::F16 | DType::BF16
        );
        (is_narrow && !is_host(&device)).then_some(device)
    }
}

/// Whether tensors of the device lie in host memory and are computed at once, so that nobody has to wait for them.
pub(crate) fn is_host(device: &Device) -> bool {
    let device = device.clone().without_autodiff();
    matches!(device.as_dispatch(), DispatchDevice::Flex(_))
}

/// Takes hold of a tensor without its graph.
pub(crate) fn hold<const D: usize>(tensor: Tensor<D>) -> Box<dyn Held> {
    Box::new(tensor.without_autodiff())
}

/// Values in host memory, side by side.
#[derive(Clone, Copy)]
pub(crate) enum Values<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    F16(&'a [f16]),
    Bf16(&'a [bf16]),
}

impl<'a> Values<'a> {
    /// `None` for quantized ones and the like, of which there are no statistics.
    pub(crate) fn of(data: &'a TensorData) -> Option<Self> {
        Some(match data.dtype() {
            DType::F32 | DType::Flex32 => Self::F32(data.as_slice().ok()?),
            DType::F64 => Self::F64(data.as_slice().ok()?),
            DType::F16 => Self::F16(data.as_slice().ok()?),
            DType::BF16 => Self::Bf16(data.as_slice().ok()?),
            _ => return None,
        })
    }

    pub(crate) fn stats(self, accumulator: &mut Accumulator) -> TensorStats {
        match self {
            Self::F32(values) => accumulator.add_f32(values),
            Self::F64(values) => accumulator.add_f64(values),
            Self::F16(values) => accumulator.add_f16(values),
            Self::Bf16(values) => accumulator.add_bf16(values),
        }
        accumulator.finish()
    }

    /// ‖other − self‖₂, in `f64`.
    pub(crate) fn distance(self, other: Self) -> Option<f64> {
        fn norm<T: Copy + Into<f64>>(a: &[T], b: &[T]) -> Option<f64> {
            let squares = a
                .iter()
                .zip(b)
                .map(|(&a, &b)| (b.into() - a.into()).powi(2));
            (a.len() == b.len()).then(|| squares.sum::<f64>().sqrt())
        }
        match (self, other) {
            (Self::F32(a), Self::F32(b)) => norm(a, b),
            (Self::F64(a), Self::F64(b)) => norm(a, b),
            (Self::F16(a), Self::F16(b)) => norm(a, b),
            (Self::Bf16(a), Self::Bf16(b)) => norm(a, b),
            _ => None,
        }
    }

    fn to_f64(self) -> Vec<f64> {
        match self {
            Self::F32(values) => values.iter().map(|&v| v.into()).collect(),
            Self::F64(values) => values.to_vec(),
            Self::F16(values) => values.iter().map(|&v| v.into()).collect(),
            Self::Bf16(values) => values.iter().map(|&v| v.into()).collect(),
        }
    }
}

/// Statistics of the sum of tensors of one shape: the gradients of one parameter from several devices.
pub(crate) fn stats_of_sum(
    parts: &[TensorData],
    accumulator: &mut Accumulator,
) -> Option<TensorStats> {
    let (first, others) = parts.split_first()?;
    let first = Values::of(first)?;
    if others.is_empty() {
        return Some(first.stats(accumulator));
    }
    let mut sum = first.to_f64();
    for other in others {
        let other = Values::of(other)?.to_f64();
        if other.len() != sum.len() {
            return None;
        }
        sum.iter_mut().zip(other).for_each(|(a, b)| *a += b);
    }
    Some(Values::F64(&sum).stats(accumulator))
}
