//! A fake of NVIDIA's library, built with the system's C compiler, and runs that are sampled with it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use cresset_record::{RunDir, RunView};
use cresset_run::Run;
use cresset_telemetry::Telemetry;
use serde_json::Value as Json;
use tempfile::TempDir;

/// A library that answers what a script says. Each is a file of its own, so that each has a state of its own.
pub(crate) struct Fake {
    dir: TempDir,
}

impl Fake {
    pub(crate) fn new(script: &str) -> Self {
        Self::built(script, &[])
    }

    /// Of a driver before 510.
    pub(crate) fn old(script: &str) -> Self {
        Self::built(script, &["-DOLD"])
    }

    fn built(script: &str, options: &[&str]) -> Self {
        let fake = Self {
            dir: TempDir::new().unwrap(),
        };
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake/nvml.c");
        let done = Command::new(compiler)
            .args(["-shared", "-fPIC", "-O1", "-fvisibility=hidden", "-o"])
            .arg(fake.library())
            .args(options)
            .arg(source)
            .args(["-ldl", "-lpthread"])
            .status()
            .unwrap();
        assert!(done.success(), "the fake library does not compile");
        fake.say(script);
        fake
    }

    /// Another script, from when the library is started the next time.
    pub(crate) fn say(&self, script: &str) {
        std::fs::write(self.dir.path().join("libnvidia-ml.so.1.script"), script).unwrap();
    }

    pub(crate) fn library(&self) -> PathBuf {
        self.dir.path().join("libnvidia-ml.so.1")
    }

    /// A run that is sampled ten times a second.
    pub(crate) fn run(&self) -> Run {
        self.run_with(|telemetry| telemetry)
    }

    pub(crate) fn run_with(&self, change: impl FnOnce(Telemetry) -> Telemetry) -> Run {
        start(change(
            Telemetry::new().nvml_library(self.library()).rate(10.0),
        ))
    }

    /// What is recorded of a run that goes on until a reader sees that it is so.
    pub(crate) fn record(&self, until: impl Fn(&Recorded) -> bool) -> Recorded {
        let run = self.run();
        wait(&run, until);
        finish(run)
    }
}

/// Waits until a reader of the run sees that it is so. How long that takes is the machine's affair.
#[track_caller]
pub(crate) fn wait(run: &Run, until: impl Fn(&Recorded) -> bool) {
    let begun = Instant::now();
    while !until(&Recorded::read(run.dir().unwrap())) {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "it never came to that"
        );
        std::thread::sleep(Duration::from_millis(30));
    }
}

pub(crate) fn start(telemetry: Telemetry) -> Run {
    let dir = TempDir::new().unwrap().keep();
    cresset_run::init("telemetry")
        .dir(dir)
        .telemetry(telemetry)
        .start()
        .unwrap()
}

pub(crate) fn finish(run: Run) -> Recorded {
    let dir = run.dir().unwrap().to_owned();
    assert!(run.finish().complete);
    Recorded::read(&dir)
}

/// What a reader finds.
pub(crate) struct Recorded {
    pub(crate) view: RunView,
}

impl Recorded {
    pub(crate) fn read(dir: &Path) -> Self {
        let view = RunView::open(RunDir::new(dir)).unwrap();
        Self { view }
    }

    /// All values of a series, in order; none if there is no such series.
    pub(crate) fn values(&self, key: &str) -> Vec<f64> {
        let series = self.view.series_of(key);
        series.map_or_else(Vec::new, |s| s.points().iter().map(|p| p.value).collect())
    }

    /// As [`Self::values`], of GPU 0.
    pub(crate) fn gpu(&self, name: &str) -> Vec<f64> {
        self.values(&format!("system/gpu/0/{name}"))
    }

    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        let keys = self
            .view
            .series()
            .map(|(key, _, _)| key.as_str().to_owned());
        keys.filter(|key| key.starts_with(prefix)).collect()
    }

    pub(crate) fn summary(&self, key: &str) -> Json {
        self.view.summary().get(key).cloned().unwrap_or_default()
    }

    /// The alerts, as `title: text`.
    pub(crate) fn alerts(&self) -> Vec<String> {
        let alerts = self.view.alerts().iter();
        alerts.map(|a| format!("{}: {}", a.title, a.text)).collect()
    }

    /// The kinds of all findings, with their GPU.
    pub(crate) fn findings(&self) -> Vec<String> {
        let list = self.summary("system/diagnosis");
        let list = list.as_array().cloned().unwrap_or_default();
        list.iter()
            .map(|f| {
                format!(
                    "{}@{}",
                    f["kind"].as_str().unwrap(),
                    f["gpu"].as_str().unwrap_or("-")
                )
            })
            .collect()
    }
}
