//! What goes where.

use cresset_record::{Root, RunDir, RunView, pattern_matches};
use cresset_ship::mlflow::{Credentials, MlflowRun};
use cresset_ship::{Destination, Events, Ledger, Target};
use serde_json::{Value as Json, json};

use crate::server::server;
use crate::support::{carry, points, record, sorted};

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
        json("alerts.json")[1]["alert"]["title"],
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
fn what_is_not_selected_is_nowhere_also_not_in_what_is_told_at_the_end() {
    let root = tempfile::tempdir().unwrap();
    let run = record(root.path(), "selected");
    let server = server();
    let place = format!(
        "mlflow+{}?keys=val/*,train/loss&without=val/answer&redact=config.prompt,notes,console,alerts",
        server.address()
    );
    let place: Destination = place.parse().unwrap();
    let mut target = place.open(&run, &|_| None).unwrap();
    while !target.carry().unwrap().is_done {}
    let runs = server.read("selected");
    let there = &runs[0];
    assert_eq!(sorted(&there["metrics"]["train/loss"]).len(), 50);
    assert_eq!(there["params"]["optimizer.lr"], "0.0003");
    assert_eq!(there["tags"]["mlflow.note.content"], "(redacted)");
    // Nobody is said to MLflow, so it is whose account the run ran as.
    let here = RunView::open(run).unwrap();
    let account = &here.environment()["host"]["user"];
    assert_eq!(&there["tags"]["mlflow.user"], account);
    assert!(account.is_string());
    let artifacts = &there["artifacts"];
    assert!(
        artifacts["console.log"]
            .as_str()
            .unwrap()
            .contains("(redacted)")
    );
    let mut told = there.clone();
    // These have what is not committed here, and that may be this test.
    let artifacts = told["artifacts"].as_object_mut().unwrap();
    assert!(artifacts.remove("environment.json").is_some());
    artifacts.remove("git.diff");
    let text = told.to_string();
    for secret in [
        "word word",
        "*first*",
        "evaluating",
        "NaN in train/loss",
        "says ü",
        "gradients",
        "model.safetensors",
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
}
