//! `cargo xtask semver`: what a release would break for those who use the libraries, by
//! [cargo-semver-checks](https://github.com/obi1kenobi/cargo-semver-checks).

use std::process::Command;

use anyhow::{Context, Result};

use crate::shell::{self, cargo};
use crate::{packages, root, tools};

/// What to compare with.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// A revision; the last released version unless it is said.
    #[arg(long, value_name = "REVISION")]
    since: Option<String>,
    /// These libraries only.
    #[arg(long = "package", short, value_name = "NAME")]
    packages: Vec<String>,
}

/// Compares the interface of every published library with what it was.
///
/// # Errors
/// If something is broken that the version in `Cargo.toml` does not allow, or there is nothing to compare with.
pub(crate) fn run(options: &Options) -> Result<()> {
    let since = match &options.since {
        Some(revision) => revision.clone(),
        None => last_release()?,
    };
    tools::semver_checks()?;
    // Features that are off unless asked for need a toolkit (CUDA) to build.
    let mut check = cargo([
        "semver-checks",
        "--default-features",
        "--baseline-rev",
        &since,
    ]);
    let chosen = match options.packages.is_empty() {
        true => packages::libraries()?,
        false => options.packages.clone(),
    };
    for name in &chosen {
        check.args(["--package", name]);
    }
    shell::run(&mut check)
}

fn last_release() -> Result<String> {
    let mut describe = Command::new("git");
    describe.args(["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]);
    let tag = shell::read(describe.current_dir(root())).context(
        "no version has been released yet; name a revision: cargo xtask semver --since REVISION",
    )?;
    Ok(tag.trim().to_owned())
}
