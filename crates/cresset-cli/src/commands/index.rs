//! `cresset index`: looks after the index.

use std::path::Path;

use anyhow::Context;
use cresset_store::{Refreshed, Store};
use tempfile::TempDir;

use crate::args::{IndexArguments, IndexCommand};
use crate::exit::Exit;
use crate::output::Output;
use crate::{human, locate};

pub(crate) fn run(
    a: &IndexArguments,
    dir: Option<&Path>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let store = Store::open(locate::root(dir)?)?;
    match a.command {
        IndexCommand::Status => status(&store, out),
        IndexCommand::Rebuild => rebuild(&store, out),
        IndexCommand::Check => check(&store, out),
    }
}

fn status(store: &Store, out: &mut Output) -> anyhow::Result<Exit> {
    let projects = store.projects()?;
    let runs: u64 = projects
        .iter()
        .flat_map(|project| project.states.values())
        .sum();
    let path = store.root().path().join("index.sqlite");
    let bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
    let lines = [
        ("index", path.display().to_string()),
        ("size", human::bytes(bytes)),
        ("runs", human::grouped(runs)),
        ("projects", human::grouped(projects.len() as u64)),
        ("trash", human::count(store.trash()?.len() as u64, "run")),
        ("version", human::grouped(store.version()?)),
    ];
    for (name, value) in lines {
        out.line(format!("{name:<10}{}", human::clean(&value)))?;
    }
    Ok(Exit::Ok)
}

fn rebuild(store: &Store, out: &mut Output) -> anyhow::Result<Exit> {
    let found = store.rebuild()?;
    warn(&found);
    let runs = human::count(found.changes.len() as u64, "run");
    let points = human::count(found.points, "point");
    out.line(format!("read {runs} with {points}"))?;
    Ok(Exit::Ok)
}

fn check(store: &Store, out: &mut Output) -> anyhow::Result<Exit> {
    warn(&store.refresh()?);
    let apart = TempDir::new().context("cannot make a temporary folder")?;
    let checked = store.check(apart.path())?;
    for difference in &checked.differences {
        let key = &difference.key;
        let line = format!("{} of {}: {}", key.run, key.project, difference.what);
        out.line(human::clean(&line))?;
    }
    if checked.running > 0 {
        let runs = human::count(checked.running, "run");
        eprintln!("{runs} left out, being written");
    }
    let runs = human::count(checked.runs, "run");
    if checked.differences.is_empty() {
        out.line(format!("the index agrees with the logs of {runs}"))?;
        return Ok(Exit::Ok);
    }
    let differences = human::count(checked.differences.len() as u64, "difference");
    eprintln!("{differences} in {runs}; `cresset index rebuild` makes the index anew");
    Ok(Exit::Damaged)
}

fn warn(found: &Refreshed) {
    for (run, why) in &found.refused {
        eprintln!("cresset: run {run} is left out: {why}");
    }
}
