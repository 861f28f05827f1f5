//! What is counted since the run began: energy and memory errors. The driver counts since it was loaded, or not at all.

use std::collections::BTreeMap;

use crate::keys::{GpuId, GpuMetric};
use crate::sample::GpuSample;

/// Power is taken as a straight line between two samples that are at most so many seconds apart; over a longer gap nothing is
/// known of it.
const LONGEST_GAP: f64 = 60.0;

/// The counts of all GPUs.
#[derive(Debug, Default)]
pub(crate) struct Meters(BTreeMap<GpuId, Meter>);

#[derive(Debug, Default)]
struct Meter {
    energy: Energy,
    ecc: [Since; 2],
}

impl Meters {
    /// Turns the driver's counts into those since the run began. `seconds` is the time of the sample.
    pub(crate) fn settle(&mut self, seconds: f64, sample: &mut GpuSample) {
        let meter = self.0.entry(sample.gpu).or_default();
        let counter = sample.get(GpuMetric::Energy);
        let power = sample.get(GpuMetric::Power);
        sample.set(
            GpuMetric::Energy,
            meter.energy.advance(seconds, counter, power),
        );
        let [corrected, uncorrected] = &mut meter.ecc;
        for (metric, since) in [
            (GpuMetric::EccCorrected, corrected),
            (GpuMetric::EccUncorrected, uncorrected),
        ] {
            let count = sample.get(metric).map(|count| since.advance(count));
            sample.set(metric, count);
        }
    }

    /// How the energy of a GPU was measured; `None` if it was not.
    pub(crate) fn source(&self, gpu: GpuId) -> Option<Source> {
        self.0.get(&gpu).and_then(|meter| meter.energy.source())
    }
}

/// Where a figure of energy comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The card's own counter.
    Counter,
    /// Power, integrated over time.
    Integrated,
    /// Some of it from either.
    Mixed,
}

impl Source {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Integrated => "integrated",
            Self::Mixed => "mixed",
        }
    }

    /// That of a sum.
    pub(crate) fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Mixed }
    }
}

/// Energy in joules since the first sample.
#[derive(Debug, Default)]
struct Energy {
    joules: f64,
    counter: Option<f64>,
    /// The last sample with a power: seconds and watts.
    power: Option<(f64, f64)>,
    counted: bool,
    integrated: bool,
}

impl Energy {
    /// `counter` in joules, `power` in watts. `None` if this sample adds nothing to what is known.
    fn advance(&mut self, seconds: f64, counter: Option<f64>, power: Option<f64>) -> Option<f64> {
        let before = self.power;
        if let Some(watts) = power {
            self.power = Some((seconds, watts));
        }
        if let Some(counter) = counter {
            match self.counter.replace(counter) {
                Some(earlier) if counter >= earlier => {
                    self.joules += counter - earlier;
                    self.counted = true;
                }
                // A counter that went back was reset with its card: this once, power has to do.
                Some(_) => self.integrate(before, seconds, power),
                None => {}
            }
            return Some(self.joules);
        }
        if self.counter.is_some() {
            // The counter goes on by itself: the next reading has what this one lacks.
            return None;
        }
        power?;
        self.integrate(before, seconds, power);
        Some(self.joules)
    }

    fn integrate(&mut self, before: Option<(f64, f64)>, seconds: f64, power: Option<f64>) {
        let (Some((earlier, before)), Some(power)) = (before, power) else {
            return;
        };
        let passed = seconds - earlier;
        if (0.0..=LONGEST_GAP).contains(&passed) {
            self.joules += passed * (before + power) / 2.0;
            self.integrated = true;
        }
    }

    fn source(&self) -> Option<Source> {
        match (self.counted, self.integrated) {
            (true, false) => Some(Source::Counter),
            (false, true) => Some(Source::Integrated),
            (true, true) => Some(Source::Mixed),
            (false, false) => None,
        }
    }
}

/// A count since the first reading.
#[derive(Debug, Default)]
struct Since {
    before: Option<f64>,
    count: f64,
}

impl Since {
    fn advance(&mut self, reading: f64) -> f64 {
        if let Some(before) = self.before {
            // After a reset all that is counted is new.
            self.count += if reading >= before {
                reading - before
            } else {
                reading
            };
        }
        self.before = Some(reading);
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrated_energy_of_a_curve_is_right_within_a_percent() {
        // Power as a training loop draws it: 300 W with dips while data is loaded, one sample a second, some missing.
        let watts = |t: f64| 300.0 - 120.0 * (0.5 + 0.5 * (t / 7.0).sin()).powi(3);
        let mut energy = Energy::default();
        for second in 0..600 {
            if second % 50 != 7 {
                energy.advance(f64::from(second), None, Some(watts(f64::from(second))));
            }
        }
        let steps = 599_000;
        let exact: f64 = (0..steps)
            .map(|i| watts((f64::from(i) + 0.5) / 1000.0) / 1000.0)
            .sum();
        assert!(
            (energy.joules / exact - 1.0).abs() < 0.01,
            "{} of {exact}",
            energy.joules
        );
        assert_eq!(energy.source(), Some(Source::Integrated));
    }

    #[test]
    fn a_counter_wins_and_gaps_lose_nothing() {
        let mut energy = Energy::default();
        let readings = [
            (0.0, Some(1000.0), Some(0.0)),
            (1.0, Some(1250.0), Some(250.0)),
            (2.0, None, None),
            (3.0, Some(1800.0), Some(800.0)),
        ];
        for (seconds, counter, expected) in readings {
            assert_eq!(energy.advance(seconds, counter, Some(9.0)), expected);
        }
        assert_eq!(energy.source(), Some(Source::Counter));
        // The card was reset: its counter begins anew, and power bridges the gap.
        assert_eq!(energy.advance(4.0, Some(5.0), Some(9.0)), Some(809.0));
        assert_eq!(energy.source(), Some(Source::Mixed));
    }

    #[test]
    fn nothing_is_made_up_over_a_long_gap() {
        let mut energy = Energy::default();
        for seconds in [0.0, 1.0, 100.0, 101.0] {
            energy.advance(seconds, None, Some(10.0));
        }
        assert_eq!(energy.joules, 20.0);
        assert_eq!(Energy::default().advance(0.0, None, None), None);
    }

    #[test]
    fn errors_are_counted_from_the_beginning_of_the_run() {
        let mut since = Since::default();
        let counts: Vec<f64> = [7.0, 7.0, 9.0, 1.0, 2.0]
            .into_iter()
            .map(|r| since.advance(r))
            .collect();
        assert_eq!(counts, [0.0, 0.0, 2.0, 3.0, 4.0]);
    }
}
