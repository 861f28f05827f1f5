//! Runs for W&B, against what W&B's own package makes and takes.
//!
//! These need Python with wandb, which `cargo xtask test` sets up and names in `CRESSET_WANDB_PYTHON`.

#[path = "wandb/double.rs"]
mod double;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cresset_record::{
    BoundingBox, ConsoleLine, Definition, Figure, Key, Level, Rank, Root, RunDir, RunView, State,
    SummaryRule, Table, Timestamp,
};
use cresset_run::{File, Html, Image, PointCloud, Run, init};
use cresset_ship::import::{self, ImportError, ImportOptions};
use cresset_ship::wandb::{OfflineRun, OnlineRun};
use cresset_ship::{Event, Events, Ledger, Memory, ShipError, Sink, Target};
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
    match double {
        Some(double) => command.env("WANDB_BASE_URL", double.url()),
        None => command.env("WANDB_MODE", "offline"),
    };
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
    run.log_histogram(6, "weights", &[1.0f32, 2.0, 3.0][..]);
    run.log_value(7, "page", Html::new("<b>x</b>"));
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
    said.lines().map(parse).collect()
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

/// W&B's client has a count of its own, one behind the step, in names of files.
fn renumbered(text: &str) -> String {
    text.replace("page_6_", "page_7_")
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

fn weights() -> Json {
    let edges = [0.5f64.sqrt(), 1.0, 2f64.sqrt(), 2.0, 8f64.sqrt(), 4.0];
    json!({"_type": "histogram", "bins": edges, "values": [1, 0, 1, 0, 1]})
}

fn page() -> Json {
    let digest = "e31e3a8eedaa655937bfed7e66be6af1ec5b31b3850ac669dedda6c3de453c79";
    let path = format!("media/html/page_7_{}.html", &digest[..20]);
    json!({"_type": "html-file", "path": path, "sha256": digest, "size": 8})
}

fn fixed_rows() -> Vec<Json> {
    let rows = [
        json!({"_step": 0, "loss": 1.0, "train/acc": 0.5}),
        json!({"_step": 1, "loss": "NaN", "x": "Infinity", "val/l": 3.0, "epoch": 1.0}),
        json!({"_step": 2, "val/l": 2.0, "epoch": 2.0}),
        json!({"_step": 3, "val/l": 4.0, "epoch": 3.0, "loss": 0.25}),
        json!({"_step": 5, "note": "hello"}),
        json!({"_step": 6, "weights": weights()}),
        json!({"_step": 7, "page": page()}),
    ];
    rows.into_iter()
        .map(|row| timeless(row.as_object().unwrap().clone()))
        .collect()
}

fn fixed_summary() -> Json {
    let summary = json!({
        "_step": 7, "weights": weights(), "page": page(), "loss": 0.25, "train/acc": 0.5, "x": "Infinity", "val/l": {"min": 2.0}, "epoch": 3.0, "note": "hello", "best": 5,
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

/// Lines of a stream's file, put together from all requests by their offsets.
fn streamed(heard: &[Exchange], file: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for request in heard.iter().filter(|e| e.is_stream()) {
        let json = request.json();
        let Some(part) = json["files"].get(file) else {
            continue;
        };
        let offset = part["offset"].as_u64().unwrap() as usize;
        for (i, line) in part["content"].as_array().unwrap().iter().enumerate() {
            let line = renumbered(line.as_str().unwrap());
            assert!(offset + i <= lines.len(), "a gap in {file}");
            lines.truncate(offset + i);
            lines.push(line);
        }
    }
    lines
}

fn streamed_rows(heard: &[Exchange]) -> Vec<Json> {
    let lines = streamed(heard, "wandb-history.jsonl");
    let rows = lines.iter().map(|line| parse(line));
    rows.map(|row| timeless(row.as_object().unwrap().clone()))
        .collect()
}

fn streamed_summary(heard: &[Exchange]) -> Json {
    let lines = streamed(heard, "wandb-summary.json");
    timeless(parse(lines.last().unwrap()).as_object().unwrap().clone())
}

/// The end that the stream was told: whether all went well.
fn exit(heard: &[Exchange]) -> Vec<(Json, Json)> {
    let requests = heard.iter().filter(|e| e.is_stream()).map(Exchange::json);
    let ends = requests.filter(|json| json.get("complete").is_some());
    ends.map(|json| (json["complete"].clone(), json["exitcode"].clone()))
        .collect()
}

/// Config as the last request about the run has it, without what tells clients apart.
fn config(heard: &[Exchange]) -> Json {
    let asked = heard.iter().filter_map(|e| e.variables("upsertBucket"));
    let mut configs =
        asked.filter_map(|v| serde_json::from_str::<Json>(v["config"].as_str()?).ok());
    let mut config = configs.next_back().unwrap();
    let wandb = config["_wandb"]["value"].as_object_mut().unwrap();
    wandb.retain(|key, _| key == "m");
    // Metrics have no order, but where one names another by its number.
    sorted(&config)
}

/// `wandb sync` of a folder.
fn sync(folder: &Path, double: &Double, within: &Path) {
    let wandb = python().parent().unwrap().join("wandb");
    let mut command = Command::new(wandb);
    command.arg("sync").arg(folder);
    let said = run(&mut command, Some(double), within);
    assert!(!said.to_lowercase().contains("error"), "{said}");
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

/// Gives a sink events that the little run cannot log: what is printed, and what telemetry says.
struct With<S> {
    sink: S,
    more: Vec<(Rank, Event)>,
}

impl<S: Sink> Sink for With<S> {
    fn take(
        &mut self,
        run: &RunDir,
        events: &[(Rank, Event)],
        memory: &mut Memory,
    ) -> Result<(), ShipError> {
        let mut events = events.to_vec();
        events.append(&mut self.more);
        self.sink.take(run, &events, memory)
    }

    fn end(&mut self, run: &RunDir, state: &State, memory: &mut Memory) -> Result<(), ShipError> {
        self.sink.end(run, state, memory)
    }
}

fn more() -> Vec<(Rank, Event)> {
    let line = ConsoleLine {
        time: Timestamp::now(),
        level: Level::Info,
        target: String::new(),
        message: "hello".into(),
        fields: Map::new(),
    };
    let figures = [
        ("host/threads", 9.0),
        ("host/memory_process", 2097152.0),
        ("host/memory_limit", 8388608.0),
    ];
    let points = figures.map(|(key, value)| (Key::new(&format!("system/{key}")).unwrap(), value));
    let stats = Event::Scalars {
        step: 0,
        time: Timestamp::now(),
        points: points.to_vec(),
    };
    vec![(Rank(0), Event::Console(line)), (Rank(0), stats)]
}

/// Console lines without their times.
fn console(heard: &[Exchange]) -> Vec<String> {
    let lines = streamed(heard, "output.log");
    lines
        .iter()
        .map(|line| line.split_once(' ').unwrap().1.to_owned())
        .collect()
}

#[test]
#[ignore = "needs wandb: cargo xtask test"]
fn a_server_hears_the_same_from_us_as_from_wandbs_own_client() {
    let dir = tempfile::tempdir().unwrap();
    let theirs = Double::start();
    script("fixed.py", &[], Some(&theirs), dir.path());
    let theirs = theirs.heard();

    let ours = Double::start();
    let run = log_fixed_run(&dir.path().join("root"));
    let sink = OnlineRun::new(&ours.url(), double::KEY).unwrap();
    carry(&run, With { sink, more: more() });
    let ours = ours.heard();

    assert_eq!(streamed_rows(&ours), streamed_rows(&theirs));
    assert_eq!(streamed_rows(&ours), fixed_rows());
    assert_eq!(streamed_summary(&ours), streamed_summary(&theirs));
    assert_eq!(console(&ours), console(&theirs));
    assert_eq!(exit(&ours), exit(&theirs));
    assert_eq!(config(&ours), config(&theirs));
    let keys = |heard: &[Exchange]| {
        let line = parse(&streamed(heard, "wandb-events.jsonl")[0]);
        line.as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let (our_keys, their_keys) = (keys(&ours), keys(&theirs));
    for name in [
        "_timestamp",
        "_runtime",
        "_wandb",
        "system.proc.cpu.threads",
        "system.proc.memory.rssMB",
        "system.proc.memory.percent",
    ] {
        let name = name.to_owned();
        assert!(
            our_keys.contains(&name) && their_keys.contains(&name),
            "{name}"
        );
    }
    let first = |heard: &[Exchange], operation: &str| {
        heard.iter().find_map(|e| e.variables(operation)).unwrap()
    };
    let (our_run, their_run) = (first(&ours, "upsertBucket"), first(&theirs, "upsertBucket"));
    for name in [
        "name",
        "project",
        "displayName",
        "groupName",
        "jobType",
        "notes",
        "tags",
    ] {
        assert_eq!(our_run[name], their_run[name], "{name}");
    }
    let alert = "notifyScriptableRunAlert";
    assert_eq!(first(&ours, alert), first(&theirs, alert));
    // Files: where they are put, with what in them, and that the stream says so.
    let puts = |heard: &[Exchange]| {
        let puts = heard
            .iter()
            .filter(|e| e.method == "PUT" && e.path.contains("/media/"));
        puts.map(|e| (renumbered(&e.path), e.body.clone(), e.authorization.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(puts(&ours), puts(&theirs));
    assert_eq!(puts(&ours)[0].2, None, "a store does not get the key");
    let file = puts(&ours)[0].0.strip_prefix("/put/").unwrap().to_owned();
    let is_told = |e: &&Exchange| {
        e.is_stream()
            && e.json()["uploaded"]
                .as_array()
                .is_some_and(|l| l.iter().any(|l| renumbered(l.as_str().unwrap()) == file))
    };
    assert_eq!(
        (
            ours.iter().filter(is_told).count(),
            theirs.iter().filter(is_told).count()
        ),
        (1, 1)
    );
    for (ours, theirs) in ours
        .iter()
        .zip(&theirs)
        .filter(|(o, t)| o.path == "/graphql" && t.path == "/graphql")
    {
        assert_eq!(ours.authorization, theirs.authorization);
    }
}

#[test]
fn what_a_server_did_not_acknowledge_is_sent_to_its_old_place_and_a_stop_is_heard() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::new(dir.path());
    let server = Double::start();
    let mut sink = OnlineRun::new(&server.url(), double::KEY).unwrap();
    let mut memory = Memory::new();
    let start = json!({"run": "abc123", "project": "harbor", "name": "n", "time": 0});
    let start = Event::Start(Box::new(serde_json::from_value(start).unwrap()));
    let loss = |step: u64| {
        let points = vec![(Key::new("loss").unwrap(), step as f64)];
        // Ten seconds a step: no row waits for long.
        let time = Timestamp(step as i64 * 10_000_000);
        (Rank(0), Event::Scalars { step, time, points })
    };
    sink.take(&run, &[(Rank(0), start), loss(0), loss(1)], &mut memory)
        .unwrap();
    assert!(!sink.is_stop_requested());
    let mut lost = memory.clone();
    sink.take(&run, &[loss(2), loss(3)], &mut lost).unwrap();
    *server.reply.lock().unwrap() = json!({"stopped": true});
    let mut sink = OnlineRun::new(&server.url(), double::KEY).unwrap();
    sink.take(&run, &[loss(2), loss(3)], &mut memory).unwrap();
    assert!(sink.is_stop_requested());
    sink.end(&run, &State::Stopped("asked to".into()), &mut memory)
        .unwrap();
    let heard = server.heard();
    let steps: Vec<Json> = streamed_rows(&heard)
        .iter()
        .map(|row| row["_step"].clone())
        .collect();
    assert_eq!(steps, [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(exit(&heard), [(json!(true), json!(0))]);
    let key = heard[0].authorization.as_deref().unwrap();
    assert!(key.starts_with("Basic YXBpOj"), "`api:` and the key");
}

/// Logs a value of each kind that has a file.
fn log_media(root: &Path) -> RunDir {
    let run = init("harbor").dir(root).id("abc123").start().unwrap();
    let found = BoundingBox {
        x: 1.0,
        y: 1.0,
        width: 2.0,
        height: 1.0,
        label: "void".into(),
        score: Some(0.5),
    };
    let image = Image::from_hwc_u8(vec![7; 4 * 5 * 3], 4, 5, 3).unwrap();
    let image = image.caption("c").boxed(found);
    let image = image.mask("truth", vec![1; 20], ["back", "void"]).unwrap();
    run.log_value(1, "val/worst", image);
    let table = Table {
        columns: vec!["a".into(), "b".into()],
        rows: vec![vec![json!(1), json!("x")]],
    };
    run.log_value(2, "t", table);
    let counts = vec![vec![3, 1], vec![0, 2]];
    let classes = vec!["p".into(), "q".into()];
    run.log_value(3, "cm", Figure::ConfusionMatrix { classes, counts });
    run.log_value(4, "points", PointCloud::new(vec![[0.0, 1.0, 2.0]]));
    run.log_value(5, "model", File::from_bytes("m.bin", vec![9; 1000]));
    let dir = RunDir::new(run.dir().unwrap());
    run.finish();
    dir
}

#[test]
#[ignore = "needs wandb: cargo xtask test"]
fn every_media_file_that_history_points_to_arrives_by_sync_and_online() {
    let dir = tempfile::tempdir().unwrap();
    let run = log_media(&dir.path().join("root"));
    let within = dir.path().join("wandb");
    let mut more = more();
    carry(
        &run,
        With {
            sink: OfflineRun::new(&within),
            more: more.clone(),
        },
    );
    let (synced, online) = (Double::start(), Double::start());
    sync(&only_folder(&within), &synced, dir.path());

    let ledger = Ledger::open(&run, "online", "a test").unwrap();
    let sink = OnlineRun::new(&online.url(), double::KEY).unwrap();
    let sink = With {
        sink,
        more: std::mem::take(&mut more),
    };
    let mut target = Events::new(run.clone(), ledger, sink).unwrap();
    while !target.carry().unwrap().is_done {}

    let (synced, online) = (synced.heard(), online.heard());
    assert_eq!(streamed_rows(&synced), streamed_rows(&online));
    for heard in [&synced, &online] {
        let rows = streamed_rows(heard);
        assert_eq!(rows.len(), 5);
        let body = |value: &Json| {
            let path = format!("/put/{}", value["path"].as_str().unwrap());
            let put = heard.iter().find(|e| e.method == "PUT" && e.path == path);
            let body = put
                .unwrap_or_else(|| panic!("{path} is missing"))
                .body
                .clone();
            assert_eq!(value["size"].as_f64(), Some(body.len() as f64));
            body
        };
        let parsed = |value: &Json| serde_json::from_slice::<Json>(&body(value)).unwrap();
        let image = &rows[0]["val/worst"];
        assert_eq!(
            (&image["_type"], &image["format"], &image["caption"]),
            (&json!("image-file"), &json!("png"), &json!("c"))
        );
        assert_eq!(
            (&image["width"], &image["height"]),
            (&json!(5.0), &json!(4.0))
        );
        assert!(
            body(image).starts_with(b"\x89PNG")
                && body(&image["masks"]["truth"]).starts_with(b"\x89PNG")
        );
        let boxes = parsed(&image["boxes"]["predictions"]);
        let corners = json!({"minX": 1.0, "minY": 1.0, "maxX": 3.0, "maxY": 2.0});
        assert_eq!(boxes["box_data"][0]["position"], corners);
        assert_eq!(boxes["class_labels"], json!({"0": "void"}));
        assert_eq!(
            parsed(&rows[1]["t"]),
            json!({"columns": ["a", "b"], "data": [[1, "x"]]})
        );
        assert_eq!(
            parsed(&rows[2]["cm_table"])["data"][0],
            json!(["p", "p", 3])
        );
        assert_eq!(parsed(&rows[3]["points"]), json!([[0.0, 1.0, 2.0]]));
        let model = heard
            .iter()
            .find(|e| e.method == "PUT" && e.path == "/put/model/5/m.bin");
        assert_eq!(model.unwrap().body, vec![9; 1000]);
        let configs = heard.iter().filter_map(|e| e.variables("upsertBucket"));
        let configs: Vec<Json> = configs
            .filter_map(|v| serde_json::from_str(v["config"].as_str()?).ok())
            .collect();
        let own = &configs.last().unwrap()["_wandb"]["value"];
        let chart = &own["visualize"]["cm"]["panel_config"]["panelDefId"];
        assert_eq!(chart, "wandb/confusion_matrix/v1");
        let mask = &own["mask/class_labels"]["val/worst_wandb_delimeter_truth"];
        assert_eq!(mask["value"], json!({"0": "back", "1": "void"}));
        let stats = parse(&streamed(heard, "wandb-events.jsonl")[0]);
        assert_eq!(stats["system.proc.memory.percent"].as_f64(), Some(25.0));
        assert_eq!(console(heard)[0], "hello");
    }
}

fn imported(folder: &Path, into: &Path) -> (RunView, Vec<String>) {
    let options = ImportOptions::new("imported".to_owned().try_into().unwrap());
    let into = Root::new(into);
    let run = import::wandb(folder, &into, &options).unwrap();
    let again = import::wandb(folder, &into, &options);
    assert!(matches!(again, Err(ImportError::AlreadyImported { .. })));
    (RunView::open(run.run).unwrap(), run.left_out)
}

/// Of the little run, all that is in a folder of W&B's.
fn assert_is_fixed(run: &RunView) {
    let start = run.start().unwrap();
    assert_eq!((run.name(), start.group.as_deref()), ("nm", Some("g")));
    assert_eq!(
        (start.tags.as_slice(), start.notes.as_str()),
        (&["a".to_owned(), "b".to_owned()][..], "n")
    );
    assert_eq!(run.state(), State::Finished);
    let points = |key: &str| {
        let points = run.series_of(key).unwrap().points().iter();
        points.map(|p| (p.step, p.value)).collect::<Vec<_>>()
    };
    assert_eq!(points("val/l"), [(1, 3.0), (2, 2.0), (3, 4.0)]);
    assert_eq!(points("x"), [(1, f64::INFINITY)]);
    assert!(points("loss")[1].1.is_nan() && points("loss").len() == 3);
    let definition = run.definition("val/l");
    assert_eq!(definition.step_metric.as_deref(), Some("epoch"));
    assert_eq!(run.summary()["best"], 5);
    assert_eq!(run.summary()["val/l"], 2.0);
    assert_eq!(run.alerts()[0].title, "T");
    let (key, _, histograms) = run.histograms().next().unwrap();
    assert_eq!(
        (key.as_str(), histograms[0].step, histograms[0].value.count),
        ("weights", 6, 3)
    );
    let media: Vec<_> = run
        .media()
        .map(|(key, _, media)| (key.as_str(), media[0].step))
        .collect();
    assert_eq!(media, [("note", 5), ("page", 7)]);
}

#[test]
fn a_run_that_went_to_wandb_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let run = log_fixed_run(&dir.path().join("root"));
    let within = dir.path().join("wandb");
    carry(
        &run,
        With {
            sink: OfflineRun::new(&within),
            more: more(),
        },
    );
    let (back, left_out) = imported(&only_folder(&within), &dir.path().join("back"));
    assert_eq!(left_out, Vec::<String>::new());
    assert_is_fixed(&back);
    assert_eq!(back.console()[0].message, "hello");
    let threads = back.series_of("system/host/threads").unwrap();
    assert_eq!(threads.points()[0].value, 9.0);

    let run = log_media(&dir.path().join("root of media"));
    let within = dir.path().join("media");
    carry(&run, OfflineRun::new(&within));
    let (back, left_out) = imported(&only_folder(&within), &dir.path().join("back"));
    assert_eq!(left_out, ["1 × masks of an image in val/worst"]);
    let kinds: Vec<String> = back
        .media()
        .map(|(key, _, media)| {
            let detail = serde_json::to_value(&media[0].value.detail).unwrap();
            format!("{key} {}", detail["kind"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "cm_table table",
            "model text",
            "points file",
            "t table",
            "val/worst image"
        ]
    );
    let (_, _, image) = back.media().last().unwrap();
    let image = serde_json::to_value(&image[0].value).unwrap();
    assert_eq!(
        (&image["caption"], &image["detail"]["boxes"][0]["label"]),
        (&json!("c"), &json!("void"))
    );
}

#[test]
#[ignore = "needs wandb: cargo xtask test"]
fn an_offline_run_of_wandbs_own_client_is_imported() {
    let dir = tempfile::tempdir().unwrap();
    script("fixed.py", &[], None, dir.path());
    let folders = fs::read_dir(dir.path().join("wandb")).unwrap();
    let mut folders = folders.map(|entry| entry.unwrap().path());
    let is_run = |path: &PathBuf| path.to_string_lossy().contains("offline-run-");
    let folder = folders.find(is_run).unwrap();
    let (back, left_out) = imported(&folder, &dir.path().join("back"));
    assert_eq!(left_out, Vec::<String>::new());
    assert_is_fixed(&back);
    assert!(back.console().iter().any(|line| line.message == "hello"));
    assert!(
        back.series()
            .any(|(key, _, _)| key.as_str().starts_with("system/"))
    );
}
