//! Runs at a real MLflow server, read back by MLflow's own client.
//!
//! `CRESSET_MLFLOW_PYTHON` is a Python that has MLflow; `cargo xtask test` sets it.

#[path = "mlflow/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cresset_record::{Follower, Record, RunDir};
use cresset_run::{Level, Run};
use cresset_ship::mlflow::{Credentials, MlflowRun};
use cresset_ship::{Events, Ledger, Target};
use serde_json::{Value as Json, json};

use server::{Server, server};

fn carry(address: &str, run: &RunDir) {
    let sink = MlflowRun::new(address, &Credentials::None)
        .unwrap()
        .user("ada");
    let ledger = Ledger::open(run, "mlflow", address).unwrap();
    let mut events = Events::new(run.clone(), ledger, sink).unwrap();
    while !events.carry().unwrap().is_done {}
}

/// A run with something of everything.
fn record(root: &Path, project: &str) -> RunDir {
    let run = cresset_run::init(project)
        .dir(root)
        .name("brave-otter-1")
        .group("sweep 7")
        .job_type("train")
        .tags(["baseline", "größe"])
        .notes("A *first* try.")
        .config(&json!({
            "seed": 7,
            "optimizer": {"name": "adamw", "lr": 3e-4, "betas": [0.9, 0.999]},
            "prompt": "x".repeat(7000),
        }))
        .start()
        .unwrap();
    scalars(&run);
    run.update_config(&json!({"seed": 8, "late": true}));
    run.set_summary("val/best", 0.875);
    run.set_summary("verdict", "good");
    run.alert(Level::Warn, "NaN in train/loss", "at step 3");
    let dir = run.dir().unwrap().to_owned();
    assert!(run.finish().complete);
    RunDir::new(dir)
}

fn scalars(run: &Run) {
    for step in 0..50u64 {
        let loss = match step {
            3 => f64::NAN,
            4 => f64::INFINITY,
            _ => 1.0 / (step + 1) as f64,
        };
        run.log(
            step,
            [("train/loss", loss), ("val/mAP@0.5", step as f64 / 50.0)],
        );
        run.log(
            step,
            [
                ("system/gpu/0/utilization", 90.0 + (step % 7) as f64),
                ("system/gpu/0/memory_used", 20e9 + step as f64 * 1e8),
                ("system/gpu/0/memory_total", 80e9),
                ("system/gpu/0/power", 400.0 + step as f64),
                ("system/gpu/0/power_limit", 700.0),
                ("system/host/cpu_machine", 30.0 + (step % 5) as f64),
                ("system/host/memory_used", 8e9),
                ("system/host/memory_limit", 32e9),
                ("system/host/network_received", 2e6),
                ("system/host/load", 1.5),
            ],
        );
    }
}

/// Every point of these keys in the log, as MLflow's client gives them.
fn points(run: &RunDir) -> BTreeMap<String, Vec<Json>> {
    let mut follower = Follower::new(run.clone());
    let (mut keys, mut points) = (BTreeMap::new(), BTreeMap::<String, Vec<Json>>::new());
    while let Some(batch) = follower.next_batch().unwrap() {
        for record in batch.records {
            match record {
                Record::Key { id, key } => drop(keys.insert(id.0, key.to_string())),
                Record::Rows(rows) => {
                    for row in rows {
                        for (id, value) in row.points {
                            let value = match value {
                                v if v.is_nan() => json!("nan"),
                                // What MLflow's SQL stores make of it.
                                f64::INFINITY => json!(f64::MAX),
                                v => json!(v),
                            };
                            let point = json!([row.step, row.time.0 / 1000, value]);
                            points.entry(keys[&id.0].clone()).or_default().push(point);
                        }
                    }
                }
                _ => {}
            }
        }
    }
    for points in points.values_mut() {
        // The order of `read.py`, and equal points once.
        points.sort_by_key(Json::to_string);
        points.dedup();
    }
    points
}

fn sorted(points: &Json) -> Vec<Json> {
    let mut points = points.as_array().unwrap().clone();
    points.sort_by_key(Json::to_string);
    points
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn a_run_is_there_whole() {
    let root = tempfile::tempdir().unwrap();
    let run = record(root.path(), "solder-joints");
    let server = server();
    carry(server.address(), &run);
    let runs = server.read("solder-joints");
    assert_eq!(runs.len(), 1);
    let there = &runs[0];

    assert_eq!(there["name"], "brave-otter-1");
    assert_eq!(there["status"], "FINISHED");
    assert!(there["end_time"].as_i64() >= there["start_time"].as_i64());
    for (tag, value) in [
        ("cresset.run_id", run.id_text()),
        ("cresset.tags", "baseline, größe"),
        ("cresset.group", "sweep 7"),
        ("cresset.job_type", "train"),
        ("cresset.state", "finished"),
        ("cresset.alert", "NaN in train/loss"),
        ("mlflow.note.content", "A *first* try."),
        ("mlflow.user", "ada"),
        ("mlflow.source.type", "LOCAL"),
        ("config.seed", "8"),
        ("summary.verdict", "good"),
    ] {
        assert_eq!(there["tags"][tag], value, "{tag}");
    }
    for (param, value) in [
        ("seed", "7"),
        ("optimizer.name", "adamw"),
        ("optimizer.lr", "0.0003"),
        ("optimizer.betas", "[0.9,0.999]"),
        ("late", "true"),
    ] {
        assert_eq!(there["params"][param], value, "{param}");
    }

    let logged = points(&run);
    let metrics = &there["metrics"];
    assert_eq!(sorted(&metrics["train/loss"]), logged["train/loss"]);
    assert_eq!(metrics["train/loss"].as_array().unwrap().len(), 50);
    for (theirs, ours, unit) in [
        (
            "system/gpu_0_utilization_percentage",
            "system/gpu/0/utilization",
            1.0,
        ),
        (
            "system/gpu_0_memory_usage_megabytes",
            "system/gpu/0/memory_used",
            1e6,
        ),
        ("system/gpu_0_power_usage_watts", "system/gpu/0/power", 1.0),
        (
            "system/cpu_utilization_percentage",
            "system/host/cpu_machine",
            1.0,
        ),
        (
            "system/system_memory_usage_megabytes",
            "system/host/memory_used",
            1e6,
        ),
        ("system/host/load", "system/host/load", 1.0),
    ] {
        let mut logged = logged[ours].clone();
        for point in &mut logged {
            point[2] = json!(point[2].as_f64().unwrap() / unit);
        }
        logged.sort_by_key(Json::to_string);
        assert_eq!(sorted(&metrics[theirs]), logged, "{theirs}");
    }
    assert_eq!(metrics["summary/val/best"][0][2], 0.875);
    let mended = metrics.as_object().unwrap().keys();
    assert_eq!(
        mended.filter(|key| key.starts_with("val/mAP_0.5-")).count(),
        1
    );
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn twice_is_once() {
    let root = tempfile::tempdir().unwrap();
    let run = record(root.path(), "twice");
    let server = server();
    carry(server.address(), &run);
    let once = server.read("twice");
    fs::remove_file(run.path().join("ship-mlflow.json")).unwrap();
    carry(server.address(), &run);
    assert_eq!(server.read("twice"), once);
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn a_server_that_was_away_gets_the_rest() {
    let root = tempfile::tempdir().unwrap();
    let run = cresset_run::init("away").dir(root.path()).start().unwrap();
    let dir = RunDir::new(run.dir().unwrap());
    let mut server = server();
    let address = server.address().to_owned();
    let sink = MlflowRun::new(&address, &Credentials::None).unwrap();
    let ledger = Ledger::open(&dir, "mlflow", &address).unwrap();
    let mut events = Events::new(dir.clone(), ledger, sink).unwrap();
    let level = |events: &mut Events<MlflowRun>, frames: u64| {
        let mut carried = 0;
        while carried < frames {
            carried += events.carry().unwrap().frames;
        }
    };
    run.log(0, [("loss", 1.0)]);
    level(&mut events, 2);

    server.stop();
    run.log(1, [("loss", 0.5)]);
    run.update_config(&json!({"lr": 0.1}));
    drop(run);
    let error = events.carry().unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert!(error.to_string().contains(&address), "{error}");
    // As after a kill of the one who carries.
    drop(events);

    server.start();
    carry(&address, &dir);
    let runs = server.read("away");
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["params"]["lr"], "0.1");
    assert_eq!(sorted(&runs[0]["metrics"]["loss"]), points(&dir)["loss"]);
    assert_eq!(runs[0]["status"], "FINISHED");
    let _: &Server = &server;
}
