//! Runs of other trackers become runs of Cresset, once, and whole or not at all.
#![expect(
    clippy::unwrap_used,
    reason = "these tests must fail where they cannot go on"
)]

use std::fs;
use std::path::{Path, PathBuf};

use cresset_record::{
    Content, MediaDetail, Outcome, Project, Rank, Root, RunDir, RunView, Start, State, Timestamp,
};
use cresset_run::{Image, TensorStats};
use cresset_ship::import::{self, ImportError, ImportOptions, Imported, RunWriter, run_id};
use cresset_ship::tensorboard::EventFiles;
use cresset_ship::{Events, Ledger, Target};
use proptest::prelude::*;
use serde_json::{Map, json};

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
    let ledger = Ledger::open(&dir, "tensorboard", "TensorBoard").unwrap();
    let mut target = Events::new(dir.clone(), ledger, EventFiles::new(&board)).unwrap();
    while !target.carry().unwrap().is_level {}
    let folder = board.join("solder/keel").join(dir.id_text());
    (dir, folder)
}

/// Imports what must be one run.
fn import(folder: &Path, into: &Root) -> Imported {
    let mut imported = import::tensorboard(folder, into, &options()).unwrap();
    assert_eq!(imported.len(), 1);
    imported.remove(0).unwrap()
}

#[test]
fn what_goes_to_tensorboard_comes_back() {
    let place = tempfile::tempdir().unwrap();
    let (dir, folder) = shipped(place.path(), |run| {
        for step in 0..500u64 {
            run.log(
                step,
                [("loss", (step as f64).sin()), ("train/acc", 1.0 / 3.0)],
            );
        }
        for (step, value) in [(3, f64::NAN), (1, f64::INFINITY), (2, -0.0)] {
            run.log(step, [("odd", value)]);
        }
        let values: Vec<f32> = (-500..1500).map(|i| i as f32 / 100.0).collect();
        run.log_histogram(5, "weights", &values[..]);
        run.log_value(
            6,
            "wrong",
            Image::from_hwc_u8(vec![9; 24], 2, 4, 3).unwrap(),
        );
        run.log_value(7, "said", "ä\nlong ".repeat(2000));
        run.fail("the solder ran out");
    });
    let into = Root::new(place.path().join("into"));
    let imported = import(&folder, &into);
    assert_eq!(imported.left_out, Vec::<String>::new());
    let (before, after) = (
        RunView::open(dir.clone()),
        RunView::open(imported.run.clone()),
    );
    let (before, after) = (before.unwrap(), after.unwrap());

    assert_eq!(imported.points, 1003);
    for key in ["loss", "train/acc", "odd"] {
        let points = |view: &RunView| -> Vec<(u64, Timestamp, u64)> {
            let points = view.series_of(key).unwrap().points().iter();
            points
                .map(|p| (p.step, p.time, p.value.to_bits()))
                .collect()
        };
        assert_eq!(points(&before), points(&after), "{key}");
    }
    let stats = |view: &RunView| {
        let (key, _, logged) = view.histograms().next().unwrap();
        assert_eq!((key.as_str(), logged.len()), ("weights", 1));
        (logged[0].step, logged[0].time, logged[0].value.clone())
    };
    let (one, other) = (stats(&before), stats(&after));
    assert_eq!((one.0, one.1), (other.0, other.1));
    let counts = |stats: &TensorStats| {
        stats
            .histogram
            .buckets()
            .map(|b| b.count)
            .collect::<Vec<_>>()
    };
    assert_eq!(counts(&one.2), counts(&other.2), "the edges were ours");
    assert_eq!(
        (one.2.min, one.2.max, one.2.count),
        (other.2.min, other.2.max, other.2.count)
    );

    let media = |view: &RunView, key: &str| {
        let (_, _, logged) = view.media().find(|(k, _, _)| k.as_str() == key).unwrap();
        let bytes = match &logged[0].value.content {
            Content::Inline(text) => text.clone().into_bytes(),
            Content::Blob(blob) => view.dir().blobs().get(blob).unwrap(),
        };
        (
            logged[0].step,
            logged[0].time,
            logged[0].value.detail.clone(),
            bytes,
        )
    };
    assert_eq!(media(&before, "said"), media(&after, "said"));
    assert_eq!(media(&before, "wrong"), media(&after, "wrong"));
    assert!(
        matches!(media(&after, "wrong").2, MediaDetail::Image(d) if (d.width, d.height) == (4, 2))
    );

    assert!(matches!(after.state(), State::Failed(_)));
    let start = after.start().unwrap();
    assert_eq!(
        serde_json::Value::Object(start.config.clone()),
        json!({"lr": 0.003, "net.layers": 18.0, "net.act": "relu"})
    );
    assert_eq!(start.name, dir.id_text());
    assert_eq!(start.time, before.start().unwrap().time);
}

#[test]
fn steps_that_a_resumed_process_logged_again_stay_replaced() {
    let place = tempfile::tempdir().unwrap();
    let runs = place.path().join("runs");
    let begin = || cresset_run::init("solder").dir(&runs);
    let run = begin().id("a").name("keel").start().unwrap();
    (0..10u64).for_each(|step| run.log(step, [("loss", 1.0)]));
    run.finish();
    let run = begin().resume_from("a", 5).start().unwrap();
    (5..8u64).for_each(|step| run.log(step, [("loss", 2.0)]));
    run.finish();
    let dir = Root::new(&runs).find("a").unwrap().remove(0);
    let board = place.path().join("board");
    let ledger = Ledger::open(&dir, "tensorboard", "TensorBoard").unwrap();
    let mut target = Events::new(dir, ledger, EventFiles::new(&board)).unwrap();
    while !target.carry().unwrap().is_level {}
    let imported = import(&board, &Root::new(place.path().join("into")));
    let view = RunView::open(imported.run).unwrap();
    let values: Vec<f64> = view
        .series_of("loss")
        .unwrap()
        .points()
        .iter()
        .map(|p| p.value)
        .collect();
    assert_eq!(values, [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
}

#[test]
fn the_same_source_is_imported_once() {
    let place = tempfile::tempdir().unwrap();
    let (_, folder) = shipped(place.path(), |run| run.log(0, [("loss", 1.0)]));
    let into = Root::new(place.path().join("into"));
    let first = import(&folder, &into);
    // Into another project, and by another way to the same place.
    let way = folder.join("..").join(folder.file_name().unwrap());
    let other = ImportOptions::new(project("other"));
    let second = import::tensorboard(&way, &into, &other).unwrap().remove(0);
    let why = second.unwrap_err();
    assert!(matches!(&why, ImportError::AlreadyImported { run, .. } if *run == first.run));
    assert!(why.to_string().contains("is already imported as"), "{why}");
    assert_eq!(into.runs().unwrap(), [first.run]);
    let left: Vec<_> = fs::read_dir(into.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["imported"]);
}

#[test]
fn damage_at_any_byte_is_counted_and_never_more() {
    let place = tempfile::tempdir().unwrap();
    let (_, folder) = shipped(place.path(), |run| {
        run.log(0, [("loss", 1.0)]);
        run.log_histogram(1, "weights", &[1.0f32, 2.0][..]);
        run.log_value(2, "said", "words");
    });
    // Only the file with values.
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    let bytes = fs::read(&files[1]).unwrap();
    let whole = import(&folder, &Root::new(place.path().join("whole")));
    let source = place.path().join("source");
    fs::create_dir_all(&source).unwrap();
    let file = source.join("events.out.tfevents.1");
    let attempt = |content: &[u8], what: &str| {
        fs::write(&file, content).unwrap();
        let into = tempfile::tempdir_in(place.path()).unwrap();
        let result = import::tensorboard(&source, &Root::new(into.path()), &options()).unwrap();
        for imported in result {
            match imported {
                Ok(imported) => assert!(
                    imported.points <= whole.points && imported.values <= whole.values + 3,
                    "{what}"
                ),
                Err(ImportError::Nothing { .. }) => {}
                Err(other) => panic!("{what}: {other}"),
            }
        }
    };
    for at in (0..bytes.len()).step_by(7) {
        attempt(&bytes[..at], &format!("cut at {at}"));
        let mut spoiled = bytes.clone();
        spoiled[at] ^= 0x55;
        attempt(&spoiled, &format!("spoiled at {at}"));
    }
    let mut spoiled = bytes.clone();
    let last = spoiled.len() - 1;
    spoiled[last] ^= 1;
    fs::write(&file, &spoiled).unwrap();
    let imported = import(&source, &Root::new(place.path().join("spoiled")));
    assert!(
        imported.left_out[0].starts_with("1 × damaged record, in events.out.tfevents.1 at byte")
    );
    let view = RunView::open(imported.run).unwrap();
    assert!(
        view.console()[0]
            .message
            .starts_with("not taken over: 1 × damaged record")
    );
}

#[test]
fn a_folder_without_event_files_is_an_error() {
    let place = tempfile::tempdir().unwrap();
    let into = Root::new(place.path().join("into"));
    let why = import::tensorboard(place.path(), &into, &options()).unwrap_err();
    assert!(
        why.to_string()
            .ends_with("there is no event file, which has `tfevents` in its name")
    );
}

#[test]
fn a_table_of_numbers_is_a_run() {
    let place = tempfile::tempdir().unwrap();
    let into = Root::new(place.path().join("into"));
    let file = place.path().join("exp 7.csv");
    let text = "step, train/loss ,phase,wall_time,acc\n0,0.5,warm up,1700000000.25,\n10,nan,main,1700000001,0.25\n20.0,-inf,main,1700000002,0.5\n";
    fs::write(&file, text).unwrap();
    let mut options = options();
    options.config.insert("lr".into(), 0.1.into());
    options.tags.push("old".into());
    let imported = import::csv(&file, &into, &options).unwrap();
    assert_eq!((imported.points, imported.name.as_str()), (5, "exp 7"));
    assert_eq!(imported.left_out, [r#"3 × text in column "phase""#]);
    let view = RunView::open(imported.run).unwrap();
    let points = view.series_of("train/loss").unwrap().points();
    assert_eq!(
        points.iter().map(|p| p.step).collect::<Vec<_>>(),
        [0, 10, 20]
    );
    assert_eq!(points[0].time, Timestamp(1_700_000_000_250_000));
    assert!(points[1].value.is_nan() && points[2].value == f64::NEG_INFINITY);
    assert_eq!(view.series_of("acc").unwrap().points().len(), 2);
    let start = view.start().unwrap();
    assert_eq!((&start.config["lr"], start.tags.len()), (&json!(0.1), 1));
    assert_eq!(view.state(), State::Finished);

    let again = import::csv(&file, &into, &options).unwrap_err();
    assert!(matches!(again, ImportError::AlreadyImported { .. }));
    // It went on since: still the same source.
    fs::write(&file, format!("{text}30,0.1,main,1700000003,1\n")).unwrap();
    let again = import::csv(&file, &into, &options).unwrap_err();
    assert!(matches!(again, ImportError::AlreadyImported { .. }));
}

#[test]
fn a_table_without_steps_counts_rows_and_what_is_no_table_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let into = Root::new(place.path().join("into"));
    let file = place.path().join("a.csv");
    fs::write(&file, "loss\n3\n2\n1\n").unwrap();
    let imported = import::csv(&file, &into, &options()).unwrap();
    let view = RunView::open(imported.run.clone()).unwrap();
    let steps: Vec<u64> = view
        .series_of("loss")
        .unwrap()
        .points()
        .iter()
        .map(|p| p.step)
        .collect();
    assert_eq!(steps, [0, 1, 2]);

    for (text, why) in [
        ("", "a first row of names and a row of values are needed"),
        (
            "loss\n",
            "a first row of names and a row of values are needed",
        ),
        ("step,loss\n0,1\nsoon,1\n", "line 3: \"soon\" is no step"),
        ("step,loss\n-1,1\n", "line 2: \"-1\" is no step"),
        ("loss\n1\n1,2\n", "line 3: 2 values for 1 names"),
        ("loss,timestamp\n1,NaN\n", "line 2: \"NaN\" is no time"),
    ] {
        let file = place.path().join("b.csv");
        fs::write(&file, text).unwrap();
        let error = import::csv(&file, &into, &options())
            .unwrap_err()
            .to_string();
        assert!(error.ends_with(why), "{error}");
    }
    assert_eq!(into.runs().unwrap(), [imported.run]);
    let left: Vec<_> = fs::read_dir(into.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

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

/// A record as TFRecord frames it.
fn framed(payload: &[u8]) -> Vec<u8> {
    let sum = |bytes: &[u8]| {
        let crc = crc32c::crc32c(bytes).rotate_right(15);
        crc.wrapping_add(0xa282_ead8).to_le_bytes()
    };
    let length = (payload.len() as u64).to_le_bytes();
    [&length[..], &sum(&length), payload, &sum(payload)].concat()
}

/// Bytes that are a message more often than not.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop::collection::vec(any::<u8>(), 0..24).boxed();
    leaf.prop_recursive(6, 64, 6, |inner| {
        let field = (1u8..16, 0u8..4, inner, any::<[u8; 8]>());
        prop::collection::vec(field, 0..6).prop_map(|fields| {
            let mut out = Vec::new();
            for (number, kind, inner, fixed) in fields {
                match kind {
                    0 => out.extend([number << 3, fixed[0] & 0x7f]),
                    1 => out.extend([&[number << 3 | 1], &fixed[..]].concat()),
                    2 => out.extend([&[number << 3 | 5], &fixed[..4]].concat()),
                    _ => {
                        let inner = &inner[..inner.len().min(127)];
                        out.extend([&[number << 3 | 2, inner.len() as u8], inner].concat());
                    }
                }
            }
            out
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_an_event_file_says_is_imported_or_counted(
        messages in prop::collection::vec(message(), 0..12),
    ) {
        let place = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = messages.iter().flat_map(|m| framed(m)).collect();
        fs::write(place.path().join("events.tfevents"), bytes).unwrap();
        let into = Root::new(place.path().join("into"));
        for imported in import::tensorboard(place.path(), &into, &options()).unwrap() {
            match imported {
                Ok(imported) => prop_assert!(RunView::open(imported.run).unwrap().damage().is_empty()),
                Err(error) => prop_assert!(matches!(error, ImportError::Nothing { .. }), "{}", error),
            }
        }
    }

    #[test]
    fn numbers_in_a_table_come_back(
        rows in prop::collection::vec((any::<f64>(), "[a-z\",\n ]{0,8}"), 1..40),
    ) {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("a.csv");
        let mut text = "value,\"a \"\"text\"\"\"\n".to_owned();
        for (value, word) in &rows {
            text.push_str(&format!("{value:?},\"{}\"\n", word.replace('"', "\"\"")));
        }
        fs::write(&file, text).unwrap();
        let imported = import::csv(&file, &Root::new(place.path().join("into")), &options()).unwrap();
        let view = RunView::open(imported.run).unwrap();
        let points = view.series_of("value").unwrap().points();
        let same = points.iter().zip(&rows).all(|(point, (value, _))| {
            point.value == *value || point.value.is_nan() && value.is_nan()
        });
        prop_assert!(same && points.len() == rows.len());
    }

    #[test]
    fn any_bytes_are_a_table_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("a.csv");
        fs::write(&file, bytes).unwrap();
        let _ = import::csv(&file, &Root::new(place.path().join("into")), &options());
    }
}
