//! Scalars that live on a device.

use burn_core::tensor::Tensor;
use cresset_run::Run;

use crate::tensors::is_host;

/// Logs the one element of a tensor, such as a loss. What a device has yet to compute is read on a thread of the run: unlike
/// `into_scalar`, this does not make the training thread wait. A tensor of another size counts as lost.
pub fn log_tensor(run: &Run, step: u64, key: &str, tensor: Tensor<1>) {
    if !run.is_enabled() {
        return;
    }
    let device = tensor.device();
    if is_host(&device) {
        return match one(tensor) {
            Some(value) => run.log(step, [(key, value)]),
            None => run.log_late(step, key, || None),
        };
    }
    let tensor = own(tensor);
    // So that the device begins; if it fails, reading says so.
    let _ = device.flush();
    run.log_late(step, key, move || one(tensor));
}

fn one(tensor: Tensor<1>) -> Option<f64> {
    let data = tensor.try_into_data().ok()?;
    let mut values = data.iter::<f64>();
    values.next().filter(|_| values.next().is_none())
}

/// A copy that nobody else has: another thread may read it whatever becomes of the original (see `device.rs`).
pub(crate) fn own<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    tensor.without_autodiff().mul_scalar(1.0)
}
