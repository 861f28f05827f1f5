//! burn's evaluator, which shows its metrics to a renderer only.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use burn_train::LearnerSummary;
use burn_train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn_train::metric::store::Split;
use burn_train::metric::{MetricDefinition, MetricId, NumericEntry};
use burn_train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use cresset_run::Run;

use crate::guard::Guard;
use crate::keys::{self, Named};
use crate::together::Together;

/// A renderer that is `renderer` and records the metrics of an evaluator: the mean over each test set, rows weighed alike where the
/// metric says how many it has seen, as `test/accuracy`, or `test/night/accuracy` for a set named `night`.
///
/// The evaluator tells its metrics to a renderer only: give it this one.
///
/// ```no_run
/// # use burn::train::{EvaluatorBuilder, renderer::MetricsRenderer};
/// # fn doc(run: &cresset_run::Run, renderer: Box<dyn MetricsRenderer>) {
/// let renderer = cresset_burn::recorded(run, renderer); // that of the `LearningResult`, say
/// # }
/// ```
///
/// A metric that is no mean over batches, such as an area under a curve, has its value over the whole set only in
/// [`Watched::evaluated_as`](crate::Watched::evaluated_as).
#[must_use]
pub fn recorded(run: &Run, renderer: Box<dyn MetricsRenderer>) -> Box<dyn MetricsRenderer> {
    Box::new(Tee {
        inner: renderer,
        guard: Guard::new(run, "metrics of the evaluator"),
        test: Test {
            run: run.clone(),
            set: String::new(),
            metrics: HashMap::new(),
            sums: Vec::new(),
        },
    })
}

struct Tee {
    inner: Box<dyn MetricsRenderer>,
    guard: Guard,
    test: Test,
}

/// What is known of the test that is going on.
struct Test {
    run: Run,
    set: String,
    metrics: HashMap<MetricId, Named>,
    sums: Vec<Sum>,
}

struct Sum {
    metric: MetricId,
    sum: f64,
    weight: f64,
}

impl Test {
    fn take_in(&mut self, state: &MetricState) {
        let MetricState::Numeric(entry, Some(value)) = state else {
            return;
        };
        let weight = match value {
            NumericEntry::Aggregated { count, .. } => *count as f64,
            NumericEntry::Value(_) | NumericEntry::Final(_) => 1.0,
        };
        let known = self
            .sums
            .iter_mut()
            .find(|sum| sum.metric == entry.metric_id);
        let (added, metric) = (value.current() * weight, entry.metric_id.clone());
        match known {
            Some(known) => {
                known.sum += added;
                known.weight += weight;
            }
            None => self.sums.push(Sum {
                metric,
                sum: added,
                weight,
            }),
        }
    }

    fn split(&self) -> Split {
        Split::Test(Some(Arc::new(self.set.clone())))
    }

    fn record(&mut self) {
        let step = self.run.step().unwrap_or_default();
        let split = self.split();
        for Sum {
            metric,
            sum,
            weight,
        } in self.sums.drain(..)
        {
            if let Some(named) = self.metrics.get(&metric).filter(|_| weight > 0.0) {
                let value = named.value(sum / weight);
                self.run.log(step, [(&named.of_pass(&split), value)]);
            }
        }
    }
}

impl MetricsRendererEvaluation for Tee {
    fn update_test(&mut self, name: EvaluationName, state: MetricState) {
        let test = &mut self.test;
        self.guard.run(|| test.take_in(&state));
        self.inner.update_test(name, state);
    }

    fn on_test_end(&mut self, summary: Option<LearnerSummary>) -> Result<(), Box<dyn Error>> {
        self.inner.on_test_end(summary)
    }
}

impl EvaluationProgressLogger for Tee {
    fn start_global_progress(&mut self, total_tests: usize) {
        self.inner.start_global_progress(total_tests);
    }

    fn start_test(&mut self, name: &str, total_items: usize) {
        let test = &mut self.test;
        self.guard.run(|| {
            name.clone_into(&mut test.set);
            test.sums.clear();
            let (together, split) = (test.run.shared::<Together>(), test.split());
            let keys = test.metrics.values().map(|named| named.of_pass(&split));
            keys.for_each(|key| together.claim(key));
        });
        self.inner.start_test(name, total_items);
    }

    fn update_test_progress(&mut self, items_processed: usize) {
        self.inner.update_test_progress(items_processed);
    }

    fn end_test(&mut self) {
        let test = &mut self.test;
        self.guard.run(|| test.record());
        self.inner.end_test();
    }

    fn end_global_progress(&mut self) {
        self.inner.end_global_progress();
    }

    fn log_event_evaluation(&mut self, event: String) {
        self.inner.log_event_evaluation(event);
    }
}

impl MetricsRendererTraining for Tee {
    fn update_train(&mut self, state: MetricState) {
        self.inner.update_train(state);
    }

    fn update_valid(&mut self, state: MetricState) {
        self.inner.update_valid(state);
    }

    fn on_train_end(&mut self, summary: Option<LearnerSummary>) -> Result<(), Box<dyn Error>> {
        self.inner.on_train_end(summary)
    }
}

impl TrainingProgressLogger for Tee {
    fn start(
        &mut self,
        total_epochs: usize,
        starting_epoch: usize,
        total_items: Option<usize>,
        label: Option<&str>,
    ) {
        self.inner
            .start(total_epochs, starting_epoch, total_items, label);
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.inner.update_epoch(epoch);
    }

    fn start_split(&mut self, split: &str, total_items: usize) {
        self.inner.start_split(split, total_items);
    }

    fn update_split(&mut self, items_processed: usize) {
        self.inner.update_split(items_processed);
    }

    fn end_split(&mut self) {
        self.inner.end_split();
    }

    fn end(&mut self) {
        TrainingProgressLogger::end(&mut *self.inner);
    }

    fn log_event_training(&mut self, event: String) {
        self.inner.log_event_training(event);
    }
}

impl MetricsRenderer for Tee {
    fn manual_close(&mut self) {
        self.inner.manual_close();
    }

    fn register_metric(&mut self, definition: MetricDefinition) {
        let test = &mut self.test;
        self.guard.run(|| {
            keys::define(&test.run, &definition);
            let id = definition.metric_id.clone();
            test.metrics.insert(id, Named::new(&definition));
        });
        self.inner.register_metric(definition);
    }
}
