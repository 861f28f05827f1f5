//! What GPUs and the host did meanwhile, under the keys of `cresset-telemetry`: `system/gpu/<n>/…` for each GPU and
//! `system/host/…`, with units by definition.

use anyhow::Result;
use cresset_record::Definition;
use cresset_run::SummaryRule;

use super::plan::Plan;
use crate::book::{Book, SECOND};
use crate::rng::Rng;

/// Seconds between looks.
const EVERY: i64 = 5;
const GIB: f64 = (1u64 << 30) as f64;

pub(super) struct System {
    gpus: usize,
    next: i64,
    rng: Rng,
    heat: f64,
}

impl System {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            gpus: if plan.gpus { 2 } else { 0 },
            next: plan.time.0,
            rng: Rng::new(plan.number, 0x6000),
            heat: 38.0,
        }
    }

    pub(super) fn definitions(gpus: bool) -> Vec<Definition> {
        let unit = |pattern: &str, unit: &str| {
            Definition::new(pattern)
                .unit(unit)
                .summary(SummaryRule::Mean)
        };
        let mut all = vec![
            unit("system/host/cpu_process", "%"),
            unit("system/host/cpu_machine", "%"),
            unit("system/host/memory_*", "B").summary(SummaryRule::Max),
            unit("system/host/disk_*", "B/s"),
            unit("system/host/network_*", "B/s"),
        ];
        if gpus {
            all.extend([
                unit("system/gpu/*/utilization", "%"),
                unit("system/gpu/*/memory_*", "B").summary(SummaryRule::Max),
                unit("system/gpu/*/power", "W"),
                unit("system/gpu/*/power_limit", "W"),
                unit("system/gpu/*/temperature", "°C"),
            ]);
        }
        all
    }

    pub(super) fn look(&mut self, book: &mut Book, step: u64) -> Result<()> {
        if book.now.0 < self.next {
            return Ok(());
        }
        self.next = book.now.0 + EVERY * SECOND;
        let rng = &mut self.rng;
        let mut row = Vec::new();
        for gpu in 0..self.gpus {
            let mut put =
                |name: &str, value: f64| row.push((format!("system/gpu/{gpu}/{name}"), value));
            // The second one waits for the first: a bottleneck that the page should show.
            let busy = if gpu == 0 { 88.0 } else { 61.0 } + 5.0 * rng.normal();
            let busy = if rng.below(25) == 0 { 4.0 } else { busy }.clamp(0.0, 100.0);
            self.heat += 0.05 * (41.0 + 0.38 * busy - self.heat);
            put("utilization", busy.round());
            put(
                "memory_used",
                (4.1 + 0.3 * gpu as f64) * GIB + 0.02 * GIB * rng.normal(),
            );
            put("memory_process", (3.6 + 0.3 * gpu as f64) * GIB);
            put("memory_total", 20.0 * GIB);
            put("power", 34.0 + 0.9 * busy + 2.0 * rng.normal());
            put("power_limit", 130.0);
            put("temperature", (self.heat + 3.0 * gpu as f64).round());
        }
        let mut put = |name: &str, value: f64| row.push((format!("system/host/{name}"), value));
        let process = if self.gpus > 0 { 140.0 } else { 770.0 } + 12.0 * rng.normal();
        put("cpu_process", process);
        put(
            "cpu_machine",
            (process / 48.0 + 3.0 + rng.normal()).max(0.0),
        );
        put("memory_process", 1.9 * GIB + 0.05 * GIB * rng.normal());
        put("memory_used", 21.0 * GIB + 0.3 * GIB * rng.normal());
        put("memory_limit", 64.0 * GIB);
        put("disk_read", (6e6 + 3e6 * rng.normal()).max(0.0));
        put("disk_write", if rng.below(9) == 0 { 4e7 } else { 2e5 });
        put("network_received", (2e4 + 1e4 * rng.normal()).max(0.0));
        put("network_sent", (1e4 + 5e3 * rng.normal()).max(0.0));
        book.row(step, &row)
    }
}
