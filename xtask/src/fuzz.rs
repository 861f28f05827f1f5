//! Runs every fuzz target for a while.

use std::fs;
use std::process::Command;

use anyhow::{Result, bail};

use crate::{nightly, root, shell, tools};

/// Runs each target of `fuzz/` for so many seconds, from its seeds and what earlier runs found.
///
/// # Errors
/// If a tool is missing, or a target finds something.
pub(crate) fn run(seconds: u32) -> Result<()> {
    tools::fuzz()?;
    let targets = shell::read(fuzz().arg("list"))?;
    let limit = format!("-max_total_time={seconds}");
    let mut found = Vec::new();
    for target in targets.split_whitespace() {
        let inputs = ["corpus", "seeds"].map(|kind| format!("fuzz/{kind}/{target}"));
        for folder in &inputs {
            fs::create_dir_all(root().join(folder))?;
        }
        let mut command = fuzz();
        command
            .args(["run", target])
            .args(inputs)
            .args(["--", &limit]);
        if shell::run(&mut command).is_err() {
            found.push(target);
        }
    }
    if !found.is_empty() {
        bail!(
            "{} failed; the inputs are in fuzz/artifacts",
            found.join(", ")
        );
    }
    if targets.trim().is_empty() {
        bail!("there are no targets in fuzz/");
    }
    Ok(())
}

/// `cargo fuzz` with the nightly toolchain, which it needs for sanitizers.
fn fuzz() -> Command {
    nightly::cargo(["fuzz"])
}
