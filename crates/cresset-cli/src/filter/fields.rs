//! What a filter can ask of a run.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

/// A run as a filter sees it: JSON values by path.
pub(crate) trait Fields {
    /// The value at a path: a built-in field, `config.…`, `summary.…`, or the bare key of a summary value. `None` if
    /// the run has none. Times are RFC 3339 text, durations are seconds, and numbers that JSON lacks are the
    /// texts `NaN`, `inf` and `-inf`.
    fn field(&self, path: &str) -> Option<Cow<'_, Json>>;
}

/// A field that every run has a place for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BuiltIn {
    /// Its name.
    pub(crate) name: &'static str,
    /// What values it has.
    pub(crate) kind: Kind,
}

/// What values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Anything.
    Any,
    /// Seconds.
    Seconds,
    /// An instant.
    Time,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// The states of a run, in words.
const STATES: &[&str] = &["running", "finished", "failed", "stopped", "crashed"];

/// All built-in fields.
pub(crate) const BUILT_IN: [BuiltIn; 16] = {
    const fn field(name: &'static str, kind: Kind) -> BuiltIn {
        BuiltIn { name, kind }
    }
    [
        field("name", Kind::Any),
        field("id", Kind::Any),
        field("project", Kind::Any),
        field("state", Kind::Word(STATES)),
        field("reason", Kind::Any),
        field("duration", Kind::Seconds),
        field("age", Kind::Seconds),
        field("created", Kind::Time),
        field("group", Kind::Any),
        field("job_type", Kind::Any),
        field("tags", Kind::Any),
        field("notes", Kind::Any),
        field("host", Kind::Any),
        field("alerts", Kind::Any),
        field("lost", Kind::Any),
        field("damage", Kind::Any),
    ]
};

/// The built-in field of this name.
pub(crate) fn built_in(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|b| b.name == name)
}

/// The value at a dotted path in nested JSON. Keys that hold dots themselves are found too; lists are entered by
/// number.
pub(crate) fn lookup<'a>(object: &'a Map<String, Json>, path: &str) -> Option<&'a Json> {
    if let Some(value) = object.get(path) {
        return Some(value);
    }
    path.match_indices('.').find_map(|(dot, _)| {
        let inside = object.get(&path[..dot])?;
        enter(inside, &path[dot + 1..])
    })
}

fn enter<'a>(value: &'a Json, path: &str) -> Option<&'a Json> {
    match value {
        Json::Object(object) => lookup(object, path),
        Json::Array(list) => {
            let (index, rest) = path
                .split_once('.')
                .map_or((path, None), |(index, rest)| (index, Some(rest)));
            let element = list.get(index.parse::<usize>().ok()?)?;
            rest.map_or(Some(element), |rest| enter(element, rest))
        }
        _ => None,
    }
}
