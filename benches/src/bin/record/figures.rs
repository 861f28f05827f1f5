//! Named numbers of one measurement, and medians of several.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use cresset_benches::median;

/// Figures by name; the name carries the unit.
pub(crate) type Figures = BTreeMap<String, f64>;

/// Runs a process that measures, and reads the JSON object that it prints.
pub(crate) fn of_process(command: &mut Command) -> Result<Figures> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {command:?}"))?;
    let mut printed = String::new();
    if let Some(stdout) = &mut child.stdout {
        stdout.read_to_string(&mut printed)?;
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    let last = printed.lines().last().unwrap_or_default();
    serde_json::from_str(last).with_context(|| format!("{command:?} printed {last:?}, no figures"))
}

/// Figure by figure the median.
pub(crate) fn medians(runs: &[Figures]) -> Figures {
    let names = runs.iter().flat_map(BTreeMap::keys).cloned();
    names
        .map(|name| {
            let mut values: Vec<f64> = runs.iter().filter_map(|r| r.get(&name)).copied().collect();
            let middle = median(&mut values);
            (name, middle)
        })
        .collect()
}

/// Bytes of all files in a folder.
pub(crate) fn bytes_in(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            bytes += bytes_in(&entry.path())?;
        } else if kind.is_file() {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}
