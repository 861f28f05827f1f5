//! Where the tests compute: on the processor, or, built with the feature `cuda`, on the first GPU.

use std::sync::OnceLock;

use candle_core::Device;

/// One for all tests of a process: tensors of two devices, though of one GPU, cannot meet.
pub(crate) fn device() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    DEVICE.get_or_init(|| {
        Device::cuda_if_available(0).expect("a GPU, which tests with the feature cuda compute on")
    })
}
