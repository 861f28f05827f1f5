//! One observation at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::run::Run;

/// The observations of one model: lets the next begin when the one before is worked out, and counts.
#[derive(Debug, Default)]
pub struct Observations {
    shared: Arc<Shared>,
    forced: bool,
    taken: u64,
    skipped: u64,
}

/// What the training thread and the worker's share.
#[derive(Debug, Default)]
struct Shared {
    in_flight: AtomicU64,
    /// Observations that a device failed to work out.
    failed: AtomicU64,
    saw_bad_gradient: AtomicBool,
    saw_bad_parameter: AtomicBool,
    /// One more than the last step at which all was finite; 0 before there is one.
    after_finite: AtomicU64,
    /// What the last observation cost a device, in nanoseconds.
    device_time: AtomicU64,
}

/// What watching has done and cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchAccount {
    /// Observations made.
    pub observed: u64,
    /// Observations that were due but left out, because the one before was not yet worked out or a device failed.
    pub skipped: u64,
    /// What observations took from training: wall time of its thread, and working time of a device where that is known.
    pub cost: Duration,
}

impl Observations {
    /// `None`, counted as skipped, if the observation before is not yet worked out: unless `forced` for the first time, as
    /// its step is then the one that people will want to see.
    pub fn begin(&mut self, forced: bool) -> Option<Landing> {
        let room = 1 + u64::from(forced && !self.forced);
        self.forced |= forced;
        if self.shared.in_flight.load(Ordering::Acquire) >= room {
            self.skipped += 1;
            return None;
        }
        self.shared.in_flight.fetch_add(1, Ordering::AcqRel);
        Some(Landing(Arc::clone(&self.shared)))
    }

    /// Counts an observation that was begun, as taken if a worker has it.
    pub fn count(&mut self, is_queued: bool) {
        if is_queued {
            self.taken += 1;
        } else {
            self.skipped += 1;
        }
    }

    /// Whether a gradient with NaN or infinities was found.
    #[must_use]
    pub fn saw_bad_gradient(&self) -> bool {
        self.shared.saw_bad_gradient.load(Ordering::Relaxed)
    }

    /// What the last observation that was worked out cost a device; zero where that cannot be measured.
    #[must_use]
    pub fn device_time(&self) -> Duration {
        Duration::from_nanos(self.shared.device_time.load(Ordering::Relaxed))
    }

    /// How observations went so far; `cost` is what they took from training.
    #[must_use]
    pub fn account(&self, cost: Duration) -> WatchAccount {
        let failed = self.shared.failed.load(Ordering::Relaxed);
        WatchAccount {
            observed: self.taken - failed.min(self.taken),
            skipped: self.skipped + failed,
            cost,
        }
    }
}

impl WatchAccount {
    /// Puts the account into the run's summary, as `cresset/watch/…`; `prefix` tells several models apart, with a slash at
    /// its end.
    pub fn put_into_summary(&self, run: &Run, prefix: &str) {
        if self.observed + self.skipped == 0 || !run.is_recording() {
            return;
        }
        let key = |name: &str| format!("cresset/watch/{prefix}{name}");
        run.set_summary(&key("observed"), self.observed);
        run.set_summary(&key("skipped"), self.skipped);
        run.set_summary(&key("seconds"), self.cost.as_secs_f64());
    }
}

/// An observation in flight; the next may begin once it is dropped, however it ends.
#[derive(Debug)]
pub struct Landing(Arc<Shared>);

impl Landing {
    /// Says that a device could not work it out.
    pub fn fail(&self) {
        self.0.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Says what it cost a device.
    pub fn cost_device(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.device_time.store(nanoseconds, Ordering::Relaxed);
    }

    /// Says that all was finite at a step.
    pub(super) fn was_finite(&self, step: u64) {
        let after = step.saturating_add(1);
        self.0.after_finite.store(after, Ordering::Relaxed);
    }

    /// The last step at which all was finite, of those that were looked at.
    pub(super) fn last_finite(&self) -> Option<u64> {
        self.0.after_finite.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Whether these are the first bad gradients.
    pub(super) fn is_first_bad_gradient(&self) -> bool {
        !self.0.saw_bad_gradient.swap(true, Ordering::Relaxed)
    }

    /// Whether these are the first bad parameters.
    pub(super) fn is_first_bad_parameter(&self) -> bool {
        !self.0.saw_bad_parameter.swap(true, Ordering::Relaxed)
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_flight_and_a_second_for_the_first_bad_loss() {
        let mut observations = Observations::default();
        let first = observations.begin(false).unwrap();
        observations.count(true);
        assert!(observations.begin(false).is_none());
        let forced = observations.begin(true).unwrap();
        observations.count(true);
        assert!(observations.begin(true).is_none(), "only the first");
        forced.fail();
        drop((first, forced));
        drop(observations.begin(true).unwrap());
        observations.count(false);
        let account = observations.account(Duration::ZERO);
        assert_eq!((account.observed, account.skipped), (1, 4));
    }
}
