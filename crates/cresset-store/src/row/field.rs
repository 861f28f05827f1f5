//! A field that somebody asks for, by its path.

use super::{BuiltIn, Row};
use crate::values::{Cell, Names, Path, Symbol};

/// Where the value of a field is found.
#[derive(Clone, Debug)]
pub(crate) enum FieldPath {
    /// A field that every run has a place for.
    BuiltIn(BuiltIn),
    /// All of config.
    Config,
    /// A value inside of config, summary or environment.
    Nested(Nested),
}

/// A value inside of config, summary or environment.
#[derive(Clone, Debug)]
pub(crate) struct Nested {
    /// A key of the summary may look like any other path; being the value that was logged, it goes first.
    key: Option<Symbol>,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Config(Path),
    Environment(Path),
    Summary(Path),
    Nowhere,
}

impl FieldPath {
    /// Finds out what a path means.
    pub(crate) fn new(path: &str, names: &Names) -> Self {
        if let Some(field) = BuiltIn::of(path) {
            return Self::BuiltIn(field);
        }
        if path == "config" {
            return Self::Config;
        }
        Self::Nested(Nested {
            key: names.get(path),
            place: match path.split_once('.') {
                None => Place::Nowhere,
                Some(("config", rest)) => Place::Config(Path::new(rest, names)),
                Some(("environment", rest)) => Place::Environment(Path::new(rest, names)),
                Some(("summary", rest)) => Place::Summary(Path::new(rest, names)),
                // A value that was set by hand may be an object.
                Some(_) => Place::Summary(Path::new(path, names)),
            },
        })
    }
}

impl FieldPath {
    /// Whether it may mean more than one value of a run.
    pub(crate) fn is_ambiguous(&self) -> bool {
        let Self::Nested(nested) = self else {
            return false;
        };
        match &nested.place {
            Place::Config(path) | Place::Environment(path) | Place::Summary(path) => {
                nested.key.is_some() || path.is_ambiguous()
            }
            Place::Nowhere => false,
        }
    }
}

impl Nested {
    pub(super) fn find<'a>(&self, run: &'a Row) -> Option<&'a Cell> {
        let logged = self.key.and_then(|key| run.summary.get(key));
        logged.or_else(|| match &self.place {
            Place::Config(path) => path.find(&run.config),
            Place::Environment(path) => path.find(&run.environment),
            Place::Summary(path) => path.find(&run.summary),
            Place::Nowhere => None,
        })
    }
}
