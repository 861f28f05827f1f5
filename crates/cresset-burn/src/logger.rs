//! burn's metrics on their way into the run.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use burn_train::Interrupter;
use burn_train::logger::{FileMetricLogger, MetricLogger};
use burn_train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn_train::metric::{MetricDefinition, MetricId, NumericEntry};
use cresset_run::Run;

use crate::guard::Guard;
use crate::keys::{self, Named};
use crate::passes::Passes;
use crate::progress::{Batch, Batches};
use crate::together::Together;

/// Records what burn logs, on burn's thread for that; training does not wait for it.
pub(crate) struct RunLogger {
    guard: Guard,
    recorder: Recorder,
    files: Option<FileMetricLogger>,
}

struct Recorder {
    run: Run,
    interrupter: Interrupter,
    /// What our own metric saw, if it is registered.
    batches: Option<Batches>,
    passes: Passes,
    metrics: HashMap<MetricId, Named>,
    together: Arc<Together>,
    /// The step of the first batch, and of the next.
    first: u64,
    next: u64,
    /// Batches of the split that is going on.
    in_split: u64,
    /// Values of whole passes, which burn asks for where no files are kept.
    finals: Option<HashMap<(String, usize, Split), f64>>,
    is_stopping: bool,
}

impl RunLogger {
    /// Keeps burn's own files in `files`, if there is one, as burn does when it is left alone.
    pub(crate) fn new(
        run: &Run,
        guard: Guard,
        interrupter: Interrupter,
        batches: Option<Batches>,
        passes: Passes,
        files: Option<&Path>,
    ) -> Self {
        Self {
            guard,
            files: files.map(FileMetricLogger::new),
            recorder: Recorder {
                run: run.clone(),
                interrupter,
                batches,
                passes,
                metrics: HashMap::new(),
                together: run.shared(),
                first: first_step(run),
                next: first_step(run),
                in_split: 0,
                finals: files.is_none().then(HashMap::new),
                is_stopping: false,
            },
        }
    }
}

/// The step that a learner's first batch is: a resumed run goes on where it was resumed from.
pub(crate) fn first_step(run: &Run) -> u64 {
    run.step().map_or(0, |step| step + 1)
}

impl MetricLogger for RunLogger {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        let recorder = &mut self.recorder;
        self.guard.run(|| recorder.record(&update, epoch, split));
        if let Some(files) = &mut self.files {
            files.log(update, epoch, split);
        }
    }

    fn read_numeric(
        &mut self,
        name: &str,
        epoch: usize,
        split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        if let Some(files) = &mut self.files {
            return files.read_numeric(name, epoch, split);
        }
        // Never an error: burn aborts the process if nobody knows.
        let key = (name.to_owned(), epoch, split.clone());
        let known = self
            .recorder
            .finals
            .as_ref()
            .and_then(|finals| finals.get(&key));
        Ok(known.map(|v| NumericEntry::Final(*v)).into_iter().collect())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        let recorder = &mut self.recorder;
        self.guard.run(|| {
            keys::define(&recorder.run, &definition);
            let id = definition.metric_id.clone();
            recorder.metrics.insert(id, Named::new(&definition));
        });
        if let Some(files) = &mut self.files {
            files.log_metric_definition(definition);
        }
    }

    fn log_epoch_summary(&mut self, summary: EpochSummary) {
        if matches!(summary.split, Split::Valid) {
            let recorder = &self.recorder;
            let told = self.guard.run(|| recorder.end_epoch(summary.epoch_number));
            if told.is_none() {
                recorder.passes.end();
            }
        }
        if let Some(files) = &mut self.files {
            files.log_epoch_summary(summary);
        }
    }
}

impl Recorder {
    fn record(&mut self, update: &MetricsUpdate, epoch: usize, split: &Split) {
        self.heed_stop();
        let is_train = matches!(split, Split::Train);
        let batch = match &self.batches {
            // One entry for each call, in order: burn asks the metrics first.
            Some(batches) if is_train => batches.take(),
            _ => None,
        };
        let ends_pass = match &self.batches {
            Some(_) if is_train => batch.is_none(),
            _ => holds_finals(update),
        };
        if ends_pass {
            self.record_pass(update, epoch, split);
        } else if is_train {
            self.record_batch(update, epoch, batch);
        } else {
            if self.in_split == 0 {
                self.claim(update, split);
            }
            self.in_split += 1;
        }
    }

    /// Says that the values of the pass that begins will come from here.
    fn claim(&self, update: &MetricsUpdate, split: &Split) {
        let metrics = update.entries_numeric.iter();
        let named = metrics.filter_map(|metric| self.metrics.get(&metric.entry.metric_id));
        named.for_each(|named| self.together.claim(named.of_pass(split)));
    }

    fn record_batch(&mut self, update: &MetricsUpdate, epoch: usize, batch: Option<Batch>) {
        let step = self.next;
        self.next += 1;
        self.in_split += 1;
        let mut row = Vec::new();
        if let Some(batch) = batch {
            row.push(("epoch".to_owned(), epoch as f64 - 1.0 + batch.done));
            row.extend(
                batch
                    .learning_rate
                    .map(|rate| ("train/lr".to_owned(), rate)),
            );
        }
        for metric in &update.entries_numeric {
            let Some(named) = self.metrics.get(&metric.entry.metric_id) else {
                continue;
            };
            let Some(value) = metric.numeric_entry.as_ref().map(NumericEntry::current) else {
                continue;
            };
            let (key, value) = (named.of_batch(&Split::Train), named.value(value));
            if named.is_loss() {
                self.together.loss.see(&self.run, step, &key, value);
            }
            if !named.is_learning_rate() {
                row.push((key, value));
            }
        }
        self.run
            .log(step, row.iter().map(|(key, value)| (key, *value)));
    }

    /// What is of a whole pass is recorded at its last training step.
    fn record_pass(&mut self, update: &MetricsUpdate, epoch: usize, split: &Split) {
        let batches = std::mem::take(&mut self.in_split);
        let step = self.next.saturating_sub(1);
        if batches > 0 && self.batches.is_some() {
            // Of a pass that leaves out what fills no batch, too.
            self.run.log(step, [("epoch", epoch as f64)]);
        }
        for metric in &update.entries_numeric {
            let Some(NumericEntry::Final(value)) = metric.numeric_entry else {
                continue;
            };
            let Some(named) = self.metrics.get(&metric.entry.metric_id) else {
                continue;
            };
            if let Some(finals) = &mut self.finals {
                finals.insert(((*named.name).clone(), epoch, split.clone()), value);
            }
            // Of a split without a batch there is no value.
            if batches > 0 && !named.is_learning_rate() {
                let (key, value) = (named.of_pass(split), named.value(value));
                self.run.log(step, [(&key, value)]);
                self.passes.put(&key, value);
            }
        }
    }

    /// Tells those who write checkpoints. Of batches that are not recorded no step is known.
    fn end_epoch(&self, epoch: usize) {
        let step = (self.next > self.first).then(|| self.next - 1);
        self.passes.validated(epoch, step);
    }

    fn heed_stop(&mut self) {
        if !self.is_stopping
            && let Some(reason) = self.run.stop_requested()
        {
            self.is_stopping = true;
            self.interrupter.stop(Some(reason));
        }
    }
}

/// Whether this is of a whole pass, whose values burn marks. Without any value there is nothing to be recorded.
fn holds_finals(update: &MetricsUpdate) -> bool {
    let mut values = update.entries_numeric.iter();
    values.all(|metric| matches!(metric.numeric_entry, Some(NumericEntry::Final(_))))
}

impl Drop for RunLogger {
    /// The learner has ended.
    fn drop(&mut self) {
        self.recorder.passes.end();
        let Recorder {
            run,
            interrupter,
            batches,
            ..
        } = &self.recorder;
        self.guard.run(|| {
            if let Some(batches) = batches {
                batches.close();
            }
            if let Some(error) = interrupter.error() {
                run.fail(error);
            } else if let Some(interruption) = interrupter.interruption() {
                run.stop(interruption.reason.as_deref().unwrap_or("interrupted"));
            }
        });
    }
}
