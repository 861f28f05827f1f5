//! Scalars that live on a device, read without holding up the training thread.

use candle_core::{DType, Device, Result, Tensor};
use cresset_run::{Run, Series};

use crate::device::Fence;

/// Logs the one element of `tensor`. On a CPU it is read at once and returned. On another device it is read on the
/// run's worker thread, once the device has computed it: the training thread does not wait.
pub(crate) fn record_scalar(run: &Run, series: &Series, step: u64, tensor: &Tensor) -> Option<f64> {
    if let Device::Cpu = tensor.device() {
        // A tensor that is no scalar counts as lost, as any other value that cannot be recorded.
        let value = scalar(tensor).ok();
        match value {
            Some(value) => series.log(step, value),
            None => run.log_late(step, series, || None),
        }
        return value;
    }
    let tensor = tensor.detach();
    let fence = Fence::after_queued_work(tensor.device());
    run.log_late(step, series, move || {
        fence.ok()?.wait().ok()?;
        scalar(&tensor).ok()
    });
    None
}

/// Logs a scalar tensor of one element under `key`; see [`crate::watch`] for losses, which are logged by themselves.
///
/// Unlike `tensor.to_scalar()`, this does not make the training thread wait for the device.
pub fn log_tensor(run: &Run, step: u64, key: &str, tensor: &Tensor) {
    if run.is_enabled() {
        record_scalar(run, &run.series(key), step, tensor);
    }
}

fn scalar(tensor: &Tensor) -> Result<f64> {
    tensor.flatten_all()?.squeeze(0)?.to_dtype(DType::F64)?.to_scalar()
}
