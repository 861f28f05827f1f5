//! What the server counts of itself, in Prometheus' text format
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Upper bounds of the latency buckets, in seconds.
const BOUNDS: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];

/// What the server counts of itself. Routes are those of the router, so the tables are bounded.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    tables: Mutex<Tables>,
    resyncs: AtomicU64,
}

#[derive(Debug, Default)]
struct Tables {
    /// By route, method and status.
    requests: BTreeMap<(String, &'static str, u16), u64>,
    /// By route.
    seconds: BTreeMap<String, Latency>,
}

#[derive(Debug, Default)]
struct Latency {
    buckets: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

/// What is read at the moment of asking.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    pub(crate) clients: usize,
    /// Runs by the word of their state; `None` where the index could not be asked.
    pub(crate) runs: BTreeMap<&'static str, u64>,
    /// Highest version of any run.
    pub(crate) version: u64,
    /// Points that this process read into the index.
    pub(crate) index_points: u64,
    /// Runs and folders that cannot be read.
    pub(crate) index_refused: usize,
    /// How old what is shown can be; `None` before the first look at the logs.
    pub(crate) index_lag_seconds: Option<f64>,
}

impl Metrics {
    /// A request was answered.
    pub(crate) fn request(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        let seconds = took.as_secs_f64();
        let mut tables = self.tables();
        let key = (route.to_owned(), method, status);
        *tables.requests.entry(key).or_default() += 1;
        let latency = tables.seconds.entry(route.to_owned()).or_default();
        latency.count += 1;
        latency.sum += seconds;
        for (bucket, bound) in latency.buckets.iter_mut().zip(BOUNDS) {
            *bucket += u64::from(seconds <= bound);
        }
    }

    /// A client fell behind and was told to ask anew.
    pub(crate) fn resync(&self) {
        self.resyncs.fetch_add(1, Ordering::Relaxed);
    }

    /// Everything as text.
    pub(crate) fn render(&self, gauges: &Gauges) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = self.write(&mut text, gauges);
        text
    }

    fn write(&self, out: &mut String, gauges: &Gauges) -> std::fmt::Result {
        let tables = self.tables();
        let name = "cresset_http_requests_total";
        family(out, name, "counter", "Requests that were answered.")?;
        for ((route, method, status), count) in &tables.requests {
            let route = escaped(route);
            writeln!(
                out,
                "{name}{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}"
            )?;
        }
        let name = "cresset_http_request_seconds";
        let help = "Seconds from a request's head to its answer's head.";
        family(out, name, "histogram", help)?;
        for (route, latency) in &tables.seconds {
            let route = escaped(route);
            for (bucket, bound) in latency.buckets.iter().zip(BOUNDS) {
                writeln!(
                    out,
                    "{name}_bucket{{route=\"{route}\",le=\"{bound}\"}} {bucket}"
                )?;
            }
            let Latency { count, sum, .. } = latency;
            writeln!(
                out,
                "{name}_bucket{{route=\"{route}\",le=\"+Inf\"}} {count}"
            )?;
            writeln!(out, "{name}_sum{{route=\"{route}\"}} {sum}")?;
            writeln!(out, "{name}_count{{route=\"{route}\"}} {count}")?;
        }
        drop(tables);
        let name = "cresset_event_clients";
        family(out, name, "gauge", "Browsers that listen for changes.")?;
        writeln!(out, "{name} {}", gauges.clients)?;
        let name = "cresset_event_resyncs_total";
        let help = "Times that a client fell behind and was told to ask anew.";
        family(out, name, "counter", help)?;
        writeln!(out, "{name} {}", self.resyncs.load(Ordering::Relaxed))?;
        let name = "cresset_runs";
        family(out, name, "gauge", "Runs in the index, by state.")?;
        for (state, count) in &gauges.runs {
            writeln!(out, "{name}{{state=\"{state}\"}} {count}")?;
        }
        let name = "cresset_index_version";
        let help = "Rises with every change that the index takes in.";
        family(out, name, "counter", help)?;
        writeln!(out, "{name} {}", gauges.version)?;
        let name = "cresset_index_points_total";
        let help = "Points that this process read from logs into the index.";
        family(out, name, "counter", help)?;
        writeln!(out, "{name} {}", gauges.index_points)?;
        let name = "cresset_index_refused";
        let help = "Runs and folders that cannot be read.";
        family(out, name, "gauge", help)?;
        writeln!(out, "{name} {}", gauges.index_refused)?;
        if let Some(seconds) = gauges.index_lag_seconds {
            let name = "cresset_index_lag_seconds";
            let help = "How old what is shown can be: since the last look at the logs, and how long that took.";
            family(out, name, "gauge", help)?;
            writeln!(out, "{name} {seconds}")?;
        }
        if let Some(bytes) = resident_bytes() {
            let name = "process_resident_memory_bytes";
            family(out, name, "gauge", "Resident memory of the process.")?;
            writeln!(out, "{name} {bytes}")?;
        }
        Ok(())
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // Every statement leaves the tables valid.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn escaped(label: &str) -> String {
    label
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// Resident memory, where the system tells.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_told() {
        let metrics = Metrics::default();
        metrics.request("/api/v1/projects", "GET", 200, Duration::from_millis(3));
        metrics.request("/api/v1/projects", "GET", 200, Duration::from_secs(9));
        metrics.resync();
        let gauges = Gauges {
            clients: 2,
            runs: [("running", 1)].into(),
            version: 7,
            index_points: 9,
            index_lag_seconds: Some(0.25),
            ..Gauges::default()
        };
        let text = metrics.render(&gauges);
        for line in [
            r#"cresset_http_requests_total{method="GET",route="/api/v1/projects",status="200"} 2"#,
            r#"cresset_http_request_seconds_bucket{route="/api/v1/projects",le="0.0025"} 0"#,
            r#"cresset_http_request_seconds_bucket{route="/api/v1/projects",le="0.005"} 1"#,
            r#"cresset_http_request_seconds_bucket{route="/api/v1/projects",le="+Inf"} 2"#,
            r#"cresset_http_request_seconds_count{route="/api/v1/projects"} 2"#,
            "cresset_event_clients 2",
            "cresset_event_resyncs_total 1",
            r#"cresset_runs{state="running"} 1"#,
            "cresset_index_version 7",
            "cresset_index_points_total 9",
            "cresset_index_lag_seconds 0.25",
        ] {
            assert!(text.lines().any(|l| l == line), "no {line} in {text}");
        }
    }
}
