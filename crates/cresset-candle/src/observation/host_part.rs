//! The part of an observation that is of variables on CPUs.

use std::sync::Arc;

use candle_core::Tensor;
use cresset_run::TensorStats;
use cresset_run::stats::Accumulator;
use cresset_run::watch::{Findings, Found, ParameterSeries};

use crate::host::{HostCopies, tensor_stats};

/// Parameters are copied so that an observation is of one moment. Above so many elements the update ratio is left out, and
/// the parameters are scanned in place instead, to bound memory (32 MiB as `f32`, twice).
const MAX_COPIED: usize = 8 << 20;

/// Of variables on CPUs.
#[derive(Default)]
pub(super) struct HostObservation {
    entries: Vec<Entry>,
    before: HostCopies,
    after: HostCopies,
    copied: bool,
}

struct Entry {
    series: Arc<ParameterSeries>,
    value: Tensor,
    gradient: Option<Tensor>,
    /// Of the parameter, where it could not be copied.
    scanned: Option<TensorStats>,
}

impl HostObservation {
    pub(super) fn push(
        &mut self,
        series: Arc<ParameterSeries>,
        value: Tensor,
        gradient: Option<Tensor>,
    ) {
        self.entries.push(Entry {
            series,
            value,
            gradient,
            scanned: None,
        });
    }

    pub(super) fn copy_or_scan(&mut self) -> candle_core::Result<()> {
        let elements: usize = self.entries.iter().map(|e| e.value.elem_count()).sum();
        self.copied = elements <= MAX_COPIED;
        let mut accumulator = None;
        for entry in &mut self.entries {
            if self.copied {
                self.before.push(&entry.value)?;
            } else {
                let accumulator = accumulator.get_or_insert_with(Accumulator::new);
                entry.scanned = tensor_stats(&entry.value, accumulator).ok();
            }
        }
        Ok(())
    }

    /// Copies the parameters after the step. From there on only copies are looked at: the next step changes the variables.
    pub(super) fn copy_again(&mut self) {
        if self.copied {
            // Without these copies there is no distance; statistics are of those before.
            let _ = self
                .entries
                .iter()
                .try_for_each(|e| self.after.push(&e.value));
        }
    }

    /// About what waits for the worker.
    pub(super) fn bytes(&self) -> usize {
        let gradients = self.entries.iter().filter_map(|e| e.gradient.as_ref());
        let gradients = gradients.map(|g| g.elem_count() * g.dtype().size_in_bytes());
        gradients.sum::<usize>() + self.before.bytes() + self.after.bytes()
    }

    pub(super) fn work_out(&self, findings: &mut Findings) {
        let mut accumulator = Accumulator::new();
        for (i, entry) in self.entries.iter().enumerate() {
            let gradient = entry.gradient.as_ref();
            let copied = self.before.stats(i, &mut accumulator);
            findings.add(
                &entry.series,
                Found {
                    gradient: gradient.and_then(|g| tensor_stats(g, &mut accumulator).ok()),
                    parameter: copied.or_else(|| entry.scanned.clone()),
                    distance: self.before.distance(&self.after, i),
                },
            );
        }
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.before.clear();
        self.after.clear();
        self.copied = false;
    }
}
