//! What whoever runs a server for others does: users and keys, settings of projects, the audit log, backups.

use std::time::Duration;

use cresset_run::File;
use serde_json::Value as Json;

use crate::command::Project;

/// A run with three checkpoints.
fn project() -> Project {
    let project = Project::new();
    let run = cresset_run::init("solder")
        .dir(project.root())
        .id("trained")
        .name("trained")
        .start()
        .unwrap();
    for step in 1..=3 {
        let file = File::from_bytes("model.bin", vec![step as u8; 4_000]);
        run.log_value(step, "model", file.role("checkpoint"));
    }
    assert!(run.finish_within(Duration::from_secs(60)).complete);
    project
}

#[test]
fn users_and_their_keys() {
    let project = Project::new();
    let set = [
        "user",
        "set",
        "alice",
        "--role",
        "read",
        "--in",
        "a=b=write",
    ];
    let ended = project.cresset(&set);
    insta::assert_snapshot!("user_set", ended.all());
    let ended = project.cresset(&["key", "create", "laptop", "--user", "alice", "--days", "90"]);
    assert!(
        ended.stdout.starts_with("crs_") && ended.code == 0,
        "{ended:?}"
    );
    assert!(
        ended.stderr.contains("`laptop` (what alice may, until 20"),
        "{ended:?}"
    );
    let users = project.cresset(&["user", "list"]).printed();
    let line = users.lines().nth(1).unwrap();
    assert!(
        line.starts_with("alice  may read everywhere, write in a=b  ") && line.contains("  1  "),
        "{users}"
    );
    for (arguments, says) in [
        (
            &["user", "set", "bob", "--in", "solder"][..],
            "--in solder=write",
        ),
        (
            &["user", "set", "bob", "--in", "solder=owner"],
            "roles are read, write and admin",
        ),
        (
            &["user", "set", "bob", "--in", "a=read", "--in", "a=write"],
            "two roles",
        ),
        (&["user", "remove", "bob"], "there is no user \"bob\""),
        (
            &["key", "create", "x", "--user", "bob"],
            "there is no user \"bob\"",
        ),
        (&["key", "create", "x"], "--role <ROLE>"),
    ] {
        let ended = project.cresset(arguments);
        assert!(
            ended.code != 0 && ended.stderr.contains(says),
            "{arguments:?}: {ended:?}"
        );
    }
    assert_eq!(
        project.cresset(&["user", "remove", "alice"]).printed(),
        "alice is gone, and 1 key with them\n"
    );
    assert!(
        project
            .cresset(&["key", "list"])
            .printed()
            .contains("no keys")
    );
}

#[test]
fn rules_of_a_project_are_tried_before_they_are_set() {
    let project = project();
    let rule = [
        "project",
        "set",
        "solder",
        "--keep-checkpoints",
        "1",
        "--quota",
        "50GB",
    ];
    insta::assert_snapshot!(
        "project_would",
        project
            .cresset(&rule)
            .printed()
            .replace(
                // Digests are not printed, and the order is that of digests.
                "step 2", "step N"
            )
            .replace("step 1", "step N")
    );
    let listed = project.cresset(&["project", "list"]).printed();
    assert!(!listed.contains("checkpoints"), "{listed}");
    let sure = [&rule[..], &["--yes"]].concat();
    insta::assert_snapshot!("project_set", project.cresset(&sure).printed());
    let listed = project.cresset(&["project", "list"]).printed();
    assert!(
        listed.contains("at most 46.6 GiB, the last checkpoint of each series"),
        "{listed}"
    );
    // The server follows them.
    let mut server = project.command(&["serve", "--bind", "127.0.0.1:0"]);
    let mut server = server.stdout(std::process::Stdio::null()).spawn().unwrap();
    let removed = project.root().join("solder/trained/removed.jsonl");
    let until = std::time::Instant::now() + Duration::from_secs(60);
    let blobs = || {
        let report: Json =
            serde_json::from_str(&project.cresset(&["verify", "--json", "trained"]).printed())
                .unwrap();
        (report["intact"] == true, report["removed_blobs"].clone())
    };
    while blobs() != (true, 2.into()) {
        assert!(
            std::time::Instant::now() < until,
            "nothing was removed: {:?}",
            blobs()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(
        std::fs::read_to_string(removed)
            .unwrap()
            .lines()
            .filter(|l| !l.is_empty())
            .count(),
        2
    );
    let report = project.cresset(&["verify", "trained"]).printed();
    assert!(
        report.contains("of these, 2 blobs removed by a rule of the project"),
        "{report}"
    );
    // What removes nothing needs no --yes, and what is not named stays.
    let private = project.cresset(&[
        "project",
        "set",
        "solder",
        "--private",
        "yes",
        "--quota",
        "none",
    ]);
    assert_eq!(
        private.printed(),
        "solder: private, the last checkpoint of each series\n"
    );
    for (option, value) in [
        ("--quota", "much"),
        ("--keep-checkpoints", "-1"),
        ("--media-days", "x"),
        ("--private", "maybe"),
    ] {
        let option = format!("{option}={value}");
        let ended = project.cresset(&["project", "set", "solder", &option]);
        assert!(ended.code == 2, "{option}: {ended:?}");
    }
    let audit = project.cresset(&["audit", "--json"]).printed();
    let entries: Vec<Json> = audit
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let actions: Vec<&str> = entries
        .iter()
        .map(|e| e["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["project.set", "run.expire", "project.set"]);
    assert_eq!(entries[1]["who"], "retention");
    let printed = project.cresset(&["audit"]).printed();
    for part in [
        "the rule retention",
        "at most 46.6 GiB, the last checkpoint of each series",
    ] {
        assert!(
            printed.contains(part) && !printed.contains('{'),
            "{printed}"
        );
    }
}

#[test]
fn a_backup_is_made_checked_and_restored() {
    let project = project();
    project.cresset(&["tag", "trained", "+baseline"]).printed();
    let made = project.cresset(&["backup", "create", "backups"]).printed();
    assert!(made.contains(": 1 run, "), "{made}");
    let backup = made.split(": ").next().unwrap().replace(
        "HERE",
        project.path().canonicalize().unwrap().to_str().unwrap(),
    );
    project
        .cresset(&["backup", "create", "backups", "--keep", "2"])
        .printed();
    assert_eq!(
        project
            .cresset(&["backup", "list", "backups"])
            .printed()
            .lines()
            .count(),
        2
    );
    assert!(
        project
            .cresset(&["backup", "verify", &backup])
            .printed()
            .ends_with(" is whole\n")
    );
    let folder = project.cresset(&["backup", "verify", "backups"]);
    assert!(
        folder.code != 0 && folder.stderr.contains("name one of them, such as backups/"),
        "{folder:?}"
    );
    // All commands read it.
    let shown = project.cresset(&["--dir", &backup, "verify", "trained"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    // The disk is gone.
    std::fs::remove_dir_all(project.root()).unwrap();
    let ended = project.cresset(&["backup", "restore", &backup, ".cresset"]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (0, "1 run restored into .cresset\n"),
        "{ended:?}"
    );
    let runs: Json = serde_json::from_str(&project.cresset(&["runs", "--json"]).printed()).unwrap();
    assert_eq!(
        (&runs[0]["name"], &runs[0]["tags"][0]),
        (&"trained".into(), &"baseline".into())
    );
    project.cresset(&["verify", "trained"]).printed();
    let again = project.cresset(&["backup", "restore", &backup, ".cresset"]);
    assert!(
        again.code == 1 && again.stderr.contains("is not empty"),
        "{again:?}"
    );
    // One byte is not what was written.
    let log = std::path::Path::new(&backup).join("solder/trained/rank-0.000000.log");
    let mut bytes = std::fs::read(&log).unwrap();
    bytes[100] ^= 1;
    std::fs::remove_file(&log).unwrap();
    std::fs::write(&log, bytes).unwrap();
    let damaged = project.cresset(&["backup", "verify", &backup]);
    assert_eq!(damaged.code, 4, "{damaged:?}");
    assert!(
        damaged
            .stdout
            .contains("rank-0.000000.log: its bytes are not what was written"),
        "{damaged:?}"
    );
}
