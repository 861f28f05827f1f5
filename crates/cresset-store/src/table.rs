//! The table of runs: filter, search, sort, group, columns. (Helper "runs")

use std::sync::Arc;

use cresset_record::{Goal, Project};
use serde_json::Value as Json;

use crate::document::RunDocument;

/// What is asked of the table of runs. The texts are those of `cresset runs`.
#[derive(Clone, Debug, Default)]
pub struct TableQuery {
    /// The filter language; empty for all runs.
    pub filter: String,
    /// Text that name, id, a tag, the group or the notes contain; case does not matter.
    pub search: String,
    /// Fields, `-` before one puts the highest first; empty is `-created`.
    pub sort: Vec<String>,
    /// Fields.
    pub group: Vec<String>,
    /// Fields whose values are wanted; `*` is all of config and summary.
    pub columns: Vec<String>,
    /// How many to leave out at the beginning.
    pub offset: usize,
    /// At most so many.
    pub limit: usize,
}

/// A part of the table.
#[derive(Clone, Debug)]
pub struct RunPage {
    /// The highest version of the project's runs.
    pub version: u64,
    /// Runs of the project.
    pub total: usize,
    /// Those that pass.
    pub matched: usize,
    /// With the values of the chosen columns, by path; a run without a field has no value.
    pub runs: Vec<(Arc<RunDocument>, Vec<(String, Json)>)>,
    /// Groups of all that pass, in the order of their first run.
    pub groups: Vec<RunGroup>,
}

/// Runs that agree in the fields that were grouped by.
#[derive(Clone, Debug)]
pub struct RunGroup {
    /// A value for each field.
    pub key: Vec<Json>,
    /// How many.
    pub runs: usize,
    /// Ids of up to 1,000 of them.
    pub ids: Vec<String>,
    /// Over the chosen columns with finite numbers: path, mean, sample standard deviation, min, max.
    pub numbers: Vec<(String, f64, f64, f64, f64)>,
}

/// A field that runs of a project have.
#[derive(Clone, Debug)]
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
    /// The most frequent, at most 20.
    pub values: Vec<Json>,
}

/// Where a field is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are the documentation")]
pub enum FieldSource {
    Run,
    Config,
    Summary,
    Environment,
}

/// What values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl crate::Store {
    /// The table of a project's runs.
    pub fn runs(
        &self,
        _project: &Project,
        _query: &TableQuery,
    ) -> Result<RunPage, crate::StoreError> {
        todo!()
    }

    /// The fields of a project's runs: built-in ones, then config, summary and environment by path.
    pub fn fields(&self, _project: &Project) -> Result<Vec<Field>, crate::StoreError> {
        todo!()
    }

    /// Fields that a filter names and no run of the project has.
    ///
    /// # Errors
    /// `Invalid` with the column where the filter cannot be read.
    pub fn check_filter(
        &self,
        _project: &Project,
        _filter: &str,
    ) -> Result<Vec<String>, crate::StoreError> {
        todo!()
    }
}
