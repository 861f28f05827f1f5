//! How fast the servers of Cresset and of other trackers answer their own pages, on the same series.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Map, Value as Json};

use crate::trackers::{MLFLOW, TENSORBOARD};
use crate::{root, shell, tools};

/// More would take the others minutes to read.
const POINTS: &str = "1000000";
const RUNS: &str = "1000";

/// By the name that `benches/peers/reader.py` has for them.
const PEERS: [(&str, &[&str]); 3] = [
    // Itself, with nothing but Python's own library.
    ("cresset", &[]),
    ("mlflow", MLFLOW.packages),
    ("tensorboard", TENSORBOARD.packages),
];

/// Measures each, shows the figures and writes them to `json`.
///
/// # Errors
/// If a tracker cannot be installed or its server does not answer.
pub(crate) fn measure(json: Option<&Path>) -> Result<()> {
    let place = shell::target().join("readers");
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    fs::create_dir_all(&place)?;
    let values = place.join("values.f64");
    let programs = shell::target().join("release");
    let own = place.join("cresset");
    let mut write = Command::new(programs.join("fixtures"));
    write.args(["long", "--points", POINTS, "--out"]);
    write.arg(own.join(".cresset"));
    shell::run(write.arg("--values").arg(&values))?;
    let mut write = Command::new(programs.join("fixtures"));
    write.args(["many", "--runs", RUNS, "--out"]);
    shell::run(write.arg(own.join("others")))?;
    let mut all = Map::new();
    for (name, packages) in PEERS {
        let python = match packages.is_empty() {
            true => "python3".into(),
            false => tools::python_with(name, packages)?,
        };
        let folder = place.join(name);
        fs::create_dir_all(&folder)?;
        let mut reader = Command::new(python);
        reader.arg(root().join("benches/peers/reader.py"));
        reader.arg(name).arg(&values).arg(RUNS);
        reader.env("CRESSET", programs.join("cresset"));
        let said = shell::read(reader.current_dir(&folder))?;
        let last = said.lines().last().unwrap_or_default();
        let figures: Json = serde_json::from_str(last)
            .with_context(|| format!("{name} gave no figures: {said}"))?;
        println!("{name}: {figures:#}");
        let label = if packages.is_empty() {
            name.to_owned()
        } else {
            packages.join(" ")
        };
        all.insert(label, figures);
    }
    if let Some(file) = json {
        fs::write(file, serde_json::to_string_pretty(&all)?)?;
    }
    fs::remove_dir_all(&place)?;
    Ok(())
}
