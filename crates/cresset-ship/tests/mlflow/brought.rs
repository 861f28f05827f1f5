//! Runs that MLflow's own client logged become runs of Cresset.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cresset_record::{Content, MediaDetail, Point, Project, Root, RunDir, RunView, State, Table};
use cresset_ship::import::{ImportError, ImportOptions, Imported, MlflowServer};
use cresset_ship::mlflow::Credentials;
use serde_json::{Value as Json, json};

use crate::proxy::{Proxy, Trouble};
use crate::server::server;
use crate::support::{carry, record};

fn import(address: &str, experiment: &str, into: &Root) -> Vec<Result<Imported, ImportError>> {
    let project = Project::try_from("brought".to_owned()).unwrap();
    let server = MlflowServer::new(address, &Credentials::None).unwrap();
    let options = ImportOptions::new(project);
    let runs = server.runs(experiment, into, &options).unwrap();
    runs.collect()
}

fn view(run: &RunDir) -> RunView {
    RunView::open(run.clone()).unwrap()
}

/// As `read.py` gives points: step, milliseconds and value, sorted by their text.
fn points(points: &[Point]) -> Vec<Json> {
    let value = |value: f64| match value {
        v if v.is_nan() => json!("nan"),
        f64::INFINITY => json!(f64::MAX),
        f64::NEG_INFINITY => json!(f64::MIN),
        v => json!(v),
    };
    let points = points.iter();
    let mut points: Vec<Json> = points
        .map(|point| json!([point.step, point.time.0 / 1000, value(point.value)]))
        .collect();
    points.sort_by_key(Json::to_string);
    points
}

fn sorted(points: &Json) -> Vec<Json> {
    crate::support::sorted(points)
}

fn series(run: &RunView) -> BTreeMap<String, Vec<Json>> {
    let series = run.series();
    series
        .map(|(key, _, series)| (key.to_string(), points(series.points())))
        .collect()
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn what_mlflows_client_logged() {
    let server = server();
    let ids = server.write("everything", "everything");
    let place = tempfile::tempdir().unwrap();
    let into = Root::new(place.path());
    let imported = import(server.address(), "everything", &into);
    let mut runs = BTreeMap::new();
    let mut unfinished = Vec::new();
    for run in imported {
        match run {
            Ok(run) => drop(runs.insert(run.name.clone(), run)),
            Err(ImportError::Unfinished { source_name }) => unfinished.push(source_name),
            Err(error) => panic!("{error}"),
        }
    }
    let names: Vec<&str> = runs.keys().map(String::as_str).collect();
    assert_eq!(names, ["child", "crashed", "failed", "killed", "parent"]);
    assert_eq!(unfinished.len(), 1);
    assert!(unfinished[0].contains(ids["running"].as_str().unwrap()));
    assert!(runs.values().all(|run| run.left_out.is_empty()), "{runs:?}");

    let there = server.read("everything");
    let there = |name: &str| there.iter().find(|run| run["name"] == name).unwrap();
    let parent = view(&runs["parent"].run);
    let start = parent.start().unwrap();
    assert_eq!(start.time.0 / 1000, there("parent")["start_time"]);
    assert_eq!(start.tags, ["baseline", "team=vision"]);
    assert_eq!(start.notes, "A *first* try.");
    assert_eq!(
        Json::Object(start.config.clone()),
        json!({"lr": 0.0003, "optimizer": "adamw", "layers": 18, "amp": true, "betas": [0.9, 0.999], "seed": null})
    );
    assert_eq!(parent.state(), State::Finished);
    let mlflow = &parent.environment()["mlflow"];
    assert_eq!(
        mlflow["tags"]["mlflow.user"],
        there("parent")["tags"]["mlflow.user"]
    );
    assert_eq!(
        parent.environment()["host"]["user"],
        mlflow["tags"]["mlflow.user"]
    );
    let input = &mlflow["inputs"]["dataset_inputs"][0];
    assert_eq!(input["dataset"]["name"], "joints");
    assert_eq!(input["tags"][0]["value"], "training");
    assert_eq!(parent.environment()["import"]["run"], ids["parent"]);

    let metrics = &there("parent")["metrics"];
    let here = series(&parent);
    assert_eq!(here["train/loss"], sorted(&metrics["train/loss"]));
    assert_eq!(here["train/loss"].len(), 6);
    assert_eq!(parent.series_of("before").unwrap().points()[0].step, 0);
    let values = |key: &str| -> Vec<f64> {
        let points = parent.series_of(key).unwrap().points();
        points.iter().map(|point| point.value).collect()
    };
    for (key, expected) in [
        (
            "system/host/cpu_machine",
            vec![30.0, 31.0, 32.0, 33.0, 34.0],
        ),
        ("system/host/memory_used", vec![8_123_456_789.0; 5]),
        (
            "system/gpu/0/utilization",
            vec![90.0, 91.0, 92.0, 93.0, 94.0],
        ),
        ("system/gpu/0/memory_used", vec![20_000_500_000.0; 5]),
        ("system/host/network_received", vec![2e6; 4]),
        ("system/disk_available_megabytes", vec![5.0; 5]),
    ] {
        assert_eq!(values(key), expected, "{key}");
    }

    let media: Vec<(String, u64, &MediaDetail, Vec<u8>)> = parent
        .media()
        .flat_map(|(key, _, logged)| logged.iter().map(move |it| (key.to_string(), it)))
        .map(|(key, it)| {
            let Content::Blob(blob) = &it.value.content else {
                panic!("{key}");
            };
            let bytes = runs["parent"].run.blobs().get(blob).unwrap();
            (key, it.step, &it.value.detail, bytes)
        })
        .collect();
    let of = |key: &str| -> Vec<_> { media.iter().filter(|(k, ..)| k == key).collect() };
    let worst = of("val/worst");
    assert_eq!(worst.iter().map(|it| it.1).collect::<Vec<_>>(), [0, 10]);
    let is_image = |detail: &MediaDetail, size: (u32, u32)| matches!(detail, MediaDetail::Image(image) if (image.width, image.height) == size);
    assert!(is_image(worst[0].2, (30, 20)) && worst[0].3.starts_with(b"\x89PNG"));
    assert!(is_image(of("artifacts/plots/curve.png")[0].2, (3, 2)));
    let table: Table = serde_json::from_slice(&of("artifacts/tables/recall.json")[0].3).unwrap();
    assert_eq!(table.columns, ["class", "recall"]);
    assert_eq!(json!(table.rows), json!([["good", 0.9], ["bridge", 0.7]]));
    assert_eq!(of("artifacts/notes/said.txt")[0].3, b"fine");
    assert_eq!(of("artifacts/report.html")[0].2, &MediaDetail::Html);
    let file = of("artifacts/model/deep/größe 1+1.bin")[0];
    assert!(matches!(file.2, MediaDetail::File { name, .. } if name == "größe 1+1.bin"));
    assert_eq!(file.3.len(), 256 * 20000);
    assert_eq!(media.len(), 7);

    let child = view(&runs["child"].run);
    assert_eq!(child.start().unwrap().group.as_deref(), Some("parent"));
    assert!(matches!(
        view(&runs["failed"].run).state(),
        State::Failed(_)
    ));
    assert!(matches!(
        view(&runs["killed"].run).state(),
        State::Stopped(_)
    ));
    assert_eq!(view(&runs["crashed"].run).state(), State::Crashed);

    // Once is enough.
    for again in import(server.address(), "everything", &into) {
        let error = again.unwrap_err();
        assert!(
            matches!(
                error,
                ImportError::AlreadyImported { .. } | ImportError::Unfinished { .. }
            ),
            "{error}"
        );
    }
    assert_eq!(into.runs().unwrap().len(), 5);
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn more_runs_and_points_than_a_page_has() {
    let server = server();
    server.write("pages", "short:120");
    server.write("pages", "long:25500");
    let place = tempfile::tempdir().unwrap();
    let into = Root::new(place.path());
    let imported = import(server.address(), "pages", &into);
    assert_eq!(imported.len(), 121);
    let there = server.read("pages");
    for run in imported {
        let run = run.unwrap();
        let there = there
            .iter()
            .find(|it| it["name"] == run.name.as_str())
            .unwrap();
        for (key, here) in series(&view(&run.run)) {
            assert_eq!(here, sorted(&there["metrics"][&key]), "{} {key}", run.name);
        }
        let expected = if run.name == "long" { 25_500 } else { 6 };
        assert_eq!(run.points, expected, "{}", run.name);
    }
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn a_server_that_goes_away_leaves_whole_runs_and_the_rest_comes_later() {
    let server = server();
    server.write("away half way", "short:60");
    // On the first page, and on the second: a run is one request, and there are a few for the page.
    for most in [10, 60] {
        let place = tempfile::tempdir().unwrap();
        let into = Root::new(place.path());
        let proxy = Proxy::new(server.address(), Trouble::EndsAfter(most));
        let mut imported = import(proxy.address(), "away half way", &into);
        let error = imported.pop().unwrap().unwrap_err();
        assert!(
            matches!(&error, ImportError::Server(e) if e.is_temporary()),
            "{error}"
        );
        let first: Vec<Imported> = imported.into_iter().map(Result::unwrap).collect();
        assert!((1..60).contains(&first.len()), "{}", first.len());
        assert_eq!(into.runs().unwrap().len(), first.len());
        let entries = fs::read_dir(place.path()).unwrap();
        let names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["brought"], "nothing half is left");

        let rest = import(server.address(), "away half way", &into);
        let (new, known): (Vec<_>, Vec<_>) = rest.into_iter().partition(Result::is_ok);
        assert_eq!((new.len(), known.len()), (60 - first.len(), first.len()));
        assert_eq!(into.runs().unwrap().len(), 60);
    }
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn lost_answers_are_asked_for_again() {
    let server = server();
    server.write("lost answers", "short:3");
    let place = tempfile::tempdir().unwrap();
    let into = Root::new(place.path());
    let proxy = Proxy::new(server.address(), Trouble::LosesAnswers);
    let imported = import(proxy.address(), "lost answers", &into);
    assert!(proxy.lost() > 3, "{}", proxy.lost());
    assert_eq!(imported.into_iter().map(Result::unwrap).count(), 3);
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn artifacts_that_the_server_cannot_reach_hold_nothing_up() {
    let server = server();
    server.experiment_with_artifacts_at("out of reach", "s3://somewhere/else");
    server.write("out of reach", "short:2");
    let place = tempfile::tempdir().unwrap();
    let imported = import(server.address(), "out of reach", &Root::new(place.path()));
    assert_eq!(imported.len(), 2);
    for run in imported {
        let run = run.unwrap();
        assert_eq!(run.points, 6);
        let left_out = &run.left_out[0];
        assert!(
            left_out.contains("that the server does not list"),
            "{left_out}"
        );
    }
}

/// What a run says that can come back.
fn said(run: &RunDir) -> Json {
    let run = view(run);
    let start = run.start().unwrap();
    let media: BTreeMap<String, Vec<Json>> = run
        .media()
        .map(|(key, _, logged)| {
            let logged = logged
                .iter()
                .map(|it| json!([it.step, it.value.caption, it.value.detail]));
            (key.to_string(), logged.collect())
        })
        .collect();
    json!({
        "name": start.name,
        "group": start.group,
        "job_type": start.job_type,
        "tags": start.tags,
        "notes": start.notes,
        "began": start.time.0 / 1000,
        "config": start.config,
        "state": run.state().word(),
        "program": run.environment()["program"],
        "media": media,
    })
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn a_run_that_was_shipped_comes_back() {
    let root = tempfile::tempdir().unwrap();
    let run = record(root.path(), "round");
    let server = server();
    carry(server.address(), &run);
    let place = tempfile::tempdir().unwrap();
    let into = Root::new(place.path());
    let mut imported = import(server.address(), "round", &into);
    assert_eq!(imported.len(), 1);
    let back = imported.remove(0).unwrap();
    assert!(back.left_out.is_empty(), "{:?}", back.left_out);
    let (mut was, mut is) = (said(&run), said(&back.run));
    let shown = |said: &mut Json| {
        let media = said["media"].as_object_mut().unwrap();
        media.retain(|key, _| !key.starts_with("histograms/") && !key.starts_with("artifacts/"));
        std::mem::take(media)
    };
    let (media_was, media_is) = (shown(&mut was), shown(&mut is));
    assert_eq!(is, was);
    for (key, logged) in &media_was {
        assert_eq!(media_is.get(key), Some(logged), "{key}");
    }
    let (was, is) = (series(&view(&run)), series(&view(&back.run)));
    for (key, points) in &was {
        let found = match key.as_str() {
            // A name that MLflow does not take.
            "val/mAP@0.5" => {
                is.iter()
                    .find(|(key, _)| key.starts_with("val/mAP_0.5-"))
                    .unwrap()
                    .1
            }
            key => is
                .get(key)
                .unwrap_or_else(|| panic!("{key} in {:?}", is.keys())),
        };
        assert_eq!(found, points, "{key}");
    }
    assert_eq!(is.len(), was.len());

    // Where it was recorded it is known.
    let again = import(server.address(), "round", &Root::new(root.path()));
    assert!(
        matches!(&again[0], Err(ImportError::AlreadyImported { run: here, .. }) if *here == run)
    );
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn other_ends_come_back() {
    let root = tempfile::tempdir().unwrap();
    let server = server();
    for (experiment, end) in [
        ("failing", "failed"),
        ("stopping", "stopped"),
        ("crashing", "crashed"),
    ] {
        let run = cresset_run::init(experiment)
            .dir(root.path())
            .start()
            .unwrap();
        let dir = RunDir::new(run.dir().unwrap());
        run.log(0, [("loss", 1.0)]);
        match end {
            "failed" => run.fail("out of memory"),
            "stopped" => run.stop("enough"),
            _ => {}
        }
        drop(run);
        if end == "crashed" {
            without_end(&dir);
        }
        assert_eq!(view(&dir).state().word(), end);
        carry(server.address(), &dir);
        let place = tempfile::tempdir().unwrap();
        let imported = import(server.address(), experiment, &Root::new(place.path()));
        let back = view(&imported[0].as_ref().unwrap().run);
        assert_eq!(back.state(), view(&dir).state());
    }
}

/// Cuts the last frame off, as a kill would.
fn without_end(run: &RunDir) {
    let path = run.segment(cresset_record::Rank(0), 0);
    cut(&path, |run| view(run).state() == State::Crashed, run);
}

fn cut(path: &Path, is_enough: impl Fn(&RunDir) -> bool, run: &RunDir) {
    while !is_enough(run) {
        let length = fs::metadata(path).unwrap().len();
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(length - 1).unwrap();
    }
}
