//! What the learner knows, in the run.

use std::fs;
use std::time::Duration;

use burn::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn::train::metric::{AccuracyMetric, LearningRateMetric, LossMetric};
use burn::train::{EvaluatorBuilder, Learner};
use cresset_burn::{Callback, CressetTraining, recorded as recording};
use cresset_record::{Goal, State};

use crate::silent::Silent;
use crate::support::*;

const EPOCHS: usize = 3;

#[test]
fn metrics_have_their_steps_splits_and_meaning() {
    let (view, folder) = recorded(|run, folder| {
        let rate = LinearLrSchedulerConfig::new(0.02, 0.002, 18)
            .init()
            .unwrap();
        let result = training(folder)
            .metrics((
                AccuracyMetric::new(),
                LossMetric::new(),
                LearningRateMetric::new(),
            ))
            .num_epochs(EPOCHS)
            .cresset(run, folder)
            .launch(Learner::new(net(), adam(), rate));
        ended_well(&result);
        let log = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
        (
            log("train/epoch-1/Loss.log"),
            log("valid/epoch-2/Accuracy.log"),
        )
    });
    let steps = |key: &str| points(&view, key).iter().map(|p| p.0).collect::<Vec<_>>();
    let batches: Vec<u64> = (0..(EPOCHS * TRAIN_BATCHES) as u64).collect();
    for key in ["train/loss", "train/accuracy", "train/lr"] {
        assert_eq!(steps(key), batches, "{key}");
    }
    for key in ["train/epoch_loss", "val/loss", "val/accuracy"] {
        assert_eq!(steps(key), [5, 11, 17], "{key}");
    }
    let keys: Vec<&str> = view.series().map(|(key, _, _)| key.as_str()).collect();
    assert!(!keys.iter().any(|key| key.contains("learning")), "{keys:?}");

    // burn's own files say the same.
    let (losses, accuracy) = folder;
    let of_file: Vec<f64> = losses
        .lines()
        .map(|line| line.split(',').next().unwrap().parse().unwrap())
        .collect();
    let of_run = points(&view, "train/loss");
    assert!(
        of_run
            .iter()
            .zip(&of_file)
            .take(TRAIN_BATCHES)
            .all(|(a, b)| a.1 == *b)
    );
    assert_eq!(
        points(&view, "train/epoch_loss")[0].1,
        *of_file.last().unwrap()
    );
    let percent: f64 = accuracy
        .lines()
        .last()
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!((points(&view, "val/accuracy")[1].1 - percent / 100.0).abs() < 1e-12);

    let rates = points(&view, "train/lr");
    assert!((rates[0].1 - 0.02).abs() < 1e-3 && rates.is_sorted_by(|a, b| a.1 > b.1));
    let epochs = points(&view, "epoch");
    let at = |step: u64| epochs.iter().rfind(|p| p.0 == step).unwrap().1;
    assert!((at(0) - 1.0 / 6.0).abs() < 1e-9);
    assert_eq!((at(5), at(17)), (1.0, 3.0));
    let goal = |key: &str| view.definition(key).goal;
    assert_eq!(goal("train/loss"), Some(Goal::Minimize));
    assert_eq!(goal("train/epoch_loss"), Some(Goal::Minimize));
    assert_eq!(goal("val/accuracy"), Some(Goal::Maximize));
}

#[test]
fn a_training_without_metrics_has_its_progress() {
    let (view, ()) = recorded(|run, folder| {
        training::<Net>(folder)
            .num_epochs(2)
            .cresset(run, folder)
            .launch(learner(net()));
    });
    assert_eq!(
        points(&view, "epoch").last(),
        Some(&(2 * TRAIN_BATCHES as u64 - 1, 2.0))
    );
    assert!(
        points(&view, "train/lr")
            .iter()
            .all(|(_, rate)| *rate == 0.02)
    );
}

#[test]
fn steps_are_the_same_without_progress() {
    let (view, ()) = recorded(|run, folder| {
        let callback = Callback::new(run).progress(false);
        training::<Net>(folder)
            .metrics((LossMetric::new(),))
            .num_epochs(2)
            .cresset_with(callback)
            .launch(learner(net()));
    });
    let last = points(&view, "train/loss").last().map(|p| p.0);
    assert_eq!(last, Some(2 * TRAIN_BATCHES as u64 - 1));
    assert_eq!(points(&view, "val/loss").len(), 2);
    assert!(points(&view, "epoch").is_empty());
}

#[test]
fn a_second_training_of_the_run_goes_on_counting() {
    let (view, ()) = recorded(|run, folder| {
        for part in ["a", "b"] {
            let folder = folder.join(part);
            training::<Net>(&folder)
                .metrics((LossMetric::new(),))
                .cresset(run, &folder)
                .launch(learner(net()));
            // The next one asks the run where it is.
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let steps: Vec<u64> = points(&view, "train/loss").iter().map(|p| p.0).collect();
    assert_eq!(steps, (0..2 * TRAIN_BATCHES as u64).collect::<Vec<_>>());
}

#[test]
fn somebody_stops_the_run() {
    let (view, interruption) = recorded(|run, folder| {
        let file = run.dir().unwrap().join("stop.json");
        fs::write(
            file,
            r#"{"reason": "the loss is flat", "time": 9000000000000000}"#,
        )
        .unwrap();
        let result = training::<Net>(folder)
            .metrics((LossMetric::new(),))
            .num_epochs(100_000)
            .cresset(run, folder)
            .launch(learner(net()));
        assert!(result.error.is_none());
        result.interrupted.unwrap()
    });
    assert_eq!(interruption.reason.as_deref(), Some("the loss is flat"));
    assert!(
        matches!(view.state(), State::Stopped(_)),
        "{:?}",
        view.state()
    );
}

#[test]
fn an_evaluator_is_recorded() {
    let (view, ()) = recorded(|run, folder| {
        let result = training::<Net>(folder)
            .metrics((LossMetric::new(),))
            .cresset(run, folder)
            .launch(learner(net()));
        let evaluator = EvaluatorBuilder::new(folder)
            .with_application_logger(None)
            .renderer(recording(run, Box::new(Silent)))
            .metrics((AccuracyMetric::new(), LossMetric::new()))
            .build(result.model);
        let set = |from| std::sync::Arc::new(Loader::new(from, 3)) as std::sync::Arc<_>;
        evaluator.eval_all([("test", set(2000)), ("Night shift", set(3000))]);
    });
    for key in ["test/accuracy", "test/loss", "test/night_shift/accuracy"] {
        let found = points(&view, key);
        assert_eq!(found.len(), 1, "{key}");
        assert_eq!(found[0].0, TRAIN_BATCHES as u64 - 1);
        assert!(found[0].1 > 0.0 && found[0].1 < 3.0);
    }
}
