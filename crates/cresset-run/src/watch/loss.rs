//! The first loss that is not a finite number.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::run::Run;

/// Looks at the values of one loss.
#[derive(Debug, Default)]
pub struct LossWatch {
    is_bad: AtomicBool,
    was_ever_bad: AtomicBool,
}

impl LossWatch {
    /// Takes note of a value; the first that is NaN or infinite gives an alert that names `key` and the step, unless the run gave
    /// one of this series already: it does so by itself for a series whose name says loss.
    pub fn see(&self, run: &Run, step: u64, key: &str, value: f64) {
        let is_bad = !value.is_finite();
        self.is_bad.store(is_bad, Ordering::Relaxed);
        if is_bad && !self.was_ever_bad.swap(true, Ordering::Relaxed) {
            run.tell_not_finite(step, key, value);
        }
    }

    /// Whether the latest value that is known is NaN or infinite.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        self.is_bad.load(Ordering::Relaxed)
    }
}
