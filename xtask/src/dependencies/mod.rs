//! What comes from outside: `cargo xtask deny` holds it to the rules, `cargo xtask costs` measures what building it costs.
//!
//! [`graph`] reads what is declared and what each dependency brings, [`page`] keeps the tables of `docs/dependencies.md`, [`costs`]
//! measures.

mod costs;
mod graph;
mod page;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::{root, shell, tools};

pub(crate) use costs::{Costs, is_measuring, measure_one};

use graph::Graph;
use page::Page;

/// Frameworks and what belongs to them. Nobody builds two, and which versions each brings is its own affair.
const FRAMEWORKS: [&str; 9] = [
    "burn",
    "burn-core",
    "burn-dispatch",
    "burn-optim",
    "burn-train",
    "candle-core",
    "candle-nn",
    "gemm",
    "safetensors",
];

/// What to look at.
#[derive(Default, clap::Args)]
pub(crate) struct Deny {
    /// Also asks RustSec whether a vulnerability is known of anything that is built; needs GitHub.
    #[arg(long)]
    advisories: bool,
}

/// Checks licences, places, versions side by side, dependencies that nobody uses, and the page that tells of them.
///
/// # Errors
/// If one of them is not as it must be, or a tool cannot be installed.
pub(crate) fn deny(options: &Deny) -> Result<()> {
    let program = tools::deny()?;
    check(&program, &[], &["licenses", "sources"])?;
    check(&program, &FRAMEWORKS, &["bans"])?;
    if options.advisories {
        check(&program, &[], &["advisories"])?;
    }
    shell::run(Command::new(tools::shear()?).current_dir(root()))?;
    let faults = Page::read(root())?.faults(&Graph::read(root())?);
    match faults.is_empty() {
        true => Ok(()),
        false => bail!(
            "{}:\n{}\n`cargo xtask costs --no-build` writes what is declared; what it is for is yours to say",
            page::PATH,
            faults.join("\n")
        ),
    }
}

/// `cargo deny check` of everything but the trees of `without`; what it warns of is an error.
fn check(program: &Path, without: &[&str], what: &[&str]) -> Result<()> {
    let mut deny = Command::new(program);
    deny.arg("--workspace").current_dir(root());
    for package in without {
        deny.args(["--exclude", package]);
    }
    shell::run(deny.args(["check", "--deny", "warnings"]).args(what))
}

/// Measures what dependencies cost to build, and writes it into the page.
///
/// # Errors
/// If they cannot be built, or the page cannot be read.
pub(crate) fn costs(options: &Costs) -> Result<()> {
    let graph = Graph::read(root())?;
    // A page that makes no sense is told of before the builds, which take long; what somebody writes in it meanwhile stays.
    Page::read(root())?;
    let seconds = options.measure(&graph)?;
    let mut page = Page::read(root())?;
    page.declare(&graph);
    page.enter(&graph, &seconds);
    page.write(root())
}
