//! The program from outside: a run that is killed or stopped and resumed ends with the weights and the curve of one that was not.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use cresset_candle::{Checkpoint, TrainState};

const SETTINGS: &str =
    "--generate 300 --image-size 32 --width 4 --epochs 4 --batch-size 8 --seed 3";

struct Session {
    folder: tempfile::TempDir,
}

impl Session {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn run_folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_defect-classifier"));
        command
            .current_dir(self.folder.path())
            .args(words.split_whitespace());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, words: &str) -> Output {
        self.command(words).output().unwrap()
    }

    fn train(&self, out: &str) -> Child {
        self.command(&format!("{SETTINGS} --checkpoint-every 3 --out {out}"))
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

fn state(folder: &Path) -> Option<TrainState> {
    Checkpoint::read_state(folder.join("last.safetensors")).ok()
}

/// Waits until the run in `folder` has a checkpoint at or past `step`.
fn wait_for_step(folder: &Path, step: u64, child: &mut Child) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while state(folder).is_none_or(|state| state.step < step) {
        assert!(Instant::now() < deadline, "no checkpoint at step {step}");
        assert!(
            child.try_wait().unwrap().is_none(),
            "the run ended before it could be stopped"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Weights, optimizer state, step and curve.
fn outcome(folder: &Path) -> (HashMap<String, Vec<u8>>, TrainState) {
    let tensors =
        candle_core::safetensors::load(folder.join("last.safetensors"), &Device::Cpu).unwrap();
    let bytes = |tensor: Tensor| {
        let mut bytes = Vec::new();
        tensor.write_bytes(&mut bytes).unwrap();
        bytes
    };
    (
        tensors
            .into_iter()
            .map(|(name, tensor)| (name, bytes(tensor)))
            .collect(),
        state(folder).unwrap(),
    )
}

/// The line about the test split.
fn verdict(text: &str) -> String {
    text.lines()
        .find(|line| line.starts_with("test of the best weights"))
        .expect("a test at the end")
        .to_owned()
}

#[test]
fn a_killed_run_resumes_to_the_same_weights_and_curve() {
    let session = Session::new();
    let straight = stdout(&session.train("straight").wait_with_output().unwrap());
    let expected = outcome(&session.run_folder("straight"));
    assert_eq!(expected.1.epoch, 4);

    let killed = session.run_folder("killed");
    let mut child = session.train("killed");
    wait_for_step(&killed, 30, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        state(&killed).unwrap().step < expected.1.step,
        "it must not have been done already"
    );

    let resumed = stdout(&session.run("--resume killed"));
    assert!(resumed.contains("resumed after step"), "{resumed}");
    assert!(
        outcome(&killed) == expected,
        "another outcome than without the kill"
    );
    assert_eq!(verdict(&resumed), verdict(&straight));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_says_how_to_go_on_and_resumes_to_the_same_weights() {
    let session = Session::new();
    let straight = stdout(&session.train("straight").wait_with_output().unwrap());
    let stopped = session.run_folder("stopped");
    let mut child = session.train("stopped");
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
        text.ends_with("stopped; go on with --resume stopped\n"),
        "{text}"
    );

    let resumed = stdout(&session.run("--resume stopped/last.safetensors"));
    assert!(
        outcome(&stopped) == outcome(&session.run_folder("straight")),
        "another outcome than without the stop"
    );
    assert_eq!(verdict(&resumed), verdict(&straight));
    // A run that is done is only tested again.
    assert_eq!(
        verdict(&stdout(&session.run("--resume stopped"))),
        verdict(&straight)
    );
}

#[test]
fn mistakes_are_answered_clearly_and_touch_nothing() {
    let session = Session::new();
    let message = |words: &str| {
        let output = session.run(words);
        assert!(!output.status.success(), "{words}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(message("--resume nowhere").contains("cannot read the checkpoint nowhere"));
    assert!(message("--device cuda").contains("without CUDA"));
    assert!(message("--lr abc").contains("--lr"));
    std::fs::create_dir_all(session.run_folder("photos/cats")).unwrap();
    std::fs::write(session.run_folder("photos/cats/a.png"), "not a picture").unwrap();
    assert!(message("--data photos").contains("photos"));
    assert_eq!(
        std::fs::read_dir(session.run_folder("photos"))
            .unwrap()
            .count(),
        1
    );

    let small = "--generate 300 --image-size 16 --width 2 --epochs 1 --batch-size 64 --out taken";
    stdout(&session.run(small));
    let before = outcome(&session.run_folder("taken"));
    assert!(message(small).contains("--resume taken"));
    assert!(outcome(&session.run_folder("taken")) == before);
}
