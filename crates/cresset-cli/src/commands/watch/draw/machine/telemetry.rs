//! What telemetry records, one line a GPU and one for the host.

use std::collections::BTreeMap;

use cresset_record::{Key, Point, Rank, Series};
use ratatui::text::{Line, Span};

use super::spark;
use crate::commands::watch::app::App;
use crate::theme;

const GPU: &str = "system/gpu/";
const HOST: &str = "system/host/";
const TELEMETRY: &str = "system/telemetry/";
/// A figure that is older than this, beside the newest of the machine, says nothing of now.
const STALE_SECONDS: f64 = 15.0;
const GIB: f64 = (1u64 << 30) as f64;

/// Whether a key is shown here.
pub(super) fn is_known(key: &str) -> bool {
    [GPU, HOST, TELEMETRY].iter().any(|p| key.starts_with(p))
}

/// One line for each GPU of each rank, and one for the host of each.
pub(super) fn lines(app: &App) -> Vec<Line<'static>> {
    let mut gpus: BTreeMap<(Rank, Number<'_>), Figures> = BTreeMap::new();
    let mut hosts: BTreeMap<Rank, Figures> = BTreeMap::new();
    for (key, rank, series) in app.view.series() {
        if let Some((number, name)) = of_gpu(key) {
            let figures = gpus.entry((rank, number)).or_default();
            figures.series.insert(name, series);
        } else if let Some(name) = key.as_str().strip_prefix(HOST) {
            hosts.entry(rank).or_default().series.insert(name, series);
        }
    }
    let all = || gpus.values().chain(hosts.values());
    let newest = all().filter_map(Figures::newest).map(|p| p.time).max();
    let mut ranks = gpus.keys().map(|(rank, _)| rank).chain(hosts.keys());
    let several = ranks.any(|rank| rank.0 > 0);
    let of_rank = |rank: Rank| match several {
        true => format!(" of rank {}", rank.0),
        false => String::new(),
    };
    let mut lines = Vec::new();
    for ((rank, number), figures) in &gpus {
        let now = Now { figures, newest };
        let title = format!("GPU {}{}", number.0, of_rank(*rank));
        lines.push(now.gpu(title));
    }
    for (rank, figures) in &hosts {
        let now = Now { figures, newest };
        lines.push(now.host(format!("host{}", of_rank(*rank))));
    }
    lines
}

/// A GPU's number as text, sorted as numbers are.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Number<'a>(&'a str);

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let value = |n: &Self| n.0.parse::<f64>().unwrap_or(f64::INFINITY);
        value(self)
            .total_cmp(&value(other))
            .then(self.0.cmp(other.0))
    }
}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The number and the figure's name of a key `system/gpu/<number>/<name>`.
fn of_gpu(key: &Key) -> Option<(Number<'_>, &str)> {
    let (number, name) = key.as_str().strip_prefix(GPU)?.split_once('/')?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    is_number.then_some((Number(number), name))
}

/// The series of one GPU or host, by the last part of their keys.
#[derive(Default)]
struct Figures<'a> {
    series: BTreeMap<&'a str, &'a Series>,
}

impl Figures<'_> {
    fn newest(&self) -> Option<Point> {
        let last = self.series.values().filter_map(|s| s.points().last());
        last.copied().max_by_key(|p| p.time)
    }
}

/// Figures as of now.
struct Now<'a> {
    figures: &'a Figures<'a>,
    newest: Option<cresset_record::Timestamp>,
}

impl Now<'_> {
    fn get(&self, name: &str) -> Option<f64> {
        let point = self.figures.series.get(name)?.points().last()?;
        let age = self.newest?.seconds_since(point.time);
        (age <= STALE_SECONDS).then_some(point.value)
    }

    /// `40.0/80.0 GiB`
    fn of(&self, name: &str, most: &str, scale: f64, digits: usize, unit: &str) -> Option<String> {
        let value = self.get(name)? / scale;
        Some(match self.get(most) {
            Some(most) => format!("{value:.digits$}/{:.digits$} {unit}", most / scale),
            None => format!("{value:.digits$} {unit}"),
        })
    }

    fn spark(&self, name: &str) -> Span<'static> {
        let bars = self
            .figures
            .series
            .get(name)
            .map(|s| spark(s, Some((0.0, 100.0))));
        Span::styled(bars.unwrap_or_default(), theme::line_style(0))
    }

    fn gpu(&self, title: String) -> Line<'static> {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(self.get("utilization").map(|v| format!("{v:3.0} %")));
        parts.extend(self.of("memory_used", "memory_total", GIB, 1, "GiB"));
        parts.extend(self.get("temperature").map(|v| format!("{v:.0} °C")));
        parts.extend(self.of("power", "power_limit", 1.0, 0, "W"));
        if parts.is_empty() {
            parts.push("no answer".to_owned());
        }
        let reasons = self.figures.series.keys().filter_map(|name| {
            let reason = name.strip_prefix("throttle/")?;
            (self.get(name) == Some(1.0)).then(|| reason.replace('_', " "))
        });
        let reasons: Vec<String> = reasons.collect();
        Line::from(vec![
            Span::styled(format!("{title:<6} "), theme::QUIET),
            self.spark("utilization"),
            Span::raw(format!(" {}", parts.join("  "))),
            Span::styled(format!("  {}", reasons.join(", ")), theme::DOUBTFUL),
        ])
    }

    fn host(&self, title: String) -> Line<'static> {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(self.of("cpu_tree", "cpu_limit", 100.0, 1, "cores"));
        parts.extend(self.of("memory_used", "memory_limit", GIB, 1, "GiB"));
        let rates = [
            ("disk", "disk_read", "disk_write"),
            ("net", "network_received", "network_sent"),
        ];
        let mut moved: Vec<String> = Vec::new();
        for (what, incoming, outgoing) in rates {
            if let (Some(incoming), Some(outgoing)) = (self.get(incoming), self.get(outgoing)) {
                moved.push(format!("{what} ↓{} ↑{}", rate(incoming), rate(outgoing)));
            }
        }
        // The unit once, or 80 columns would not be enough.
        if let Some(last) = moved.last_mut() {
            *last += " MB/s";
        }
        parts.extend(moved);
        Line::from(vec![
            Span::styled(format!("{title:<6} "), theme::QUIET),
            self.spark("cpu_machine"),
            Span::raw(format!(" {}", parts.join("  "))),
        ])
    }
}

/// Bytes a second in megabytes.
fn rate(bytes: f64) -> String {
    let megabytes = bytes / 1e6;
    match megabytes {
        ..0.05 => "0".to_owned(),
        100.0.. => format!("{megabytes:.0}"),
        _ => format!("{megabytes:.1}"),
    }
}
