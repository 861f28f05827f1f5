//! Programs that the commands need beyond the toolchain: installed where that is one command, named where it is not.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell::{self, cargo};

/// Sees to it that `cargo nextest` can be run.
///
/// # Errors
/// If it is missing and cannot be built.
pub(crate) fn nextest() -> Result<()> {
    cargo_tool("nextest", "cargo-nextest@0.9.151")
}

/// Sees to it that `cargo fuzz` and the toolchain that it needs can be run.
///
/// # Errors
/// If either is missing and cannot be installed from here.
pub(crate) fn fuzz() -> Result<()> {
    if !shell::works(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])) {
        bail!(
            "fuzzing needs the nightly toolchain: rustup toolchain install nightly --profile minimal"
        );
    }
    cargo_tool("fuzz", "cargo-fuzz@0.13.2")
}

/// Names what some tests start and cannot find.
pub(crate) fn name_missing_programs() {
    if !shell::works(Command::new("git").arg("--version")) {
        println!(
            "note: tests of what a run records of its repository need git: apt-get install git"
        );
    }
}

fn cargo_tool(name: &str, package: &str) -> Result<()> {
    if shell::works(&mut cargo([name, "--version"])) {
        return Ok(());
    }
    println!("{package} is missing: it is built once now");
    // Away from the workspace: its own lock file, and a folder that `cargo install` cleans up itself.
    shell::run(cargo(["install", "--locked", package]).env_remove("CARGO_TARGET_DIR"))
        .with_context(|| format!("{package} could not be installed"))
}
