//! Runs of other trackers become runs of Cresset, once, and whole or not at all.
#![expect(
    clippy::unwrap_used,
    reason = "these tests must fail where they cannot go on"
)]

#[path = "import/csv.rs"]
mod csv;
#[path = "import/hostile.rs"]
mod hostile;
#[path = "import/others.rs"]
mod others;
#[path = "import/round_trip.rs"]
mod round_trip;
#[path = "import/writer.rs"]
mod writer;

use std::path::{Path, PathBuf};

use cresset_record::{Project, Root, RunDir};
use cresset_ship::import::{self, ImportOptions, Imported};
use cresset_ship::tensorboard::EventFiles;
use cresset_ship::{Events, Ledger, Target};
use serde_json::json;

fn options() -> ImportOptions {
    ImportOptions::new(project("imported"))
}

fn project(name: &str) -> Project {
    Project::try_from(name.to_owned()).unwrap()
}

/// Records a run, ships it as event files and gives the run and the folder of its event files.
fn shipped(place: &Path, log: impl FnOnce(&cresset_run::Run)) -> (RunDir, PathBuf) {
    let run = cresset_run::init("solder").dir(place.join("runs"));
    let run = run
        .name("keel")
        .config(&json!({"lr": 0.003, "net": {"layers": 18, "act": "relu"}}));
    let run = run.start().unwrap();
    log(&run);
    let dir = RunDir::new(run.dir().unwrap());
    run.finish();
    let board = place.join("board");
    ship(&dir, &board);
    let folder = board.join("solder/keel").join(dir.id_text());
    (dir, folder)
}

/// Imports what must be one run.
fn import(folder: &Path, into: &Root) -> Imported {
    let mut imported = import::tensorboard(folder, into, &options()).unwrap();
    assert_eq!(imported.len(), 1);
    imported.remove(0).unwrap()
}

/// Carries all there is of a run into event files.
fn ship(run: &RunDir, board: &Path) {
    let ledger = Ledger::open(run, "tensorboard", "TensorBoard").unwrap();
    let mut target = Events::new(run.clone(), ledger, EventFiles::new(board)).unwrap();
    while !target.carry().unwrap().is_level {}
}
