//! The program from outside: a run that is killed or stopped and resumed ends with the weights and the curves of one that
//! was not.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use cresset_candle::{Checkpoint, TrainState};
use cresset_record::{RunDir, RunView, State};

const SETTINGS: &str =
    "--generate 300 --image-size 32 --width 4 --epochs 4 --batch-size 8 --seed 3";

/// A working directory in which runs have ids of our choice.
struct Workplace(tempfile::TempDir);

impl Workplace {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run_folder(&self, id: &str) -> PathBuf {
        self.path(".cresset/harbor-defect-classifier").join(id)
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_defect-classifier"));
        command
            .current_dir(self.0.path())
            .args(words.split_whitespace());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        for variable in ["CRESSET_MODE", "CRESSET_DIR", "CRESSET_RUN_ID"] {
            command.env_remove(variable);
        }
        command
    }

    fn run(&self, words: &str) -> Output {
        self.command(words).output().unwrap()
    }

    fn train(&self, id: &str) -> Child {
        self.command(&format!("{SETTINGS} --checkpoint-every 3"))
            .env("CRESSET_RUN_ID", id)
            .spawn()
            .unwrap()
    }
}

fn stdout(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn last(run: &Path) -> PathBuf {
    run.join("checkpoints/last.safetensors")
}

fn state(run: &Path) -> Option<TrainState> {
    Checkpoint::read_state(last(run)).ok()
}

/// Waits until the run has a checkpoint at or past `step`.
fn wait_for_step(run: &Path, step: u64, child: &mut Child) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while state(run).is_none_or(|state| state.step < step) {
        assert!(Instant::now() < deadline, "no checkpoint at step {step}");
        assert!(
            child.try_wait().unwrap().is_none(),
            "the run ended before it could be stopped"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

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

#[test]
fn a_killed_run_resumes_to_the_same_weights_and_curves() {
    let workplace = Workplace::new();
    stdout(&workplace.train("straight").wait_with_output().unwrap());
    let expected = outcome(&workplace.run_folder("straight"));
    assert_eq!(expected.epoch, 4);
    assert_eq!(expected.curves["train/loss"].len() as u64, expected.step);
    assert_eq!(expected.curves["val/auc"].len(), 4);
    assert_eq!(expected.curves["test/auc"].len(), 1);

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
