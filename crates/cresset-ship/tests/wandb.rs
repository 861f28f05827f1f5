//! Runs for W&B, against what W&B's own package makes and takes.
//!
//! These need Python with wandb, which `cargo xtask test` sets up and names in `CRESSET_WANDB_PYTHON`.

#[path = "wandb/double.rs"]
mod double;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cresset_record::{Definition, Level, RunDir, SummaryRule};
use cresset_run::{BoundingBox, Image, Run, Value, init};
use cresset_ship::wandb::OfflineRun;
use cresset_ship::{Events, Ledger, Memory, Sink, Target};
use serde_json::{Map, Value as Json, json};

use double::{Double, Exchange};

fn python() -> PathBuf {
    let python = env::var_os("CRESSET_WANDB_PYTHON");
    python.expect("set by `cargo xtask test`").into()
}

/// Runs a script of this folder; what it prints.
fn script(name: &str, arguments: &[&str], double: Option<&Double>, within: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/wandb")
        .join(name);
    let mut command = Command::new(python());
    command.arg(script).args(arguments);
    run(&mut command, double, within)
}

fn run(command: &mut Command, double: Option<&Double>, within: &Path) -> String {
    command.current_dir(within).env("WANDB_SILENT", "true");
    // Nothing of the machine's own settings, and nothing left there.
    for folder in [
        "WANDB_CONFIG_DIR",
        "WANDB_CACHE_DIR",
        "WANDB_DATA_DIR",
        "HOME",
    ] {
        command.env(folder, within.join("home"));
    }
    command.env("WANDB_API_KEY", double::KEY);
    if let Some(double) = double {
        command.env("WANDB_BASE_URL", double.url());
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}{complaints}");
    said
}

/// The little run that all tests log; `fixed.py` logs the same with W&B's client.
fn log_fixed_run(root: &Path) -> RunDir {
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
    run.log(0, [("loss", 1.0), ("train/acc", 0.5)]);
    run.log(1, [("loss", f64::NAN), ("x", f64::INFINITY)]);
    run.log(1, [("val/l", 3.0), ("epoch", 1.0)]);
    run.log(2, [("val/l", 2.0), ("epoch", 2.0)]);
    run.log(3, [("val/l", 4.0), ("epoch", 3.0), ("loss", 0.25)]);
    wait_until_written(&run);
    run.log_value(5, "note", "hello");
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

fn carry(run: &RunDir, sink: impl Sink) {
    let ledger = Ledger::open(run, "wandb", "a test").unwrap();
    let mut target = Events::new(run.clone(), ledger, sink).unwrap();
    while !target.carry().unwrap().is_done {}
}

/// The folder of the only run in `within`.
fn only_folder(within: &Path) -> PathBuf {
    let mut folders = fs::read_dir(within).unwrap();
    let folder = folders.next().unwrap().unwrap().path();
    assert!(folders.next().is_none());
    folder
}

/// Records as W&B's own messages read them.
fn records(folder: &Path, within: &Path) -> Vec<Json> {
    let file = folder.join("run-abc123.wandb");
    let said = script("read.py", &[file.to_str().unwrap()], None, within);
    said.lines().map(|line| parse(line)).collect()
}

/// JSON as Python writes it: NaN and infinities become text.
fn parse(text: &str) -> Json {
    let plain = [
        ("NaN", "\"NaN\""),
        ("-Infinity", "\"-Infinity\""),
        ("Infinity", "\"Infinity\""),
    ];
    if let Ok(json) = serde_json::from_str(text) {
        return json;
    }
    let mut text = text.to_owned();
    for (token, quoted) in plain {
        text = text.replace(&format!(":{token}"), &format!(":{quoted}"));
        if text == token {
            text = quoted.to_owned();
        }
    }
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// Items of a record as one object.
fn items(record: &Json, name: &str) -> Map<String, Json> {
    let mut object = Map::new();
    for item in record[name].as_array().into_iter().flatten() {
        let path = match item.get("nested_key") {
            Some(path) => path
                .as_array()
                .unwrap()
                .iter()
                .map(|p| p.as_str().unwrap())
                .collect(),
            None => vec![item["key"].as_str().unwrap()],
        };
        let mut at = &mut object;
        for part in &path[..path.len() - 1] {
            let next = at.entry(*part).or_insert_with(|| json!({}));
            at = next.as_object_mut().unwrap();
        }
        let value = parse(item["value_json"].as_str().unwrap());
        at.insert(path[path.len() - 1].to_owned(), value);
    }
    object
}

/// Without what differs from run to run.
fn timeless(mut row: Map<String, Json>) -> Json {
    for name in ["_timestamp", "_runtime", "_wandb"] {
        row.remove(name);
    }
    whole_numbers(&mut row);
    sorted(&Json::Object(row))
}

/// W&B writes 1.0 as 1.
fn whole_numbers(row: &mut Map<String, Json>) {
    for value in row.values_mut() {
        match value {
            Json::Number(number) => {
                let float = number.as_f64().unwrap();
                *value = json!(float);
            }
            Json::Object(object) => whole_numbers(object),
            Json::Array(list) => list.iter_mut().for_each(|value| {
                if let Some(float) = value.as_f64() {
                    *value = json!(float);
                }
            }),
            _ => {}
        }
    }
}

fn sorted(json: &Json) -> Json {
    match json {
        Json::Object(object) => {
            let mut keys: Vec<_> = object.iter().collect();
            keys.sort_by_key(|(key, _)| *key);
            let keys = keys.into_iter().map(|(k, v)| (k.clone(), sorted(v)));
            Json::Object(keys.collect())
        }
        other => other.clone(),
    }
}

fn fixed_rows() -> Vec<Json> {
    let rows = [
        json!({"_step": 0, "loss": 1.0, "train/acc": 0.5}),
        json!({"_step": 1, "loss": "NaN", "x": "Infinity", "val/l": 3.0, "epoch": 1.0}),
        json!({"_step": 2, "val/l": 2.0, "epoch": 2.0}),
        json!({"_step": 3, "val/l": 4.0, "epoch": 3.0, "loss": 0.25}),
        json!({"_step": 5, "note": "hello"}),
    ];
    rows.into_iter()
        .map(|row| timeless(row.as_object().unwrap().clone()))
        .collect()
}

fn fixed_summary() -> Json {
    let summary = json!({
        "_step": 5, "loss": 0.25, "train/acc": 0.5, "x": "Infinity", "val/l": {"min": 2.0}, "epoch": 3.0, "note": "hello", "best": 5,
    });
    timeless(summary.as_object().unwrap().clone())
}

#[test]
#[ignore = "needs wandb: cargo xtask test"]
fn wandbs_own_messages_read_what_was_logged() {
    let dir = tempfile::tempdir().unwrap();
    let run = log_fixed_run(&dir.path().join("root"));
    let within = dir.path().join("wandb");
    carry(&run, OfflineRun::new(&within));
    let folder = only_folder(&within);
    let name = folder.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("offline-run-2") && name.ends_with("-abc123"));

    let records = records(&folder, dir.path());
    let of = |kind: &str| {
        records
            .iter()
            .filter_map(|r| r.get(kind))
            .cloned()
            .collect::<Vec<_>>()
    };
    let numbers: Vec<u64> = records
        .iter()
        .map(|r| r["num"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64));
    assert!(records[0].get("header").is_some() && records[1].get("run").is_some());
    let head = &of("run")[0];
    for (name, value) in [
        ("run_id", json!("abc123")),
        ("project", json!("harbor")),
        ("display_name", json!("nm")),
        ("run_group", json!("g")),
        ("job_type", json!("train")),
        ("notes", json!("n")),
        ("tags", json!(["a", "b"])),
    ] {
        assert_eq!(head[name], value, "{name}");
    }
    let config = items(&head["config"], "update");
    assert_eq!(
        Json::Object(config),
        json!({"lr": 0.1, "opt": {"name": "adam"}})
    );
    assert_eq!(
        items(&of("config")[0], "update"),
        *json!({"new": 1}).as_object().unwrap()
    );
    let rows: Vec<Json> = of("history")
        .iter()
        .map(|r| timeless(items(r, "item")))
        .collect();
    assert_eq!(rows, fixed_rows());
    let mut summary = Map::new();
    for record in of("summary") {
        summary.extend(items(&record, "update"));
    }
    assert_eq!(timeless(summary), fixed_summary());
    assert_eq!(of("metric")[0]["glob_name"], "val/*");
    assert_eq!(of("metric")[0]["summary"], json!({"min": true}));
    let alert = &of("alert")[0];
    assert_eq!(
        (&alert["title"], &alert["text"], &alert["level"]),
        (&json!("T"), &json!("text"), &json!("WARN"))
    );
    assert_eq!(
        records.last().unwrap()["exit"].get("exit_code"),
        None,
        "0 is left out"
    );
}
