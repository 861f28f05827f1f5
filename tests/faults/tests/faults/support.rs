//! Programs under the shim, and what they leave.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use cresset_record::{Project, Root, RunDir, RunId, RunView, State};
use serde_json::Value as Json;

/// A trainer on the folder `runs`, not yet started.
pub(crate) fn trainer(runs: &Path, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.arg(runs).arg("r").args(words.split_whitespace());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Nothing of the one who runs the tests.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CRESSET_")) {
        command.env_remove(name);
    }
    // It asks git about the code that runs, which takes longer than all the rest; here there is none.
    command.env("PATH", "").current_dir(runs.parent().unwrap());
    command
}

/// As [`trainer`], with a file system under `runs` that misbehaves as `mode` says.
pub(crate) fn faulty(runs: &Path, mode: &str, words: &str) -> Command {
    let mut command = trainer(runs, words);
    command
        .env("LD_PRELOAD", env!("SHIM"))
        .env("FAULT_DIR", runs)
        .env("FAULT_MODE", mode);
    command
}

/// What a program told as its last line.
pub(crate) fn told(output: &Output) -> Json {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap_or_default()
}

/// The run of the trainers.
pub(crate) fn dir(runs: &Path) -> RunDir {
    let project = Project::try_from("faults".to_owned()).unwrap();
    let run = RunId::try_from("r".to_owned()).unwrap();
    Root::new(runs).run(&project, &run)
}

pub(crate) fn view(runs: &Path) -> RunView {
    RunView::open(dir(runs)).unwrap()
}

/// The steps of `loss`, each with the right value, upwards.
pub(crate) fn steps(view: &RunView) -> Vec<u64> {
    let points = view.series_of("loss").map_or(&[][..], |s| s.points());
    for point in points {
        assert_eq!(point.value, point.step as f64);
    }
    let steps: Vec<u64> = points.iter().map(|point| point.step).collect();
    assert!(steps.is_sorted_by(|a, b| a < b), "{steps:?}");
    steps
}

/// Takes the run up, as its user would, and ends it well.
pub(crate) fn resumes(runs: &Path) {
    let run = cresset_run::init("faults").dir(runs).resume("r");
    let run = run.start().unwrap();
    run.log(1 << 40, [("after", 1.0)]);
    let finished = run.finish();
    assert!(finished.complete, "{finished:?}");
    let view = view(runs);
    assert_eq!(view.state(), State::Finished);
    assert!(view.series_of("after").is_some());
}

/// Waits for something that comes, however long it takes; only a failure takes long.
pub(crate) fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !is_true() {
        assert!(Instant::now() < patience, "waited too long for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// What `work` gives for each of `items`, several at a time: most of them wait most of the time.
pub(crate) fn all<T: Send, R: Send>(
    items: Vec<T>,
    at_once: usize,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let (items, results) = (Mutex::new(items), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let Some(item) = items.lock().unwrap().pop() else {
                        break;
                    };
                    let result = work(item);
                    results.lock().unwrap().push(result);
                }
            });
        }
    });
    results.into_inner().unwrap()
}

/// Random numbers of a seed (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % n
    }
}

/// A new folder with a place for runs in it.
pub(crate) fn place() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let runs = place.path().join("runs");
    (place, runs)
}
