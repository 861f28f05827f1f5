use cresset_record::{Definition, Outcome, Rank, Record, SummaryRule, Timestamp};
use serde_json::{Map, Value as Json, json};

use crate::command::{Ended, Project};
use crate::fixture::{EPOCH, Log, start};

/// Four runs that end in different ways.
fn project() -> Project {
    let project = Project::new();
    let runs = [
        ("0f3k2a0", "amber-harbor-1", 0.95, Outcome::Finished),
        ("0f3k2a1", "calm-reef-2", 0.93, stopped("by the sweep")),
        ("0f3k2a2", "swift-tide-3", f64::NAN, failed("loss is NaN")),
        ("0f3k2a3", "焊点-4", 0.97, Outcome::Finished),
    ];
    for (i, (id, name, auc, outcome)) in runs.into_iter().enumerate() {
        let mut start = start(id, name);
        start.time = Timestamp(EPOCH.0 + i as i64 * 3_600_000_000);
        start.tags = vec![if i < 2 { "v4" } else { "v3" }.to_owned()];
        start.config = object(json!({"lr": 10f32.powi(-(i as i32)), "data": {"path": "crops"}}));
        let mut log = Log::begin(&project.root(), start);
        log.record(Record::Define(
            Definition::new("val/auc")
                .maximize()
                .summary(SummaryRule::Last),
        ));
        for step in 0..=60 {
            log.step(step, &[("train/loss", 1.0 / (step + 1) as f64)]);
        }
        log.step(60, &[("val/auc", auc)]);
        if i == 3 {
            // Killed: no end.
            log.die();
        } else {
            log.end(60.0 + i as f64, outcome);
        }
    }
    project
}

fn object(json: Json) -> Map<String, Json> {
    json.as_object().cloned().unwrap()
}

fn failed(reason: &str) -> Outcome {
    Outcome::Failed {
        reason: reason.into(),
    }
}

fn stopped(reason: &str) -> Outcome {
    Outcome::Stopped {
        reason: reason.into(),
    }
}

fn names(project: &Project, arguments: &[&str]) -> Vec<String> {
    let arguments = [&["runs", "--json"], arguments].concat();
    let json: Json = serde_json::from_str(&project.cresset(&arguments).printed()).unwrap();
    let runs = json.as_array().unwrap().iter();
    runs.map(|run| run["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_table() {
    let project = project();
    let columns = "name,id,state,duration,val/auc,config.lr,tags,created";
    insta::assert_snapshot!(project.cresset(&["runs", "--columns", columns]).printed());
}

#[test]
fn the_columns_that_nobody_chose() {
    let project = project();
    let text = project.cresset(&["runs"]).printed();
    let titles: Vec<&str> = text.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(
        titles,
        ["name", "id", "state", "duration", "age", "val/auc"],
        "the series with a goal"
    );
}

#[test]
fn what_runs_are_picked_and_sorted_by_is_a_column() {
    let project = project();
    let titles = |arguments: &[&str]| -> Vec<String> {
        let text = project.cresset(arguments).printed();
        let head = text.lines().next().unwrap().split_whitespace();
        head.skip(5).map(str::to_owned).collect()
    };
    assert_eq!(
        titles(&[
            "runs",
            "--sort",
            "-train/loss,name",
            "--filter",
            "config.lr > 0 and state != failed"
        ]),
        ["train/loss", "config.lr", "val/auc"],
        "before the others, and none twice"
    );
    assert_eq!(titles(&["runs", "--sort", "created,age"]), ["val/auc"]);
}

#[test]
fn the_json() {
    let project = project();
    let text = project.cresset(&["runs", "--json", "--limit", "2"]);
    insta::assert_snapshot!(text.printed());
}

#[test]
fn filters_and_orders() {
    let project = project();
    let by = |arguments: &[&str]| names(&project, arguments);
    let newest_first = ["焊点-4", "swift-tide-3", "calm-reef-2", "amber-harbor-1"];
    assert_eq!(by(&[]), newest_first);
    assert_eq!(
        by(&["--sort", "-val/auc"]),
        ["焊点-4", "amber-harbor-1", "calm-reef-2", "swift-tide-3"],
        "NaN is last"
    );
    assert_eq!(
        by(&["--sort=val/auc"]),
        ["calm-reef-2", "amber-harbor-1", "焊点-4", "swift-tide-3"],
        "in either direction"
    );
    assert_eq!(
        by(&["--sort", "tags,name"]),
        ["swift-tide-3", "焊点-4", "amber-harbor-1", "calm-reef-2"]
    );
    assert_eq!(
        by(&["--filter", "val/auc > 0.94 and tags has \"v4\""]),
        ["amber-harbor-1"]
    );
    assert_eq!(by(&["--filter", "config.lr = 1e-2"]), ["swift-tide-3"]);
    assert_eq!(
        by(&["-f", "state in (failed, crashed)"]),
        ["焊点-4", "swift-tide-3"]
    );
    assert_eq!(
        by(&["-f", "created > 2026-11-01T11:30Z and reason ~ NaN"]),
        ["swift-tide-3"]
    );
    assert_eq!(by(&["-f", "duration <= 60s"]), ["焊点-4", "amber-harbor-1"]);
    assert_eq!(by(&["--project", "other"]), [""; 0]);
    assert_eq!(by(&["-n", "1"]), ["焊点-4"]);
}

#[test]
fn nothing_to_show_is_said_on_standard_error() {
    let project = project();
    let ended = project.cresset(&["runs", "-f", "val/auc > 1"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""));
    insta::assert_snapshot!(ended.stderr, @"none of the 4 runs in HERE/.cresset passes");
    let empty = Project::new();
    let ended = empty.cresset(&["runs"]);
    insta::assert_snapshot!(ended.stderr, @"HERE/.cresset holds no runs yet");
    assert_eq!(empty.cresset(&["runs", "--json"]).printed(), "[]\n");
}

#[test]
fn a_running_run_and_a_log_of_another_format() {
    let project = Project::new();
    let mut log = Log::begin(&project.root(), start("live", "radiant-buoy-1"));
    log.step(0, &[("train/loss", 1.0)]);
    log.flush();
    let newer = Log::begin(&project.root(), start("newer", "from-the-future-1")).die();
    of_a_newer_version(&newer.segment(Rank(0), 0));
    let ended = project.cresset(&["runs", "-f", "state = running", "--columns", "id"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "id\nlive\n"));
    let ended = ended.stderr + &project.cresset(&["show", "newer"]).all();
    insta::assert_snapshot!(ended);
}

/// Bytes 8 and 9 of a segment are its major version, and bytes 40 to 43 the checksum of those before them.
fn of_a_newer_version(segment: &std::path::Path) {
    let mut bytes = std::fs::read(segment).unwrap();
    bytes[8] = 99;
    let checksum = crc32c::crc32c(&bytes[..40]).to_le_bytes();
    bytes[40..44].copy_from_slice(&checksum);
    std::fs::write(segment, &bytes).unwrap();
}

#[test]
fn a_field_that_no_run_has_is_named() {
    let project = project();
    let arguments = [
        "runs",
        "-f",
        "tag has v4 or reason ~ x",
        "--sort",
        "val/acc",
        "--columns",
        "name,tag",
    ];
    let ended = project.cresset(&arguments);
    assert_eq!(ended.code, 0);
    insta::assert_snapshot!(ended.stderr);
}

#[test]
fn colour_only_where_it_is_welcome() {
    let project = project();
    let has_colour = |command: &mut std::process::Command| {
        Ended::of(command, &project).printed().contains('\x1b')
    };
    assert!(!has_colour(&mut project.command(&["runs"])));
    assert!(has_colour(
        &mut project.command(&["runs", "--color", "always"])
    ));
    let mut never = project.command(&["runs", "--color", "never"]);
    assert!(!has_colour(&mut never));
}

#[test]
fn hostile_names_are_inert() {
    let project = Project::new();
    let log = Log::begin(
        &project.root(),
        start("bad", "x\x1b[2J\x1b]0;owned\x07\u{202e}y"),
    );
    log.end(1.0, failed("\x1b[31mreason"));
    for command in ["runs", "show"] {
        let text = project.cresset(&[command]).printed();
        let inert = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
        assert!(text.chars().all(inert), "{text:?}");
    }
}
