//! What fields the runs of a project have.

use cresset_record::Goal;
use serde_json::Value as Json;

/// A field that runs of a project have.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// As filters write it.
    pub path: String,
    /// Where it is from.
    pub source: FieldSource,
    /// What values it has.
    pub kind: FieldKind,
    /// Runs that have it.
    pub runs: u64,
    /// Which way is better.
    pub goal: Option<Goal>,
    /// Of its values.
    pub unit: Option<String>,
    /// Of finite numbers: lowest and highest.
    pub range: Option<(f64, f64)>,
    /// Distinct values, counted up to 1,000.
    pub distinct: u64,
    /// The most frequent, at most 20; counted until there were 1,000 distinct ones.
    pub values: Vec<Json>,
}

/// Where a field is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the words are the documentation")]
pub enum FieldSource {
    Run,
    Config,
    Summary,
    Environment,
}

/// What values a field has. Fields whose values are all null are `Mixed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the words are the documentation")]
pub enum FieldKind {
    Number,
    Text,
    Bool,
    List,
    Object,
    Time,
    Seconds,
    Mixed,
}
