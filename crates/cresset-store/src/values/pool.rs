//! Makes values that share what they have in common.

use std::hash::Hash;
use std::sync::Arc;

use cresset_record::Definition;
use rustc_hash::FxHashSet;
use serde_json::{Map, Value as Json};

use super::cell::{Cell, Object};
use super::names::{Names, Symbol};

/// What values share: names, sets of names, texts, and whole lists and objects inside. Runs of one program differ in few
/// values, so that most of a run is shared with others.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    pub(crate) names: Names,
    texts: FxHashSet<Arc<str>>,
    shapes: FxHashSet<Arc<[Symbol]>>,
    lists: FxHashSet<Arc<[Cell]>>,
    objects: FxHashSet<Arc<Object>>,
    definitions: FxHashSet<Arc<[Definition]>>,
    /// How many there may be until those are looked for that nobody uses any more.
    enough: usize,
}

/// Texts are kept up to so many bytes. The diff of a working tree can have a megabyte, and has nothing further on that
/// a table shows or a filter looks for.
const MAX_TEXT: usize = 4 << 10;

impl Pool {
    /// An object that is most likely unlike any other, with shared values inside.
    pub(crate) fn object(&mut self, map: &Map<String, Json>) -> Object {
        self.make_object(map)
    }

    /// An object that is most likely like that of other runs.
    pub(crate) fn shared_object(&mut self, map: &Map<String, Json>) -> Arc<Object> {
        let object = self.make_object(map);
        share(&mut self.objects, object)
    }

    /// What a run says of its series.
    pub(crate) fn definitions(&mut self, definitions: &[Definition]) -> Arc<[Definition]> {
        match self.definitions.get(definitions) {
            Some(known) => Arc::clone(known),
            None => share(&mut self.definitions, definitions),
        }
    }

    /// A text, cut where it is very long.
    pub(crate) fn text(&mut self, text: &str) -> Arc<str> {
        let text = &text[..text.floor_char_boundary(MAX_TEXT)];
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&text));
        text
    }

    /// Forgets what nobody uses any more, if much has come since the last time.
    pub(crate) fn tidy(&mut self) {
        if self.len() <= self.enough {
            return;
        }
        // What contains others goes first, so that those are found unused.
        self.objects.retain(|object| Arc::strong_count(object) > 1);
        self.lists.retain(|list| Arc::strong_count(list) > 1);
        self.shapes.retain(|shape| Arc::strong_count(shape) > 1);
        self.texts.retain(|text| Arc::strong_count(text) > 1);
        self.definitions.retain(|set| Arc::strong_count(set) > 1);
        self.enough = 2 * self.len().max(1_000);
    }

    fn len(&self) -> usize {
        self.texts.len() + self.shapes.len() + self.lists.len() + self.objects.len()
    }

    fn make_object(&mut self, map: &Map<String, Json>) -> Object {
        let mut entries: Vec<(Symbol, Cell)> = map
            .iter()
            .map(|(name, value)| (self.names.intern(name), self.cell(value)))
            .collect();
        entries.sort_unstable_by_key(|(name, _)| *name);
        let shape: Arc<[Symbol]> = entries.iter().map(|(name, _)| *name).collect();
        Object {
            names: share(&mut self.shapes, shape),
            cells: entries.into_iter().map(|(_, cell)| cell).collect(),
        }
    }

    fn cell(&mut self, value: &Json) -> Cell {
        match value {
            Json::Null => Cell::Null,
            Json::Bool(b) => Cell::Bool(*b),
            Json::Number(n) => {
                if let Some(n) = n.as_i64() {
                    Cell::Int(n)
                } else if let Some(n) = n.as_u64() {
                    Cell::Unsigned(n)
                } else {
                    Cell::Float(n.as_f64().unwrap_or(f64::NAN))
                }
            }
            Json::String(text) => Cell::Text(self.text(text)),
            Json::Array(list) => {
                let cells: Arc<[Cell]> = list.iter().map(|v| self.cell(v)).collect();
                Cell::List(share(&mut self.lists, cells))
            }
            Json::Object(map) => {
                let object = self.make_object(map);
                Cell::Object(share(&mut self.objects, object))
            }
        }
    }
}

/// The one of these that is equal.
fn share<T: ?Sized + Eq + Hash>(known: &mut FxHashSet<Arc<T>>, value: impl Into<Arc<T>>) -> Arc<T> {
    let value = value.into();
    if let Some(known) = known.get(&value) {
        return Arc::clone(known);
    }
    known.insert(Arc::clone(&value));
    value
}
