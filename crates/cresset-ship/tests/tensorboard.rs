//! What TensorBoard shows of a run is what was logged.
#![expect(
    clippy::unwrap_used,
    reason = "these tests must fail where they cannot go on"
)]

#[path = "tensorboard/again.rs"]
mod again;
#[path = "tensorboard/board.rs"]
mod board;

use std::path::Path;

use cresset_record::{Root, RunDir, RunView};
use cresset_run::{Audio, Figure, Image, Table};
use cresset_ship::tensorboard::EventFiles;
use cresset_ship::{Events, Ledger, Target};
use serde_json::{Value as Json, json};

use board::Board;

/// A run with a little of everything.
fn record(root: &Path, config: &Json) -> RunDir {
    let run = cresset_run::init("solder")
        .dir(root)
        .name("swift quay/3")
        .config(config)
        .start()
        .unwrap();
    for step in 0..300u64 {
        run.log(step, [("train/loss", 1.0 / (1.0 + step as f64))]);
    }
    for (step, value) in [
        (3, f64::NAN),
        (1, f64::INFINITY),
        (2, f64::NEG_INFINITY),
        (1, 0.1),
    ] {
        run.log(step, [("odd", value)]);
    }
    let values: Vec<f32> = (-500..1500).map(|i| i as f32 / 100.0).collect();
    run.log_histogram(5, "weights", &values[..]);
    run.log_histogram(6, "weights", &[f32::NAN, 1.0, 1.0][..]);
    // A key with values of two kinds.
    run.log(9, [("wrong", 12.0)]);
    let picture = Image::from_hwc_u8(vec![200; 36], 4, 3, 3).unwrap();
    run.log_value(7, "wrong", picture.caption("is a *void*"));
    run.log_value(8, "said", "**bold** words");
    let table = Table {
        columns: vec!["class".into(), "recall".into()],
        rows: vec![vec!["ok".into(), 0.5.into()]],
    };
    run.log_value(9, "classes", table);
    let confusion = Figure::ConfusionMatrix {
        classes: vec!["ok".into(), "void".into()],
        counts: vec![vec![5, 1], vec![0, 7]],
    };
    run.log_value(9, "confusion", confusion);
    let sound = Audio::from_f32(vec![0.0, 0.5, -0.5, 0.0], 8000, 1).unwrap();
    run.log_value(4, "click", sound);
    let dir = RunDir::new(run.dir().unwrap());
    run.finish();
    dir
}

fn target(run: &RunDir, folder: &Path) -> Events<EventFiles> {
    let ledger = Ledger::open(run, "tensorboard", "TensorBoard").unwrap();
    Events::new(run.clone(), ledger, EventFiles::new(folder)).unwrap()
}

/// Carries all there is.
fn ship(run: &RunDir, folder: &Path) {
    let mut target = target(run, folder);
    while !target.carry().unwrap().is_level {}
}

#[test]
#[ignore = "needs TensorBoard: cargo xtask test"]
fn tensorboard_shows_what_was_logged() {
    let place = tempfile::tempdir().unwrap();
    let config = json!({"optimizer": {"lr": 0.003, "nesterov": true}, "model": "resnet-18", "layers": [2, 2]});
    let run = record(&place.path().join("runs"), &config);
    let logdir = place.path().join("board");
    ship(&run, &logdir);

    let board = Board::start(&logdir);
    let name = format!("solder/swift quay_3/{}", run.id_text());
    assert_eq!(board.get("runs", &[]), json!([name]));
    let of = |tag| [("run", name.as_str()), ("tag", tag)];

    // Scalars: every one, in order of arrival, to the last bit of the precision that TensorBoard has.
    let view = RunView::open(run.clone()).unwrap();
    for key in ["train/loss", "odd", "weights/non_finite", "wrong"] {
        let shown = board.get("plugin/scalars/scalars", &of(key));
        let shown: Vec<(f64, u64, String)> = shown
            .as_array()
            .unwrap()
            .iter()
            .map(|p| {
                let value = p[2].as_f64().map_or(String::new(), |v| v.to_string());
                let value = p[2].as_str().map_or(value, str::to_owned);
                (p[0].as_f64().unwrap(), p[1].as_u64().unwrap(), value)
            })
            .collect();
        let logged: Vec<_> = match key {
            "weights/non_finite" => {
                let (_, _, histograms) = view.histograms().next().unwrap();
                let time = histograms[1].time;
                vec![(time.0 as f64 / 1e6, 6, "1".to_owned())]
            }
            key => {
                let series = view.series_of(key).unwrap();
                let points = series.points().iter();
                points
                    .map(|p| {
                        let value = match p.value {
                            f64::INFINITY => "Infinity".to_owned(),
                            f64::NEG_INFINITY => "-Infinity".to_owned(),
                            value => f64::from(value as f32).to_string(),
                        };
                        (p.time.0 as f64 / 1e6, p.step, value)
                    })
                    .collect()
            }
        };
        assert_eq!(shown, logged, "{key}");
    }

    let (_, _, histograms) = view.histograms().next().unwrap();
    let shown = board.get("plugin/histograms/histograms", &of("weights"));
    for (shown, logged) in shown.as_array().unwrap().iter().zip(histograms) {
        assert_eq!(shown[0], json!(logged.time.0 as f64 / 1e6));
        assert_eq!(shown[1], json!(logged.step));
        let buckets: Vec<Vec<f64>> = serde_json::from_value(shown[2].clone()).unwrap();
        let stats = &logged.value;
        let count: f64 = buckets.iter().map(|b| b[2]).sum();
        assert_eq!(count as u64, stats.finite());
        assert_eq!(buckets[0][0], stats.min);
        assert_eq!(buckets.last().unwrap()[1], stats.max);
        let inner: Vec<_> = stats.histogram.buckets().collect();
        let counted: Vec<_> = buckets.iter().filter(|b| b[2] > 0.0).collect();
        let expected: Vec<_> = inner.iter().filter(|b| b.count > 0).collect();
        assert_eq!(counted.len(), expected.len());
        for (shown, bucket) in counted.iter().zip(expected) {
            assert_eq!(shown[2], bucket.count as f64);
            assert_eq!(shown[0], bucket.lower.max(stats.min));
            assert_eq!(shown[1], bucket.upper.min(stats.max));
        }
        assert!(buckets.windows(2).all(|b| b[0][1] == b[1][0]), "no gaps");
    }

    for (plugin, tag, step) in [("images", "wrong", 7), ("audio", "click", 4)] {
        let one = match plugin {
            "images" => ("images", "individualImage"),
            _ => ("audio", "individualAudio"),
        };
        let shown_as = if plugin == "images" {
            "wrong/images"
        } else {
            tag
        };
        let mut query = of(shown_as).to_vec();
        query.push(("sample", "0"));
        let shown = board.get(&format!("plugin/{plugin}/{}", one.0), &query);
        assert_eq!(shown.as_array().unwrap().len(), 1);
        assert_eq!(shown[0]["step"], step);
        let query = shown[0]["query"].as_str().unwrap();
        let bytes = board.bytes(&format!("plugin/{plugin}/{}?{query}", one.1));
        let (_, _, logged) = view.media().find(|(k, _, _)| k.as_str() == tag).unwrap();
        let cresset_record::Content::Blob(blob) = &logged[0].value.content else {
            panic!("{plugin} are blobs");
        };
        assert_eq!(bytes, run.blobs().get(blob).unwrap(), "{plugin}");
    }

    let text = |tag| board.get("plugin/text/text", &of(tag))[0]["text"].to_string();
    assert!(text("said").contains("<strong>bold</strong> words"));
    assert!(text("wrong/caption").contains("is a <em>void</em>"));
    let classes = text("classes");
    assert!(classes.contains("<th>recall</th>") && classes.contains("<td>0.5</td>"));
    assert!(text("confusion").contains("<th>void</th>"));
    assert!(text("cresset/config").contains("<td>optimizer.lr</td>"));
    let environment = text("cresset/environment");
    assert!(
        view.environment()
            .keys()
            .all(|name| environment.contains(name))
    );

    let query = json!({"experimentName": "", "startIndex": 0, "sliceSize": 10, "colParams": [],
        "allowedStatuses": ["STATUS_SUCCESS"]});
    let groups = board.post("plugin/hparams/session_groups", &query);
    let hparams = &groups["sessionGroups"][0]["hparams"];
    assert_eq!(
        *hparams,
        json!({"optimizer.lr": 0.003, "optimizer.nesterov": true, "model": "resnet-18", "layers": "[2,2]"})
    );
    let session = &groups["sessionGroups"][0]["sessions"][0];
    assert_eq!(
        (&session["name"], &session["status"]),
        (&json!(name), &json!("STATUS_SUCCESS"))
    );
}

/// It keeps single precision, a sample of what there is, and of steps that go back what came last.
#[test]
#[ignore = "needs TensorBoard: cargo xtask test"]
fn the_fast_loader_shows_it_too() {
    let place = tempfile::tempdir().unwrap();
    let run = record(&place.path().join("runs"), &json!({"lr": 0.5}));
    let logdir = place.path().join("board");
    ship(&run, &logdir);

    let board = Board::start_fast(&logdir);
    let name = format!("solder/swift quay_3/{}", run.id_text());
    let of = |tag| [("run", name.as_str()), ("tag", tag)];
    // How it ended is read last.
    let query = json!({"experimentName": "", "startIndex": 0, "sliceSize": 10, "colParams": [],
        "allowedStatuses": ["STATUS_SUCCESS"]});
    board.wait("the run's end", |board| {
        let groups = board.post("plugin/hparams/session_groups", &query);
        let session = &groups["sessionGroups"][0];
        session["hparams"]["lr"] == 0.5 && session["sessions"][0]["status"] == "STATUS_SUCCESS"
    });
    let shown = board.get("plugin/scalars/scalars", &of("train/loss"));
    let shown: Vec<(u64, f64)> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p[1].as_u64().unwrap(), p[2].as_f64().unwrap()))
        .collect();
    let logged: Vec<_> = (0..300u64)
        .map(|step| (step, f64::from((1.0 / (1.0 + step as f64)) as f32)))
        .collect();
    assert_eq!(shown, logged);
    let odd = board.get("plugin/scalars/scalars", &of("odd"));
    assert_eq!((odd.as_array().unwrap().len(), &odd[0][1]), (1, &json!(1)));
    let shown = board.get("plugin/histograms/histograms", &of("weights"));
    let count = |at: usize| {
        let buckets = shown[at][2].as_array().unwrap().iter();
        buckets.map(|b| b[2].as_f64().unwrap()).sum::<f64>()
    };
    assert_eq!((count(0), count(1)), (2000.0, 2.0));
    for (plugin, one, tag) in [
        ("images", "individualImage", "wrong/images"),
        ("audio", "individualAudio", "click"),
    ] {
        let mut query = of(tag).to_vec();
        query.push(("sample", "0"));
        let shown = board.get(&format!("plugin/{plugin}/{plugin}"), &query);
        let query = shown[0]["query"].as_str().unwrap();
        let bytes = board.bytes(&format!("plugin/{plugin}/{one}?{query}"));
        assert!(bytes.len() > 50, "{plugin}: {bytes:?}");
    }
    let said = board.get("plugin/text/text", &of("said"))[0]["text"].to_string();
    assert!(said.contains("<strong>bold</strong> words"));
}

#[test]
#[ignore = "needs TensorBoard: cargo xtask test"]
fn runs_with_different_hyper_parameters_and_a_second_rank_stand_side_by_side() {
    let place = tempfile::tempdir().unwrap();
    let logdir = place.path().join("board");
    let runs = place.path().join("runs");
    let first = record(&runs, &json!({"lr": 0.1}));
    let second = record(&runs, &json!({"lr": 0.2, "momentum": 0.9}));
    for run in [&first, &second] {
        ship(run, &logdir);
    }
    for rank in 0..2 {
        let run = cresset_run::init("solder")
            .dir(&runs)
            .id("ranks")
            .name("many");
        let run = run.rank(rank, 2).start().unwrap();
        run.log(1, [("loss", f64::from(rank))]);
        run.finish();
    }
    let ranks = Root::new(&runs).find("ranks").unwrap();
    ship(&ranks[0], &logdir);

    let board = Board::start(&logdir);
    let query = json!({"experimentName": "", "hparamsLimit": 0});
    let experiment = board.post("plugin/hparams/experiment", &query);
    let infos = experiment["hparamInfos"].as_array().unwrap();
    let mut names: Vec<&str> = infos.iter().map(|i| i["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["lr", "momentum"]);
    for (run, expected) in [
        ("solder/many/ranks", 0.0),
        ("solder/many/ranks/rank-1", 1.0),
    ] {
        let shown = board.get("plugin/scalars/scalars", &[("run", run), ("tag", "loss")]);
        assert_eq!(shown[0][2], expected, "{run}");
    }
}
