//! A server that is no MLflow, or one that means harm. No MLflow says such things, so that it is played here.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use cresset_record::{Project, Root, RunView};
use cresset_ship::import::{ImportError, ImportOptions, Imported, MlflowServer};
use cresset_ship::mlflow::Credentials;
use serde_json::{Value as Json, json};

/// Answers each request, known by its first line, until the test is over; `None` is answered with 404.
fn playing(answer: impl Fn(&str) -> Option<String> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
            let _ = stream.read_line(&mut first);
            while stream.read_line(&mut line).is_ok_and(|n| n > 2) {
                let lower = line.to_ascii_lowercase();
                if let Some(n) = lower.strip_prefix("content-length:") {
                    length = n.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = String::new();
            let _ = stream.by_ref().take(length).read_to_string(&mut body);
            let (status, answer) = match answer(&format!("{first}{body}")) {
                Some(answer) => ("200 OK", answer),
                None => ("404 Not Found", String::new()),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            let _ = stream.get_mut().write_all((head + &answer).as_bytes());
        }
    });
    format!("http://{address}")
}

/// A server with one experiment of these runs; `further` answers what is asked of them.
fn with_runs(runs: Json, further: impl Fn(&str) -> Option<Json> + Send + 'static) -> String {
    playing(move |asked| {
        let answer = match asked {
            asked if asked.contains("experiments/get-by-name") => {
                json!({"experiment": {"experiment_id": "1", "name": "e"}})
            }
            asked if asked.contains("runs/search") => json!({"runs": runs}),
            asked => further(asked)?,
        };
        Some(answer.to_string())
    })
}

fn import(address: &str, into: &Root) -> Vec<Result<Imported, ImportError>> {
    let project = Project::try_from("hostile".to_owned()).unwrap();
    let server = MlflowServer::new(address, &Credentials::None).unwrap();
    let options = ImportOptions::new(project);
    // As many as a server has that never ends.
    match server.runs("e", into, &options) {
        Ok(runs) => runs.take(1000).collect(),
        Err(error) => vec![Err(error)],
    }
}

/// All that is below a folder, but for what is in runs.
fn entries(folder: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_no_mlflow_is_an_error_that_says_so() {
    for (answer, said) in [
        ("<html></html>", "something else than JSON"),
        ("[]", "is this MLflow?"),
        ("null", "is this MLflow?"),
        (r#"{"experiment": {"experiment_id": 7}}"#, "is this MLflow?"),
    ] {
        let place = tempfile::tempdir().unwrap();
        let address = playing(|_| Some(answer.to_owned()));
        let imported = import(&address, &Root::new(place.path()));
        let error = imported
            .into_iter()
            .next()
            .unwrap()
            .unwrap_err()
            .to_string();
        assert!(error.contains(said), "{answer}: {error}");
        assert!(entries(place.path()).is_empty());
    }
}

#[test]
fn a_password_in_an_address_is_not_written_anywhere() {
    let error = MlflowServer::new("https://ada:secret@example.org", &Credentials::None);
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("MLFLOW_TRACKING_PASSWORD") && !error.contains("secret"),
        "{error}"
    );
}

#[test]
fn many_points_of_one_moment_are_as_many_points() {
    let points: Vec<Json> = (0..60_000)
        .map(|i| json!({"value": i, "timestamp": 5, "step": 5}))
        .collect();
    let points = json!({"metrics": points});
    let address = with_runs(json!([run("a")]), move |asked| {
        asked.contains("get-history?").then(|| points.clone())
    });
    let place = tempfile::tempdir().unwrap();
    let imported = import(&address, &Root::new(place.path()))
        .remove(0)
        .unwrap();
    let view = RunView::open(imported.run).unwrap();
    let values = view.series_of("loss").unwrap().points().iter();
    let values: Vec<f64> = values.map(|point| point.value).collect();
    assert!(values.iter().copied().eq((0..60_000).map(f64::from)));
}

#[test]
fn values_of_all_wrong_types_are_no_trouble() {
    let wrong = [
        json!(null),
        json!(7),
        json!("x"),
        json!([]),
        json!({}),
        json!([[], 7, null]),
        json!([{"key": 7, "value": []}]),
        json!(-1e300),
    ];
    let mut runs = Vec::new();
    for (i, value) in wrong.iter().enumerate() {
        let info = json!({"run_id": format!("run {i}"), "run_name": value, "status": value, "start_time": value, "end_time": value,
            "artifact_uri": value});
        runs.push(json!({"info": info, "data": {"metrics": value, "params": value, "tags": value}, "inputs": value, "outputs": value}));
        runs.push(json!({"info": value}));
        runs.push(value.clone());
    }
    let place = tempfile::tempdir().unwrap();
    let into = Root::new(place.path());
    let address = with_runs(json!(runs), |_| Some(json!({"metrics": 7, "files": {}})));
    let imported = import(&address, &into);
    assert_eq!(imported.len(), wrong.len());
    for run in imported {
        RunView::open(run.unwrap().run).unwrap();
    }
}

fn run(id: &str) -> Json {
    let info = json!({"run_id": id, "run_name": id, "status": "FINISHED", "start_time": 1, "end_time": i64::MAX});
    json!({"info": info, "data": {"metrics": [{"key": "loss"}], "tags": []}})
}

#[test]
fn names_and_paths_lead_nowhere_else() {
    let mut hostile = run("../../../escaped");
    hostile["info"]["run_name"] = json!("../\u{1b}[31m\0");
    hostile["data"]["tags"] = json!([
        {"key": "cresset.run_id", "value": "../../escaped"},
        {"key": "x\n", "value": "\u{1b}[2J"},
        {"key": "long", "value": "x".repeat(100_000)},
        {"key": "mlflow.parentRunId", "value": "../.."},
    ]);
    hostile["data"]["metrics"] =
        json!([{"key": "a\nb\0"}, {"key": ""}, {"key": "x".repeat(10_000)}]);
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("deep/root");
    let into = Root::new(&root);
    let address = with_runs(json!([hostile]), |asked| {
        if asked.contains("artifacts/list") {
            let paths = [
                "../up",
                "/etc/passwd",
                "..",
                "a/b",
                "",
                "c\\..\\d",
                "fine.txt",
                "config.json",
            ];
            let files = paths.map(|path| json!({"path": path, "is_dir": false, "file_size": "3"}));
            return Some(json!({"files": files}));
        }
        if asked.contains("get-history?") {
            let point = json!({"value": 1.0, "timestamp": "9223372036854775807", "step": -7});
            return Some(json!({"metrics": [point]}));
        }
        (asked.contains("fine.txt") || asked.contains("config.json"))
            .then(|| json!([["deep"], "config"]))
    });
    let imported = import(&address, &into).remove(0).unwrap();
    assert!(imported.run.path().starts_with(&root));
    let view = RunView::open(imported.run.clone()).unwrap();
    assert_eq!(view.series().count(), 3);
    let media: Vec<String> = view.media().map(|(key, _, _)| key.to_string()).collect();
    assert_eq!(media, ["artifacts/config.json", "artifacts/fine.txt"]);
    assert!(
        imported
            .left_out
            .contains(&"6 × artifact at a path that is none".to_owned()),
        "{:?}",
        imported.left_out
    );
    assert!(
        view.start()
            .unwrap()
            .tags
            .iter()
            .all(|tag| tag.len() < 1000)
    );
    assert_eq!(entries(place.path()), ["deep"]);
    assert_eq!(entries(&place.path().join("deep")), ["root"]);
    assert_eq!(entries(&root), ["hostile"]);
}

#[test]
fn what_does_not_end_ends_here() {
    // Every folder has itself below, and a file.
    let address = with_runs(json!([run("a")]), |asked| {
        if asked.contains("artifacts/list") {
            let folder = asked.split("&path=").nth(1).unwrap_or_default();
            let folder = folder.split([' ', '&']).next().unwrap().replace("%2F", "/");
            let inside = |name: &str| match folder.as_str() {
                "" => name.to_owned(),
                folder => format!("{folder}/{name}"),
            };
            return Some(json!({"files": [
                {"path": inside("f"), "is_dir": true},
                {"path": inside("huge"), "is_dir": false, "file_size": u64::MAX >> 2},
            ]}));
        }
        asked
            .contains("get-history")
            .then(|| json!({"metrics": []}))
    });
    let place = tempfile::tempdir().unwrap();
    let imported = import(&address, &Root::new(place.path()))
        .remove(0)
        .unwrap();
    assert_eq!(imported.values, 0);
    for what in [
        "1 × folder of artifacts that is too deep",
        "32 × artifact of more than 1 GiB",
    ] {
        assert!(
            imported.left_out.iter().any(|left| left == what),
            "{what}: {:?}",
            imported.left_out
        );
    }

    // Folders without end, side by side.
    let address = with_runs(json!([run("a")]), |asked| {
        if asked.contains("artifacts/list") {
            let folder = asked.split("&path=").nth(1).unwrap_or_default();
            let folder = folder.split([' ', '&']).next().unwrap().replace("%2F", "/");
            let files = (0..20).map(|i| match folder.as_str() {
                "" => json!({"path": i.to_string(), "is_dir": true}),
                folder => json!({"path": format!("{folder}/{i}"), "is_dir": true}),
            });
            return Some(json!({"files": files.collect::<Vec<_>>()}));
        }
        asked
            .contains("get-history")
            .then(|| json!({"metrics": []}))
    });
    let imported = import(&address, &Root::new(place.path().join("wide")));
    let left_out = &imported[0].as_ref().unwrap().left_out;
    assert!(
        left_out[0].ends_with("artifact after the first 10000"),
        "{left_out:?}"
    );

    // A page that names itself as the next.
    for endless in ["runs", "metrics", "files"] {
        let address = playing(move |asked| {
            let mut answer = match asked {
                asked if asked.contains("get-by-name") => {
                    json!({"experiment": {"experiment_id": "1", "name": "e"}})
                }
                asked if asked.contains("runs/search") => json!({"runs": [run("a")]}),
                asked if asked.contains("artifacts/list") => json!({"files": []}),
                _ => json!({"metrics": [{"value": 1, "timestamp": 1, "step": 1}]}),
            };
            if answer.get(endless).is_some() {
                answer["next_page_token"] = json!("again");
            }
            Some(answer.to_string())
        });
        let place = tempfile::tempdir().unwrap();
        let into = Root::new(place.path());
        let mut imported = import(&address, &into);
        match endless {
            // What can be had is had; the rest is said.
            "files" => assert!(imported.remove(0).unwrap().left_out[0].contains("again and again")),
            "metrics" => {
                let error = imported.remove(0).unwrap_err().to_string();
                assert!(error.contains("again and again"), "{error}");
                assert!(entries(place.path()).is_empty(), "nothing half is left");
            }
            _ => assert_eq!(imported.into_iter().filter(Result::is_ok).count(), 1),
        }
    }
}
