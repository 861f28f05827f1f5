//! A run that is killed or stopped and resumed ends with the weights and the curves of one that
//! was not.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::Command;

use crate::support::{Workplace, last, state, stdout, wait_for_step};
use candle_core::{Device, Tensor};
use cresset_candle::TrainState;
use cresset_record::{Digest, MediaDetail, RunDir, RunView, State};

/// What must not depend on whether a run was interrupted.
#[derive(PartialEq)]
struct Outcome {
    step: u64,
    epoch: u64,
    /// Model and optimizer, as bytes.
    tensors: HashMap<String, Vec<u8>>,
    /// Steps and values as they are charted, but for times and what is sampled by time.
    curves: BTreeMap<String, Vec<(u64, u64)>>,
}

fn outcome(run: &Path) -> Outcome {
    let tensors = candle_core::safetensors::load(last(run), &Device::Cpu).unwrap();
    let bytes = |tensor: Tensor| {
        let mut bytes = Vec::new();
        tensor.write_bytes(&mut bytes).unwrap();
        bytes
    };
    let TrainState { step, epoch, .. } = state(run).unwrap();
    let view = RunView::open(RunDir::new(run)).unwrap();
    assert_eq!(view.state(), State::Finished);
    assert!(view.lost().is_empty());
    let curves = view
        .series()
        .filter(|(key, ..)| is_determined(key.as_str()))
        .map(|(key, _, series)| {
            let points = series
                .by_step()
                .into_iter()
                .map(|point| (point.step, point.value.to_bits()));
            (key.as_str().to_owned(), points.collect())
        });
    Outcome {
        step,
        epoch,
        tensors: tensors
            .into_iter()
            .map(|(name, tensor)| (name, bytes(tensor)))
            .collect(),
        curves: curves.collect(),
    }
}

fn is_determined(key: &str) -> bool {
    let prefixes = [
        "train/loss",
        "train/lr",
        "train/epoch_loss",
        "val/",
        "test/",
        "epoch",
    ];
    prefixes.iter().any(|prefix| key.starts_with(prefix))
}

fn assert_same(found: &Outcome, expected: &Outcome) {
    assert_eq!((found.step, found.epoch), (expected.step, expected.epoch));
    assert!(
        found.tensors == expected.tensors,
        "other weights than without the interruption"
    );
    for (key, curve) in &expected.curves {
        assert_eq!(found.curves.get(key), Some(curve), "{key}");
    }
    assert_eq!(found.curves.len(), expected.curves.len());
}

/// The content of the checkpoints leads to the run, and the run has what it was trained on.
fn knows_its_files(run: &Path) {
    let dir = RunDir::new(run);
    let view = RunView::open(dir.clone()).unwrap();
    let files: Vec<_> = (view.media())
        .map(|(key, _, values)| (key.as_str(), &values.last().unwrap().value))
        .collect();
    let file = |key: &str| files.iter().find(|(known, _)| *known == key).unwrap().1;
    for name in ["best", "last"] {
        let path = run.join(format!("checkpoints/{name}.safetensors"));
        let (digest, _) = Digest::of_file(&path).unwrap();
        let recorded = file(&format!("checkpoints/{name}"));
        assert_eq!(recorded.blobs().next().unwrap().digest, digest);
        assert!(dir.blobs().path(&digest).is_file());
        let MediaDetail::File { role, .. } = &recorded.detail else {
            panic!("{recorded:?}");
        };
        assert_eq!(role.as_deref(), Some("checkpoint"));
    }
    let config = &view.start().unwrap().config;
    for name in ["train", "val", "test"] {
        let recorded = file(&format!("data/{name}"));
        let digest = recorded.blobs().next().unwrap().digest;
        assert_eq!(config["data"][name], digest.to_string());
        let list = std::fs::read_to_string(dir.blobs().path(&digest)).unwrap();
        let first = list.lines().next().unwrap();
        let (digest, path) = first.split_once("  ").unwrap();
        let image = Path::new(config["data"]["path"].as_str().unwrap()).join(path);
        let image = run.ancestors().nth(3).unwrap().join(image);
        assert_eq!(Digest::of_file(&image).unwrap().0.to_string(), digest);
    }
}

#[test]
fn a_killed_run_resumes_to_the_same_weights_and_curves() {
    let workplace = Workplace::new();
    stdout(&workplace.train("straight").wait_with_output().unwrap());
    let expected = outcome(&workplace.run_folder("straight"));
    assert_eq!(expected.epoch, 4);
    assert_eq!(expected.curves["train/loss"].len() as u64, expected.step);
    assert_eq!(expected.curves["val/auc"].len(), 4);
    assert_eq!(expected.curves["test/auc"].len(), 1);
    knows_its_files(&workplace.run_folder("straight"));

    let killed = workplace.run_folder("killed");
    let mut child = workplace.train("killed");
    wait_for_step(&killed, 30, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        state(&killed).unwrap().step < expected.step,
        "it must not have been done already"
    );
    assert_eq!(
        RunView::open(RunDir::new(&killed)).unwrap().state(),
        State::Crashed
    );

    let resumed = stdout(&workplace.run("--resume killed"));
    assert!(resumed.contains("resumed after step"), "{resumed}");
    assert_same(&outcome(&killed), &expected);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_says_how_to_go_on_and_resumes_to_the_same_weights() {
    let workplace = Workplace::new();
    stdout(&workplace.train("straight").wait_with_output().unwrap());
    let expected = outcome(&workplace.run_folder("straight"));

    let stopped = workplace.run_folder("stopped");
    let mut child = workplace.train("stopped");
    wait_for_step(&stopped, 5, &mut child);
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupt.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("stopped; go on with --resume stopped\n"),
        "{text}"
    );
    let state = RunView::open(RunDir::new(&stopped)).unwrap().state();
    assert!(matches!(state, State::Stopped { .. }), "{state:?}");

    stdout(&workplace.run(&format!("--resume {}", last(&stopped).display())));
    assert_same(&outcome(&stopped), &expected);
    // A run that is done is only tested again.
    stdout(&workplace.run("--resume stopped"));
    assert!(outcome(&stopped).tensors == expected.tensors);
}

#[test]
fn a_run_that_is_asked_to_stop_does_after_the_present_step() {
    let workplace = Workplace::new();
    // Far more steps than a second has, so that the request comes in time.
    let asked = workplace.run_folder("asked");
    let mut child = workplace.train_with("asked", "--epochs 400");
    wait_for_step(&asked, 3, &mut child);
    let request = r#"{"time": 9000000000000000, "reason": "no better than the others"}"#;
    std::fs::write(asked.join("stop.json"), request).unwrap();
    let text = stdout(&child.wait_with_output().unwrap());
    assert!(
        text.contains("stopped; go on with --resume asked\n"),
        "{text}"
    );
    let view = RunView::open(RunDir::new(&asked)).unwrap();
    let reason = "no better than the others".to_owned();
    assert_eq!(view.state(), State::Stopped(reason));
    let steps = view.series_of("train/loss").unwrap().points().len() as u64;
    assert_eq!(
        state(&asked).unwrap().step,
        steps,
        "the checkpoint has every step that was recorded"
    );
}

#[test]
fn a_checkpoint_goes_on_where_its_run_is_not_known() {
    let workplace = Workplace::new();
    let mut child = workplace.train("origin");
    let origin = workplace.run_folder("origin");
    wait_for_step(&origin, 12, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    let before = state(&origin).unwrap().step;
    std::fs::rename(origin.join("checkpoints"), workplace.path("brought")).unwrap();
    std::fs::remove_dir_all(workplace.path(".cresset")).unwrap();

    stdout(&workplace.run("--resume brought/last.safetensors"));
    let view = RunView::open(RunDir::new(&origin)).unwrap();
    assert_eq!(view.state(), State::Finished);
    assert_eq!(
        view.series_of("train/loss").unwrap().by_step()[0].step,
        before
    );
}

#[test]
fn training_needs_no_recording() {
    let workplace = Workplace::new();
    let words =
        "--generate 300 --image-size 16 --width 2 --epochs 1 --batch-size 64 --checkpoints taken";
    let output = workplace
        .command(words)
        .env("CRESSET_MODE", "disabled")
        .output()
        .unwrap();
    let text = stdout(&output);
    assert!(text.contains("test of the best weights: "), "{text}");
    assert!(!workplace.path(".cresset").exists());

    // Nor does it overwrite another run's checkpoints.
    let before = std::fs::read(workplace.path("taken/last.safetensors")).unwrap();
    let output = workplace.run(words);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("--resume taken/last.safetensors"),
        "{message}"
    );
    assert!(std::fs::read(workplace.path("taken/last.safetensors")).unwrap() == before);
}

#[test]
fn mistakes_are_answered_clearly_and_touch_nothing() {
    let workplace = Workplace::new();
    let message = |words: &str| {
        let output = workplace.run(words);
        assert!(!output.status.success(), "{words}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(message("--resume nowhere").contains("there is no checkpoint `nowhere`"));
    assert!(message("--device cuda").contains("without CUDA"));
    assert!(message("--lr abc").contains("--lr"));
    std::fs::create_dir_all(workplace.path("photos/cats")).unwrap();
    std::fs::write(workplace.path("photos/cats/a.png"), "not a picture").unwrap();
    assert!(message("--data photos").contains("photos"));
    assert_eq!(
        std::fs::read_dir(workplace.path("photos")).unwrap().count(),
        1
    );
    assert!(!workplace.path(".cresset").exists());
}

#[test]
fn a_run_that_diverges_keeps_the_weights_from_before_and_goes_on_at_a_lower_rate() {
    let workplace = Workplace::new();
    let run = workplace.run_folder("wild");
    let mut child = workplace.train("wild");
    wait_for_step(&run, 30, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = state(&run).unwrap().step;

    // No weight is finite after the first step at this rate.
    let ended = workplace.run("--resume wild --lr 1e300 --checkpoint-every 3");
    assert!(!ended.status.success());
    let message = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(state(&run).unwrap().step, kept);
    let hint =
        format!("go on from before, after {kept} steps, with --resume wild and a lower --lr");
    assert!(message.contains("training diverged: "), "{message}");
    assert!(message.contains(&hint), "{message}");

    let view = RunView::open(RunDir::new(&run)).unwrap();
    let (digest, _) = Digest::of_file(&last(&run)).unwrap();
    let (_, _, values) = (view.media())
        .find(|(key, ..)| key.as_str() == "checkpoints/last")
        .unwrap();
    let recorded = values.last().unwrap();
    assert_eq!(recorded.step, kept - 1);
    assert_eq!(recorded.value.blobs().next().unwrap().digest, digest);
    let log = view.console();
    assert!(log[0].message.contains("images to train on"), "{log:?}");

    let text = stdout(&workplace.run("--resume wild --lr 1e-3"));
    assert!(
        text.contains(&format!("resumed after step {kept}")),
        "{text}"
    );
    let view = RunView::open(RunDir::new(&run)).unwrap();
    assert_eq!(view.state(), State::Finished);
    assert_eq!(view.start().unwrap().config["lr"], 1e-3);
    let losses = view.series_of("train/loss").unwrap().by_step();
    assert!(losses.iter().all(|point| point.value.is_finite()));
}
