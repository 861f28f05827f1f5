//! Folders that W&B's own messages read and `wandb sync` takes.

use std::path::Path;

use cresset_ship::wandb::OfflineRun;
use serde_json::{Map, Value as Json, json};

use crate::client::{script, sync};
use crate::double::Double;
use crate::fixed::{fixed_rows, fixed_summary, log_fixed_run};
use crate::heard::{config, exit, parse, streamed_rows, streamed_summary, timeless};
use crate::support::{carry, only_folder};

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

#[test]
#[ignore = "needs wandb: cargo xtask test"]
fn wandb_sync_takes_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let run = log_fixed_run(&dir.path().join("root"));
    let within = dir.path().join("wandb");
    carry(&run, OfflineRun::new(&within));
    let (folder, double) = (only_folder(&within), Double::start());
    sync(&folder, &double, dir.path());
    let heard = double.heard();
    assert_eq!(streamed_rows(&heard), fixed_rows());
    assert_eq!(streamed_summary(&heard), fixed_summary());
    assert_eq!(exit(&heard), [(json!(true), json!(0))]);
    let config = config(&heard);
    assert_eq!(config["lr"]["value"], json!(0.1));
    assert_eq!(config["new"]["value"], json!(1));
    let bucket = heard
        .iter()
        .find_map(|e| e.variables("upsertBucket"))
        .unwrap();
    assert_eq!(
        (&bucket["name"], &bucket["displayName"]),
        (&json!("abc123"), &json!("nm"))
    );
    assert_eq!(
        (&bucket["groupName"], &bucket["jobType"]),
        (&json!("g"), &json!("train"))
    );
    let alerts: Vec<Json> = heard
        .iter()
        .filter_map(|e| e.variables("notifyScriptableRunAlert"))
        .collect();
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["severity"], "WARN");
    assert!(
        folder.join("run-abc123.wandb.synced").exists(),
        "marked as sent"
    );
}

/// Records as W&B's own messages read them.
fn records(folder: &Path, within: &Path) -> Vec<Json> {
    let file = folder.join("run-abc123.wandb");
    let said = script("read.py", &[file.to_str().unwrap()], None, within);
    said.lines().map(parse).collect()
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
