//! What accompanies a run on threads of its own, such as telemetry.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cresset_record::KeyId;

use crate::run::Run;

/// Something that logs into a run by itself while the run goes on, on a thread of its own.
pub trait Companion: fmt::Debug + Send {
    /// The run has begun. Called once, by the thread that starts the run, so it must return at once. The handle does not
    /// keep the run open.
    fn begin(&mut self, run: Run);

    /// The run is about to end: the last chance to log. Called once, by the thread that ends the run, which waits; after
    /// `deadline` it has no more time.
    fn end(&mut self, deadline: Instant);
}

/// Where the training loop is, and the mean of one series: what a companion cannot see for itself. Costs a log call an
/// atomic load or two.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// One more than the highest step that was logged; 0 before the first.
    next: AtomicU64,
    tracked: OnceLock<Tracked>,
}

#[derive(Debug)]
struct Tracked {
    key: KeyId,
    count: AtomicU64,
    /// The bits of an `f64`.
    sum: AtomicU64,
}

impl Progress {
    pub(crate) fn starting_at(step: Option<u64>) -> Self {
        Self {
            next: AtomicU64::new(step.unwrap_or(0)),
            tracked: OnceLock::new(),
        }
    }

    #[inline]
    pub(crate) fn see(&self, step: u64, points: &[(KeyId, f64)]) {
        let next = step.saturating_add(1);
        if next > self.next.load(Ordering::Relaxed) {
            self.next.fetch_max(next, Ordering::Relaxed);
        }
        if let Some(tracked) = self.tracked.get() {
            tracked.see(points);
        }
    }

    pub(crate) fn step(&self) -> Option<u64> {
        self.next.load(Ordering::Relaxed).checked_sub(1)
    }

    pub(crate) fn track(&self, key: KeyId) {
        let _ = self.tracked.set(Tracked {
            key,
            count: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        });
    }

    pub(crate) fn mean(&self) -> Option<f64> {
        let tracked = self.tracked.get()?;
        let count = tracked.count.load(Ordering::Relaxed);
        let sum = f64::from_bits(tracked.sum.load(Ordering::Relaxed));
        (count > 0).then(|| sum / count as f64)
    }
}

impl Tracked {
    fn see(&self, points: &[(KeyId, f64)]) {
        for (key, value) in points {
            if *key == self.key && value.is_finite() {
                let add = |sum: u64| Some((f64::from_bits(sum) + value).to_bits());
                let _ = self
                    .sum
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
                self.count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_step_and_the_mean_of_one_series() {
        let progress = Progress::default();
        assert_eq!((progress.step(), progress.mean()), (None, None));
        progress.see(3, &[(KeyId(0), 9.0)]);
        progress.track(KeyId(1));
        for (step, value) in [(7, 10.0), (5, 20.0), (6, f64::NAN)] {
            progress.see(step, &[(KeyId(0), 1.0), (KeyId(1), value)]);
        }
        assert_eq!((progress.step(), progress.mean()), (Some(7), Some(15.0)));
        progress.see(u64::MAX, &[]);
        assert_eq!(progress.step(), Some(u64::MAX - 1));
        assert_eq!(Progress::starting_at(Some(5)).step(), Some(4));
        assert_eq!(Progress::starting_at(None).step(), None);
    }
}
