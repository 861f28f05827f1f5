//! The loss that an optimizer is given.

use std::sync::Arc;

use candle_core::Tensor;
use cresset_run::watch::LossWatch;
use cresset_run::{Run, Series};

use crate::late;

/// Records the losses of one optimizer.
#[derive(Debug)]
pub(crate) struct LossRecorder {
    series: Series,
    /// Of the losses so far: on a CPU all, on another device those that have been read.
    watch: Arc<LossWatch>,
}

impl LossRecorder {
    pub(crate) fn new(series: Series) -> Self {
        Self {
            series,
            watch: Arc::default(),
        }
    }

    pub(crate) fn record(&self, run: &Run, step: u64, loss: &Tensor) {
        let (watch, key) = (Arc::clone(&self.watch), self.series.clone());
        late::record_scalar(run, &self.series, step, loss, move |run, value| {
            watch.see(run, step, key.key(), value);
        });
    }

    /// Whether the latest loss that is known is NaN or infinite.
    pub(crate) fn is_bad(&self) -> bool {
        self.watch.is_bad()
    }
}
