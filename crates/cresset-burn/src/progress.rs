//! Learning rate and progress, which burn tells metrics only.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn_core::tensor::TensorReadError;
use burn_optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn_train::metric::{Metric, MetricMetadata, MetricName, SerializedEntry};

use crate::guard::Guard;

/// What burn says of one batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Batch {
    /// Of the parameters that are in no group of their own.
    pub(crate) learning_rate: Option<f64>,
    /// Share of the split that is done.
    pub(crate) done: f64,
}

/// What the metric has seen and the logger has not taken yet. It is about as long as burn's own queue between the two.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batches(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Option<Batch>>,
    is_closed: bool,
}

impl Batches {
    fn put(&self, batch: Option<Batch>) {
        let mut queue = self.lock();
        if !queue.is_closed {
            queue.waiting.push_back(batch);
        }
    }

    /// The next batch; `None` at the end of the split.
    pub(crate) fn take(&self) -> Option<Batch> {
        self.lock().waiting.pop_front().flatten()
    }

    /// Nobody will take any more.
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.is_closed = true;
        queue.waiting = VecDeque::new();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A metric of the training split without a value: it is there for what burn tells every metric.
#[derive(Clone)]
pub(crate) struct ProgressMetric {
    name: MetricName,
    shown: String,
    guard: Guard,
    batches: Batches,
}

impl ProgressMetric {
    /// `shown` is what burn's renderer shows.
    pub(crate) fn new(shown: String, guard: Guard, batches: &Batches) -> Self {
        Self {
            name: Arc::new("Cresset".to_owned()),
            shown,
            guard,
            batches: batches.clone(),
        }
    }

    /// Files of metrics leave out what is not available.
    fn entry(&self) -> SerializedEntry {
        SerializedEntry::new(
            self.shown.clone(),
            SerializedEntry::NOT_AVAILABLE.to_owned(),
        )
    }
}

impl Metric for ProgressMetric {
    type Input = ();

    fn name(&self) -> MetricName {
        Arc::clone(&self.name)
    }

    fn update(
        &mut self,
        (): &(),
        seen: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.guard.run(|| {
            let all = seen.progress.items_total.max(1) as f64;
            self.batches.put(Some(Batch {
                learning_rate: seen.lr.as_ref().map(ModuleLearningRate::base),
                done: (seen.progress.items_processed as f64 / all).min(1.0),
            }));
        });
        Ok(self.entry())
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        self.guard.run(|| self.batches.put(None));
        Ok(self.entry())
    }

    fn clear(&mut self) {}
}
