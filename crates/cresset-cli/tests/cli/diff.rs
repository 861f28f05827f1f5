use cresset_record::{Outcome, Record};
use serde_json::{Value as Json, json};

use crate::command::Project;
use crate::fixture::{Log, start};

/// Two runs of one program, and a third that is as the first.
fn project() -> Project {
    let project = Project::new();
    for (id, name, lr, commit, loss) in [
        (
            "0f3k2aaaaaaaa",
            "calm-harbor-1",
            1e-3,
            "5b7e2a90f1c84d33",
            0.1,
        ),
        (
            "0f3k2abbbbbbb",
            "late-ember-9",
            3e-2,
            "3f2a91c0e11d4a7b",
            f64::NAN,
        ),
        (
            "0f3k2accccccc",
            "calm-harbor-1",
            1e-3,
            "5b7e2a90f1c84d33",
            0.1,
        ),
    ] {
        let mut head = start(id, name);
        let config =
            json!({"lr": lr, "batch_size": 32, "data": {"name": "v3", "split": [0.7, 0.3]}});
        head.config = config.as_object().cloned().unwrap();
        if name == "late-ember-9" {
            head.config.insert("warmup".into(), json!(0.1));
        }
        let mut log = Log::begin(&project.root(), head);
        let environment = json!({
            "git": {"commit": commit, "dirty": name == "late-ember-9", "diff": format!("line 1\n{id}\n")},
            "build": {"rustc": "rustc 1.95.0"},
            "crates": {"candle-core": if name == "late-ember-9" { "0.11.1" } else { "0.11.0" }},
            "gpus": [{"model": "NVIDIA H100", "uuid": id}, {"model": "NVIDIA H100", "uuid": "b"}],
            "slurm": {"job_id": id},
        });
        log.record(Record::Environment(
            environment.as_object().cloned().unwrap(),
        ));
        log.step(
            7,
            &[
                ("train/loss", loss),
                ("val/auc", 0.5),
                ("gradients/norm", lr),
            ],
        );
        log.end(8.0, Outcome::Finished);
    }
    project
}

#[test]
fn what_differs_between_two_runs_and_nothing_else() {
    let project = project();
    let arguments = ["diff", "0f3k2aa", "late-ember-9"];
    insta::assert_snapshot!("diff", project.cresset(&arguments).printed());
    let json = project.cresset(&["diff", "0f3k2aa", "late-ember-9", "--json"]);
    let json: Json = serde_json::from_str(&json.printed()).unwrap();
    assert_eq!(
        json["config"],
        json!([{"key": "lr", "values": [1e-3, 3e-2]}, {"key": "warmup", "values": [null, 0.1]}])
    );
    assert_eq!(json["runs"][1]["id"], "0f3k2abbbbbbb");
    assert_eq!(
        json["summary"],
        json!([{"key": "train/loss", "values": [0.1, "NaN"]}])
    );
    let all = project.cresset(&["diff", "0f3k2aa", "late-ember-9", "--all"]);
    let all = all.printed();
    assert!(
        all.contains("gradients/norm") && all.contains("slurm.job_id"),
        "{all}"
    );
}

#[test]
fn what_one_run_never_came_to_is_a_line_and_no_table() {
    let project = Project::new();
    for (id, name, is_tested) in [
        ("0f3k2aaaaaaaa", "calm-harbor-1", true),
        ("0f3k2abbbbbbb", "late-ember-9", false),
    ] {
        let mut log = Log::begin(&project.root(), start(id, name));
        let metrics = ["accuracy", "auc", "f1", "loss", "recall"].map(|key| format!("test/{key}"));
        let tested = metrics.iter().map(|key| (key.as_str(), 0.5));
        let mut values = vec![("train/loss", if is_tested { 0.1 } else { 2.5 })];
        values.extend(tested.filter(|_| is_tested));
        log.step(7, &values);
        log.end(8.0, Outcome::Finished);
    }
    let arguments = ["diff", "calm-harbor-1", "late-ember-9"];
    let printed = project.cresset(&arguments).printed();
    let summary = printed.split("Summary").nth(1).unwrap();
    assert_eq!(
        summary.lines().skip(1).take(3).collect::<Vec<_>>(),
        [
            "              calm-harbor-1  late-ember-9",
            "  train/loss  0.1            2.5",
            "  only in calm-harbor-1: test/accuracy, test/auc, test/f1, test/loss, test/recall",
        ]
    );
    let all = ["diff", "calm-harbor-1", "late-ember-9", "--all"];
    let all = project.cresset(&all).printed();
    let auc = all.lines().find(|line| line.contains("test/auc")).unwrap();
    assert_eq!(
        auc.split_whitespace().collect::<Vec<_>>(),
        ["test/auc", "0.5", "–"]
    );
}

#[test]
fn three_runs_and_runs_that_are_alike() {
    let project = project();
    let three = project
        .cresset(&["diff", "0f3k2aa", "0f3k2ab", "0f3k2ac"])
        .printed();
    let lr = three
        .lines()
        .find(|line| line.starts_with("  lr "))
        .unwrap();
    let values: Vec<&str> = lr.split_whitespace().collect();
    assert_eq!(values, ["lr", "0.001", "0.03", "0.001"]);
    assert!(three.contains("calm-harbor-1 (0f3k2aaaaaaaa)"), "{three}");
    let itself = project.cresset(&["diff", "0f3k2aa", "0f3k2aa"]).printed();
    assert_eq!(itself, "nothing differs\n");
    let one = project.cresset(&["diff", "0f3k2aa"]);
    assert_eq!(one.code, 2, "{one:?}");
    // Two runs of one name.
    let named = project.cresset(&["diff", "calm-harbor-1", "0f3k2ab"]);
    assert!(
        named.code == 3 && named.stderr.contains("say which by id"),
        "{named:?}"
    );
}
