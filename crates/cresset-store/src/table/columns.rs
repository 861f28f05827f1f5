//! Which values of a run are shown.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use cresset_record::Timestamp;
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::field::FieldSource;
use crate::row::{BuiltIn, FieldPath, Row};
use crate::values::{Cell, Names, Object, Symbol, Value};

/// Chosen columns. Each has a number: fields that were named first, then those that `*` found, in order of appearance.
pub(super) struct Columns {
    named: Vec<(Arc<str>, FieldPath)>,
    /// What `*` found, if it was chosen.
    all: Option<Leaves>,
}

impl Columns {
    /// Columns by the paths of their fields, each once; `*` is all of config and summary.
    pub(super) fn new(fields: &[String], names: &Names) -> Self {
        let mut columns = Self {
            named: Vec::new(),
            all: None,
        };
        for field in fields {
            if field == "*" {
                columns.all = Some(Leaves::default());
            } else if !columns.named.iter().any(|(path, _)| **path == **field) {
                let path = FieldPath::new(field, names);
                columns.named.push((field.as_str().into(), path));
            }
        }
        columns
    }

    /// Gives the number and value of each column that the run has.
    pub(super) fn each<'a>(
        &mut self,
        run: &'a Row,
        names: &Names,
        now: Timestamp,
        mut give: impl FnMut(usize, Value<'a>),
    ) {
        for (number, (_, field)) in self.named.iter().enumerate() {
            if let Some(value) = run.value(field, now) {
                give(number, value);
            }
        }
        let Some(all) = &mut self.all else { return };
        for source in [FieldSource::Config, FieldSource::Summary] {
            all.each(source, run, names, |leaf, value| {
                give(self.named.len() + leaf, value);
            });
        }
    }

    /// The path of a column.
    pub(super) fn path(&self, number: usize) -> Arc<str> {
        let named = self.named.get(number).map(|(path, _)| path);
        let found = || {
            let all = self.all.as_ref()?;
            Some(all.path(number.checked_sub(self.named.len())?))
        };
        named.or_else(found).cloned().unwrap_or_default()
    }

    /// All that a run has, by path.
    pub(super) fn values(
        &mut self,
        run: &Row,
        names: &Names,
        now: Timestamp,
    ) -> Vec<(Arc<str>, Json)> {
        let mut found = Vec::new();
        self.each(run, names, now, |number, value| {
            found.push((number, value.to_json(names)));
        });
        let with_path = |(number, value)| (self.path(number), value);
        found.into_iter().map(with_path).collect()
    }
}

/// Fields inside of config, summary and environment down to what is no object, numbered in order of appearance.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    /// By the node that is left and the name that is entered.
    children: FxHashMap<(usize, Symbol), usize>,
    /// By the node that is left and the shape of the object that is entered: the nodes of all that it has.
    shapes: FxHashMap<(usize, usize), Rc<[usize]>>,
    nodes: Vec<Node>,
    by_path: HashMap<Arc<str>, usize>,
}

#[derive(Debug)]
struct Node {
    path: Arc<str>,
    source: FieldSource,
    /// How the path is read, where names that hold dots can make it mean two things.
    ambiguous: Option<FieldPath>,
}

/// The node in front of all of config, of summary, and of environment.
const CONFIG: usize = usize::MAX;
const SUMMARY: usize = usize::MAX - 1;
const ENVIRONMENT: usize = usize::MAX - 2;

impl Leaves {
    /// Gives the number and value of each field of a run; where a path can be read in two ways, the value that filters see.
    pub(super) fn each<'a>(
        &mut self,
        source: FieldSource,
        run: &'a Row,
        names: &Names,
        mut give: impl FnMut(usize, Value<'a>),
    ) {
        let (root, object) = match source {
            FieldSource::Run => return,
            FieldSource::Config => (CONFIG, &run.config),
            FieldSource::Summary => (SUMMARY, &run.summary),
            FieldSource::Environment => (ENVIRONMENT, &*run.environment),
        };
        let mut given = Vec::new();
        let mut visit = |nodes: &[Node], leaf: usize, cell: &'a Cell| {
            let Some(field) = nodes.get(leaf).and_then(|node| node.ambiguous.as_ref()) else {
                give(leaf, cell.into());
                return;
            };
            if !given.contains(&leaf) {
                given.push(leaf);
                // Of these fields none depends on the time.
                if let Some(value) = run.value(field, Timestamp::default()) {
                    give(leaf, value);
                }
            }
        };
        self.descend(root, object, names, &mut visit);
    }

    /// The path of a field.
    pub(super) fn path(&self, leaf: usize) -> &Arc<str> {
        static NONE: std::sync::LazyLock<Arc<str>> = std::sync::LazyLock::new(Arc::default);
        self.nodes.get(leaf).map_or(&*NONE, |node| &node.path)
    }

    /// Where a field is from.
    pub(super) fn source(&self, leaf: usize) -> FieldSource {
        self.nodes
            .get(leaf)
            .map_or(FieldSource::Run, |node| node.source)
    }

    fn descend<'a>(
        &mut self,
        parent: usize,
        object: &'a Object,
        names: &Names,
        visit: &mut impl FnMut(&[Node], usize, &'a Cell),
    ) {
        let nodes = self.children_of(parent, object, names);
        for (&node, cell) in nodes.iter().zip(object.cells()) {
            match cell {
                Cell::Object(inside) if !inside.is_empty() => {
                    self.descend(node, inside, names, visit);
                }
                _ => visit(&self.nodes, node, cell),
            }
        }
    }

    /// The nodes of all that an object has. Most objects have the names of one that was seen before.
    fn children_of(&mut self, parent: usize, object: &Object, names: &Names) -> Rc<[usize]> {
        let shape = (parent, object.shape());
        if let Some(known) = self.shapes.get(&shape) {
            return Rc::clone(known);
        }
        let node = |(name, _): (Symbol, &Cell)| match self.children.get(&(parent, name)) {
            Some(&node) => node,
            None => self.add(parent, name, names),
        };
        let nodes: Rc<[usize]> = object.iter().map(node).collect();
        self.shapes.insert(shape, Rc::clone(&nodes));
        nodes
    }

    /// Numbers a field that was not seen before.
    fn add(&mut self, parent: usize, name: Symbol, names: &Names) -> usize {
        let text = names.text(name);
        let (source, path) = match parent {
            CONFIG => (FieldSource::Config, format!("config.{text}")),
            ENVIRONMENT => (FieldSource::Environment, format!("environment.{text}")),
            SUMMARY if means_another(text) => (FieldSource::Summary, format!("summary.{text}")),
            SUMMARY => (FieldSource::Summary, text.to_owned()),
            _ => (self.source(parent), format!("{}.{text}", self.path(parent))),
        };
        let path: Arc<str> = path.into();
        let node = match self.by_path.get(&path) {
            Some(&known) => known,
            None => {
                let reading = FieldPath::new(&path, names);
                self.nodes.push(Node {
                    path: Arc::clone(&path),
                    source,
                    ambiguous: reading.is_ambiguous().then_some(reading),
                });
                self.by_path.insert(path, self.nodes.len() - 1);
                self.nodes.len() - 1
            }
        };
        self.children.insert((parent, name), node);
        node
    }
}

/// Whether a key of the summary, as a path, is read as something else.
fn means_another(key: &str) -> bool {
    let place = key.split_once('.').map_or("", |(place, _)| place);
    BuiltIn::of(key).is_some()
        || key == "config"
        || matches!(place, "config" | "environment" | "summary")
}
