//! Which passes have been recorded, for the checkpoints that are named by them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the passes that ended told, shared by burn's thread that logs and its threads that write checkpoints.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passes(Arc<(Mutex<Known>, Condvar)>);

#[derive(Debug, Default)]
struct Known {
    pass: Pass,
    /// The last epoch that was validated.
    validated: usize,
    is_over: bool,
}

/// An epoch when it was validated.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pass {
    /// Its last training step.
    pub(crate) step: u64,
    /// The metrics of both splits, by key.
    pub(crate) metrics: Vec<(String, f64)>,
}

impl Passes {
    pub(crate) fn put(&self, key: &str, value: f64) {
        let metrics = &mut self.lock().pass.metrics;
        match metrics.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => *known = value,
            None => metrics.push((key.to_owned(), value)),
        }
    }

    /// Everything of `epoch`, whose last training step was `step`, has been put.
    pub(crate) fn validated(&self, epoch: usize, step: u64) {
        self.tell(|known| {
            known.validated = epoch;
            known.pass.step = step;
        });
    }

    /// Nothing comes any more.
    pub(crate) fn end(&self) {
        self.tell(|known| known.is_over = true);
    }

    /// `epoch`, waited for at most so long; `None` if it does not come.
    ///
    /// burn asks for a checkpoint when the metrics have been computed, but a thread of its own brings them here.
    pub(crate) fn of_epoch(&self, epoch: usize, at_most: Duration) -> Option<Pass> {
        let until = Instant::now() + at_most;
        let mut known = self.lock();
        while known.validated < epoch && !known.is_over {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.0.1.wait_timeout(known, left);
            known = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        (known.validated == epoch).then(|| known.pass.clone())
    }

    fn tell(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.lock());
        self.0.1.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn an_epoch_is_waited_for() {
        let passes = Passes::default();
        let pass = |step, loss| {
            Some(Pass {
                step,
                metrics: vec![("val/loss".to_owned(), loss)],
            })
        };
        passes.put("val/loss", 0.5);
        passes.validated(1, 99);
        assert_eq!(passes.of_epoch(1, LONG), pass(99, 0.5));

        thread::scope(|scope| {
            let second = scope.spawn(|| passes.of_epoch(2, LONG));
            passes.put("val/loss", 0.25);
            passes.validated(2, 199);
            assert_eq!(second.join().unwrap(), pass(199, 0.25));
        });
    }

    #[test]
    fn nobody_waits_for_ever() {
        let passes = Passes::default();
        assert_eq!(passes.of_epoch(1, Duration::from_millis(1)), None);
        thread::scope(|scope| {
            let waits = scope.spawn(|| passes.of_epoch(1, LONG));
            passes.end();
            assert_eq!(waits.join().unwrap(), None);
        });
    }
}
