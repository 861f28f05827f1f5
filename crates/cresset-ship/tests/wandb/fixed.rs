//! The little run that all tests log; `fixed.py` logs the same with W&B's client.

use std::path::Path;

use cresset_record::{Definition, Level, RunDir, RunView, State, SummaryRule};
use cresset_run::{Html, Run, init};
use serde_json::{Value as Json, json};

use crate::heard::timeless;

/// The little run that all tests log; `fixed.py` logs the same with W&B's client.
pub(crate) fn log_fixed_run(root: &Path) -> RunDir {
    let run = init("harbor")
        .dir(root)
        .id("abc123")
        .name("nm")
        .group("g")
        .job_type("train")
        .tags(["a", "b"])
        .notes("n")
        .config(&json!({"lr": 0.1, "opt": {"name": "adam"}}))
        .start()
        .unwrap();
    run.define(
        Definition::new("val/*")
            .step_metric("epoch")
            .summary(SummaryRule::Min),
    );
    run.log(0, [("gap", 1.0), ("train/acc", 0.5)]);
    // No loss: of the first NaN of one Cresset raises an alert, and the client of W&B does not.
    run.log(1, [("gap", f64::NAN), ("x", f64::INFINITY)]);
    run.log(1, [("val/l", 3.0), ("epoch", 1.0)]);
    run.log(2, [("val/l", 2.0), ("epoch", 2.0)]);
    run.log(3, [("val/l", 4.0), ("epoch", 3.0), ("gap", 0.25)]);
    wait_until_written(&run);
    run.log_value(5, "note", "hello");
    run.log_histogram(6, "weights", &[1.0f32, 2.0, 3.0][..]);
    run.log_value(7, "page", Html::new("<b>x</b>"));
    run.alert(Level::Warn, "T", "text");
    run.update_config(&json!({"new": 1}));
    run.set_summary("best", 5);
    let dir = RunDir::new(run.dir().unwrap());
    run.finish();
    dir
}

/// Values come to the log before those that are logged later.
fn wait_until_written(run: &Run) {
    while run.backlog() > 0 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

pub(crate) fn fixed_rows() -> Vec<Json> {
    let rows = [
        json!({"_step": 0, "gap": 1.0, "train/acc": 0.5}),
        json!({"_step": 1, "gap": "NaN", "x": "Infinity", "val/l": 3.0, "epoch": 1.0}),
        json!({"_step": 2, "val/l": 2.0, "epoch": 2.0}),
        json!({"_step": 3, "val/l": 4.0, "epoch": 3.0, "gap": 0.25}),
        json!({"_step": 5, "note": "hello"}),
        json!({"_step": 6, "weights": weights()}),
        json!({"_step": 7, "page": page()}),
    ];
    rows.into_iter()
        .map(|row| timeless(row.as_object().unwrap().clone()))
        .collect()
}

pub(crate) fn fixed_summary() -> Json {
    let summary = json!({
        "_step": 7, "weights": weights(), "page": page(), "gap": 0.25, "train/acc": 0.5, "x": "Infinity", "val/l": {"min": 2.0}, "epoch": 3.0, "note": "hello", "best": 5,
    });
    timeless(summary.as_object().unwrap().clone())
}

fn weights() -> Json {
    let edges = [0.5f64.sqrt(), 1.0, 2f64.sqrt(), 2.0, 8f64.sqrt(), 4.0];
    json!({"_type": "histogram", "bins": edges, "values": [1, 0, 1, 0, 1]})
}

fn page() -> Json {
    let digest = "e31e3a8eedaa655937bfed7e66be6af1ec5b31b3850ac669dedda6c3de453c79";
    let path = format!("media/html/page_7_{}.html", &digest[..20]);
    json!({"_type": "html-file", "path": path, "sha256": digest, "size": 8})
}

/// Of the little run, all that is in a folder of W&B's.
pub(crate) fn assert_is_fixed(run: &RunView) {
    let start = run.start().unwrap();
    assert_eq!((run.name(), start.group.as_deref()), ("nm", Some("g")));
    assert_eq!(
        (start.tags.as_slice(), start.notes.as_str()),
        (&["a".to_owned(), "b".to_owned()][..], "n")
    );
    assert_eq!(run.state(), State::Finished);
    let points = |key: &str| {
        let points = run.series_of(key).unwrap().points().iter();
        points.map(|p| (p.step, p.value)).collect::<Vec<_>>()
    };
    assert_eq!(points("val/l"), [(1, 3.0), (2, 2.0), (3, 4.0)]);
    assert_eq!(points("x"), [(1, f64::INFINITY)]);
    assert!(points("gap")[1].1.is_nan() && points("gap").len() == 3);
    let definition = run.definition("val/l");
    assert_eq!(definition.step_metric.as_deref(), Some("epoch"));
    assert_eq!(run.summary()["best"], 5);
    assert_eq!(run.summary()["val/l"], 2.0);
    assert_eq!(run.alerts()[0].title, "T");
    let (key, _, histograms) = run.histograms().next().unwrap();
    assert_eq!(
        (key.as_str(), histograms[0].step, histograms[0].value.count),
        ("weights", 6, 3)
    );
    let media: Vec<_> = run
        .media()
        .map(|(key, _, media)| (key.as_str(), media[0].step))
        .collect();
    assert_eq!(media, [("note", 5), ("page", 7)]);
}
