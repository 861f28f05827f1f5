//! The series of what is sampled: one row a sample.

use std::collections::BTreeMap;

use cresset_run::{Run, Series};

use crate::keys::{self, GpuId, GpuMetric, HostMetric, SYSTEM};
use crate::sample::{GpuSample, Sample};
use crate::throttle::REASONS;

/// Handles of all series, made when a figure is first seen.
pub(super) struct Logged {
    host: Vec<Option<Series>>,
    gpus: BTreeMap<GpuId, Gpu>,
    late: Option<Series>,
    missed: Option<Series>,
    row: Vec<(Series, f64)>,
}

struct Gpu {
    figures: Vec<Option<Series>>,
    reasons: Vec<Option<Series>>,
}

impl Logged {
    pub(super) fn begin(run: &Run) -> Self {
        for definition in keys::definitions(false) {
            run.define(definition);
        }
        Self {
            host: vec![None; HostMetric::ALL.len()],
            gpus: BTreeMap::new(),
            late: None,
            missed: None,
            row: Vec::new(),
        }
    }

    /// Logs a sample at the step where the training loop is.
    pub(super) fn log(
        &mut self,
        run: &Run,
        sample: &Sample,
        late: Option<f64>,
        missed: Option<f64>,
    ) {
        self.row.clear();
        for (slot, &metric) in self.host.iter_mut().zip(HostMetric::ALL) {
            let value = sample.host.get(metric);
            put(&mut self.row, run, slot, value, || {
                keys::host(metric.name())
            });
        }
        if self.gpus.is_empty() && !sample.gpus.is_empty() {
            for definition in keys::definitions(true) {
                run.define(definition);
            }
        }
        for gpu in &sample.gpus {
            let series = self.gpus.entry(gpu.gpu).or_insert_with(|| Gpu {
                figures: vec![None; GpuMetric::ALL.len()],
                reasons: vec![None; REASONS.len()],
            });
            series.put(&mut self.row, run, gpu);
        }
        let telemetry = |name: &str| format!("{SYSTEM}/telemetry/{name}");
        put(&mut self.row, run, &mut self.late, late, || {
            telemetry("late")
        });
        put(&mut self.row, run, &mut self.missed, missed, || {
            telemetry("missed")
        });
        let step = run.step().unwrap_or(0);
        run.log(
            step,
            self.row.iter().map(|(series, value)| (series, *value)),
        );
    }
}

impl Gpu {
    fn put(&mut self, row: &mut Vec<(Series, f64)>, run: &Run, sample: &GpuSample) {
        for (slot, &metric) in self.figures.iter_mut().zip(GpuMetric::ALL) {
            let value = sample.get(metric);
            put(row, run, slot, value, || {
                keys::gpu(sample.gpu, metric.name())
            });
        }
        let Some(throttle) = sample.throttle else {
            return;
        };
        for (slot, reason) in self.reasons.iter_mut().zip(REASONS) {
            let holds = throttle.has(reason);
            // A reason has a series from when it was first seen.
            if holds || slot.is_some() {
                let value = Some(f64::from(u8::from(holds)));
                put(row, run, slot, value, || {
                    keys::gpu(sample.gpu, &format!("throttle/{}", reason.name))
                });
            }
        }
    }
}

fn put(
    row: &mut Vec<(Series, f64)>,
    run: &Run,
    slot: &mut Option<Series>,
    value: Option<f64>,
    key: impl FnOnce() -> String,
) {
    if let Some(value) = value {
        let series = slot.get_or_insert_with(|| run.series(&key()));
        row.push((series.clone(), value));
    }
}
