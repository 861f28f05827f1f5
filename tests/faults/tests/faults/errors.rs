//! A file system that fails at each call in turn.

use std::fs;
use std::process::Output;

use cresset_record::State;
use serde_json::Value as Json;

use crate::support::{all, dir, faulty, place, steps, told, trainer, view};

const ERRORS: [(&str, &str); 5] = [
    ("ENOSPC", "28"),
    ("EIO", "5"),
    ("EROFS", "30"),
    ("EMFILE", "24"),
    ("EINTR", "4"),
];
/// Steps a millisecond apart, for longer than the pause before the log is tried again.
const TRAINING: &str = "text steps=20 pause=1 for=150";

/// Trains while calls from number `from` on fail, so many of them; what it said.
fn train(from: u64, count: u64, error: &str) -> (tempfile::TempDir, Output, String) {
    let (place, runs) = place();
    fs::create_dir(&runs).unwrap();
    let counted = place.path().join("count");
    let mode = format!("fail:{from}:{count}:{error}");
    let output = faulty(&runs, &mode, TRAINING)
        .env("FAULT_COUNT", &counted)
        .output()
        .unwrap();
    let what = fs::read_to_string(counted).unwrap_or_default();
    (place, output, what)
}

/// What must hold however the storage behaved: the program ends well, each kind of trouble is said once, and every point is
/// either there or counted as lost. Gives what does not.
fn breaks(from: u64, count: u64, name: &str, error: &str) -> Vec<String> {
    let (place, output, calls) = train(from, count, error);
    let told = told(&output);
    let said = String::from_utf8_lossy(&output.stderr);
    let mut broken = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            let calls = calls.trim();
            broken.push(format!(
                "{name} {count} times from call {from} ({calls}): {what}; {told}; it said:\n{said}"
            ));
        }
    };
    must(
        output.status.success(),
        format!("it ended with {}", output.status),
    );
    let warnings: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("cresset: warning"))
        .collect();
    let cannot = |line: &&&str| line.starts_with("cresset: warning: cannot write");
    must(
        warnings.iter().filter(cannot).count() <= 1 && warnings.len() <= 4,
        "it is said once".into(),
    );
    let runs = place.path().join("runs");
    let lost = told["lost"].as_u64().unwrap_or_default();
    let logged = 2 * told["steps"].as_u64().unwrap_or_default();
    if count == 0 && !dir(&runs).path().exists() {
        must(lost >= logged, "all is lost and counted".into());
        return broken;
    }
    let view = view(&runs);
    let there = steps(&view);
    let points = 2 * there.len() as u64;
    must(
        points + lost >= logged,
        format!("{points} points are there"),
    );
    if count == 0 {
        return broken;
    }
    let shown = view.lost().values().map(|lost| lost.points).sum::<u64>();
    must(
        points + shown == logged,
        format!("{points} points are there and {shown} shown as lost"),
    );
    // The first calls begin the run. Of the later ones any may be of its end, which can take the last values with it: a busy machine
    // writes few frames. That the end is there shows that those recovered too.
    let is_early = from < 25;
    must(
        !is_early || there.last().map(|step| 2 * step + 2) == Some(logged),
        "it does not recover".into(),
    );
    must(
        view.state() == State::Finished,
        format!("{:?}", view.state()),
    );
    // What a disk refused once is written anew; who refuses to the end is not believed.
    must(
        told["complete"] == true || count > 1 && calls.contains("fsync"),
        "it is complete".into(),
    );
    if lost > 0 {
        must(
            view.summary().get("cresset/lost").and_then(Json::as_u64) == Some(lost),
            "the summary tells".into(),
        );
        must(
            !warnings.is_empty(),
            "nothing is lost without a word".into(),
        );
    }
    broken
}

#[test]
fn each_call_that_fails_costs_no_more_than_what_is_counted() {
    let (place, output, calls) = train(u64::MAX >> 1, 1, "5");
    assert!(output.status.success());
    drop(place);
    let calls: u64 = calls.split_whitespace().next().unwrap().parse().unwrap();
    assert!(calls > 40, "{calls}");
    let mut cases = Vec::new();
    for call in 1..=calls + 2 {
        for (name, number) in ERRORS {
            cases.push((call, 1, name, number));
        }
        cases.push((call, 1, "short", "short"));
        cases.push((call, 3, "ENOSPC", "28"));
        if call % 4 == 0 {
            cases.push((call, 0, "EIO", "5"));
        }
    }
    println!("{calls} calls, {} trainings", cases.len());
    let broken = all(cases, 16, |(from, count, name, error)| {
        breaks(from, count, name, error)
    });
    let broken: Vec<String> = broken.into_iter().flatten().collect();
    assert!(
        broken.is_empty(),
        "{}\n{} broken",
        broken.join("\n"),
        broken.len()
    );
}

#[test]
fn a_program_without_descriptors_trains_and_recovers() {
    for starving in ["starve", "starve=before"] {
        let (_place, runs) = place();
        let output = trainer(&runs, &format!("{starving} steps=20 pause=1 for=200"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let told = told(&output);
        let view = view(&runs);
        assert_eq!(view.state(), State::Finished);
        let lost = view.lost().values().map(|lost| lost.points).sum::<u64>();
        assert_eq!(
            2 * steps(&view).len() as u64 + lost,
            2 * told["steps"].as_u64().unwrap()
        );
        assert_eq!(lost, 0, "what came meanwhile waited in memory");
    }
}
