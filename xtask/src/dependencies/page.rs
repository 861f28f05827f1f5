//! The tables of `docs/dependencies.md`: what is declared and what it costs is written here, what it is for by people.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::graph::{Built, Direct, Graph};

/// Where the page is.
pub(super) const PATH: &str = "docs/dependencies.md";
/// The head of the table of our packages, by which it is found.
const BROUGHT: &str = "| package | brings | s |\n|---|--:|--:|\n";
/// The head of the table of what is declared.
const DIRECT: &str = "| dependency | built with | features | for | s | with what only it brings, s |\n|---|---|---|---|--:|--:|\n";
/// What was not measured.
const UNKNOWN: &str = "–";

/// The tables of the page, and the text around them.
#[derive(Clone, Debug)]
pub(super) struct Page {
    before: String,
    brought: BTreeMap<String, Brought>,
    between: String,
    direct: BTreeMap<String, Row>,
    after: String,
}

/// What a package of ours brings.
#[derive(Clone, Debug, Default)]
struct Brought {
    packages: String,
    seconds: String,
}

/// What stands of a dependency.
#[derive(Clone, Debug, Default, PartialEq)]
struct Row {
    users: String,
    features: String,
    purpose: String,
    alone: String,
    with: String,
}

impl Page {
    /// Reads the page in the folder `root`.
    ///
    /// # Errors
    /// If it is missing or lacks a table.
    pub(super) fn read(root: &Path) -> Result<Self> {
        Self::parse(&fs::read_to_string(root.join(PATH)).context(PATH)?)
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let (before, text) = after(text, BROUGHT)?;
        let (brought, text) = rows(text);
        let (between, text) = after(text, DIRECT)?;
        let (direct, text) = rows(text);
        let brought = brought.into_iter().map(|[name, packages, seconds]| {
            let brought = Brought { packages, seconds };
            (name, brought)
        });
        let direct = direct
            .into_iter()
            .map(|[name, users, features, purpose, alone, with]| {
                let row = Row {
                    users,
                    features,
                    purpose,
                    alone,
                    with,
                };
                (name, row)
            });
        Ok(Self {
            before: before.to_owned(),
            brought: brought.collect(),
            between: between.to_owned(),
            direct: direct.collect(),
            after: text.to_owned(),
        })
    }

    /// What the page gets wrong, a line each.
    pub(super) fn faults(&self, graph: &Graph) -> Vec<String> {
        let mut right = self.clone();
        right.declare(graph);
        let names: BTreeSet<&String> = self.direct.keys().chain(right.direct.keys()).collect();
        let fault = |name: &String| match (self.direct.get(name), right.direct.get(name)) {
            (Some(_), None) => Some("nobody uses it"),
            (None, _) => Some("it is not there"),
            (Some(row), _) if row.purpose.is_empty() => Some("it does not say what it is for"),
            (Some(row), Some(right)) if row != right => Some("its users or features have changed"),
            _ => None,
        };
        let faults = names
            .into_iter()
            .filter_map(|name| Some((name, fault(name)?)));
        faults
            .map(|(name, fault)| format!("- {name}: {fault}"))
            .collect()
    }

    /// Has a row for each dependency that is declared, and for no other.
    pub(super) fn declare(&mut self, graph: &Graph) {
        let mut old = std::mem::take(&mut self.direct);
        for (name, direct) in graph.direct() {
            let row = old.remove(&name).unwrap_or_else(|| Row {
                alone: UNKNOWN.into(),
                with: UNKNOWN.into(),
                ..Row::default()
            });
            let row = Row {
                users: users(&direct),
                features: words(&direct.features),
                ..row
            };
            self.direct.insert(name, row);
        }
    }

    /// Writes down what was measured. What was not stays as it is.
    pub(super) fn enter(&mut self, graph: &Graph, seconds: &BTreeMap<Built, f64>) {
        let sum = |built: &BTreeSet<Built>| {
            let measured = built.iter().filter_map(|package| seconds.get(package));
            let measured: Vec<f64> = measured.copied().collect();
            (!measured.is_empty()).then(|| format!("{:.1}", measured.iter().sum::<f64>()))
        };
        for (name, row) in &mut self.direct {
            let (itself, only) = graph.only_for(name);
            if let Some(alone) = sum(&itself) {
                row.alone = alone;
                row.with = sum(&only).unwrap_or_else(|| UNKNOWN.into());
            }
        }
        for package in graph.published() {
            // With it, all that it needs was built.
            if seconds.contains_key(&package) {
                let (name, _) = &package;
                let mut brings = graph.brought_by(name);
                brings.retain(|package| seconds.contains_key(package));
                let brought = Brought {
                    packages: brings.len().to_string(),
                    seconds: sum(&brings).unwrap_or_else(|| UNKNOWN.into()),
                };
                self.brought.insert(format!("`{name}`"), brought);
            }
        }
    }

    /// Writes the page in the folder `root`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn write(&self, root: &Path) -> Result<()> {
        fs::write(root.join(PATH), self.text()).context(PATH)
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("{}{BROUGHT}", self.before);
        for (name, Brought { packages, seconds }) in &self.brought {
            text += &format!("| {name} | {packages} | {seconds} |\n");
        }
        text += &format!("{}{DIRECT}", self.between);
        for (name, row) in &self.direct {
            let Row {
                users,
                features,
                purpose,
                alone,
                with,
            } = row;
            text += &format!("| {name} | {users} | {features} | {purpose} | {alone} | {with} |\n");
        }
        text + &self.after
    }
}

/// Splits `text` behind `head`, which goes.
fn after<'a>(text: &'a str, head: &str) -> Result<(&'a str, &'a str)> {
    let title = head.lines().next().unwrap_or(head);
    let found = text.split_once(head);
    found.with_context(|| format!("{PATH} has no table that begins with `{title}`"))
}

/// The rows at the beginning of `text`, and what comes behind them.
fn rows<const N: usize>(text: &str) -> (Vec<[String; N]>, &str) {
    let end = text
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('|'));
    let (table, rest) = text.split_at(end.map(str::len).sum());
    let cells = |line: &str| {
        let cells = line.trim().trim_matches('|').split('|');
        let cells: Vec<String> = cells.map(|cell| cell.trim().to_owned()).collect();
        cells.try_into().ok()
    };
    (table.lines().filter_map(cells).collect(), rest)
}

/// Who uses it, without what all our names begin with.
fn users(direct: &Direct) -> String {
    let short = |names: &BTreeSet<String>| {
        let short = |name: &String| name.strip_prefix("cresset-").unwrap_or(name).to_owned();
        names.iter().map(short).collect::<Vec<_>>().join(", ")
    };
    let (users, testers) = (short(&direct.users), short(&direct.testers));
    match (users.is_empty(), testers.is_empty()) {
        (_, true) => users,
        (true, false) => format!("tests of {testers}"),
        (false, false) => format!("{users}; tests of {testers}"),
    }
}

fn words(words: &BTreeSet<String>) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(" ")
}
