//! What looks wrong with a tensor, from its statistics over time.

use cresset_record::{Rank, TensorStats};

use super::TensorSummary;

/// Norms that a summary gives.
const NORMS: usize = 60;
/// A norm that grew so many times looks like an explosion.
const GROWTH: f64 = 100.0;
/// A norm that shrank so many times looks like it vanishes.
const SHRINKAGE: f64 = 1000.0;
/// A share of zeros from which on a tensor looks dead.
const DEAD: f64 = 0.95;
/// Observations without any change from which on that is worth a word.
const STILL: usize = 3;

/// One observation.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) step: u64,
    /// With an empty histogram.
    pub(super) stats: TensorStats,
}

/// A series in brief; `None` without observations. They are by step.
pub(super) fn summarise(key: String, rank: Rank, observed: &[Observed]) -> Option<TensorSummary> {
    let (first, last) = (observed.first()?, observed.last()?);
    let bad = |o: &&Observed| o.stats.non_finite() > 0;
    let first_nonfinite_step = observed.iter().find(bad).map(|o| o.step);
    let (suspicion, reasons) = judge(observed, first_nonfinite_step);
    let each = observed.len().div_ceil(NORMS).max(1);
    let norms = observed.chunks(each).map(|group| {
        // The largest of neighbours: a spike must not be lost.
        group.iter().map(norm).fold(f64::NAN, f64::max)
    });
    Some(TensorSummary {
        key,
        rank,
        observations: observed.len() as u64,
        steps: (first.step, last.step),
        last: last.stats.clone(),
        nonfinite: observed
            .iter()
            .map(|o| o.stats.non_finite())
            .fold(0, u64::saturating_add),
        first_nonfinite_step,
        suspicion,
        reasons,
        norms: norms.collect(),
    })
}

fn norm(observed: &Observed) -> f64 {
    observed.stats.l2_norm()
}

/// Adds up what is wrong: anything not finite weighs more than everything else together.
fn judge(observed: &[Observed], first_nonfinite_step: Option<u64>) -> (f64, Vec<String>) {
    let mut verdict = Verdict::default();
    if let Some(step) = first_nonfinite_step {
        verdict.not_finite(observed, step);
    }
    if let Some(last) = observed.last() {
        verdict.norms(observed, norm(last));
        verdict.zeros(&last.stats);
        verdict.stillness(observed, last);
    }
    (verdict.suspicion, verdict.reasons)
}

/// What was found so far.
#[derive(Default)]
struct Verdict {
    suspicion: f64,
    reasons: Vec<String>,
}

impl Verdict {
    fn add(&mut self, weight: f64, reason: String) {
        self.suspicion += weight;
        self.reasons.push(reason);
    }

    fn not_finite(&mut self, observed: &[Observed], since: u64) {
        let sum = |get: fn(&TensorStats) -> u64| {
            let each = observed.iter().map(|o| get(&o.stats));
            each.fold(0, u64::saturating_add)
        };
        let (nan, infinite) = (sum(|s| s.nan), sum(|s| s.pos_inf.saturating_add(s.neg_inf)));
        self.suspicion += 1000.0 + (1.0 + (nan as f64 + infinite as f64)).log10();
        for (n, what) in [(nan, "NaN"), (infinite, "infinite")] {
            if n > 0 {
                self.add(0.0, format!("{} {what} since step {since}", grouped(n)));
            }
        }
    }

    /// The largest norm against the one in the middle, and the last one against the largest.
    fn norms(&mut self, observed: &[Observed], last: f64) {
        let finite = observed.iter().map(norm).filter(|n| n.is_finite());
        let Some(typical) = median(finite.clone().filter(|n| *n > 0.0)) else {
            return;
        };
        let peak = finite.fold(0.0, f64::max);
        let (growth, shrinkage) = (peak / typical, peak / last);
        let fold = |times: f64| grouped(times.round() as u64);
        if growth >= GROWTH {
            let reason = format!("norm grew {}-fold", fold(growth));
            self.add(100.0 + growth.log10(), reason);
        }
        if observed.len() >= STILL && last > 0.0 && shrinkage >= SHRINKAGE {
            let reason = format!("norm shrank {}-fold", fold(shrinkage));
            self.add(50.0 + shrinkage.log10(), reason);
        }
    }

    fn zeros(&mut self, last: &TensorStats) {
        let finite = last.finite();
        let share = last.zeros as f64 / finite as f64;
        if finite > 1 && share >= DEAD {
            let reason = match last.zeros >= finite {
                true => "all zeros".into(),
                false => format!("{:.0} % zeros", (share * 100.0).floor()),
            };
            self.add(40.0 * share, reason);
        }
    }

    fn stillness(&mut self, observed: &[Observed], last: &Observed) {
        let key = |s: &TensorStats| (s.sum, s.sum_sq, s.min, s.max, s.zeros);
        let alike = |o: &&Observed| key(&o.stats) == key(&last.stats);
        let still = observed.iter().rev().take_while(alike).count();
        if still >= STILL && last.stats.zeros < last.stats.finite() {
            let first = observed.get(observed.len() - still);
            let since = first.map_or(last.step, |o| o.step);
            self.add(10.0, format!("does not change since step {since}"));
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// A count with commas between thousands.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(values: &[&[f64]]) -> (f64, Vec<String>) {
        let observed: Vec<Observed> = (0u64..)
            .zip(values)
            .map(|(i, v)| Observed {
                step: i * 10,
                stats: TensorStats::from_values(v.iter().copied()),
            })
            .collect();
        let summary = summarise("k".into(), Rank(0), &observed).unwrap();
        (summary.suspicion, summary.reasons)
    }

    #[test]
    fn what_is_wrong_is_said() {
        let ok = reasons(&[&[1.0, 2.0], &[1.1, 2.1], &[1.0, 1.9]]);
        assert_eq!(ok, (0.0, vec![]));
        let nan = reasons(&[&[1.0, 2.0], &[f64::NAN, f64::INFINITY], &[1.0, f64::NAN]]);
        assert_eq!(nan.1, ["2 NaN since step 10", "1 infinite since step 10"]);
        let grown = reasons(&[&[1.0, 2.0], &[1.0, 2.1], &[1000.0, 2500.0]]);
        assert_eq!(grown.1, ["norm grew 1,158-fold"]);
        let vanished = reasons(&[&[1.0, 2.0], &[0.1, 0.2], &[1e-5, 2e-5]]);
        assert_eq!(vanished.1, ["norm shrank 100,000-fold"]);
        let dead = reasons(&[&[0.0, 0.0], &[0.0, 0.0]]);
        assert_eq!(dead.1, ["all zeros"]);
        let still = reasons(&[&[1.0, 3.0], &[1.0, 2.0], &[1.0, 2.0], &[1.0, 2.0]]);
        assert_eq!(still.1, ["does not change since step 10"]);
        assert!(nan.0 > grown.0 && grown.0 > vanished.0 && vanished.0 > dead.0 && dead.0 > still.0);
    }
}
