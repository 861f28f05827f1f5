//! Event files that others wrote.

use std::path::Path;
use std::process::Command;

use cresset_record::{Root, RunView, State, Timestamp};
use cresset_ship::import::tensorboard;
use serde_json::{Value as Json, json};

use super::options;

/// Runs a script by a Python that has TensorBoard and tensorboardX; what it prints is JSON.
fn python(script: &str, folder: &Path) -> Json {
    let python = std::env::var("CRESSET_TENSORBOARD_PYTHON").expect("set by `cargo xtask test`");
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/import")
        .join(script);
    let output = Command::new(python)
        .arg(script)
        .arg(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[ignore = "needs TensorBoard: cargo xtask test"]
fn what_tensorboardx_wrote() {
    let place = tempfile::tempdir().unwrap();
    let source = place.path().join("exp");
    let wrote = python("tensorboardx.py", &source);
    let into = Root::new(place.path().join("into"));
    let imported = tensorboard(&source, &into, &options()).unwrap();
    let imported: Vec<_> = imported.into_iter().map(Result::unwrap).collect();
    assert_eq!(
        imported.len(),
        2,
        "hyper-parameters are in a folder of their own"
    );
    let names: Vec<&str> = imported.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["exp", "trial"]);
    assert!(
        imported.iter().all(|i| i.left_out.is_empty()),
        "{imported:?}"
    );
    let run = RunView::open(imported[0].run.clone()).unwrap();

    let points = run.series_of("train/loss").unwrap().points();
    let values: Vec<f64> = points.iter().map(|p| p.value).collect();
    assert_eq!(json!(values), wrote["loss"]);
    assert!(points.iter().enumerate().all(|(i, p)| p.step == i as u64));
    assert_eq!(points[7].time, Timestamp(1_700_000_007_500_000));
    assert!(run.series_of("odd").unwrap().points()[0].value.is_nan());

    let (_, _, logged) = run.histograms().next().unwrap();
    let stats = &logged[0].value;
    assert_eq!((logged[0].step, stats.count), (3, 10_000));
    for (found, name) in [
        (stats.min, "min"),
        (stats.max, "max"),
        (stats.sum, "sum"),
        (stats.sum_sq, "sum_sq"),
    ] {
        let expected = wrote[name].as_f64().unwrap();
        assert!(
            (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
            "{name}: {found}"
        );
    }
    // A bucket of tensorboardX is 10 % wide, and one of ours 41 %.
    let median = stats.quantile(0.9).unwrap();
    let expected = wrote["p90"].as_f64().unwrap();
    assert!(
        (median / expected - 1.0).abs() < 0.45,
        "{median} for {expected}"
    );

    let media: Vec<(String, u64)> = run
        .media()
        .map(|(k, _, m)| (k.to_string(), m[0].step))
        .collect();
    assert_eq!(
        media,
        [("img".to_owned(), 4), ("said/text_summary".to_owned(), 5)]
    );

    let trial = RunView::open(imported[1].run.clone()).unwrap();
    let config = Json::Object(trial.start().unwrap().config.clone());
    assert_eq!(
        config,
        json!({"lr": 0.1, "bs": 32.0, "opt": "adam", "nest": true})
    );
    assert_eq!(trial.state(), State::Finished);
    assert_eq!(
        trial.series_of("acc").unwrap().points()[0].value,
        f64::from(0.9f32)
    );
}

/// Tensors in place of old values, as TensorFlow 2 and TensorBoard's own writer have them.
#[test]
#[ignore = "needs TensorBoard: cargo xtask test"]
fn what_tensorboards_own_writer_wrote() {
    let place = tempfile::tempdir().unwrap();
    let source = place.path().join("exp");
    let wrote = python("tensors.py", &source);
    let into = Root::new(place.path().join("into"));
    let imported = tensorboard(&source, &into, &options())
        .unwrap()
        .remove(0)
        .unwrap();
    assert_eq!(imported.left_out, ["1 × value of the plugin mesh"]);
    let run = RunView::open(imported.run).unwrap();
    for key in ["loss", "from content", "half"] {
        let points = run.series_of(key).unwrap().points();
        let values: Vec<f64> = points.iter().map(|p| p.value).collect();
        assert_eq!(json!(values), wrote[key], "{key}");
    }
    let (_, _, logged) = run.histograms().next().unwrap();
    let stats = &logged[0].value;
    assert_eq!((stats.count, stats.min, stats.max), (6, -1.0, 3.0));
    let media: Vec<String> = run.media().map(|(key, _, _)| key.to_string()).collect();
    assert_eq!(media, ["pictures/0", "pictures/1", "said", "sound"]);
}
