//! Scalars that live on a device, read without holding up the training thread.

use candle_core::{DType, Device, Result, Tensor};
use cresset_run::{Run, Series};

use crate::device::{Parcel, is_capturing};

/// Logs the one element of `tensor`, and gives it to `look` with the run. On a CPU it is read at once. On another device it
/// is read on the run's worker thread, once the device has computed it: the training thread does not wait.
pub(crate) fn record_scalar(
    run: &Run,
    series: &Series,
    step: u64,
    tensor: &Tensor,
    look: impl FnOnce(&Run, f64) + Send + 'static,
) {
    // A tensor that is no scalar counts as lost, as any other value that cannot be recorded.
    let lost = |run: &Run| run.log_late(step, series, || None);
    if tensor.device().is_cpu() {
        return match scalar(tensor) {
            Ok(value) => {
                series.log(step, value);
                look(run, value);
            }
            Err(_) => lost(run),
        };
    }
    let Ok(parcel) = send(tensor) else {
        return lost(run);
    };
    let key = series.clone();
    let queued = run.defer(64, move |run| {
        match parcel.open().and_then(|t| scalar(&t)) {
            Ok(value) => {
                key.log(step, value);
                look(run, value);
            }
            Err(_) => run.log_late(step, &key, || None),
        }
    });
    if !queued {
        lost(run);
    }
}

/// Logs a tensor of one element under `key`; the losses that a [`watch`](fn@crate::watch)ed optimizer is given are
/// logged by themselves.
///
/// Unlike `tensor.to_scalar()`, this does not make the training thread wait for the device. To be called on the thread that
/// computed the tensor.
pub fn log_tensor(run: &Run, step: u64, key: &str, tensor: &Tensor) {
    if run.is_enabled() {
        record_scalar(run, &run.series(key), step, tensor, |_, _| {});
    }
}

/// A copy: what the user does with the tensor later must not depend on when it is read (see [`crate::device`]).
fn send(tensor: &Tensor) -> Result<Parcel> {
    if is_capturing(tensor.device()) {
        candle_core::bail!("a CUDA graph is being captured");
    }
    if tensor.elem_count() != 1 {
        candle_core::bail!("{:?} is not a scalar", tensor.shape());
    }
    Parcel::new(tensor.detach().flatten_all()?.affine(1.0, 0.0)?)
}

fn scalar(tensor: &Tensor) -> Result<f64> {
    debug_assert!(matches!(tensor.device(), Device::Cpu));
    tensor
        .flatten_all()?
        .squeeze(0)?
        .to_dtype(DType::F64)?
        .to_scalar()
}
