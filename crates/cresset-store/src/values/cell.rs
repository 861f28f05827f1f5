//! A value as it is kept.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::names::{Names, Symbol};

/// A value as it is kept: JSON without its weight. Equal is what is the same to the bit.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Null,
    Bool(bool),
    Float(f64),
    Int(i64),
    /// A whole number that `i64` does not hold.
    Unsigned(u64),
    Text(Arc<str>),
    List(Arc<[Cell]>),
    Object(Arc<Object>),
}

/// An object: names in the order of their numbers, which is that of their first use anywhere, and a value for each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Object {
    pub(super) names: Arc<[Symbol]>,
    pub(super) cells: Box<[Cell]>,
}

impl Object {
    /// The value of this name.
    pub(crate) fn get(&self, name: Symbol) -> Option<&Cell> {
        self.cells.get(self.names.binary_search(&name).ok()?)
    }

    /// All names and values, in the order of names' first use.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Symbol, &Cell)> {
        self.names.iter().copied().zip(&self.cells)
    }

    /// All values, in the order of [`Self::iter`].
    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// A number that objects with the same names have in common for as long as they are there, if they are of one pool.
    pub(crate) fn shape(&self) -> usize {
        self.names.as_ptr() as usize
    }

    /// Whether it has nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// As JSON.
    pub(crate) fn to_json(&self, names: &Names) -> Map<String, Json> {
        let entry =
            |(name, cell): (Symbol, &Cell)| (names.text(name).to_owned(), cell.to_json(names));
        self.iter().map(entry).collect()
    }
}

impl Cell {
    /// As JSON.
    pub(crate) fn to_json(&self, names: &Names) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(b) => Json::Bool(*b),
            Self::Float(n) => Json::from(*n),
            Self::Int(n) => Json::from(*n),
            Self::Unsigned(n) => Json::from(*n),
            Self::Text(text) => Json::from(text.as_ref()),
            Self::List(list) => list.iter().map(|cell| cell.to_json(names)).collect(),
            Self::Object(object) => Json::Object(object.to_json(names)),
        }
    }
}

impl PartialEq for Cell {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Unsigned(a), Self::Unsigned(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Cell {}

impl Hash for Cell {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Null => {}
            Self::Bool(b) => b.hash(state),
            Self::Float(n) => n.to_bits().hash(state),
            Self::Int(n) => n.hash(state),
            Self::Unsigned(n) => n.hash(state),
            Self::Text(text) => text.hash(state),
            Self::List(list) => list.hash(state),
            Self::Object(object) => object.hash(state),
        }
    }
}
