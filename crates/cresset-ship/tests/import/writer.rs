//! The writer of runs that happened elsewhere.

use std::fs;

use cresset_record::{Outcome, Rank, Root, RunView, Start, Timestamp};
use cresset_ship::import::{ImportError, RunWriter, run_id};
use serde_json::Map;

use super::project;

fn start(id: &str) -> Start {
    Start {
        run: run_id(id, &[]).unwrap(),
        project: project("made"),
        name: "made".into(),
        rank: Rank(0),
        world_size: None,
        time: Timestamp(1),
        group: None,
        job_type: None,
        tags: vec![],
        notes: String::new(),
        config: Map::new(),
        cresset_version: String::new(),
    }
}

/// More than one segment holds: each begins with what its values need.
#[test]
fn a_long_run_has_several_segments() {
    let place = tempfile::tempdir().unwrap();
    let root = Root::new(place.path());
    let mut run = RunWriter::begin(&root, "long", &start("long")).unwrap();
    run.scalars(0, Timestamp(2), [("first", 1.0)]).unwrap();
    let text = "x".repeat(4000);
    for step in 0..20_000 {
        run.text("said", step, Timestamp(3), &text).unwrap();
    }
    run.scalars(1, Timestamp(4), [("first", 2.0), ("last", 3.0)])
        .unwrap();
    let imported = run.finish(Timestamp(5), Outcome::Finished).unwrap();
    assert_eq!(imported.run.segments().unwrap().len(), 2);
    // The second alone knows its keys.
    fs::remove_file(imported.run.segment(Rank(0), 0)).unwrap();
    let view = RunView::open(imported.run).unwrap();
    assert_eq!(view.name(), "made");
    assert_eq!(view.series_of("first").unwrap().points()[0].value, 2.0);
    assert_eq!(view.series_of("last").unwrap().points()[0].value, 3.0);
}

#[test]
fn names_from_elsewhere_become_keys() {
    let place = tempfile::tempdir().unwrap();
    let root = Root::new(place.path());
    let mut run = RunWriter::begin(&root, "names", &start("names")).unwrap();
    let long = ["a".repeat(600), format!("{}b", "a".repeat(600))];
    let names = ["", "a\nb", &long[0], &long[1], "ö/ü"];
    run.scalars(0, Timestamp(2), names.map(|name| (name, 1.0)))
        .unwrap();
    let imported = run.finish(Timestamp(3), Outcome::Finished).unwrap();
    let view = RunView::open(imported.run).unwrap();
    let keys: Vec<&str> = view.series().map(|(key, _, _)| key.as_str()).collect();
    assert_eq!(keys.len(), 5);
    assert!(
        ["unnamed", "a_b", "ö/ü"]
            .iter()
            .all(|key| keys.contains(key)),
        "{keys:?}"
    );
}

#[test]
fn an_import_that_is_dropped_or_was_killed_leaves_no_run() {
    let place = tempfile::tempdir().unwrap();
    let root = Root::new(place.path());
    let begin = || RunWriter::begin(&root, "source", &start("x"));
    let mut run = begin().unwrap();
    run.scalars(0, Timestamp(2), [("loss", 1.0)]).unwrap();
    assert!(matches!(begin().unwrap_err(), ImportError::Busy(_)));
    assert_eq!(root.runs().unwrap(), []);
    // As a kill would leave it.
    let beside = place.path().join(format!(".import-{}", start("x").run));
    let kept = place.path().join("kept");
    fs::rename(&beside, &kept).unwrap();
    drop(run);
    fs::rename(&kept, &beside).unwrap();
    let imported = begin()
        .unwrap()
        .finish(Timestamp(3), Outcome::Finished)
        .unwrap();
    assert_eq!(imported.run.segments().unwrap().len(), 1);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
}
