//! The first loss that is not a finite number.

use std::sync::atomic::{AtomicBool, Ordering};

use cresset_record::Level;

use crate::run::Run;

/// Looks at the values of one loss.
#[derive(Debug, Default)]
pub struct LossWatch {
    is_bad: AtomicBool,
    was_ever_bad: AtomicBool,
}

impl LossWatch {
    /// Takes note of a value; the first that is NaN or infinite gives an alert that names `key` and the step.
    pub fn see(&self, run: &Run, step: u64, key: &str, value: f64) {
        let is_bad = !value.is_finite();
        self.is_bad.store(is_bad, Ordering::Relaxed);
        if is_bad && !self.was_ever_bad.swap(true, Ordering::Relaxed) {
            let title = format!("{key} is {value} at step {step}");
            let text = "The first loss that is not a finite number.";
            run.alert_at(step, Level::Error, title, text);
        }
    }

    /// Whether the latest value that is known is NaN or infinite.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        self.is_bad.load(Ordering::Relaxed)
    }
}
