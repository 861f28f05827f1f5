//! `cargo xtask layers`: the architecture's rules, checked.
//!
//! [`rules`] says who may depend on whom; [`workspace`] reads what is declared, [`reach`] what is built for each set of
//! features; [`map`] holds `docs/ARCHITECTURE.md` against the tree.

mod map;
mod reach;
mod rules;
mod workspace;

use std::path::Path;

use anyhow::{Result, bail};

use rules::{RULES, Rule};
use workspace::Workspace;

/// Where the map of the project is.
const MAP: &str = "docs/ARCHITECTURE.md";

/// Checks the workspace in the folder `root`.
///
/// # Errors
/// If a rule is broken, each breach shown; if cargo cannot tell what depends on what.
pub(crate) fn run(root: &Path) -> Result<()> {
    println!("\n$ cargo xtask layers");
    let workspace = Workspace::read(root)?;
    let breaches = check(root, &workspace, RULES)?;
    if !breaches.is_empty() {
        for breach in &breaches {
            eprintln!("- {breach}");
        }
        bail!(
            "breaches of the architecture: {}, see above",
            breaches.len()
        );
    }
    println!("{} packages keep to their layers", workspace.packages.len());
    Ok(())
}

/// What is wrong, a sentence each.
fn check(root: &Path, workspace: &Workspace, rules: &[Rule]) -> Result<Vec<String>> {
    let mut breaches = workspace::check(workspace, rules);
    for rule in rules {
        if let Some(package) = workspace.package(rule.package) {
            breaches.extend(reach::check(root, package, rule)?);
        }
    }
    breaches.extend(map::check(root, Path::new(MAP), workspace));
    Ok(breaches)
}

#[cfg(test)]
mod tests;
