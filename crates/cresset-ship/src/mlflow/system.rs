//! Telemetry under the names, and in the units, of MLflow's own system metrics (`mlflow/system_metrics/metrics`), which its page groups and
//! other people's runs have too. What MLflow has no name for keeps its key.

use cresset_record::{Key, Timestamp};
use serde::{Deserialize, Serialize};

/// MLflow's megabyte.
const MB: f64 = 1e6;

/// What went over the network since the first sample. MLflow counts megabytes where telemetry has rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Network {
    last: Option<Timestamp>,
    received: f64,
    sent: f64,
}

/// The points of one row as MLflow calls them.
pub(super) fn translated(
    points: &[(Key, f64)],
    time: Timestamp,
    network: &mut Network,
) -> Vec<(String, f64)> {
    let value = |wanted: &str| {
        let found = points.iter().find(|(key, _)| key.as_str() == wanted);
        found.map(|(_, value)| *value)
    };
    let share = |used: f64, of: &str| {
        value(of)
            .filter(|&all| all > 0.0)
            .map(|all| used / all * 100.0)
    };
    let mut out = Vec::with_capacity(points.len());
    let mut seconds = None;
    for (key, value) in points {
        let (key, value) = (key.as_str(), *value);
        let host = key.strip_prefix("system/host/");
        let gpu = key.strip_prefix("system/gpu/");
        let gpu = gpu.and_then(|rest| rest.split_once('/'));
        // A slice of a GPU is none of MLflow's.
        let gpu = gpu.filter(|(id, _)| id.bytes().all(|b| b.is_ascii_digit()));
        let mut put = |name: String, value: f64| out.push((format!("system/{name}"), value));
        match (host, gpu) {
            (Some("cpu_machine"), _) => put("cpu_utilization_percentage".into(), value),
            (Some("memory_used"), _) => {
                put("system_memory_usage_megabytes".into(), value / MB);
                if let Some(share) = share(value, "system/host/memory_limit") {
                    put("system_memory_usage_percentage".into(), share);
                }
            }
            (Some(way @ ("network_received" | "network_sent")), _) => {
                put(format!("host/{way}"), value);
                let seconds = *seconds.get_or_insert_with(|| network.advance(time));
                let mb = value * seconds / MB;
                let mb = if mb.is_finite() { mb } else { 0.0 };
                if way == "network_received" {
                    network.received += mb;
                    put("network_receive_megabytes".into(), network.received);
                } else {
                    network.sent += mb;
                    put("network_transmit_megabytes".into(), network.sent);
                }
            }
            (_, Some((id, "utilization"))) => {
                put(format!("gpu_{id}_utilization_percentage"), value);
            }
            (_, Some((id, "memory_used"))) => {
                put(format!("gpu_{id}_memory_usage_megabytes"), value / MB);
                let total = format!("system/gpu/{id}/memory_total");
                if let Some(share) = share(value, &total) {
                    put(format!("gpu_{id}_memory_usage_percentage"), share);
                }
            }
            (_, Some((id, "power"))) => {
                put(format!("gpu_{id}_power_usage_watts"), value);
                let limit = format!("system/gpu/{id}/power_limit");
                if let Some(share) = share(value, &limit) {
                    put(format!("gpu_{id}_power_usage_percentage"), share);
                }
            }
            _ => out.push((key.to_owned(), value)),
        }
    }
    out
}

/// What a metric of MLflow's is here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ours {
    /// A series of this key, each value times this.
    Series(String, f64),
    /// A series of this key, of how much it grows in a second, times this.
    Rate(String, f64),
    /// Nothing: it follows from other series.
    Derived,
}

/// What a metric is here. In a run that came from here, some follow from others; what MLflow counts and Cresset does not keeps its name.
pub(crate) fn ours(name: &str, came_from_here: bool) -> Ours {
    let same = || Ours::Series(name.to_owned(), 1.0);
    let Some(own) = name.strip_prefix("system/") else {
        return same();
    };
    let host = |key: &str| format!("system/host/{key}");
    match own {
        "cpu_utilization_percentage" => return Ours::Series(host("cpu_machine"), 1.0),
        "system_memory_usage_megabytes" => return Ours::Series(host("memory_used"), MB),
        "system_memory_usage_percentage"
        | "network_receive_megabytes"
        | "network_transmit_megabytes"
            if came_from_here =>
        {
            return Ours::Derived;
        }
        "network_receive_megabytes" => return Ours::Rate(host("network_received"), MB),
        "network_transmit_megabytes" => return Ours::Rate(host("network_sent"), MB),
        _ => {}
    }
    let gpu = own
        .strip_prefix("gpu_")
        .and_then(|rest| rest.split_once('_'));
    let Some((id, figure)) = gpu.filter(|(id, _)| id.bytes().all(|b| b.is_ascii_digit())) else {
        return same();
    };
    let gpu = |key: &str, factor: f64| Ours::Series(format!("system/gpu/{id}/{key}"), factor);
    match figure {
        "utilization_percentage" => gpu("utilization", 1.0),
        "memory_usage_megabytes" => gpu("memory_used", MB),
        // Of AMD's.
        "memory_usage_gigabytes" => gpu("memory_used", 1e9),
        "power_usage_watts" => gpu("power", 1.0),
        "memory_usage_percentage" | "power_usage_percentage" if came_from_here => Ours::Derived,
        _ => same(),
    }
}

impl Network {
    /// Seconds since the sample before.
    fn advance(&mut self, time: Timestamp) -> f64 {
        let seconds = self.last.map_or(0.0, |last| time.seconds_since(last));
        self.last = Some(time);
        seconds.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(points: &[(&str, f64)]) -> Vec<(Key, f64)> {
        let points = points.iter();
        points
            .map(|(key, value)| (Key::new(key).unwrap(), *value))
            .collect()
    }

    #[test]
    fn names_and_units_are_mlflows() {
        let points = row(&[
            ("train/loss", 0.5),
            ("system/host/cpu_machine", 40.0),
            ("system/host/memory_used", 4e9),
            ("system/host/memory_limit", 16e9),
            ("system/gpu/0/memory_used", 20e9),
            ("system/gpu/0/memory_total", 80e9),
            ("system/gpu/0/power", 350.0),
            ("system/gpu/0/power_limit", 700.0),
            ("system/gpu/1.0/utilization", 9.0),
        ]);
        let translated = translated(&points, Timestamp(0), &mut Network::default());
        let translated: Vec<_> = translated.iter().map(|(k, v)| (k.as_str(), *v)).collect();
        assert_eq!(
            translated,
            [
                ("train/loss", 0.5),
                ("system/cpu_utilization_percentage", 40.0),
                ("system/system_memory_usage_megabytes", 4000.0),
                ("system/system_memory_usage_percentage", 25.0),
                ("system/host/memory_limit", 16e9),
                ("system/gpu_0_memory_usage_megabytes", 20_000.0),
                ("system/gpu_0_memory_usage_percentage", 25.0),
                ("system/gpu/0/memory_total", 80e9),
                ("system/gpu_0_power_usage_watts", 350.0),
                ("system/gpu_0_power_usage_percentage", 50.0),
                ("system/gpu/0/power_limit", 700.0),
                ("system/gpu/1.0/utilization", 9.0),
            ]
        );
    }

    #[test]
    fn what_is_translated_comes_back() {
        for (key, value) in [
            ("train/loss", 0.5),
            ("system/host/cpu_machine", 40.0),
            ("system/host/memory_used", 4e9),
            ("system/host/network_received", 3e6),
            ("system/gpu/0/memory_used", 20e9),
            ("system/gpu/0/power", 350.0),
            ("system/gpu/1.0/utilization", 9.0),
        ] {
            let limits = [
                ("system/host/memory_limit", 16e9),
                ("system/gpu/0/memory_total", 80e9),
                ("system/gpu/0/power_limit", 700.0),
            ];
            let points = row(&[&[(key, value)], &limits[..]].concat());
            let there = translated(&points, Timestamp(0), &mut Network::default());
            let there = &there[..there.len() - limits.len()];
            let back = there
                .iter()
                .filter_map(|(name, value)| match ours(name, true) {
                    Ours::Series(key, factor) => Some((key, value * factor)),
                    Ours::Rate(..) => panic!("{name}"),
                    Ours::Derived => None,
                });
            assert_eq!(back.collect::<Vec<_>>(), [(key.to_owned(), value)]);
        }
        let received = ours("system/network_receive_megabytes", false);
        assert_eq!(
            received,
            Ours::Rate("system/host/network_received".into(), MB)
        );
        let disk = "system/disk_usage_megabytes";
        assert_eq!(ours(disk, false), Ours::Series(disk.into(), 1.0));
    }

    #[test]
    fn rates_of_the_network_add_up_to_what_went_over_it() {
        let mut network = Network::default();
        let mut received = Vec::new();
        for second in 0..3 {
            let points = row(&[
                ("system/host/network_received", 3e6),
                ("system/host/network_sent", 1e6),
            ]);
            let row = translated(&points, Timestamp(second * 2_000_000), &mut network);
            received.push((row[1].1, row[3].1));
        }
        assert_eq!(received, [(0.0, 0.0), (6.0, 2.0), (12.0, 4.0)]);
    }
}
