//! What people do with runs: tags, stop, trash; and the index.

use cresset_record::{Outcome, Timestamp};
use serde_json::{Value as Json, json};

use crate::command::Project;
use crate::fixture::{EPOCH, Log, start};

/// Three finished runs of project `solder`.
fn project() -> Project {
    let project = Project::new();
    for (i, name) in ["amber-harbor-1", "calm-reef-2", "swift-tide-3"]
        .into_iter()
        .enumerate()
    {
        let mut start = start(&format!("0f3k2a{i}"), name);
        start.time = Timestamp(EPOCH.0 + i as i64 * 3_600_000_000);
        start.tags = vec!["v4".into()];
        let mut log = Log::begin(&project.root(), start);
        for step in 0..10 {
            log.step(step, &[("train/loss", 1.0 / (step + 1) as f64)]);
        }
        log.end(9.0, Outcome::Finished);
    }
    project
}

fn runs(project: &Project) -> Vec<String> {
    let json = project.cresset(&["runs", "--json"]).printed();
    let json: Json = serde_json::from_str(&json).unwrap();
    let names = json.as_array().unwrap().iter();
    names
        .map(|run| run["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn runs_go_into_the_trash_and_come_back() {
    let project = project();
    let ended = project.cresset(&["delete", "0f3k2a0", "swift-tide-3"]);
    insta::assert_snapshot!("delete", ended.all());
    assert_eq!(runs(&project), ["calm-reef-2"]);
    let listed = project.cresset(&["trash"]).printed();
    let columns: Vec<&str> = listed.lines().next().unwrap().split("  ").collect();
    assert!(
        columns[0] == "name" && listed.contains("swift-tide-3"),
        "{listed}"
    );
    let shown = |run| project.cresset(&["show", run]).printed();
    assert!(shown("swift-tide-3").contains("  in trash   since "));
    assert!(!shown("calm-reef-2").contains("in trash"));
    let ended = project.cresset(&["restore", "swift-tide-3"]);
    insta::assert_snapshot!("restore", ended.all());
    assert_eq!(runs(&project), ["swift-tide-3", "calm-reef-2"]);
    insta::assert_snapshot!("empty", project.cresset(&["trash", "--empty"]).all());
    assert!(!project.root().join("solder/0f3k2a0").exists());
    assert!(project.root().join("solder/0f3k2a1").exists());
    insta::assert_snapshot!("the_empty_trash", project.cresset(&["trash"]).all());
}

#[test]
fn a_whole_project_goes_and_comes_back() {
    let project = project();
    assert_eq!(project.cresset(&["delete", "--project", "solder"]).code, 0);
    assert_eq!(runs(&project), [""; 0]);
    let ended = project.cresset(&["runs"]);
    insta::assert_snapshot!(ended.stderr, @"HERE/.cresset holds no runs yet");
    assert_eq!(project.cresset(&["restore", "-p", "solder"]).code, 0);
    assert_eq!(runs(&project).len(), 3);
}

#[test]
fn runs_that_cannot_be_deleted() {
    let project = project();
    let mut live = Log::begin(&project.root(), start("live", "radiant-buoy-4"));
    live.step(0, &[("train/loss", 1.0)]);
    live.flush();
    insta::assert_snapshot!(
        "refused",
        project.cresset(&["delete", "live", "0f3k2a1"]).all()
    );
    let ended = project.cresset(&["restore", "0f3k2a0"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    for arguments in [
        &["delete"][..],
        &["delete", "latest", "--project", "solder"],
    ] {
        assert_eq!(project.cresset(arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn tags_are_added_and_removed() {
    let project = project();
    let tag = |arguments: &[&str]| project.cresset(&[&["tag", "calm-reef-2"], arguments].concat());
    let printed = tag(&["+baseline", "-v4", "+two words", "+baseline"]).printed();
    assert_eq!(printed, "calm-reef-2 (0f3k2a1): baseline, two words\n");
    let json = project
        .cresset(&["runs", "--json", "-f", "tags has baseline"])
        .printed();
    let json: Json = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["tags"], json!(["baseline", "two words"]));
    assert_eq!(
        tag(&["-baseline", "-two words"]).printed(),
        "calm-reef-2 (0f3k2a1): no tags\n"
    );
    for wrong in ["baseline", "+", ""] {
        assert_eq!(tag(&[wrong]).code, 2, "{wrong:?}");
    }
}

#[test]
fn a_running_run_is_asked_to_stop() {
    let project = project();
    let mut live = Log::begin(&project.root(), start("live", "radiant-buoy-4"));
    live.step(0, &[("train/loss", 1.0)]);
    live.flush();
    let ended = project.cresset(&["stop", "radiant-buoy-4", "--reason", "no budget"]);
    assert_eq!(ended.printed(), "radiant-buoy-4 (live) was asked to stop\n");
    let request = std::fs::read(live.dir().stop_request()).unwrap();
    let request: Json = serde_json::from_slice(&request).unwrap();
    assert_eq!(request["reason"], "no budget");
    insta::assert_snapshot!("stop_refused", project.cresset(&["stop", "0f3k2a1"]).all());
}

#[test]
fn the_index_is_looked_after() {
    let project = project();
    insta::assert_snapshot!("check", project.cresset(&["index", "check"]).all());
    let status = project.cresset(&["index", "status"]).printed();
    assert!(
        status.contains("HERE/.cresset/index.sqlite") && status.contains("runs      3"),
        "{status}"
    );
    assert_eq!(project.cresset(&["tag", "0f3k2a0", "+kept"]).code, 0);
    // A disk that gives back other bytes than it got.
    let segment = project.root().join("solder/0f3k2a0/rank-0.000000.log");
    let before = std::fs::metadata(&segment).unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    let found = bytes
        .windows(14)
        .position(|part| part == b"amber-harbor-1")
        .unwrap();
    bytes[found] ^= 1;
    std::fs::write(&segment, &bytes).unwrap();
    let file = std::fs::File::options().write(true).open(&segment).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    let ended = project.cresset(&["index", "check"]);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("0f3k2a0 of solder: what is damaged differs"),
        "{ended:?}"
    );
    insta::assert_snapshot!("rebuild", project.cresset(&["index", "rebuild"]).all());
    assert_eq!(project.cresset(&["index", "check"]).code, 0);
    let json = project
        .cresset(&["runs", "--json", "-f", "tags has kept"])
        .printed();
    let json: Json = serde_json::from_str(&json).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 1, "what people said stays");
}
