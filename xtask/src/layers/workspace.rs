//! What our packages declare, as `cargo metadata` tells it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::rules::{Rule, may_declare};
use crate::shell;

/// The packages of a workspace.
#[derive(Debug, Deserialize)]
pub(super) struct Workspace {
    pub(super) packages: Vec<Package>,
}

/// One package.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
    pub(super) features: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `None` for a normal one, else `dev` or `build`.
    kind: Option<String>,
}

impl Workspace {
    /// Asks cargo for the workspace in the folder `root`.
    ///
    /// # Errors
    /// If cargo cannot tell.
    pub(super) fn read(root: &Path) -> Result<Self> {
        Self::parse(&shell::metadata(root)?)
    }

    /// Reads what `cargo metadata --no-deps` prints.
    pub(super) fn parse(metadata: &str) -> Result<Self> {
        serde_json::from_str(metadata).context("cargo metadata has another form than expected")
    }

    pub(super) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }
}

impl Package {
    /// The package's folder.
    pub(super) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new(""))
    }
}

/// What the packages declare against the rules: edges between our own, and direct use of a framework. Optional dependencies
/// count like any other.
pub(super) fn check(workspace: &Workspace, rules: &[Rule]) -> Vec<String> {
    let mut breaches = Vec::new();
    for package in &workspace.packages {
        let name = &package.name;
        let Some(rule) = rules.iter().find(|rule| rule.package == name) else {
            breaches.push(format!(
                "{name} has no rule; give it one in xtask/src/layers/rules.rs"
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let to = dependency.name.as_str();
            let dev = dependency.kind.as_deref() == Some("dev");
            let allowed = rule.uses.contains(&to) || dev && rule.tests_use.contains(&to);
            if workspace.package(to).is_some() && to != name && !allowed {
                let whose = if dev { "its tests" } else { "it" };
                breaches.push(format!(
                    "{name} depends on {to}, which {whose} must not use"
                ));
            }
            if !may_declare(rule, to) {
                breaches.push(format!(
                    "{name} depends on {to}; only a framework's own callback crate, examples and benchmarks may"
                ));
            }
        }
    }
    for rule in rules {
        let stale = |names: &[&str]| {
            let gone = names.iter().find(|name| workspace.package(name).is_none());
            gone.map(|name| (*name).to_owned())
        };
        let gone = stale(&[rule.package])
            .or_else(|| stale(rule.uses))
            .or_else(|| stale(rule.tests_use));
        if let Some(gone) = gone {
            breaches.push(format!(
                "the rule of {} names {gone}, which is no package of the workspace",
                rule.package
            ));
        }
    }
    breaches
}
