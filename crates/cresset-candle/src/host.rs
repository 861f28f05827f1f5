//! Tensor values in host memory.

use candle_core::{CpuStorage, Result, Storage, Tensor, bail};
use cresset_run::TensorStats;
use cresset_run::stats::Accumulator;
use half::{bf16, f16};

/// Copies of tensors, side by side, in memory that is used again.
#[derive(Debug, Default)]
pub(crate) struct HostCopies {
    f32: Vec<f32>,
    f64: Vec<f64>,
    f16: Vec<f16>,
    bf16: Vec<bf16>,
    spans: Vec<Span>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    kind: Kind,
    from: usize,
    len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    F32,
    F64,
    F16,
    Bf16,
}

impl HostCopies {
    pub(crate) fn clear(&mut self) {
        self.f32.clear();
        self.f64.clear();
        self.f16.clear();
        self.bf16.clear();
        self.spans.clear();
    }

    /// How much memory the copies take.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&self.f32[..])
            + size_of_val(&self.f64[..])
            + size_of_val(&self.f16[..])
            + size_of_val(&self.bf16[..])
    }

    /// Appends a copy of a CPU tensor.
    pub(crate) fn push(&mut self, tensor: &Tensor) -> Result<()> {
        macro_rules! append {
            ($values:ident, $kind:ident, $slice:expr) => {{
                let span = Span {
                    kind: Kind::$kind,
                    from: self.$values.len(),
                    len: $slice.len(),
                };
                self.$values.extend_from_slice($slice);
                self.spans.push(span);
            }};
        }
        with_slice(tensor, |slice| match slice {
            Slice::F32(s) => append!(f32, F32, s),
            Slice::F64(s) => append!(f64, F64, s),
            Slice::F16(s) => append!(f16, F16, s),
            Slice::Bf16(s) => append!(bf16, Bf16, s),
        })
    }

    fn slice(&self, i: usize) -> Option<Slice<'_>> {
        let Span { kind, from, len } = *self.spans.get(i)?;
        Some(match kind {
            Kind::F32 => Slice::F32(self.f32.get(from..from + len)?),
            Kind::F64 => Slice::F64(self.f64.get(from..from + len)?),
            Kind::F16 => Slice::F16(self.f16.get(from..from + len)?),
            Kind::Bf16 => Slice::Bf16(self.bf16.get(from..from + len)?),
        })
    }

    /// Statistics of the `i`-th copy.
    pub(crate) fn stats(&self, i: usize, accumulator: &mut Accumulator) -> Option<TensorStats> {
        self.slice(i).map(|slice| slice.stats(accumulator))
    }

    /// ‖after − before‖₂ of the `i`-th copies, in `f64`.
    pub(crate) fn distance(&self, after: &Self, i: usize) -> Option<f64> {
        fn norm<T: Copy + Into<f64>>(a: &[T], b: &[T]) -> f64 {
            a.iter()
                .zip(b)
                .map(|(&a, &b)| (b.into() - a.into()).powi(2))
                .sum::<f64>()
                .sqrt()
        }
        Some(match (self.slice(i)?, after.slice(i)?) {
            (Slice::F32(a), Slice::F32(b)) => norm(a, b),
            (Slice::F64(a), Slice::F64(b)) => norm(a, b),
            (Slice::F16(a), Slice::F16(b)) => norm(a, b),
            (Slice::Bf16(a), Slice::Bf16(b)) => norm(a, b),
            _ => return None,
        })
    }
}

/// Statistics of a CPU tensor, of any layout.
pub(crate) fn tensor_stats(tensor: &Tensor, accumulator: &mut Accumulator) -> Result<TensorStats> {
    with_slice(tensor, |slice| slice.stats(accumulator))
}

enum Slice<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    F16(&'a [f16]),
    Bf16(&'a [bf16]),
}

impl Slice<'_> {
    fn stats(&self, accumulator: &mut Accumulator) -> TensorStats {
        match self {
            Self::F32(s) => accumulator.add_f32(s),
            Self::F64(s) => accumulator.add_f64(s),
            Self::F16(s) => accumulator.add_f16(s),
            Self::Bf16(s) => accumulator.add_bf16(s),
        }
        accumulator.finish()
    }
}

/// Gives `look` the values of a CPU tensor in row-major order.
fn with_slice<T>(tensor: &Tensor, look: impl FnOnce(Slice<'_>) -> T) -> Result<T> {
    let contiguous;
    let tensor = if tensor.is_contiguous() {
        tensor
    } else {
        contiguous = tensor.contiguous()?;
        &contiguous
    };
    // The guard blocks writers of the tensor; no other operation on it happens while it is held.
    let (storage, layout) = tensor.storage_and_layout();
    let Some((from, to)) = layout.contiguous_offsets() else {
        bail!("a contiguous tensor has no contiguous values");
    };
    let Storage::Cpu(storage) = &*storage else {
        bail!("the tensor is not on a CPU");
    };
    Ok(look(match storage {
        CpuStorage::F32(v) => Slice::F32(&v[from..to]),
        CpuStorage::F64(v) => Slice::F64(&v[from..to]),
        CpuStorage::F16(v) => Slice::F16(&v[from..to]),
        CpuStorage::BF16(v) => Slice::Bf16(&v[from..to]),
        _ => bail!(
            "statistics are made of floating-point tensors only, not {:?}",
            tensor.dtype()
        ),
    }))
}
