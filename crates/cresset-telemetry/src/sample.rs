//! One look at the machine.

use std::time::Instant;

use crate::keys::{GpuId, GpuMetric, HostMetric};
use crate::throttle::Throttle;

/// What one look at a GPU, or at a slice of one, gave. A figure that could not be had is absent, never zero.
#[derive(Clone, Debug, PartialEq)]
pub struct GpuSample {
    /// Which GPU.
    pub gpu: GpuId,
    /// What slows it, where the driver tells.
    pub throttle: Option<Throttle>,
    /// Processes that use it and are not of this process tree, where they can be told apart.
    pub others: Vec<OtherProcess>,
    /// When power was read: the driver may take its time for the rest.
    pub(crate) read: Option<Instant>,
    values: [Option<f64>; GpuMetric::ALL.len()],
}

/// Somebody else's process on a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherProcess {
    /// Its process id.
    pub pid: u32,
    /// Its GPU memory in bytes, where the driver tells.
    pub memory: Option<u64>,
}

impl GpuSample {
    /// A look that gave nothing yet.
    #[must_use]
    pub fn new(gpu: GpuId) -> Self {
        Self {
            gpu,
            throttle: None,
            others: Vec::new(),
            read: None,
            values: [None; GpuMetric::ALL.len()],
        }
    }

    /// The value of a figure.
    #[must_use]
    pub fn get(&self, metric: GpuMetric) -> Option<f64> {
        self.values.get(metric as usize).copied().flatten()
    }

    /// Sets the value of a figure.
    pub fn set(&mut self, metric: GpuMetric, value: Option<f64>) {
        if let Some(slot) = self.values.get_mut(metric as usize) {
            *slot = value;
        }
    }

    /// Whether it has no figure at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.iter().all(Option::is_none)
    }
}

/// What one look at the host gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostSample {
    values: [Option<f64>; HostMetric::ALL.len()],
}

impl HostSample {
    /// The value of a figure.
    #[must_use]
    pub fn get(&self, metric: HostMetric) -> Option<f64> {
        self.values.get(metric as usize).copied().flatten()
    }

    /// Sets the value of a figure.
    pub fn set(&mut self, metric: HostMetric, value: Option<f64>) {
        if let Some(slot) = self.values.get_mut(metric as usize) {
            *slot = value;
        }
    }
}

/// One look at everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Seconds since sampling began, by a clock that never jumps.
    pub seconds: f64,
    /// The host.
    pub host: HostSample,
    /// The GPUs; those that gave nothing are left out.
    pub gpus: Vec<GpuSample>,
}
