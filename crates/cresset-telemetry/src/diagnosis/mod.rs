//! What is wrong with how a run uses its machine, with the evidence.
//!
//! [`diagnose`] is a function of the last samples; [`Findings`] remembers what was found when, and what is new.

mod findings;
mod rules;
#[cfg(test)]
mod tests;

pub(crate) use findings::Findings;

use crate::keys::GpuId;
use crate::sample::Sample;

/// What can be wrong. The names are part of what is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A GPU waits while the processor or a disk is busy.
    InputBound,
    /// GPU memory is nearly full.
    MemoryNearlyFull,
    /// A GPU is slowed by heat.
    ThermalThrottling,
    /// A GPU is slowed by a limit on its power.
    PowerThrottling,
    /// Of several GPUs some do nothing.
    GpuIdle,
    /// Another process uses a GPU too.
    GpuShared,
    /// A GPU does not answer any more.
    GpuLost,
    /// A call to the driver hangs.
    GpuSilent,
    /// Memory of the host is nearly full.
    HostMemoryNearlyFull,
    /// The quota of a control group holds the process back.
    CpuQuota,
}

impl Kind {
    /// The name in records, such as `input_bound`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InputBound => "input_bound",
            Self::MemoryNearlyFull => "memory_nearly_full",
            Self::ThermalThrottling => "thermal_throttling",
            Self::PowerThrottling => "power_throttling",
            Self::GpuIdle => "gpu_idle",
            Self::GpuShared => "gpu_shared",
            Self::GpuLost => "gpu_lost",
            Self::GpuSilent => "gpu_silent",
            Self::HostMemoryNearlyFull => "host_memory_nearly_full",
            Self::CpuQuota => "cpu_quota",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// With which GPU, where it is about one.
    pub gpu: Option<GpuId>,
    /// One line.
    pub title: String,
    /// The figures that show it, and what may help.
    pub evidence: String,
}

/// The fewest samples that a finding may rest on.
const FEWEST: usize = 10;

/// What is wrong, by samples that follow one another, oldest first: those of the last minute, say. Fewer than ten say nothing.
#[must_use]
pub fn diagnose<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Vec<Finding> {
    let samples: Vec<&Sample> = samples.into_iter().collect();
    if samples.len() < FEWEST {
        return Vec::new();
    }
    rules::all(&samples)
}
