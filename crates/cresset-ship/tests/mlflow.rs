//! Runs at a real MLflow server, read back by MLflow's own client.
//!
//! `CRESSET_MLFLOW_PYTHON` is a Python that has MLflow; `cargo xtask test` sets it.

#[path = "mlflow/proxy.rs"]
mod proxy;
#[path = "mlflow/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use cresset_record::{Follower, Record, Root, RunDir, pattern_matches};
use cresset_run::{
    Audio, BoundingBox, Definition, Figure, File, Html, Image, Level, Run, Table, figures,
};
use cresset_ship::mlflow::{Credentials, MlflowRun};
use cresset_ship::{Events, Ledger, Target};
use serde_json::{Value as Json, json};

use tracing_subscriber::layer::SubscriberExt as _;

use proxy::{Proxy, Trouble};
use server::server;

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
fn media_are_artifacts_that_the_page_shows() {
    let root = tempfile::tempdir().unwrap();
    let run = record(root.path(), "media");
    let server = server();
    carry(server.address(), &run);
    let runs = server.read("media");
    let there = &runs[0];
    let artifacts = there["artifacts"].as_object().unwrap();
    let json = |path: &str| -> Json {
        let text = artifacts.get(path).and_then(Json::as_str);
        let text = text.unwrap_or_else(|| panic!("{path} in {:?}", artifacts.keys()));
        serde_json::from_str(text).unwrap()
    };
    let matching = |pattern: &str| {
        let keys = artifacts.keys();
        keys.filter(|path| pattern_matches(pattern, path)).count()
    };

    assert_eq!(json("config.json")["seed"], 8);
    assert_eq!(json("config.json")["prompt"].as_str().unwrap().len(), 7000);
    let prompt = there["params"]["prompt"].as_str().unwrap();
    assert!(prompt.chars().count() == 6000 && prompt.ends_with('…'));
    assert_eq!(
        json("summary.json"),
        json!({"val/best": 0.875, "verdict": "good"})
    );
    assert_eq!(json("definitions.json")[0]["pattern"], "val/*");
    assert_eq!(
        json("alerts.json")[0]["alert"]["title"],
        "NaN in train/loss"
    );
    assert!(json("environment.json")["program"]["executable"].is_string());
    let console = artifacts["console.log"].as_str().unwrap();
    assert!(
        console.contains("INFO") && console.ends_with("evaluating epoch=3\n"),
        "{console}"
    );

    assert_eq!(there["tags"]["mlflow.loggedImages"], "True");
    for step in ["0", "10", "20", "30", "40"] {
        for (ending, magic) in [
            (".png", "base64:iVBOR"),
            ("+compressed.webp", "base64:UklGR"),
        ] {
            let pattern = format!("images/val~worst~true+step+{step}+timestamp+*{ending}");
            assert_eq!(matching(&pattern), 1, "{pattern}");
            let found = artifacts
                .iter()
                .find(|(path, _)| pattern_matches(&pattern, path));
            assert!(found.unwrap().1.as_str().unwrap().starts_with(magic));
        }
        let table = json(&format!("tables/val/classes/{step}.json"));
        assert_eq!(table["columns"], json!(["class", "recall"]));
        assert_eq!(table["data"], json!([["good", 0.9], ["bridge", 0.7]]));
        let figure = json(&format!("figures/val/confusion/{step}.json"));
        assert_eq!(figure["counts"], json!([[90, 10], [3, 7]]));
        assert_eq!(matching(&format!("figures/val/confusion/{step}.html")), 1);
        assert_eq!(matching(&format!("media/val/answer/{step}-*.txt")), 1);
        let histogram = json(&format!("histograms/gradients/fc1.weight/{step}.json"));
        assert_eq!(
            (&histogram["count"], &histogram["nan"]),
            (&json!(3), &json!(1))
        );
    }
    let tables: Json =
        serde_json::from_str(there["tags"]["mlflow.loggedArtifacts"].as_str().unwrap()).unwrap();
    assert_eq!(
        tables[4],
        json!({"path": "tables/val/classes/40.json", "type": "table"})
    );
    // 32, 32 of every second of the next 64, and every fourth of the last 4.
    assert_eq!(
        matching("histograms/parameters/fc1.weight/*.json"),
        32 + 32 + 1
    );
    let left_out = there["tags"]["cresset.left_out"].as_str().unwrap();
    assert!(left_out.starts_with("35 histograms"), "{left_out}");

    let model = artifacts["checkpoints/model/9/model.safetensors"].as_str();
    assert_eq!(model.unwrap().len(), 3_000_000);
    assert_eq!(
        json("checkpoints/model/9/model.safetensors.metadata.json")["epoch"],
        3
    );
    assert_eq!(artifacts["media/bbox/9/empty.bin"], "");
    assert_eq!(matching("media/sound/9-*.wav"), 1);
    assert_eq!(matching("media/report/9-*.html"), 1);
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
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn lost_answers_change_nothing() {
    let root = tempfile::tempdir().unwrap();
    let run = cresset_run::init("lost").dir(root.path()).start().unwrap();
    let dir = RunDir::new(run.dir().unwrap());
    scalars(&run);
    run.update_config(&json!({"lr": 0.1}));
    run.set_summary("best", 0.5);
    let pixels = vec![9u8; 12];
    run.log_value(3, "picture", Image::from_hwc_u8(pixels, 2, 2, 3).unwrap());
    drop(run);
    let server = server();
    let proxy = Proxy::new(server.address(), Trouble::LosesAnswers);
    for attempt in 0.. {
        let sink = MlflowRun::new(proxy.address(), &Credentials::None).unwrap();
        let ledger = Ledger::open(&dir, "mlflow", proxy.address()).unwrap();
        let mut events = Events::new(dir.clone(), ledger, sink).unwrap();
        match events.carry() {
            Ok(progress) if progress.is_done => break,
            Err(error) => assert!(error.is_temporary(), "{error}"),
            Ok(_) => {}
        }
        assert!(attempt < 100);
    }
    assert!(proxy.lost() > 10, "{}", proxy.lost());
    let runs = server.read("lost");
    assert_eq!(runs.len(), 1);
    let there = &runs[0];
    assert_eq!(there["status"], "FINISHED");
    assert_eq!(there["params"], json!({"lr": "0.1"}));
    assert_eq!(
        sorted(&there["metrics"]["train/loss"]),
        points(&dir)["train/loss"]
    );
    let received = &there["metrics"]["system/network_receive_megabytes"];
    assert_eq!(received.as_array().unwrap().len(), 50);
    let artifacts = there["artifacts"].as_object().unwrap();
    let images = artifacts.keys().filter(|path| path.starts_with("images/"));
    assert_eq!(images.count(), 2);
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn ranks_stay_apart_in_one_run() {
    let root = tempfile::tempdir().unwrap();
    let id = "two-ranks";
    // The second rank begins first.
    for rank in [1, 0] {
        let run = cresset_run::init("ranks")
            .dir(root.path())
            .id(id)
            .rank(rank, 2);
        let run = run
            .name(format!("rank-{rank}"))
            .config(&json!({"rank": rank}));
        let run = run.start().unwrap();
        run.log(
            0,
            [("loss", f64::from(rank)), ("system/host/cpu_machine", 7.0)],
        );
        run.log_value(0, "said", format!("by {rank}"));
        assert!(run.finish().complete);
    }
    let dir = Root::new(root.path()).find(id).unwrap().remove(0);
    let server = server();
    carry(server.address(), &dir);
    let runs = server.read("ranks");
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["name"], "rank-0");
    assert_eq!(runs[0]["tags"]["cresset.world_size"], "2");
    let metrics = &runs[0]["metrics"];
    assert_eq!(metrics["loss"][0][2], 0.0);
    assert_eq!(metrics["rank_1/loss"][0][2], 1.0);
    assert_eq!(metrics["system/cpu_utilization_percentage"][0][2], 7.0);
    assert_eq!(
        metrics["system/rank_1/cpu_utilization_percentage"][0][2],
        7.0
    );
    let artifacts = runs[0]["artifacts"].as_object().unwrap();
    let said = |pattern: &str| {
        let found = artifacts
            .iter()
            .find(|(path, _)| pattern_matches(pattern, path));
        found.map(|(_, text)| text.as_str().unwrap_or_default())
    };
    assert_eq!(said("media/said/0-*.txt"), Some("by 0"));
    assert_eq!(said("rank_1/media/said/0-*.txt"), Some("by 1"));
    assert!(said("rank_1/environment.json").is_some());
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn a_run_that_is_taken_up_again_runs_again() {
    let root = tempfile::tempdir().unwrap();
    let run = cresset_run::init("again").dir(root.path()).start().unwrap();
    let dir = RunDir::new(run.dir().unwrap());
    run.log(0, [("loss", 1.0)]);
    run.fail("out of memory");
    drop(run);
    let server = server();
    carry(server.address(), &dir);
    let failed = server.read("again").remove(0);
    assert_eq!(failed["status"], "FAILED");
    assert_eq!(failed["tags"]["cresset.reason"], "out of memory");

    let run = cresset_run::init("again")
        .dir(root.path())
        .resume(dir.id_text());
    let run = run.start().unwrap();
    run.log(1, [("loss", 0.5)]);
    let sink = MlflowRun::new(server.address(), &Credentials::None).unwrap();
    let ledger = Ledger::open(&dir, "mlflow", server.address()).unwrap();
    let mut events = Events::new(dir.clone(), ledger, sink).unwrap();
    while events.carry().unwrap().frames == 0 {}
    assert_eq!(server.read("again")[0]["status"], "RUNNING");
    run.stop("enough");
    drop(run);
    while !events.carry().unwrap().is_done {}
    let runs = server.read("again");
    assert_eq!((runs.len(), &runs[0]["id"]), (1, &failed["id"]));
    assert_eq!(runs[0]["status"], "KILLED");
    assert_eq!(runs[0]["tags"]["cresset.reason"], "enough");
    assert_eq!(runs[0]["metrics"]["loss"].as_array().unwrap().len(), 2);
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn artifacts_that_the_server_does_not_keep_are_counted() {
    let root = tempfile::tempdir().unwrap();
    let run = record(root.path(), "bucket");
    let server = server();
    server.experiment_with_artifacts_at("bucket", "s3://somewhere/else");
    carry(server.address(), &run);
    let there = &server.read("bucket")[0];
    assert_eq!(
        sorted(&there["metrics"]["train/loss"]),
        points(&run)["train/loss"]
    );
    let told = there["tags"]["cresset.artifacts"].as_str().unwrap();
    assert!(told.contains("s3://somewhere/else"), "{told}");
    let left_out = there["tags"]["cresset.left_out"].as_str().unwrap();
    assert!(
        left_out.contains("artifacts, which the server does not keep"),
        "{left_out}"
    );
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn what_cannot_be_carried_holds_nothing_up() {
    let root = tempfile::tempdir().unwrap();
    let run = record(root.path(), "held");
    fs::remove_dir_all(run.path().join("blobs")).unwrap();
    let server = server();
    let proxy = Proxy::new(server.address(), Trouble::RefusesUploads);
    carry(proxy.address(), &run);
    let there = &server.read("held")[0];
    assert_eq!(there["status"], "FINISHED");
    assert_eq!(
        sorted(&there["metrics"]["train/loss"]),
        points(&run)["train/loss"]
    );
    let left_out = there["tags"]["cresset.left_out"].as_str().unwrap();
    for what in ["gone here", "gone or damaged here", "the server refused"] {
        assert!(left_out.contains(what), "{left_out}");
    }
    let told = there["tags"]["cresset.artifacts"].as_str().unwrap();
    assert!(told.contains("413: too large"), "{told}");
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn runs_that_begin_together_make_one_experiment() {
    let root = tempfile::tempdir().unwrap();
    let runs = [1, 2, 3, 4].map(|i| {
        let run = cresset_run::init("together")
            .dir(root.path())
            .start()
            .unwrap();
        run.log(0, [("loss", f64::from(i))]);
        RunDir::new(run.dir().unwrap())
    });
    let server = server();
    let address = server.address();
    thread::scope(|scope| {
        for run in &runs {
            scope.spawn(move || carry(address, run));
        }
    });
    assert_eq!(server.read("together").len(), 4);
}

/// Answers every request with this, until the test is over.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut line = String::new();
            let mut length = 0;
            while stream.read_line(&mut line).is_ok_and(|n| n > 2) {
                let lower = line.to_ascii_lowercase();
                if let Some(n) = lower.strip_prefix("content-length:") {
                    length = n.trim().parse().unwrap();
                }
                line.clear();
            }
            io::copy(&mut stream.by_ref().take(length), &mut io::sink()).unwrap();
            let _ = stream.get_mut().write_all(answer.as_bytes());
        }
    });
    format!("http://{address}")
}

#[test]
fn a_server_that_says_no_is_named_with_what_it_said() {
    let root = tempfile::tempdir().unwrap();
    let run = cresset_run::init("refused")
        .dir(root.path())
        .start()
        .unwrap();
    let dir = RunDir::new(run.dir().unwrap());
    drop(run);
    let attempt = |address: &str| {
        let credentials = Credentials::Basic {
            user: "ada".into(),
            password: "wrong".into(),
        };
        let sink = MlflowRun::new(address, &credentials).unwrap();
        let ledger = Ledger::open(&dir, "mlflow", address).unwrap();
        let mut events = Events::new(dir.clone(), ledger, sink).unwrap();
        events.carry().unwrap_err()
    };
    let no = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 30\r\nconnection: close\r\n\r\nYou are not authenticated. See";
    let other = "HTTP/1.1 200 OK\r\ncontent-length: 13\r\nconnection: close\r\n\r\n<html></html>";
    for (answer, expected) in [
        (no, "401: You are not authenticated"),
        (other, "something else than JSON"),
    ] {
        let address = answering(answer);
        let error = attempt(&address);
        assert!(!error.is_temporary(), "{error}");
        let said = error.to_string();
        assert!(said.contains(expected) && said.contains(&address), "{said}");
        assert!(!said.contains("wrong"), "{said}");
    }
    let error = attempt("http://127.0.0.1:9");
    assert!(
        error.is_temporary() && error.to_string().contains("127.0.0.1:9"),
        "{error}"
    );
    let none = MlflowRun::new("localhost:5000", &Credentials::None).unwrap_err();
    assert!(none.to_string().contains("`localhost:5000`"), "{none}");
}
