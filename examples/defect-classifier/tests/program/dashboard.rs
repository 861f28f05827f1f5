//! `--ui`, with a stand-in for the command `cresset`: what the dashboard does is tested elsewhere, here it is what training makes of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Workplace, stdout};

const SETTINGS: &str = "--generate 300 --image-size 16 --width 2 --epochs 1 --batch-size 64 --ui";

/// A workplace in whose `bin` is a script `cresset`.
fn with_cresset(script: &str) -> Workplace {
    let workplace = Workplace::new();
    fs::create_dir(workplace.path("bin")).unwrap();
    let file = workplace.path("bin/cresset");
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    workplace
}

fn command(workplace: &Workplace) -> Command {
    let mut command = workplace.command(SETTINGS);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env(
        "PATH",
        format!("{}:{path}", workplace.path("bin").display()),
    );
    command
}

#[test]
fn the_dashboard_opens_with_the_run_and_stays_until_it_is_closed() {
    // Is there while the run goes on, and closed as a person would.
    let workplace = with_cresset(
        "echo \"$@\" > opened; while ! [ -e close ]; do sleep 0.05; done; echo closed >> opened",
    );
    let mut child = command(&workplace).spawn().unwrap();
    let run_ended = || {
        let project = workplace.path(".cresset/harbor-defect-classifier");
        let runs = fs::read_dir(project).map(|runs| runs.flatten().collect::<Vec<_>>());
        runs.unwrap_or_default().iter().any(|run| {
            let view = cresset_record::RunView::open(cresset_record::RunDir::new(run.path()));
            view.is_ok_and(|view| view.state() == cresset_record::State::Finished)
        })
    };
    let deadline = Instant::now() + Duration::from_secs(120);
    while !run_ended() {
        assert!(Instant::now() < deadline, "the run did not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(
        child.try_wait().unwrap().is_none(),
        "it waits for the dashboard"
    );
    fs::write(workplace.path("close"), "").unwrap();
    let text = stdout(&child.wait_with_output().unwrap());
    assert!(text.contains("opening the dashboard: "), "{text}");
    let root = workplace.0.path().canonicalize().unwrap().join(".cresset");
    let opened = fs::read_to_string(workplace.path("opened")).unwrap();
    assert_eq!(opened, format!("ui {}\nclosed\n", root.display()));
}

#[test]
fn training_does_not_depend_on_the_dashboard() {
    let workplace = with_cresset("echo no such command >&2; exit 2");
    let text = stdout(&command(&workplace).output().unwrap());
    assert!(text.contains("test of the best weights: "), "{text}");
    assert!(
        text.contains("look at it with `cresset ui` or `cresset show "),
        "{text}"
    );
    // No program at all.
    fs::write(workplace.path("bin/cresset"), "not a program").unwrap();
    let text = stdout(&command(&workplace).output().unwrap());
    assert!(text.contains("test of the best weights: "), "{text}");
}
