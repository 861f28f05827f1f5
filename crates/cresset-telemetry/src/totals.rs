//! What a run took all in all, worked out when it ends.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::keys::{self, GpuId, GpuMetric, SYSTEM};
use crate::meter::{Meters, Source};
use crate::sample::Sample;

const JOULES_PER_KWH: f64 = 3.6e6;
const SECONDS_PER_HOUR: f64 = 3600.0;

/// Sums over samples, of which none is kept.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    gpus: BTreeMap<GpuId, Gpu>,
    seconds: f64,
}

#[derive(Debug)]
struct Gpu {
    utilization: Shares,
    /// The highest memory of this process tree, or of everybody where it is not known.
    memory_peak: Option<f64>,
    energy: Option<f64>,
    /// Seconds in which this process tree held memory, or in which nobody could tell.
    used: f64,
    last: Option<f64>,
}

/// How often each percentage was seen, rounded to a whole one.
#[derive(Debug)]
struct Shares([u32; 101]);

/// What the user says that figures need.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rates {
    /// CO₂ equivalent, in grams a kWh.
    pub(crate) grams_per_kwh: Option<f64>,
    /// Samples a second that the training loop gets through.
    pub(crate) throughput: Option<f64>,
}

impl Totals {
    pub(crate) fn add(&mut self, sample: &Sample) {
        self.seconds = sample.seconds;
        for gpu in &sample.gpus {
            let total = self.gpus.entry(gpu.gpu).or_insert_with(|| Gpu {
                utilization: Shares([0; 101]),
                memory_peak: None,
                energy: None,
                used: 0.0,
                last: None,
            });
            if let Some(percent) = gpu.get(GpuMetric::Utilization) {
                total.utilization.add(percent);
            }
            let own = gpu.get(GpuMetric::MemoryProcess);
            let memory = own.or(gpu.get(GpuMetric::MemoryUsed));
            if let Some(memory) = memory {
                total.memory_peak = Some(total.memory_peak.unwrap_or(0.0).max(memory));
            }
            total.energy = gpu.get(GpuMetric::Energy).or(total.energy);
            let passed = sample.seconds - total.last.unwrap_or(sample.seconds);
            if own != Some(0.0) {
                total.used += passed;
            }
            total.last = Some(sample.seconds);
        }
    }

    /// The summary values, by key.
    pub(crate) fn summary(&self, meters: &Meters, rates: Rates) -> Map<String, Json> {
        let mut map = Map::new();
        let mut put = |key: String, value: Option<f64>| {
            if let Some(value) = value.filter(|v| v.is_finite()) {
                map.insert(key, value.into());
            }
        };
        let total = |name: &str| format!("{SYSTEM}/total/{name}");
        for (&id, gpu) in &self.gpus {
            let p95 = gpu.utilization.quantile(0.95);
            put(keys::gpu(id, "utilization_p95"), p95);
        }
        // GPUs that the run never touched are others' business, unless it touched none.
        let used = || self.gpus.iter().filter(|(_, gpu)| gpu.used > 0.0);
        let energies: Vec<f64> = used().filter_map(|(_, gpu)| gpu.energy).collect();
        let joules = (!energies.is_empty()).then(|| energies.iter().sum::<f64>());
        if !self.gpus.is_empty() {
            let seconds: f64 = self.gpus.values().map(|gpu| gpu.used).sum();
            put(total("gpu_hours"), Some(seconds / SECONDS_PER_HOUR));
        }
        let mut all = Shares([0; 101]);
        for (_, gpu) in used() {
            all.merge(&gpu.utilization);
        }
        put(total("utilization_mean"), all.mean());
        put(total("utilization_p95"), all.quantile(0.95));
        let peak = used().filter_map(|(_, gpu)| gpu.memory_peak);
        put(total("memory_peak"), peak.reduce(f64::max));
        let kwh = joules.map(|j| j / JOULES_PER_KWH);
        put(total("energy"), kwh);
        let grams = kwh.zip(rates.grams_per_kwh).map(|(kwh, g)| kwh * g);
        put(total("co2e"), grams.map(|g| g / 1000.0));
        put(total("samples_per_second"), rates.throughput);
        let per_joule = rates
            .throughput
            .zip(joules.filter(|j| *j > 0.0))
            .map(|(per_second, joules)| per_second * self.seconds / joules);
        put(total("samples_per_joule"), per_joule);
        let sources = used().filter_map(|(&id, _)| meters.source(id));
        if let Some(source) = sources.reduce(Source::and)
            && joules.is_some()
        {
            map.insert(total("energy_source"), source.name().into());
        }
        map
    }
}

impl Shares {
    fn add(&mut self, percent: f64) {
        let at = percent.round().clamp(0.0, 100.0) as usize;
        if let Some(count) = self.0.get_mut(at) {
            *count = count.saturating_add(1);
        }
    }

    fn merge(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(&other.0) {
            *count = count.saturating_add(*more);
        }
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|&n| u64::from(n)).sum()
    }

    fn mean(&self) -> Option<f64> {
        let count = self.count();
        let sum: f64 = (0..)
            .zip(&self.0)
            .map(|(p, &n)| f64::from(p) * f64::from(n))
            .sum();
        (count > 0).then(|| sum / count as f64)
    }

    /// The lowest percentage that at least the share `q` of all values do not exceed.
    fn quantile(&self, q: f64) -> Option<f64> {
        let needed = (q * self.count() as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        (0..).zip(&self.0).find_map(|(percent, &n)| {
            seen += u64::from(n);
            (seen >= needed).then_some(f64::from(percent))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::GpuSample;

    #[test]
    fn a_run_on_one_of_two_gpus() {
        let (mut totals, mut meters) = (Totals::default(), Meters::default());
        for second in 0..=100 {
            let seconds = f64::from(second);
            let mut gpu = |index, own, utilization| {
                let mut gpu = GpuSample::new(GpuId::card(index));
                gpu.set(GpuMetric::MemoryProcess, Some(own));
                gpu.set(GpuMetric::Utilization, Some(utilization));
                gpu.set(GpuMetric::Energy, Some(1e6 + 360.0 * seconds));
                meters.settle(seconds, &mut gpu);
                gpu
            };
            let own = if second < 50 { 2e9 } else { 3e9 };
            let gpus = vec![gpu(0, own, seconds), gpu(1, 0.0, 99.0)];
            totals.add(&Sample {
                seconds,
                gpus,
                ..Sample::default()
            });
        }
        let rates = Rates {
            grams_per_kwh: Some(400.0),
            throughput: Some(720.0),
        };
        let summary = totals.summary(&meters, rates);
        let number = |key: &str| summary.get(key).and_then(Json::as_f64).unwrap();
        for (key, expected) in [
            ("system/total/gpu_hours", 100.0 / 3600.0),
            ("system/total/energy", 0.01),
            ("system/total/co2e", 0.004),
            ("system/total/utilization_mean", 50.0),
            ("system/total/utilization_p95", 95.0),
            ("system/total/memory_peak", 3e9),
            ("system/total/samples_per_second", 720.0),
            ("system/total/samples_per_joule", 2.0),
            ("system/gpu/1/utilization_p95", 99.0),
        ] {
            assert!(
                (number(key) - expected).abs() < 1e-9,
                "{key}: {}",
                number(key)
            );
        }
        assert_eq!(summary["system/total/energy_source"], "counter");
        // Without GPUs there is nothing to say.
        let nothing = Totals::default().summary(&Meters::default(), Rates::default());
        assert!(nothing.is_empty(), "{nothing:?}");
    }
}
