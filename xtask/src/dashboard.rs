//! The dashboard's sources against its build, which is committed so that users need no node.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{root, shell, tools};

const SOURCES: &str = "crates/cresset-server/ui";
const BUILT: &str = "crates/cresset-server/assets";

/// Types, and that building the sources gives the committed files, byte for byte.
///
/// # Errors
/// If either does not hold, or node is missing.
pub(crate) fn check() -> Result<()> {
    tools::node()?;
    install(SOURCES)?;
    shell::run(npm(SOURCES).args(["run", "check"]))?;
    let fresh = shell::target().join("dashboard");
    let mut build = npm(SOURCES);
    build.args(["run", "build", "--", "--emptyOutDir", "--outDir"]);
    shell::run(build.arg(&fresh))?;
    compare(&fresh, &root().join(BUILT))
}

/// The unit tests of the dashboard, their output kept.
///
/// # Errors
/// If they cannot be run.
pub(crate) fn test() -> Result<(bool, Vec<String>)> {
    shell::run_and_keep(npm(SOURCES).args(["test"]))
}

/// Installs what the lock file says.
///
/// # Errors
/// If it cannot.
pub(crate) fn install(folder: &str) -> Result<()> {
    // Browsers come from the system.
    shell::run(
        npm(folder)
            .args(["ci", "--prefer-offline", "--no-audit", "--no-fund"])
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"),
    )
}

/// `npm` in a folder of the workspace.
pub(crate) fn npm(folder: &str) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(root().join(folder));
    command
}

fn compare(fresh: &Path, built: &Path) -> Result<()> {
    let (fresh, built) = (files(fresh)?, files(built)?);
    let names = fresh.keys().chain(built.keys());
    let mut differ: Vec<_> = names
        .filter(|name| fresh.get(*name) != built.get(*name))
        .map(|name| name.display().to_string())
        .collect();
    differ.sort();
    differ.dedup();
    if !differ.is_empty() {
        bail!(
            "{BUILT} is not what {SOURCES} gives: {}; run `npm run build` in {SOURCES} and commit the result",
            differ.join(", ")
        );
    }
    println!("{} files in {BUILT} are what {SOURCES} gives", built.len());
    Ok(())
}

/// All files below `folder`, by their paths in it.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        let entries =
            fs::read_dir(&next).with_context(|| format!("cannot read {}", next.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                left.push(path);
            } else {
                let bytes = fs::read(&path)?;
                found.insert(path.strip_prefix(folder)?.to_owned(), bytes);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_that_differs_is_named_file_by_file() {
        let dir = tempfile::tempdir().unwrap();
        let [fresh, built] = ["fresh", "built"].map(|name| dir.path().join(name));
        for folder in [&fresh, &built] {
            fs::create_dir_all(folder.join("assets")).unwrap();
            fs::write(folder.join("index.html"), "same").unwrap();
        }
        compare(&fresh, &built).unwrap();
        fs::write(fresh.join("assets/new.js"), "1").unwrap();
        fs::write(built.join("assets/old.js"), "1").unwrap();
        fs::write(built.join("index.html"), "other").unwrap();
        let message = compare(&fresh, &built).unwrap_err().to_string();
        let files = "assets/new.js, assets/old.js, index.html";
        assert!(message.contains(files), "{message}");
    }
}
