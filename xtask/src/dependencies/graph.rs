//! What the workspace declares and what each dependency brings, as `cargo metadata` tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::shell::{self, cargo};

/// Packages as they are resolved for this machine, default features on.
#[derive(Debug, Deserialize)]
pub(super) struct Graph {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    dependencies: Vec<Declared>,
    /// Where it may be published; empty is nowhere.
    publish: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Declared {
    name: String,
    /// `None` for a normal one, else `dev` or `build`.
    kind: Option<String>,
    features: Vec<String>,
    uses_default_features: bool,
    /// Where it is, for one of ours.
    path: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Debug, Deserialize)]
struct Kind {
    kind: Option<String>,
}

/// A dependency that some of our packages declare.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Direct {
    /// Who builds with it.
    pub(super) users: BTreeSet<String>,
    /// Who only tests with it.
    pub(super) testers: BTreeSet<String>,
    /// What any of them asks for; `default` stands for what is on by itself.
    pub(super) features: BTreeSet<String>,
}

/// A package by name and version.
pub(super) type Built = (String, String);

impl Graph {
    /// Asks cargo.
    ///
    /// # Errors
    /// If it cannot tell.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let about = shell::read(Command::new("rustc").arg("-vV").current_dir(root))?;
        let host = about.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.context("rustc does not say what it builds for")?;
        let mut metadata = cargo(["metadata", "--format-version=1", "--filter-platform", host]);
        Self::parse(&shell::read(metadata.current_dir(root))?)
    }

    /// Reads what `cargo metadata` prints.
    pub(super) fn parse(metadata: &str) -> Result<Self> {
        serde_json::from_str(metadata).context("cargo metadata has another form than expected")
    }

    /// What our packages declare, by name.
    pub(super) fn direct(&self) -> BTreeMap<String, Direct> {
        let mut all: BTreeMap<String, Direct> = BTreeMap::new();
        for package in self.members() {
            for declared in package.dependencies.iter().filter(|d| d.path.is_none()) {
                let direct = all.entry(declared.name.clone()).or_default();
                let whose = match declared.kind.as_deref() {
                    Some("dev") => &mut direct.testers,
                    _ => &mut direct.users,
                };
                whose.insert(package.name.clone());
                direct.features.extend(declared.features.iter().cloned());
                if declared.uses_default_features {
                    direct.features.insert("default".into());
                }
            }
        }
        for direct in all.values_mut() {
            direct.testers.retain(|name| !direct.users.contains(name));
        }
        all
    }

    /// Our packages that are published.
    pub(super) fn published(&self) -> Vec<Built> {
        let published = self.members().filter(|package| package.publish.is_none());
        published.map(built).collect()
    }

    /// All that is built for one of our packages, tests aside, itself and others of ours left out.
    pub(super) fn brought_by(&self, package: &str) -> BTreeSet<Built> {
        let roots = self.members().filter(|p| p.name == package);
        self.foreign(&self.reach(roots, |_| true))
    }

    /// The packages of a name that our packages declare, and those that would be gone from the workspace, tests aside, if none of ours
    /// declared it.
    pub(super) fn only_for(&self, name: &str) -> (BTreeSet<Built>, BTreeSet<Built>) {
        let with = self.foreign(&self.reach(self.members(), |_| true));
        let without = self.foreign(&self.reach(self.members(), |package| package.name != name));
        let itself = self.members().flat_map(|member| self.edges(&member.id));
        let itself = itself.filter(|package| package.name == name).map(built);
        (itself.collect(), &with - &without)
    }

    fn members(&self) -> impl Iterator<Item = &Package> {
        let ours = |package: &&Package| self.workspace_members.contains(&package.id);
        self.packages.iter().filter(ours)
    }

    /// What is built for `roots` and is reached by edges of theirs and others of ours that `may_declare` lets pass.
    fn reach<'a>(
        &'a self,
        roots: impl Iterator<Item = &'a Package>,
        may_declare: impl Fn(&Package) -> bool,
    ) -> BTreeSet<&'a str> {
        let mut seen = BTreeSet::new();
        let mut ahead: Vec<&str> = roots.map(|package| package.id.as_str()).collect();
        while let Some(id) = ahead.pop() {
            if !seen.insert(id) {
                continue;
            }
            let is_ours = self.workspace_members.contains(id);
            let next = self.edges(id).filter(|to| !is_ours || may_declare(to));
            ahead.extend(next.map(|package| package.id.as_str()));
        }
        seen
    }

    /// What a package is built with.
    fn edges(&self, id: &str) -> impl Iterator<Item = &Package> {
        let nodes = self.resolve.nodes.iter().filter(move |node| node.id == id);
        let built = |edge: &&Edge| {
            let mut kinds = edge.dep_kinds.iter();
            kinds.any(|kind| kind.kind.as_deref() != Some("dev"))
        };
        let edges = nodes.flat_map(move |node| node.deps.iter().filter(built));
        edges.filter_map(|edge| self.packages.iter().find(|package| package.id == edge.pkg))
    }

    fn foreign(&self, ids: &BTreeSet<&str>) -> BTreeSet<Built> {
        let packages = self.packages.iter();
        let foreign = packages.filter(|package| {
            ids.contains(package.id.as_str()) && !self.workspace_members.contains(&package.id)
        });
        foreign.map(built).collect()
    }
}

fn built(package: &Package) -> Built {
    (package.name.clone(), package.version.clone())
}
