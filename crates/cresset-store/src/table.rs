//! The table of runs: filter, search, sort, group, columns.

mod columns;
mod field;
#[cfg(test)]
pub(crate) mod fixture;
mod group;
mod query;
mod rows;
mod search;
mod sort;
mod survey;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value as Json;

use crate::row::RunHead;

pub use field::{Field, FieldKind, FieldSource};
pub use group::{RunGroup, Spread};
pub(crate) use rows::Tables;

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
    /// The chosen part of them.
    pub runs: Vec<RunRow>,
    /// Groups of all that pass, in the order of their first run; none if nothing is grouped by.
    pub groups: Vec<RunGroup>,
}

/// One run of the table.
#[derive(Clone, Debug)]
pub struct RunRow {
    /// What every run has.
    pub head: Arc<RunHead>,
    /// The values of the chosen columns that the run has, by path.
    pub values: Vec<(Arc<str>, Json)>,
}

impl crate::Store {
    /// The table of a project's runs.
    pub fn runs(
        &self,
        _project: &cresset_record::Project,
        _query: &TableQuery,
    ) -> Result<RunPage, crate::StoreError> {
        todo!()
    }

    /// The fields of a project's runs: built-in ones, then config, summary and environment by path.
    pub fn fields(&self, _project: &cresset_record::Project) -> Result<Vec<Field>, crate::StoreError> {
        todo!()
    }

    /// Fields that a filter names and no run of the project has.
    ///
    /// # Errors
    /// `Invalid` with the column where the filter cannot be read.
    pub fn check_filter(
        &self,
        _project: &cresset_record::Project,
        _filter: &str,
    ) -> Result<Vec<String>, crate::StoreError> {
        todo!()
    }
}
