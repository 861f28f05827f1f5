//! Folders of runs as `cresset-run` records them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cresset_record::Root;
use cresset_run::{Definition, Html, Image, Level, Run, Sample};
use cresset_store::{KeyScope, NewKey, Role, Store};
use serde_json::json;
use tempfile::TempDir;

/// A folder of runs, gone with this.
pub(crate) struct Folder {
    dir: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        std::fs::create_dir(dir.path().join(".cresset")).unwrap();
        Self { dir }
    }

    /// One with two runs of the project `solder`, `first` and `second`, and one of `other things/ö`.
    pub(crate) fn recorded() -> Self {
        let folder = Self::new();
        finish(folder.first());
        let second = folder.begin("solder", "second").start().unwrap();
        second.log(0, [("train/loss", 1.0)]);
        second.fail("out of memory");
        finish(second);
        let other = folder.begin("other things/ö", "third").start().unwrap();
        finish(other);
        folder
    }

    /// The secret of a key with this role in all projects.
    pub(crate) fn key(&self, role: Role) -> String {
        let store = Store::open(self.root()).unwrap();
        let new = NewKey::new("a", role, KeyScope::All);
        store.create_key(new).unwrap().1
    }

    pub(crate) fn root(&self) -> Root {
        Root::new(self.path())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join(".cresset")
    }

    pub(crate) fn begin(&self, project: &str, id: &str) -> cresset_run::Builder {
        cresset_run::init(project)
            .dir(self.path())
            .id(id)
            .name(format!("the {id}"))
    }

    /// A run with something of everything, still going on.
    pub(crate) fn first(&self) -> Run {
        let run = self
            .begin("solder", "first")
            .tags(["v4", "<b>bold</b>"])
            .group("a group")
            .config(&json!({"lr": 1e-3, "model": {"depth": 18}}))
            .define(Definition::new("val/auc").maximize().unit("1"))
            .start()
            .unwrap();
        for step in 0..3_000u64 {
            let loss = if step == 1_500 {
                f64::NAN
            } else {
                1.0 / (step as f64 + 1.0)
            };
            run.log(step, [("train/loss", loss)]);
        }
        run.log(7, [("inf", f64::INFINITY)]);
        run.log(2_999, [("val/auc", 0.95)]);
        run.log_histogram(10, "gradients/w", &[0.5f32, -0.5, 0.0][..]);
        run.log_histogram(20, "gradients/w", &[f32::NAN, 2.0, 0.0][..]);
        let pixels = Image::from_hwc_u8(vec![128; 12], 2, 2, 3).unwrap();
        let sample = Sample {
            dataset_index: 7,
            true_class: "void".into(),
            predicted_class: "<script>alert(1)</script>".into(),
            confidence: 0.75,
        };
        run.log_value(
            20,
            "samples/void",
            pixels.caption("a \"void\"").sample(sample),
        );
        run.log_value(20, "page", Html::new(hostile_page()));
        run.alert(Level::Warn, "a plateau", "nothing new for 900 steps");
        run
    }
}

/// A page that would call home, if it could.
pub(crate) fn hostile_page() -> String {
    let filler = "x".repeat(100_000);
    format!("<script>fetch('/api/v1/projects')</script><img src=//evil.example/x>{filler}")
}

/// Ends a run with all that it has.
#[track_caller]
pub(crate) fn finish(run: Run) {
    assert!(run.finish_within(Duration::from_secs(60)).complete);
}

/// The only blob of a run with this beginning of its bytes.
#[track_caller]
pub(crate) fn blob(root: &Path, project: &str, run: &str, begins: &[u8]) -> (String, Vec<u8>) {
    let blobs = root.join(project).join(run).join("blobs");
    for folder in std::fs::read_dir(blobs).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let file = file.unwrap();
            let bytes = std::fs::read(file.path()).unwrap();
            if bytes.starts_with(begins) {
                return (file.file_name().into_string().unwrap(), bytes);
            }
        }
    }
    panic!("no such blob");
}
