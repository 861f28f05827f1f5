//! Resident memory, from Linux's `/proc`.

use std::fmt::Display;
use std::fs;

/// Resident memory from some moment on.
#[derive(Clone, Copy, Debug)]
pub struct PeakMemory {
    base_mib: f64,
}

impl PeakMemory {
    /// Begins at what is resident now. `None` where the system does not tell.
    #[must_use]
    pub fn begin() -> Option<Self> {
        // The kernel then starts its high-water mark anew from what is resident.
        fs::write("/proc/self/clear_refs", "5").ok()?;
        let base_mib = status_mib("self", "VmRSS:")?;
        Some(Self { base_mib })
    }

    /// The most that was resident at a time since, above what was at the beginning, in MiB.
    #[must_use]
    pub fn added_mib(&self) -> Option<f64> {
        Some(status_mib("self", "VmHWM:")? - self.base_mib)
    }
}

/// What the system says of the memory of a process, in MiB: `VmRSS:` is resident now, `VmHWM:` was at most.
#[must_use]
pub fn status_mib(process: impl Display, field: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}
