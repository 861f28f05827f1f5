//! A place to run the program in.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use cresset_candle::{Checkpoint, TrainState};

const SETTINGS: &str = "--generate 300 --image-size 32 --width 4 --batch-size 8 --seed 3";

/// A working directory in which runs have ids of our choice.
pub(crate) struct Workplace(pub(crate) tempfile::TempDir);

impl Workplace {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn run_folder(&self, id: &str) -> PathBuf {
        self.path(".cresset/harbor-defect-classifier").join(id)
    }

    pub(crate) fn command(&self, words: &str) -> Command {
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

    pub(crate) fn run(&self, words: &str) -> Output {
        self.command(words).output().unwrap()
    }

    pub(crate) fn train(&self, id: &str) -> Child {
        self.train_with(id, "--epochs 4")
    }

    pub(crate) fn train_with(&self, id: &str, words: &str) -> Child {
        self.command(&format!("{SETTINGS} --checkpoint-every 3 {words}"))
            .env("CRESSET_RUN_ID", id)
            .spawn()
            .unwrap()
    }
}

pub(crate) fn stdout(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn last(run: &Path) -> PathBuf {
    run.join("checkpoints/last.safetensors")
}

pub(crate) fn state(run: &Path) -> Option<TrainState> {
    Checkpoint::read_state(last(run)).ok()
}

/// Waits until the run has a checkpoint at or past `step`.
pub(crate) fn wait_for_step(run: &Path, step: u64, child: &mut Child) {
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
