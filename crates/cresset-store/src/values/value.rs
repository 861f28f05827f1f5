//! A value as it is compared and shown.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

use cresset_record::{Timestamp, json_number};
use serde_json::Value as Json;

use super::cell::{Cell, Object};
use super::names::Names;

/// A value of a run: of a field that every run has, or of what it was given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Float(f64),
    Int(i64),
    Unsigned(u64),
    Text(&'a str),
    Time(Timestamp),
    Texts(&'a [String]),
    List(&'a [Cell]),
    Object(&'a Object),
}

impl<'a> From<&'a Cell> for Value<'a> {
    fn from(cell: &'a Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Bool(b) => Self::Bool(*b),
            Cell::Float(n) => Self::Float(*n),
            Cell::Int(n) => Self::Int(*n),
            Cell::Unsigned(n) => Self::Unsigned(*n),
            Cell::Text(text) => Self::Text(text),
            Cell::List(list) => Self::List(list),
            Cell::Object(object) => Self::Object(object),
        }
    }
}

/// Equal is what is the same to the bit, as for [`Cell`].
impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Unsigned(a), Self::Unsigned(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Time(a), Self::Time(b)) => a == b,
            (Self::Texts(a), Self::Texts(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value<'_> {}

impl Hash for Value<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Null => {}
            Self::Bool(b) => b.hash(state),
            Self::Float(n) => n.to_bits().hash(state),
            Self::Int(n) => n.hash(state),
            Self::Unsigned(n) => n.hash(state),
            Self::Text(text) => text.hash(state),
            Self::Time(time) => time.hash(state),
            Self::Texts(texts) => texts.hash(state),
            Self::List(list) => list.hash(state),
            Self::Object(object) => object.hash(state),
        }
    }
}

impl<'a> Value<'a> {
    /// As JSON: times are RFC 3339 text.
    pub(crate) fn to_json(self, names: &Names) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(b) => Json::Bool(b),
            Self::Float(n) => json_number(n),
            Self::Int(n) => Json::from(n),
            Self::Unsigned(n) => Json::from(n),
            Self::Text(text) => Json::from(text),
            Self::Time(time) => Json::from(rfc3339(time)),
            Self::Texts(texts) => Json::from(texts),
            Self::List(list) => list.iter().map(|cell| cell.to_json(names)).collect(),
            Self::Object(object) => Json::Object(object.to_json(names)),
        }
    }

    /// A number; JSON has no NaN and no infinities, so those are words.
    pub(crate) fn number(self) -> Option<f64> {
        match self {
            Self::Float(n) => Some(n),
            Self::Int(n) => Some(n as f64),
            Self::Unsigned(n) => Some(n as f64),
            Self::Text("NaN") => Some(f64::NAN),
            Self::Text("inf") => Some(f64::INFINITY),
            Self::Text("-inf") => Some(f64::NEG_INFINITY),
            _ => None,
        }
    }

    /// The text of a value that is neither a list nor an object.
    pub(crate) fn plain_text(self) -> Option<Cow<'a, str>> {
        Some(match self {
            Self::Text(text) => text.into(),
            Self::Bool(b) => if b { "true" } else { "false" }.into(),
            Self::Float(n) => json_number(n).to_string().into(),
            Self::Int(n) => n.to_string().into(),
            Self::Unsigned(n) => n.to_string().into(),
            Self::Time(time) => rfc3339(time).into(),
            Self::Null | Self::Texts(_) | Self::List(_) | Self::Object(_) => return None,
        })
    }

    /// The value as people read it, lists in brackets: what texts are sorted by.
    pub(crate) fn text(self, names: &Names) -> Cow<'a, str> {
        if let Some(text) = self.plain_text() {
            return text;
        }
        let mut out = String::new();
        self.write(&mut out, names);
        out.into()
    }

    fn write(self, out: &mut String, names: &Names) {
        match self {
            Self::Texts(texts) => {
                between('[', ']', out, texts, |out, text| out.push_str(text));
            }
            Self::List(list) => between('[', ']', out, list, |out, cell| {
                Value::from(cell).write(out, names);
            }),
            Self::Object(object) => {
                // By name: the order in which they are kept is that of their first use anywhere.
                let mut entries: Vec<(&str, &Cell)> = object
                    .iter()
                    .map(|(name, cell)| (names.text(name), cell))
                    .collect();
                entries.sort_unstable_by_key(|(name, _)| *name);
                between('{', '}', out, &entries, |out, (name, cell)| {
                    out.push_str(name);
                    out.push_str(": ");
                    Value::from(*cell).write(out, names);
                });
            }
            _ => out.push_str(&self.plain_text().unwrap_or("null".into())),
        }
    }
}

fn between<T>(
    open: char,
    close: char,
    out: &mut String,
    list: &[T],
    mut write: impl FnMut(&mut String, &T),
) {
    out.push(open);
    for (i, element) in list.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        write(out, element);
    }
    out.push(close);
}

/// RFC 3339 in UTC with microseconds; of one length, so that it sorts as text.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    let instant = jiff::Timestamp::from_microsecond(time.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{instant:.6}")
}
