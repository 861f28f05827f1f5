//! The few calls that `nvml-wrapper` has no safe form of.
#![expect(
    unsafe_code,
    reason = "calls of a C library that the wrapper does not wrap"
)]

use std::os::raw::{c_int, c_uint};

use nvml_wrapper::Device;
use nvml_wrapper::error::{NvmlError, nvml_sym, nvml_try};

/// Total and used memory in bytes, by the call of drivers before 510, which lack the newer one.
pub(super) fn memory_of_old_drivers(device: &Device<'_>) -> Result<(u64, u64), NvmlError> {
    let call = nvml_sym(device.nvml().lib().nvmlDeviceGetMemoryInfo.as_ref())?;
    // SAFETY: the handle belongs to the library that is called, which outlives `device`; all-zero numbers are a valid
    // value of the structure, which the call fills.
    unsafe {
        let mut memory = std::mem::zeroed();
        nvml_try(call(device.handle(), &raw mut memory))?;
        Ok((memory.total, memory.used))
    }
}

/// The numbers of the GPU instance and compute instance that a MIG slice is.
pub(super) fn instances(slice: &Device<'_>) -> Result<(u32, u32), NvmlError> {
    let lib = slice.nvml().lib();
    let gpu_instance = nvml_sym(lib.nvmlDeviceGetGpuInstanceId.as_ref())?;
    let compute_instance = nvml_sym(lib.nvmlDeviceGetComputeInstanceId.as_ref())?;
    let (mut gi, mut ci) = (0, 0);
    // SAFETY: as above; both calls write one number.
    unsafe {
        nvml_try(gpu_instance(slice.handle(), &raw mut gi))?;
        nvml_try(compute_instance(slice.handle(), &raw mut ci))?;
    }
    Ok((gi, ci))
}

/// Bytes received and sent over all NVLinks since the driver was loaded; for cards without performance monitoring.
pub(super) fn nvlink_bytes(device: &Device<'_>) -> Result<(f64, f64), NvmlError> {
    /// Payload counters in KiB, `NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_RX` and `_TX`.
    const FIELDS: [u32; 2] = [139, 138];
    /// As the scope it stands for the sum of all links.
    const ALL_LINKS: u32 = u32::MAX;
    let call = nvml_sym(device.nvml().lib().nvmlDeviceGetFieldValues.as_ref())?;
    // SAFETY: as above; the call fills as many structures as it is told there are, and of the union the member of 64 bits
    // is read, all of which was zeroed before and any bits of which are a number.
    unsafe {
        let mut values = [zeroed(call), zeroed(call)];
        for (value, field) in values.iter_mut().zip(FIELDS) {
            value.fieldId = field;
            value.scopeId = ALL_LINKS;
        }
        nvml_try(call(device.handle(), 2, values.as_mut_ptr()))?;
        let [received, sent] = &values;
        nvml_try(received.nvmlReturn)?;
        nvml_try(sent.nvmlReturn)?;
        let bytes = |kibibytes: u64| kibibytes as f64 * 1024.0;
        Ok((bytes(received.value.ullVal), bytes(sent.value.ullVal)))
    }
}

/// All-zero structures for the last argument of `call`, whose type the wrapper does not export.
///
/// # Safety
/// All zeros must be a valid value of `T`.
unsafe fn zeroed<D, T>(_call: &unsafe extern "C" fn(D, c_int, *mut T) -> c_uint) -> T {
    // SAFETY: the caller's.
    unsafe { std::mem::zeroed() }
}
