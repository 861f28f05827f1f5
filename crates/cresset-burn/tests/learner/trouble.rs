//! What goes wrong goes wrong as in burn alone.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};
use burn::train::metric::{LossMetric, Metric, MetricMetadata, MetricName, SerializedEntry};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use cresset_burn::{CressetTraining, Watch, Watched};
use cresset_record::State;
use cresset_run::Cadence;

use crate::support::*;

/// How a training ends: by a panic, with an error, well.
#[derive(Debug, PartialEq)]
enum End {
    Panic,
    Error(String),
    Well,
}

fn end<M>(launch: impl FnOnce() -> burn::train::LearningResult<M>) -> End {
    match catch_unwind(AssertUnwindSafe(launch)) {
        Err(_) => End::Panic,
        Ok(result) => match result.error {
            Some(error) => End::Error(error.to_string()),
            None => End::Well,
        },
    }
}

/// A metric that panics at the third batch.
#[derive(Clone, Default)]
struct Panicking(usize);

impl Metric for Panicking {
    type Input = ();

    fn name(&self) -> MetricName {
        Arc::new("Panicking".to_owned())
    }

    fn update(
        &mut self,
        (): &(),
        _: &MetricMetadata,
    ) -> Result<SerializedEntry, burn::tensor::TensorReadError> {
        self.0 += 1;
        assert!(self.0 < 3, "the metric of a user");
        Ok(SerializedEntry::not_available(None))
    }

    fn compute(&mut self) -> Result<SerializedEntry, burn::tensor::TensorReadError> {
        Ok(SerializedEntry::not_available(None))
    }

    fn clear(&mut self) {}
}

#[test]
fn a_metric_that_panics() {
    let dir = tempfile::tempdir().unwrap();
    let alone = end(|| {
        training::<Net>(dir.path())
            .metric_train(Panicking::default())
            .launch(learner(net()))
    });
    let (view, beside) = recorded(|run, folder| {
        end(|| {
            training(folder)
                .metric_train(Panicking::default())
                .cresset(run, folder)
                .launch(learner(watched(run)))
        })
    });
    assert_eq!(beside, alone);
    assert_ne!(alone, End::Well);
    assert!(
        !points(&view, "train/lr").is_empty(),
        "what came before is kept"
    );
}

#[test]
fn a_checkpointer_that_fails() {
    // A file is where the folder should be.
    let blocked = |folder: &Path| {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("checkpoint"), "in the way").unwrap();
    };
    let dir = tempfile::tempdir().unwrap();
    blocked(dir.path());
    let alone = end(|| {
        let training = training::<Net>(dir.path()).metrics((LossMetric::new(),));
        training
            .num_epochs(3)
            .with_default_checkpointers()
            .launch(learner(net()))
    });
    let (view, beside) = recorded(|run, folder| {
        blocked(folder);
        end(|| {
            let training = training(folder).metrics((LossMetric::new(),)).num_epochs(3);
            training
                .cresset_with_checkpoints(run, folder)
                .launch(learner(watched(run)))
        })
    });
    assert_eq!(
        std::mem::discriminant(&beside),
        std::mem::discriminant(&alone)
    );
    assert_ne!(alone, End::Well, "{alone:?}");
    if matches!(alone, End::Error(_)) {
        assert!(
            matches!(view.state(), State::Failed(_)),
            "{:?}",
            view.state()
        );
    }
}

#[test]
fn data_that_cannot_be_read() {
    let broken = || Loader {
        broken: Some(3),
        ..Loader::new(0, TRAIN_BATCHES)
    };
    let dir = tempfile::tempdir().unwrap();
    let valid = || Loader::new(1000, VALID_BATCHES);
    let alone = end(|| training_of::<Net>(dir.path(), broken(), valid()).launch(learner(net())));
    let (view, beside) = recorded(|run, folder| {
        end(|| {
            training_of(folder, broken(), valid())
                .metrics((LossMetric::new(),))
                .cresset(run, folder)
                .launch(learner(watched(run)))
        })
    });
    assert_eq!(beside, alone);
    assert!(
        matches!(&alone, End::Error(error) if error.contains("no such image")),
        "{alone:?}"
    );
    assert_eq!(points(&view, "train/loss").len(), 3);
    let State::Failed(reason) = view.state() else {
        panic!("{:?}", view.state());
    };
    assert!(reason.contains("no such image"), "{reason}");
}

#[test]
fn an_interrupted_run_is_stopped() {
    let (view, ()) = recorded(|run, folder| {
        let training = training(folder).metrics((LossMetric::new(),)).num_epochs(9);
        let training = training.cresset(run, folder);
        training.interrupter().stop(Some("the user pressed q"));
        let result = training.launch(learner(watched(run)));
        assert!(result.interrupted.is_some());
    });
    let State::Stopped(reason) = view.state() else {
        panic!("{:?}", view.state());
    };
    assert_eq!(reason, "the user pressed q");
    assert_eq!(points(&view, "train/loss").len(), 1);
}

#[test]
fn a_run_that_ends_before_the_learner() {
    let dir = tempfile::tempdir().unwrap();
    let alone = training::<Net>(dir.path())
        .num_epochs(2)
        .launch(learner(net()));
    let run = cresset_run::init("burn").dir(dir.path()).start().unwrap();
    let model = watched(&run);
    let training = training(dir.path()).num_epochs(2).cresset(&run, dir.path());
    run.finish();
    let result = training.launch(learner(model));
    ended_well(&result);
    assert_eq!(values(&result.model), values(&alone.model));
}

#[test]
fn a_run_that_is_switched_off() {
    let dir = tempfile::tempdir().unwrap();
    let run = cresset_run::init("burn").disabled(true).start().unwrap();
    let training = training(dir.path())
        .metrics((LossMetric::new(),))
        .cresset(&run, dir.path());
    let result = training.launch(learner(watched(&run)));
    ended_well(&result);
    assert_eq!(result.model.account().observed, 0);
    assert!(dir.path().join("train/epoch-1/Loss.log").exists());
}

/// Five hundred parameters.
#[derive(Module, Debug)]
struct Many {
    net: Net,
    scales: Vec<Param<Tensor<1>>>,
}

impl Many {
    fn new(device: &Device) -> Self {
        let one = |_| Param::from_tensor(Tensor::ones([1], device));
        Self {
            net: Net::new(device),
            scales: (0..500).map(one).collect(),
        }
    }

    fn classify(&self, batch: Batch) -> ClassificationOutput {
        let scales = self.scales.iter().map(Param::val).collect();
        let scale = Tensor::<1>::cat(scales, 0).mean();
        let targets: Tensor<1, Int> = batch.targets.clone();
        let output = self.net.classify(batch);
        ClassificationOutput::new(output.loss * scale, output.output, targets)
    }
}

impl TrainStep for Many {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassificationOutput> {
        let output = self.classify(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Many {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        self.classify(batch)
    }
}

#[test]
fn a_model_of_many_parameters() {
    let (view, ()) = recorded(|run, folder| {
        let model = Many::new(&Device::flex().autodiff());
        let model = Watched::with(model, Watch::new(run).cadence(Cadence::Every(1)));
        let training = training(folder)
            .metrics((LossMetric::new(),))
            .cresset(run, folder);
        ended_well(&training.launch(learner(model)));
    });
    let scales = view
        .histograms()
        .filter(|(key, _, _)| key.as_str().starts_with("gradients/scales."));
    assert_eq!(scales.count(), 500);
}
