use cresset_record::{LabelUpdate, Outcome, Record, Timestamp};

use crate::command::{Ended, Project};
use crate::fixture::{EPOCH, Log, start};

/// Three runs: two of one name, one whose id a user chose, and which is the newest.
fn project() -> Project {
    let project = Project::new();
    let runs = [
        ("0f3k2aaaaaaaa", "amber-harbor-1", 0),
        ("0f3k2abbbbbbb", "amber-harbor-1", 60),
        ("baseline", "calm-reef-2", 3_600),
    ];
    for (id, name, seconds) in runs {
        let mut start = start(id, name);
        start.time = Timestamp(EPOCH.0 + seconds * 1_000_000);
        let log = Log::begin(&project.root(), start);
        log.end(1.0, Outcome::Finished);
    }
    project
}

#[track_caller]
fn found(project: &Project, run: &str) -> String {
    let json = project.cresset(&["show", "--json", run]).printed();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    json["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_run_by_id_prefix_name_path_or_age() {
    let project = project();
    for (run, id) in [
        ("0f3k2aaaaaaaa", "0f3k2aaaaaaaa"),
        ("0f3k2ab", "0f3k2abbbbbbb"),
        ("calm-reef-2", "baseline"),
        ("base", "baseline"),
        ("latest", "baseline"),
        ("-", "baseline"),
        (".cresset/solder/0f3k2aaaaaaaa", "0f3k2aaaaaaaa"),
        ("./.cresset/solder/0f3k2aaaaaaaa/", "0f3k2aaaaaaaa"),
    ] {
        assert_eq!(found(&project, run), id, "{run}");
    }
    let latest = project.cresset(&["show", "--json"]).printed();
    assert!(latest.contains("\"id\": \"baseline\""));
}

#[test]
fn a_run_that_was_given_another_name() {
    let project = project();
    let mut log = Log::begin(&project.root(), start("renamed", "first-name"));
    log.record(Record::Label(LabelUpdate {
        name: Some("second-name".into()),
        ..LabelUpdate::default()
    }));
    log.end(1.0, Outcome::Finished);
    assert_eq!(found(&project, "second-name"), "renamed");
    assert_eq!(found(&project, "first-name"), "renamed");
}

#[test]
fn runs_that_cannot_be_told_apart_or_found_are_listed() {
    let project = project();
    let ended: Vec<String> = [
        &["show", "0f3k"][..],
        &["show", "amber-harbor-1"],
        &["watch", "reef"],
        &["verify", "--dir", "nowhere"],
    ]
    .iter()
    .map(|arguments| project.cresset(arguments).all())
    .collect();
    insta::assert_snapshot!(ended.join("\n"));
}

#[test]
fn a_run_that_came_back_from_another_tracker_is_told_apart_by_that() {
    let project = project();
    let mut log = Log::begin(&project.root(), start("back", "calm-reef-2"));
    let from = serde_json::json!({"import": {"from": "W&B", "path": "offline-run-1"}});
    log.record(Record::Environment(from.as_object().cloned().unwrap()));
    log.end(1.0, Outcome::Finished);
    for command in ["show", "export", "tag"] {
        let mut arguments = vec![command, "calm-reef-2"];
        arguments.extend((command == "tag").then_some("+best"));
        let ended = project.cresset(&arguments);
        assert!(
            ended.code == 3
                && ended.stderr.contains("say which by id")
                && ended.stderr.contains("\n  back      calm-reef-2  in solder, 2026-11-01 10:00:00 UTC, imported from W&B"),
            "{ended:?}"
        );
    }
    let page = project.cresset(&["show", "back"]).printed();
    assert!(
        page.contains("imported   from W&B, offline-run-1"),
        "{page}"
    );
}

#[test]
fn the_folder_of_runs() {
    let project = project();
    let inside = project.path().join("src/deep");
    std::fs::create_dir_all(&inside).unwrap();
    let runs = |command: &mut std::process::Command| {
        let json = Ended::of(command, &project).printed();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        json.as_array().unwrap().len()
    };
    let list = ["runs", "--json"];
    assert_eq!(runs(project.command(&list).current_dir(&inside)), 3);
    let empty = project.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let by_variable = runs(project.command(&list).env("CRESSET_DIR", &empty));
    assert_eq!(by_variable, 0, "the variable goes before the folder above");
    let mut by_flag = project.command(&["runs", "--json", "--dir", ".cresset"]);
    assert_eq!(runs(by_flag.env("CRESSET_DIR", &empty)), 3);
    let elsewhere = tempfile::tempdir().unwrap();
    let mut nothing = project.command(&["runs"]);
    let ended = Ended::of(nothing.current_dir(elsewhere.path()), &project);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("no .cresset folder"), "{ended:?}");
}

#[test]
fn a_run_by_a_file_that_it_recorded() {
    let project = project();
    let dir = project.root().join("solder/baseline");
    let blobs = cresset_record::RunDir::new(dir).blobs();
    blobs.put(b"weights", "application/octet-stream").unwrap();
    let write =
        |name: &str, bytes: &[u8]| std::fs::write(project.path().join(name), bytes).unwrap();
    write("deployed.bin", b"weights");
    write("other.bin", b"other weights");
    // What is called as a run is that run.
    write("amber-harbor-1", b"weights");
    assert_eq!(found(&project, "deployed.bin"), "baseline");
    let other = project.cresset(&["show", "./other.bin"]);
    assert_eq!(other.code, 3);
    assert!(
        other
            .stderr
            .contains("recorded a file with the content of ./other.bin"),
        "{other:?}"
    );
    let named = project.cresset(&["show", "amber-harbor-1"]);
    assert!(named.stderr.contains("may be any of 2 runs"), "{named:?}");
    let again = cresset_record::RunDir::new(project.root().join("solder/0f3k2aaaaaaaa")).blobs();
    again.put(b"weights", "application/octet-stream").unwrap();
    let both = project.cresset(&["show", "deployed.bin"]);
    assert!(
        both.stderr.contains("2 runs recorded this very file"),
        "{both:?}"
    );
}
