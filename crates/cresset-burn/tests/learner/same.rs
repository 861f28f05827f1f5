//! The same training with and without Cresset.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::Device;
use burn::train::logger::MetricLogger;
use burn::train::metric::store::{Aggregate, Direction, EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{AccuracyMetric, LossMetric, MetricDefinition, NumericEntry};
use burn::train::{
    Learner, LearnerModel, LearnerSummary, MetricEarlyStoppingStrategy, StoppingCondition,
    SupervisedTraining,
};
use cresset_burn::{Callback, CressetTraining};
use cresset_run::Run;

use crate::support::*;

/// Everything that burn leaves behind.
#[derive(Debug, PartialEq)]
struct Left {
    weights: Vec<f32>,
    summary: Option<String>,
    /// Files of metrics and names of checkpoints.
    files: BTreeMap<String, String>,
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            let text = match name.ends_with(".log") {
                true => fs::read_to_string(&path).unwrap(),
                false => String::new(),
            };
            found.insert(name, text);
        }
    }
    found
}

fn left<M: LearnerModel + Module>(folder: &Path, model: &M) -> Left {
    let summary = LearnerSummary::new(folder, &["Loss", "Accuracy"]).ok();
    Left {
        weights: values(model),
        summary: summary.map(|summary| summary.to_string()),
        files: files(folder),
    }
}

/// After some epochs there is nothing left to learn, and training ends early.
const FAST: f64 = 0.1;

fn configured<M>(training: SupervisedTraining<M>) -> SupervisedTraining<M>
where
    M: LearnerModel
        + burn::train::TrainStep<Input = Batch, Output = burn::train::ClassificationOutput>
        + burn::train::InferenceStep<Input = Batch, Output = burn::train::ClassificationOutput>,
{
    training
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .num_epochs(30)
        .grads_accumulation(2)
        .early_stopping(MetricEarlyStoppingStrategy::new(
            &AccuracyMetric::new(),
            Aggregate::Mean,
            Direction::Highest,
            Split::Valid,
            StoppingCondition::NoImprovementSince { n_epochs: 2 },
        ))
        .summary()
}

fn without() -> Left {
    let dir = tempfile::tempdir().unwrap();
    let training = configured(training::<Net>(dir.path())).with_default_checkpointers();
    let result = training.launch(Learner::new(net(), adam(), FAST));
    ended_well(&result);
    left(dir.path(), &result.model)
}

#[test]
fn burn_leaves_the_same_behind() {
    let alone = without();
    let checkpoints = alone.files.keys().filter(|name| name.ends_with(".bpk"));
    assert!(checkpoints.count() >= 6 && alone.summary.is_some());
    let epochs = |left: &Left| left.files.keys().filter(|n| n.starts_with("valid")).count() / 2;
    assert!(
        (3..30).contains(&epochs(&alone)),
        "{:?}",
        alone.files.keys()
    );
    let (view, recorded) = recorded(|run, folder| {
        let training = configured(training(folder)).cresset_with_checkpoints(run, folder);
        let result = training.launch(Learner::new(watched(run), adam(), FAST));
        ended_well(&result);
        left(folder, &result.model)
    });
    assert_eq!(recorded, alone);
    let expected = epochs(&alone);
    assert_eq!(points(&view, "val/loss").len(), expected);
    assert_eq!(points(&view, "train/loss").len(), expected * TRAIN_BATCHES);
}

/// burn asks loggers for the losses, and without any files this is the only one to know.
#[test]
fn early_stopping_works_without_files() {
    let alone = without();
    let (_, weights) = recorded(|run, folder| {
        let training = configured(training(folder)).cresset_with(Callback::new(run));
        let result = training.launch(Learner::new(net(), adam(), FAST));
        assert!(!folder.join("valid").exists());
        values(&result.model)
    });
    assert_eq!(weights, alone.weights);
}

#[test]
fn a_checkpoint_of_a_watched_model_is_one_of_the_model() {
    let (_, (trained, loaded)) = recorded(|run, folder| {
        let training = training(folder)
            .metrics((LossMetric::new(),))
            .cresset_with_checkpoints(run, folder);
        let result = training.launch(learner(watched(run)));
        let record = ModuleRecord::load(folder.join("checkpoint/model-1.bpk")).unwrap();
        let plain = Net::new(&Device::flex()).load_record(record);
        (values(&result.model), values(&plain))
    });
    assert_eq!(trained, loaded);
}

/// A logger of the user's.
#[derive(Clone, Default)]
struct Own(Arc<Mutex<Vec<(usize, String, f64)>>>);

impl MetricLogger for Own {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        for metric in update.entries_numeric {
            if let Some(NumericEntry::Final(value)) = metric.numeric_entry {
                self.0
                    .lock()
                    .unwrap()
                    .push((epoch, split.to_string(), value));
            }
        }
    }

    fn read_numeric(&mut self, _: &str, _: usize, _: &Split) -> Result<Vec<NumericEntry>, String> {
        Ok(Vec::new())
    }

    fn log_metric_definition(&mut self, _: MetricDefinition) {}
    fn log_epoch_summary(&mut self, _: EpochSummary) {}
}

#[test]
fn a_logger_of_the_users_goes_on() {
    let train = |own: &Own, folder: &Path, run: Option<&Run>| {
        let training = training(folder)
            .metrics((LossMetric::new(),))
            .num_epochs(2)
            .with_metric_logger(own.clone());
        match run {
            Some(run) => training.cresset_with(Callback::new(run)),
            None => training,
        }
        .launch(learner(net()))
    };
    let (alone, beside) = (Own::default(), Own::default());
    let dir = tempfile::tempdir().unwrap();
    train(&alone, dir.path(), None);
    recorded(|run, folder| {
        train(&beside, folder, Some(run));
    });
    let seen = |own: &Own| own.0.lock().unwrap().clone();
    assert_eq!(seen(&alone), seen(&beside));
    assert_eq!(seen(&alone).len(), 4);
}
