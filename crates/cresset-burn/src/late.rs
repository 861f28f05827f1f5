//! Scalars that live on a device.

use burn_core::tensor::{DType, Tensor};
use cresset_run::Run;

/// Logs the one element of a tensor, such as a loss, read on a thread of the run: unlike `into_scalar`, this does not make
/// the training thread wait for the device. A tensor of another size counts as lost.
pub fn log_tensor(run: &Run, step: u64, key: &str, tensor: Tensor<1>) {
    if !run.is_enabled() {
        return;
    }
    let tensor = tensor.without_autodiff();
    run.log_late(step, run.series(key), move || {
        let data = tensor.cast(DType::F64).try_into_data().ok()?;
        match data.as_slice::<f64>() {
            Ok([value]) => Some(*value),
            _ => None,
        }
    });
}
