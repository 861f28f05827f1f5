//! Validation passes.

use burn::tensor::{Device, Tensor};
use burn::train::EvaluatorBuilder;
use burn::train::InferenceStep;
use burn::train::metric::{AccuracyMetric, LossMetric};
use cresset_burn::{CressetTraining, Pictures, Samples, Watched};
use cresset_record::{MediaDetail, RunView};
use cresset_run::Run;

use crate::support::*;

fn watched(run: &Run) -> Watched<Net> {
    let pictures = Pictures::default().range(-1.0..=1.5).side(3);
    let samples = Samples::new(CLASSES).pictures(pictures);
    let samples = samples.prepare(|index, image| image.caption(format!("image {index}")));
    Watched::new(net(), run).samples(samples)
}

/// Of each image: its step, place in the data set, true class.
fn mistakes(view: &RunView, key: &str) -> Vec<(u64, u64, String)> {
    let media = view.media().filter(|(name, _, _)| name.as_str() == key);
    let points = media.flat_map(|(_, _, points)| points.iter());
    points
        .map(|point| {
            let MediaDetail::Image(image) = &point.value.detail else {
                panic!("{key} is no image");
            };
            let sample = image.sample.as_ref().unwrap();
            (point.step, sample.dataset_index, sample.true_class.clone())
        })
        .collect()
}

#[test]
fn a_pass_has_metrics_figures_and_mistakes() {
    let (view, ()) = recorded(|run, folder| {
        let result = training(folder)
            .metrics((AccuracyMetric::new(), LossMetric::new()))
            .num_epochs(2)
            .cresset(run, folder)
            .launch(learner(watched(run)));
        ended_well(&result);
    });
    // What burn's own metrics say is not said twice.
    let accuracy = points(&view, "val/accuracy");
    assert_eq!((accuracy.len(), points(&view, "val/loss").len()), (2, 2));
    for key in ["val/auc", "val/f1", "val/recall/void"] {
        let steps: Vec<u64> = points(&view, key).iter().map(|p| p.0).collect();
        assert_eq!(steps, [5, 11], "{key}");
    }
    let found = mistakes(&view, "val/mistakes");
    let of_first = found.iter().filter(|(step, _, _)| *step == 5).count();
    let wrong = (1.0 - accuracy[0].1) * (VALID_BATCHES * ROWS) as f64;
    assert!(of_first > 0 && of_first as f64 <= wrong + 0.5, "{found:?}");
    for (_, index, class) in found {
        assert!((1000..1000 + (VALID_BATCHES * ROWS) as u64).contains(&index));
        assert_eq!(class, CLASSES[index as usize * 7 % 3]);
    }
    let keys: Vec<&str> = view.media().map(|(key, _, _)| key.as_str()).collect();
    for key in ["val/confusion_matrix", "val/roc", "val/classes"] {
        assert!(keys.contains(&key), "{keys:?}");
    }
    assert!(titles(&view).is_empty());
}

#[test]
fn what_the_model_says_is_what_it_says_alone() {
    recorded(|run, _| {
        let model = burn::module::Module::valid(&watched(run));
        let alone = burn::module::Module::valid(&net());
        let batch = || Batch::new(0, ROWS, &Device::flex());
        let values = |output: Tensor<2>| output.to_data().try_to_vec::<f32>().unwrap();
        let watched = InferenceStep::step(&model, batch()).output;
        assert_eq!(values(watched), values(alone.classify(batch()).output));
    });
}

#[test]
fn an_empty_validation_set_is_no_pass() {
    let train = |run: Option<&Run>, folder: &std::path::Path| {
        let (train, valid) = (Loader::new(0, TRAIN_BATCHES), Loader::new(0, 0));
        match run {
            Some(run) => {
                let training = training_of(folder, train, valid).metrics((LossMetric::new(),));
                let training = training.num_epochs(2).cresset(run, folder);
                values(&training.launch(learner(watched(run))).model)
            }
            None => {
                let training = training_of(folder, train, valid).metrics((LossMetric::new(),));
                values(&training.num_epochs(2).launch(learner(net())).model)
            }
        }
    };
    let dir = tempfile::tempdir().unwrap();
    let alone = train(None, dir.path());
    let (view, weights) = recorded(|run, folder| train(Some(run), folder));
    assert_eq!(weights, alone);
    assert_eq!(points(&view, "train/epoch_loss").len(), 2);
    let keys = view.series().map(|(key, _, _)| key.as_str());
    assert!(!keys.into_iter().any(|key| key.starts_with("val/")));
}

#[test]
fn an_evaluator_has_a_pass_of_its_own() {
    let (view, ()) = recorded(|run, folder| {
        let training = training(folder)
            .metrics((LossMetric::new(),))
            .cresset(run, folder);
        let model = training.launch(learner(watched(run))).model;
        let set: std::sync::Arc<dyn burn::data::dataloader::DataLoader<Batch>> =
            std::sync::Arc::new(Loader::new(2000, 3));
        EvaluatorBuilder::new(folder)
            .with_application_logger(None)
            .renderer(Box::new(crate::silent::Silent))
            .metrics((LossMetric::new(),))
            .build(model.evaluated_as("test"))
            .eval("test", set);
    });
    assert_eq!(points(&view, "test/accuracy").len(), 1);
    assert_eq!(points(&view, "val/accuracy").len(), 1);
    assert!(
        mistakes(&view, "test/mistakes")
            .iter()
            .all(|(_, index, _)| *index >= 2000)
    );
}

#[test]
fn images_that_cannot_be_shown_are_named() {
    let (view, ()) = recorded(|run, folder| {
        let pictures = Pictures::default().denormalize([0.5], [0.5]);
        let samples = Samples::new(CLASSES).pictures(pictures);
        let model = Watched::new(net(), run).samples(samples);
        training(folder).cresset(run, folder).launch(learner(model));
    });
    let alert = &view.alerts()[0];
    assert_eq!(alert.title, "mistakes of val cannot be shown");
    assert_eq!(points(&view, "val/auc").len(), 1);
    assert!(
        alert.text.starts_with("1 means and 1 deviations"),
        "{}",
        alert.text
    );
}
