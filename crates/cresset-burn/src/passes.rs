//! Which passes have been recorded, for the checkpoints that are named by them.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many epochs are kept for checkpoints that have not been written yet. burn writes one after another.
const KEPT: usize = 8;

/// What the passes that ended told, shared by burn's thread that logs and its threads that write checkpoints.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passes(Arc<(Mutex<Known>, Condvar)>);

#[derive(Debug, Default)]
struct Known {
    /// The metrics of the epoch that goes on, by key.
    metrics: BTreeMap<String, f64>,
    validated: BTreeMap<usize, Pass>,
    /// Somebody waited in vain: this training does not tell when it has validated.
    is_silent: bool,
    is_over: bool,
}

/// An epoch when it was validated.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pass {
    /// Its last training step, where it is known.
    pub(crate) step: Option<u64>,
    /// The metrics of both splits, by key.
    pub(crate) metrics: BTreeMap<String, f64>,
}

impl Passes {
    pub(crate) fn put(&self, key: &str, value: f64) {
        self.lock().metrics.insert(key.to_owned(), value);
    }

    /// Everything of `epoch`, whose last training step was `step`, has been put.
    pub(crate) fn validated(&self, epoch: usize, step: Option<u64>) {
        let mut known = self.lock();
        let metrics = std::mem::take(&mut known.metrics);
        known.validated.insert(epoch, Pass { step, metrics });
        if known.validated.len() > KEPT {
            known.validated.pop_first();
        }
        known.is_silent = false;
        self.0.1.notify_all();
    }

    /// Nothing comes any more.
    pub(crate) fn end(&self) {
        self.lock().is_over = true;
        self.0.1.notify_all();
    }

    /// `epoch`, waited for at most so long, and for nothing once that was in vain: then it is what was put until now. Nothing is known of it if the
    /// end comes first.
    ///
    /// burn asks for a checkpoint when the metrics have been computed, but a thread of its own brings them here.
    pub(crate) fn of_epoch(&self, epoch: usize, at_most: Duration) -> Pass {
        let until = Instant::now() + at_most;
        let mut known = self.lock();
        loop {
            if let Some(pass) = known.validated.remove(&epoch) {
                return pass;
            }
            let left = until.saturating_duration_since(Instant::now());
            if known.is_over {
                return Pass::default();
            }
            if known.is_silent || left.is_zero() {
                known.is_silent = true;
                let metrics = known.metrics.clone();
                return Pass {
                    step: None,
                    metrics,
                };
            }
            let waited = self.0.1.wait_timeout(known, left);
            known = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const LONG: Duration = Duration::from_secs(600);

    fn pass(step: Option<u64>, metrics: &[(&str, f64)]) -> Pass {
        let metrics = metrics
            .iter()
            .map(|(key, value)| ((*key).to_owned(), *value));
        Pass {
            step,
            metrics: metrics.collect(),
        }
    }

    #[test]
    fn an_epoch_is_waited_for() {
        let passes = Passes::default();
        thread::scope(|scope| {
            let first = scope.spawn(|| passes.of_epoch(1, LONG));
            passes.put("val/loss", 0.5);
            passes.validated(1, Some(99));
            assert_eq!(first.join().unwrap(), pass(Some(99), &[("val/loss", 0.5)]));
        });
    }

    #[test]
    fn a_later_epoch_changes_nothing_of_an_earlier_one() {
        let passes = Passes::default();
        passes.put("train/epoch_loss", 0.6);
        passes.put("val/loss", 0.5);
        passes.validated(1, Some(99));
        passes.put("train/epoch_loss", 0.4);
        passes.validated(2, Some(199));
        passes.put("train/epoch_loss", 0.2);
        let first = pass(Some(99), &[("train/epoch_loss", 0.6), ("val/loss", 0.5)]);
        assert_eq!(passes.of_epoch(1, LONG), first);
        let second = pass(Some(199), &[("train/epoch_loss", 0.4)]);
        assert_eq!(passes.of_epoch(2, LONG), second);
    }

    #[test]
    fn nobody_waits_in_vain_twice() {
        let passes = Passes::default();
        passes.put("val/loss", 0.5);
        let known = pass(None, &[("val/loss", 0.5)]);
        assert_eq!(passes.of_epoch(1, Duration::from_millis(1)), known);
        let began = Instant::now();
        assert_eq!(passes.of_epoch(2, LONG), known);
        assert!(began.elapsed() < LONG / 2);
    }

    #[test]
    fn the_end_is_not_waited_past() {
        let passes = Passes::default();
        let began = Instant::now();
        thread::scope(|scope| {
            let waits = scope.spawn(|| passes.of_epoch(1, LONG));
            passes.put("val/loss", 0.5);
            passes.end();
            assert_eq!(waits.join().unwrap(), Pass::default());
        });
        assert!(began.elapsed() < LONG / 2);
    }
}
