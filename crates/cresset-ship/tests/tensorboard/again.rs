//! Runs that are taken up again, and events that come again.

use std::fs;
use std::path::{Path, PathBuf};

use cresset_record::{Root, RunDir, RunView};
use cresset_ship::import::{self, ImportOptions};
use cresset_ship::{Ledger, Target};
use serde_json::json;

use super::board::Board;
use super::{record, ship, target};

fn event_files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(event_files(&path)),
            false => found.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

#[test]
#[ignore = "needs TensorBoard: cargo xtask test"]
fn a_run_taken_up_again_replaces_the_steps_it_logs_again() {
    let place = tempfile::tempdir().unwrap();
    let (runs, logdir) = (place.path().join("runs"), place.path().join("board"));
    let run = cresset_run::init("solder")
        .dir(&runs)
        .id("again")
        .name("again")
        .start()
        .unwrap();
    for step in 0..10u64 {
        run.log(step, [("loss", step as f64)]);
    }
    run.fail("the power went");
    run.finish();
    let dir = Root::new(&runs).find("again").unwrap().remove(0);
    ship(&dir, &logdir);
    let run = cresset_run::init("solder")
        .dir(&runs)
        .resume_from("again", 5)
        .start()
        .unwrap();
    for step in 5..12u64 {
        run.log(step, [("loss", -(step as f64))]);
    }
    run.finish();
    ship(&dir, &logdir);

    let board = Board::start(&logdir);
    let shown = board.get(
        "plugin/scalars/scalars",
        &[("run", "solder/again/again"), ("tag", "loss")],
    );
    let values: Vec<f64> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p[2].as_f64().unwrap())
        .collect();
    assert_eq!(
        values,
        [
            0.0, 1.0, 2.0, 3.0, 4.0, -5.0, -6.0, -7.0, -8.0, -9.0, -10.0, -11.0
        ]
    );
    let query = json!({"experimentName": "", "startIndex": 0, "sliceSize": 10, "colParams": [],
        "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE"]});
    let groups = board.post("plugin/hparams/session_groups", &query);
    let session = &groups["sessionGroups"][0]["sessions"][0];
    assert_eq!(session["status"], "STATUS_SUCCESS", "{groups}");
}

/// A kill between the sink and the ledger, at any time, and garbage of a torn write.
#[test]
fn events_that_come_again_are_not_there_twice() {
    let place = tempfile::tempdir().unwrap();
    let run = record(&place.path().join("runs"), &json!({"lr": 0.1}));
    let (straight, broken) = (place.path().join("straight"), place.path().join("broken"));
    ship(&run, &straight);
    let ledger = Ledger::open(&run, "tensorboard", "TensorBoard")
        .unwrap()
        .path()
        .to_owned();
    fs::remove_file(&ledger).unwrap();

    // All is taken, and then nothing of it is known any more.
    ship(&run, &broken);
    fs::remove_file(&ledger).unwrap();
    for (path, bytes) in event_files(&broken) {
        fs::write(path, [&bytes[..bytes.len() / 2], b"garbage"].concat()).unwrap();
    }
    ship(&run, &broken);
    let without_folder = |folder: &Path| -> Vec<(PathBuf, Vec<u8>)> {
        let files = event_files(folder).into_iter();
        files
            .map(|(p, b)| (p.strip_prefix(folder).unwrap().to_owned(), b))
            .collect()
    };
    assert_eq!(without_folder(&straight), without_folder(&broken));
    assert_eq!(event_files(&broken).len(), 3, "start, values and end");
}

/// The ledger of some time before, as after a kill in the middle of a run.
#[test]
fn a_killed_shipper_goes_on_from_what_was_acknowledged() {
    let place = tempfile::tempdir().unwrap();
    let (runs, board) = (place.path().join("runs"), place.path().join("board"));
    let run = cresset_run::init("solder")
        .dir(&runs)
        .name("a")
        .start()
        .unwrap();
    let dir = RunDir::new(run.dir().unwrap());
    let ledger = Ledger::open(&dir, "tensorboard", "TensorBoard")
        .unwrap()
        .path()
        .to_owned();
    let level = || {
        // What was logged is in the log within moments.
        std::thread::sleep(std::time::Duration::from_millis(50));
        ship(&dir, &board);
    };
    run.log(0, [("loss", 0.0)]);
    level();
    let before = fs::read(&ledger).unwrap();
    let files = event_files(&board);
    run.log(1, [("loss", 1.0)]);
    level();
    let after = event_files(&board);
    assert!(after[1].1.len() > files[1].1.len());
    fs::write(&ledger, &before).unwrap();
    level();
    // What a TensorBoard may have read of it stands where it stood.
    let again = event_files(&board);
    let pairs = || again.iter().zip(&after);
    assert!(pairs().all(|(again, after)| again.0 == after.0 && again.1.starts_with(&after.1)));
    run.finish();
    ship(&dir, &board);
    let into = Root::new(place.path().join("into"));
    let options = ImportOptions::new("a".to_owned().try_into().unwrap());
    let back = import::tensorboard(&board, &into, &options).unwrap();
    let back = RunView::open(back[0].as_ref().unwrap().run.clone()).unwrap();
    let points = back.series_of("loss").unwrap().points();
    assert_eq!(
        points.iter().map(|p| p.value).collect::<Vec<_>>(),
        [0.0, 1.0]
    );

    // A file that somebody cut is not written on in its middle.
    fs::write(&ledger, &before).unwrap();
    fs::write(&after[1].0, b"").unwrap();
    let why = target(&dir, &board).carry().unwrap_err().to_string();
    assert!(why.contains("0 bytes") && why.contains("delete"), "{why}");
}
