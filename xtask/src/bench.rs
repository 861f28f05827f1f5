//! `cargo xtask bench`: builds and runs the benchmark of recording.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::shell::{self, cargo};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Also writes the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// One repetition of each measurement, for a first look.
    #[arg(long)]
    quick: bool,
    /// Also measures other trackers, installed from PyPI into the user's cache.
    #[arg(long)]
    peers: bool,
}

/// Builds the benchmarks and runs them.
///
/// # Errors
/// If they cannot be built or run. A budget that does not hold is shown, and is no error: machines differ.
pub(crate) fn run(options: &Options) -> Result<()> {
    const BUILD: [&str; 5] = [
        "build",
        "--release",
        "--package",
        "cresset-benches",
        "--bins",
    ];
    shell::run(&mut cargo(BUILD))?;
    let mut record = cargo([
        "run",
        "--release",
        "--quiet",
        "--package",
        "cresset-benches",
        "--bin",
        "record",
        "--",
    ]);
    if let Some(file) = &options.json {
        // Relative to where the user is, not to the workspace.
        let file =
            std::path::absolute(file).with_context(|| format!("{} is no path", file.display()))?;
        record.arg("--json").arg(file);
    }
    if options.quick {
        record.arg("--quick");
    }
    if options.peers {
        record.arg("--peers");
    }
    shell::run(&mut record)
}
