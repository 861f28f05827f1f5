//! Runs to carry, and what their logs say.

use std::collections::BTreeMap;
use std::path::Path;

use cresset_record::{Follower, Record, RunDir};
use cresset_run::{
    Audio, BoundingBox, Definition, Figure, File, Html, Image, Level, Run, Table, figures,
};
use cresset_ship::mlflow::{Credentials, MlflowRun};
use cresset_ship::{Events, Ledger, Target};
use serde_json::{Value as Json, json};
use tracing_subscriber::layer::SubscriberExt as _;

pub(crate) fn carry(address: &str, run: &RunDir) {
    let sink = MlflowRun::new(address, &Credentials::None)
        .unwrap()
        .user("ada");
    let ledger = Ledger::open(run, "mlflow", address).unwrap();
    let mut events = Events::new(run.clone(), ledger, sink).unwrap();
    while !events.carry().unwrap().is_done {}
}

/// A run with something of everything.
pub(crate) fn record(root: &Path, project: &str) -> RunDir {
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
            "prompt": "word ".repeat(1400),
        }))
        .start()
        .unwrap();
    scalars(&run);
    media(&run);
    let subscriber = tracing_subscriber::registry().with(run.console_layer());
    tracing::subscriber::with_default(subscriber, || tracing::info!(epoch = 3, "evaluating"));
    run.define(Definition::new("val/*").maximize());
    run.update_config(&json!({"seed": 8, "late": true}));
    run.set_summary("val/best", 0.875);
    run.set_summary("verdict", "good");
    run.alert(Level::Warn, "NaN in train/loss", "at step 3");
    let dir = run.dir().unwrap().to_owned();
    assert!(run.finish().complete);
    RunDir::new(dir)
}

pub(crate) fn scalars(run: &Run) {
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

fn media(run: &Run) {
    for step in (0..50u64).step_by(10) {
        for shade in [step as u8, 250] {
            let pixels: Vec<u8> = (0..300 * 200 * 3u32)
                .map(|i| {
                    if i % 3 == 0 {
                        (i / 900 % 256) as u8
                    } else {
                        shade
                    }
                })
                .collect();
            let image = Image::from_hwc_u8(pixels, 200, 300, 3).unwrap();
            let image = image.caption("a joint").boxed(BoundingBox {
                x: 1.0,
                y: 2.0,
                width: 30.0,
                height: 40.0,
                label: "bridge".into(),
                score: Some(0.5),
            });
            let mask = vec![1; 300 * 200];
            let image = image.mask("truth", mask, ["back", "bridge"]).unwrap();
            run.log_value(step, format!("val/worst/{}", shade == 250).as_str(), image);
        }
        let table = Table {
            columns: vec!["class".into(), "recall".into()],
            rows: vec![
                vec!["good".into(), 0.9.into()],
                vec!["bridge".into(), 0.7.into()],
            ],
        };
        run.log_value(step, "val/classes", table);
        let figure = Figure::ConfusionMatrix {
            classes: vec!["good".into(), "bridge".into()],
            counts: vec![vec![90, 10], vec![3, 7]],
        };
        run.log_value(step, "val/confusion", figure);
        let x: Vec<f64> = (0..50).map(|i| f64::from(i) / 49.0).collect();
        let y: Vec<f64> = x.iter().map(|x| x.sqrt()).collect();
        let mut curve = figures::curve("bridge", &x, &y);
        curve.area = Some(0.91);
        let roc = Figure::Roc {
            curves: vec![curve],
        };
        run.log_value(step, "val/roc", roc);
        run.log_value(step, "val/answer", format!("step {step} says ü"));
        run.log_histogram(step, "gradients/fc1.weight", &[0.5f32, -1.0, f32::NAN]);
    }
    for step in 0..100 {
        run.log_histogram(step, "parameters/fc1.weight", &[step as f32]);
    }
    run.log_value(9, "report", Html::new("<p>fine</p>"));
    let sound = Audio::from_f32(vec![0.0; 800], 8000, 1).unwrap();
    run.log_value(9, "sound", sound);
    let model = File::from_bytes("model.safetensors", vec![7u8; 3_000_000]);
    let model = model.role("checkpoint").metadata("epoch", 3);
    run.log_value(9, "model", model);
    run.log_value(9, "bbox", File::from_bytes("empty.bin", Vec::new()));
}

/// Every point of these keys in the log, as MLflow's client gives them.
pub(crate) fn points(run: &RunDir) -> BTreeMap<String, Vec<Json>> {
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

pub(crate) fn sorted(points: &Json) -> Vec<Json> {
    let mut points = points.as_array().unwrap().clone();
    points.sort_by_key(Json::to_string);
    points
}
