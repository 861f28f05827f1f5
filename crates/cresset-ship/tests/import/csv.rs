//! Tables of numbers.

use std::fs;

use cresset_record::{Root, RunView, State, Timestamp};
use cresset_ship::import::{ImportError, csv};
use proptest::prelude::*;
use serde_json::json;

use super::options;

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
    let imported = csv(&file, &into, &options).unwrap();
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

    let again = csv(&file, &into, &options).unwrap_err();
    assert!(matches!(again, ImportError::AlreadyImported { .. }));
    // It went on since: still the same source.
    fs::write(&file, format!("{text}30,0.1,main,1700000003,1\n")).unwrap();
    let again = csv(&file, &into, &options).unwrap_err();
    assert!(matches!(again, ImportError::AlreadyImported { .. }));
}

#[test]
fn a_table_without_steps_counts_rows_and_what_is_no_table_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let into = Root::new(place.path().join("into"));
    let file = place.path().join("a.csv");
    fs::write(&file, "loss\n3\n2\n1\n").unwrap();
    let imported = csv(&file, &into, &options()).unwrap();
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
        let error = csv(&file, &into, &options()).unwrap_err().to_string();
        assert!(error.ends_with(why), "{error}");
    }
    assert_eq!(into.runs().unwrap(), [imported.run]);
    let left: Vec<_> = fs::read_dir(into.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

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
        let imported = csv(&file, &Root::new(place.path().join("into")), &options()).unwrap();
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
        let _ = csv(&file, &Root::new(place.path().join("into")), &options());
    }
}
