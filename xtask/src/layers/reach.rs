//! What a package brings along when it is built, as `cargo tree` tells it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::rules::Rule;
use super::workspace::Package;
use crate::shell;

/// Features that add a GPU's toolkit. Each is resolved alone: what they bring is the framework's affair and is not built here.
const GPU: [&str; 3] = ["cuda", "cudnn", "metal"];

/// What `package` reaches against `rule`, in any of its sets of features, on any platform.
pub(super) fn check(root: &Path, package: &Package, rule: &Rule) -> Result<Vec<String>> {
    let mut breaches = BTreeSet::new();
    for set in feature_sets(package) {
        let tree = tree(root, &package.name, &set)?;
        breaches.extend(forbidden(rule, &set, &tree));
    }
    Ok(breaches.into_iter().collect())
}

/// As arguments for cargo: the default, none, and all but those of a GPU.
fn feature_sets(package: &Package) -> Vec<Vec<String>> {
    let all: Vec<&str> = package
        .features
        .keys()
        .map(String::as_str)
        .filter(|name| !GPU.contains(name))
        .collect();
    let mut sets = vec![vec![]];
    if !all.is_empty() {
        sets.push(vec!["--no-default-features".into()]);
        sets.push(vec!["--features".into(), all.join(",")]);
    }
    sets
}

/// The dependencies for building `package`, not those of its tests, a line each.
fn tree(root: &Path, package: &str, features: &[String]) -> Result<String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["tree", "--package", package, "--edges", "normal,build"])
        .args(["--target", "all", "--prefix", "none", "--format", "{p}"])
        .args(features)
        .current_dir(root);
    shell::read(&mut cargo)
}

/// The breaches in what `cargo tree` printed for a set of features.
pub(super) fn forbidden(rule: &Rule, features: &[String], tree: &str) -> Vec<String> {
    let names: BTreeSet<&str> = tree
        .lines()
        .filter_map(|l| l.split_whitespace().next())
        .collect();
    let mut breaches = Vec::new();
    for name in names {
        for family in rule.never.iter().filter(|family| family.has(name)) {
            let with = match features {
                [] => "its default features".to_owned(),
                _ => features.join(" "),
            };
            breaches.push(format!(
                "{} reaches {name} with {with}; it must never reach {}. See: cargo tree -p {0} -e normal,build -i {name}",
                rule.package, family.name
            ));
        }
    }
    breaches
}
