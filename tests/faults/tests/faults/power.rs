//! Losses of power while a run is recorded, after each call that changed something.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cresset_record::{RunView, State};
use cresset_store::Store;

use crate::disk::{Disk, Fate, Op, read_trace};
use crate::support::{all, dir, faulty, place, resumes, steps};

/// Records what these trainers do, one after another. The disk refuses these synchronisations of the last one.
fn record(trainings: &[&str], refused: &str) -> (tempfile::TempDir, PathBuf, Vec<Op>, u64) {
    // The folder above is the disk: the root of the runs is made by the first of them.
    let (place, disk) = place();
    fs::create_dir(&disk).unwrap();
    let trace = place.path().join("trace");
    for (number, words) in trainings.iter().enumerate() {
        let is_last = number + 1 == trainings.len();
        let mut command = faulty(
            &disk.join("runs"),
            &format!("record:{}", trace.display()),
            words,
        );
        command
            .env("FAULT_DIR", &disk)
            .env("FAULT_MARKS", place.path().join("marks"))
            .env("FAULT_REFUSE", if is_last { refused } else { "" });
        let output = command.output().unwrap();
        assert_eq!(
            output.status.success(),
            !words.contains("abort"),
            "{output:?}"
        );
    }
    let inode = fs::metadata(&disk).unwrap().ino();
    let ops = read_trace(&trace);
    (place, disk, ops, inode)
}

/// What was promised when the power went.
#[derive(Clone, Copy, Default)]
struct Promised {
    /// Steps 0 up to here.
    steps: u64,
    finished: bool,
}

/// Lets the power go after every operation, in several ways, and looks at what is left; gives how often.
fn hold(trainings: &[&str], ways: u64, refused: &str) -> usize {
    let (_place, root, ops, inode) = record(trainings, refused);
    let refusals = ops.iter().filter(|op| matches!(op, Op::Refuse { .. }));
    let asked = refused.split(',').filter(|number| !number.is_empty());
    assert_eq!(refusals.count(), asked.count(), "refused {refused}");
    let synced = trainings.iter().all(|words| words.contains("synced"));
    let mut disk = Disk::new(&root, inode);
    let mut promised = Promised::default();
    let mut logged = 0;
    let mut ends = Vec::new();
    let scratch = tempfile::tempdir().unwrap();
    for (at, op) in ops.iter().enumerate() {
        match disk.apply(op) {
            Some("finished\n") => {
                promised = Promised {
                    steps: logged,
                    finished: true,
                };
            }
            Some("flushed\n") => promised.steps = logged,
            Some(text) => {
                let step: u64 = text.trim_start_matches("step ").trim().parse().unwrap();
                logged = step + 1;
                promised.finished = false;
                if synced {
                    promised.steps = logged;
                }
            }
            None => {}
        }
        for way in 0..ways + 2 {
            let mut fate = Fate::new(way, at as u64 * ways + way);
            let to = scratch.path().join(format!("{at}-{way}"));
            disk.lose_power(&mut fate, &to);
            ends.push((to, promised, logged, at, way));
        }
    }
    let losses = ends.len();
    assert!(
        promised.finished && promised.steps > 0,
        "the last training ends well"
    );
    all(ends, 2, |(disk, promised, logged, at, way)| {
        let what = format!("way {way} after operation {at}, {:?}", ops[at]);
        look(
            &disk.join("runs"),
            promised,
            logged,
            (at + way as usize).is_multiple_of(13),
            &what,
        );
    });
    losses
}

/// Whether what is left is what was promised, and can be gone on with.
fn look(runs: &Path, promised: Promised, logged: u64, deeply: bool, what: &str) {
    let what = &what[..what.len().min(200)];
    let run = dir(runs);
    if !run.path().exists() {
        assert_eq!(promised.steps, 0, "the run is gone: {what}");
        return;
    }
    let view = RunView::open(run).unwrap_or_else(|e| panic!("{e}: {what}"));
    let there = steps(&view);
    assert!(
        there.iter().all(|step| *step <= logged),
        "{there:?}: {what}"
    );
    let kept = there
        .iter()
        .take_while(|step| **step < promised.steps)
        .count() as u64;
    assert_eq!(
        kept,
        promised.steps,
        "{there:?} {:?}: {what}",
        view.damage()
    );
    if promised.finished {
        assert_eq!(view.state(), State::Finished, "{what}");
        assert_eq!(view.damage().len(), 0, "{:?}: {what}", view.damage());
    } else {
        assert!(
            matches!(view.state(), State::Crashed | State::Finished),
            "{what}"
        );
    }
    if !deeply || cresset_record::Root::new(runs).runs().unwrap().is_empty() {
        return;
    }
    let index = tempfile::tempdir().unwrap();
    let root = || cresset_record::Root::new(runs);
    let store = Store::open_apart(root(), index.path()).unwrap();
    store.refresh().unwrap();
    resumes(runs);
    let again = steps(&crate::support::view(runs));
    assert_eq!(again, there, "{what}");
    store.refresh().unwrap();
    let fresh = tempfile::tempdir().unwrap();
    let checked = store.check(fresh.path()).unwrap();
    assert!(checked.differences.is_empty(), "{checked:?}: {what}");
}

#[test]
fn what_was_synchronised_survives() {
    let losses = hold(
        &[
            "synced steps=12 end=abort",
            "synced resume steps=6 text end=abort",
            "synced resume steps=6",
        ],
        4,
        "",
    );
    println!("the power went {losses} times");
}

#[test]
fn what_was_flushed_survives() {
    let losses = hold(
        &[
            "steps=9 flush=4 end=abort",
            "steps=9 resume flush=2 text end=abort",
            "steps=9 resume flush=5",
        ],
        4,
        "",
    );
    println!("the power went {losses} times");
}

#[test]
fn what_a_disk_refused_once_is_there_once_the_run_is_said_to_be() {
    let mut losses = 0;
    // The last process synchronises all three segments at its end, and the ones that it refused once more.
    let trainings = [
        "steps=9 pause=1 end=abort",
        "written resume steps=8 end=abort",
        "resume steps=9 pause=1",
    ];
    for refused in ["1", "2", "3", "1,2", "3,4"] {
        losses += hold(&trainings, 1, refused);
    }
    // What it refuses of a log call it is given again before the call returns.
    for refused in ["1", "4", "3,7"] {
        losses += hold(&["synced steps=8"], 1, refused);
    }
    println!("the power went {losses} times");
}

#[test]
fn a_run_that_finished_survives_with_all_that_its_processes_wrote() {
    let losses = hold(
        &[
            "steps=20 pause=1 end=abort",
            "written resume steps=15 text end=abort",
            "resume steps=20 pause=1",
        ],
        4,
        "",
    );
    println!("the power went {losses} times");
}
