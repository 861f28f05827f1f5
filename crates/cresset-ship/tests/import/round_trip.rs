//! What goes to TensorBoard comes back.

use std::fs;

use cresset_record::{Content, MediaDetail, Root, RunView, State, Timestamp};
use cresset_run::{Audio, Image, TensorStats};
use cresset_ship::import::{ImportError, ImportOptions, tensorboard};
use serde_json::json;

use super::{import, options, project, shipped};

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
        let sound = Audio::from_f32(vec![0.0; 800], 8000, 1).unwrap();
        run.log_value(6, "click", sound);
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
    super::ship(&dir, &board);
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
    let second = tensorboard(&way, &into, &other).unwrap().remove(0);
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
fn a_folder_without_event_files_is_an_error() {
    let place = tempfile::tempdir().unwrap();
    let into = Root::new(place.path().join("into"));
    let why = tensorboard(place.path(), &into, &options()).unwrap_err();
    assert!(
        why.to_string()
            .ends_with("there is no event file, which has `tfevents` in its name")
    );
}
