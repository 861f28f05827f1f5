//! Resident memory of this process, from Linux's `/proc`.

use std::fs;

/// Resident memory from some moment on.
#[derive(Clone, Copy, Debug)]
pub struct PeakMemory {
    base_kib: f64,
}

impl PeakMemory {
    /// Begins at what is resident now. `None` where the system does not tell.
    #[must_use]
    pub fn begin() -> Option<Self> {
        // The kernel then starts its high-water mark anew from what is resident.
        fs::write("/proc/self/clear_refs", "5").ok()?;
        let base_kib = status_kib("VmRSS:")?;
        Some(Self { base_kib })
    }

    /// The most that was resident at a time since, above what was at the beginning, in MiB.
    #[must_use]
    pub fn added_mib(&self) -> Option<f64> {
        Some((status_kib("VmHWM:")? - self.base_kib) / 1024.0)
    }
}

fn status_kib(field: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
