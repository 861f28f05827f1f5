//! The programs of this package, run as a user runs them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use cresset_record::{RunDir, RunView, State};

const SETTINGS: &str =
    "--generate 300 --image-size 32 --width 4 --batch-size 8 --seed 3 --epochs 2";

fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("CRESSET_RUN_ID", "run1");
    for variable in ["CRESSET_MODE", "CRESSET_DIR"] {
        command.env_remove(variable);
    }
    command
}

fn view(folder: &Path, project: &str, output: &Output) -> RunView {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let dir = folder.join(".cresset").join(project).join("run1");
    RunView::open(RunDir::new(dir)).unwrap()
}

/// What the candle example records, too; of gradients and parameters one of each kind.
const KEYS: [&str; 23] = [
    "epoch",
    "train/loss",
    "train/lr",
    "train/epoch_loss",
    "train/images_per_second",
    "val/loss",
    "val/auc",
    "val/accuracy",
    "val/recall/good",
    "val/confusion_matrix",
    "val/roc",
    "val/precision_recall",
    "val/classes",
    "val/mistakes",
    "test/loss",
    "test/auc",
    "test/mistakes",
    "gradients/norm",
    "gradients/layer2.0.conv1.weight",
    "parameters/fc.weight",
    "update_ratio/conv1.weight",
    "checkpoints/model",
    "data/train",
];

#[test]
fn the_classifier_records_the_keys_of_the_candle_example() {
    let dir = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_defect-classifier-burn");
    let words = SETTINGS.split_whitespace();
    let output = command(program, dir.path()).args(words).output().unwrap();
    let view = view(dir.path(), "harbor-defect-classifier", &output);
    assert_eq!(view.state(), State::Finished);
    let scalars = view.series().map(|(key, _, _)| key.as_str());
    let histograms = view.histograms().map(|(key, _, _)| key.as_str());
    let media = view.media().map(|(key, _, _)| key.as_str());
    let found: Vec<&str> = scalars.chain(histograms).chain(media).collect();
    let missing: Vec<_> = KEYS.iter().filter(|key| !found.contains(key)).collect();
    assert!(missing.is_empty(), "{missing:?} of {found:?}");
    assert!(view.alerts().is_empty(), "{:?}", view.alerts());
    // burn's own files are where it keeps them.
    let burn = dir
        .path()
        .join(".cresset/harbor-defect-classifier/run1/burn");
    assert!(burn.join("valid/epoch-2/Loss.log").exists());
    assert!(burn.join("checkpoint/model-2.bpk").exists());
}

#[test]
fn somebody_stops_the_classifier() {
    let dir = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_defect-classifier-burn");
    let words = SETTINGS.replace("--epochs 2", "--epochs 100000");
    let run = dir.path().join(".cresset/harbor-defect-classifier/run1");
    fs::create_dir_all(&run).unwrap();
    let mut child = command(program, dir.path())
        .args(words.split_whitespace())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !run.join("burn").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    fs::write(
        run.join("stop.json"),
        r#"{"reason": "enough", "time": 9000000000000000}"#,
    )
    .unwrap();
    assert!(child.wait().unwrap().success());
    let view = RunView::open(RunDir::new(&run)).unwrap();
    assert_eq!(view.state(), State::Stopped("enough".into()));
}

#[test]
fn the_custom_loop_records_what_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_custom_loop");
    let output = command(program, dir.path()).output().unwrap();
    let view = view(dir.path(), "custom-loop", &output);
    let series = |key: &str| {
        let found = view.series().find(|(name, _, _)| name.as_str() == key);
        let points = found.map(|(_, _, series)| series.points());
        points
            .into_iter()
            .flatten()
            .map(|p| p.value)
            .collect::<Vec<_>>()
    };
    let losses = series("train/loss");
    assert_eq!(losses.len(), 2000);
    assert!(
        losses[1999] < 0.1 * losses[0],
        "{} {}",
        losses[0],
        losses[1999]
    );
    assert!(!series("gradients/norm").is_empty());
    assert!(!series("update_ratio/hidden.weight").is_empty());
}
