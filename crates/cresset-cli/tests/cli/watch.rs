use std::io::{BufRead, BufReader};
use std::process::Stdio;

use cresset_record::{Alert, Level, Outcome, Record};

use crate::command::Project;
use crate::fixture::{Log, start};

#[test]
fn without_a_terminal_it_prints_lines_and_ends_with_the_run() {
    let project = Project::new();
    let mut log = Log::begin(&project.root(), start("live", "radiant-buoy-1"));
    log.step(0, &[("train/loss", 2.0), ("system/cpu", 3.0)]);
    log.flush();
    let mut child = project
        .command(&["watch"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert_eq!(next(), "radiant-buoy-1  live");
    assert_eq!(next(), "10:00:00  step 0  train/loss=2");
    // Each line below was waited for: the command sees what is written while it runs.
    log.record(Record::Alert(Alert {
        time: log.at(1.0),
        level: Level::Warn,
        title: "a plateau".into(),
        text: String::new(),
        step: Some(1),
    }));
    log.flush();
    assert_eq!(next(), "10:00:01  alert: a plateau  step 1");
    log.step(2, &[("train/loss", f64::NAN)]);
    let reason = "loss is NaN".to_owned();
    log.end(3.0, Outcome::Failed { reason });
    assert_eq!(next(), "10:00:02  step 2  train/loss=NaN");
    assert_eq!(next(), "✗ failed after 3.00s: loss is NaN");
    assert_eq!(child.wait().unwrap().code(), Some(5));
}

#[test]
fn a_run_that_ended_is_told_at_once() {
    let project = Project::new();
    let mut log = Log::begin(&project.root(), start("done", "calm-reef-2"));
    log.step(7, &[("train/loss", 0.5)]);
    log.end(7.0, Outcome::Finished);
    let text = project.cresset(&["watch", "calm-reef-2"]).printed();
    insta::assert_snapshot!(text);
}
