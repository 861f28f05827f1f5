//! The loss, and the first one that is not a finite number.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::Tensor;
use cresset_run::{Level, Run, Series};

use crate::late;

/// Records the losses of one optimizer.
#[derive(Debug)]
pub(crate) struct LossRecorder {
    series: Series,
    known: Arc<Known>,
}

/// What is known of the losses so far: on a CPU all, on another device those that have been read.
#[derive(Debug, Default)]
struct Known {
    is_bad: AtomicBool,
    was_ever_bad: AtomicBool,
}

impl LossRecorder {
    pub(crate) fn new(series: Series) -> Self {
        Self {
            series,
            known: Arc::default(),
        }
    }

    pub(crate) fn record(&self, run: &Run, step: u64, loss: &Tensor) {
        let (known, key) = (Arc::clone(&self.known), self.series.clone());
        late::record_scalar(run, &self.series, step, loss, move |run, value| {
            let is_bad = !value.is_finite();
            known.is_bad.store(is_bad, Ordering::Relaxed);
            if is_bad && !known.was_ever_bad.swap(true, Ordering::Relaxed) {
                let title = format!("{} is {value} at step {step}", key.key());
                let text = "The first loss that is not a finite number.";
                run.alert_at(step, Level::Error, title, text);
            }
        });
    }

    /// Whether the latest loss that is known is NaN or infinite.
    pub(crate) fn is_bad(&self) -> bool {
        self.known.is_bad.load(Ordering::Relaxed)
    }
}
