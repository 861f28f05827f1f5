//! One row a GPU.

use cresset_telemetry::{GpuMetric, GpuSample, Gpus};
use ratatui::text::Span;
use serde::Serialize;

use super::users::{User, Users};
use crate::table::Column;
use crate::{human, theme};

/// What is shown of one GPU. Its JSON is what `--json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) gpu: String,
    pub(super) model: String,
    pub(super) uuid: String,
    pub(super) bus: String,
    pub(super) lost: bool,
    pub(super) utilization: Option<f64>,
    pub(super) memory_used: Option<f64>,
    pub(super) memory_total: Option<f64>,
    pub(super) temperature: Option<f64>,
    pub(super) power: Option<f64>,
    pub(super) power_limit: Option<f64>,
    pub(super) clock_sm: Option<f64>,
    pub(super) throttle: Vec<&'static str>,
    pub(super) processes: Vec<User>,
}

/// All GPUs that were found, with what the last look gave.
pub(super) fn rows(gpus: &Gpus, samples: &[GpuSample], users: &mut Users) -> Vec<Row> {
    let pids: Vec<u32> = samples
        .iter()
        .flat_map(|s| s.others.iter().map(|o| o.pid))
        .collect();
    users.find(&pids);
    let models = gpus.models().iter();
    models
        .map(|(id, model)| {
            let sample = samples.iter().find(|s| s.gpu == *id);
            let get = |metric| sample.and_then(|s| s.get(metric));
            Row {
                gpu: id.to_string(),
                model: model.name.clone(),
                uuid: model.uuid.clone(),
                bus: model.bus.clone(),
                lost: gpus.is_lost(*id),
                utilization: get(GpuMetric::Utilization),
                memory_used: get(GpuMetric::MemoryUsed),
                memory_total: get(GpuMetric::MemoryTotal),
                temperature: get(GpuMetric::Temperature),
                power: get(GpuMetric::Power),
                power_limit: get(GpuMetric::PowerLimit),
                clock_sm: get(GpuMetric::ClockSm),
                throttle: sample
                    .and_then(|s| s.throttle)
                    .map_or_else(Vec::new, |t| t.words().collect()),
                processes: sample.map_or_else(Vec::new, |s| {
                    s.others.iter().map(|o| users.of(o.pid, o.memory)).collect()
                }),
            }
        })
        .collect()
}

/// The heads of the columns that [`Row::cells`] fills.
pub(super) fn columns() -> Vec<Column> {
    let column = |title: &str, right, cuttable| Column {
        title: title.to_owned(),
        right,
        cuttable,
    };
    vec![
        column("gpu", false, false),
        column("model", false, true),
        column("busy", true, false),
        column("memory", true, false),
        column("heat", true, false),
        column("power", true, false),
        column("SM clock", true, false),
        column("slowed by", false, false),
        column("used by", false, true),
    ]
}

impl Row {
    pub(super) fn cells(&self) -> Vec<Span<'static>> {
        let state = if self.lost {
            Span::styled("does not answer", theme::BAD)
        } else {
            Span::styled(self.throttle.join(" "), theme::DOUBTFUL)
        };
        vec![
            Span::styled(self.gpu.clone(), theme::STRONG),
            Span::raw(human::clean(&self.model)),
            Span::raw(with_unit(self.utilization, " %")),
            Span::raw(of(self.memory_used, self.memory_total, gib, " GiB")),
            Span::raw(with_unit(self.temperature, " °C")),
            Span::raw(of(self.power, self.power_limit, whole, " W")),
            Span::raw(with_unit(self.clock_sm, " MHz")),
            state,
            Span::raw(
                self.processes
                    .iter()
                    .map(User::text)
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
        ]
    }
}

fn with_unit(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(|| "–".to_owned(), |v| format!("{v:.0}{unit}"))
}

/// `3.2 / 80.0 GiB`
fn of(value: Option<f64>, most: Option<f64>, text: fn(f64) -> String, unit: &str) -> String {
    match (value, most) {
        (Some(value), Some(most)) => format!("{} / {}{unit}", text(value), text(most)),
        (Some(value), None) => format!("{}{unit}", text(value)),
        (None, _) => "–".to_owned(),
    }
}

fn gib(bytes: f64) -> String {
    format!("{:.1}", bytes / (1u64 << 30) as f64)
}

fn whole(value: f64) -> String {
    format!("{value:.0}")
}
