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

use std::sync::{Arc, RwLockReadGuard};

use cresset_record::{Project, RunId, Timestamp};
use serde_json::Value as Json;

use rows::{ProjectRows, Rows};

use crate::error::StoreError;
use crate::row::{FieldPath, Row, RunHead};
use crate::store::ProjectOverview;
use crate::values::Names;

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
    /// At most so many. With 0, as by default, there are counts and groups and no runs.
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
    /// The table of a project's runs. Runs in the trash are left out.
    ///
    /// # Errors
    /// `Invalid` where the filter or a field to sort by cannot be read; for filters with the column.
    pub fn runs(&self, project: &Project, query: &TableQuery) -> Result<RunPage, StoreError> {
        let rows = self.up_to_date(project)?;
        let all = rows
            .project(project)
            .into_iter()
            .flat_map(ProjectRows::iter);
        query.answer(all, rows.names(), rows.version(project), Timestamp::now())
    }

    /// The table of the runs of all projects, as [`Self::runs`].
    ///
    /// # Errors
    /// As [`Self::runs`].
    pub fn all_runs(&self, query: &TableQuery) -> Result<RunPage, StoreError> {
        let projects = self.projects()?;
        for overview in &projects {
            drop(self.up_to_date(&overview.project)?);
        }
        let rows = self.tables().read();
        let of_project = |overview: &ProjectOverview| rows.project(&overview.project);
        let tables: Vec<&ProjectRows> = projects.iter().filter_map(of_project).collect();
        let version = tables.iter().map(|rows| rows.version).max().unwrap_or(0);
        let all = tables.into_iter().flat_map(ProjectRows::iter);
        query.answer(all, rows.names(), version, Timestamp::now())
    }

    /// Some runs of a project in brief, in the order of their ids; `None` for those that are not there or in the trash.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn heads(
        &self,
        project: &Project,
        runs: &[RunId],
    ) -> Result<Vec<Option<Arc<RunHead>>>, StoreError> {
        let rows = self.up_to_date(project)?;
        let known = rows.project(project);
        let head = |run: &RunId| Some(Arc::clone(&known?.get(run)?.head));
        Ok(runs.iter().map(head).collect())
    }

    /// The fields of a project's runs: built-in ones, then config, summary and environment by path.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn fields(&self, project: &Project) -> Result<Vec<Field>, StoreError> {
        let rows = self.up_to_date(project)?;
        let all: Vec<&Row> = rows
            .project(project)
            .into_iter()
            .flat_map(ProjectRows::iter)
            .collect();
        Ok(survey::survey(&all, rows.names(), Timestamp::now()))
    }

    /// Fields that a filter names and no run of the project has, each once.
    ///
    /// # Errors
    /// `Invalid` with the column where the filter cannot be read.
    pub fn check_filter(&self, project: &Project, filter: &str) -> Result<Vec<String>, StoreError> {
        let Some(filter) = query::parse(filter)? else {
            return Ok(Vec::new());
        };
        let rows = self.up_to_date(project)?;
        let known = rows.project(project);
        Ok(unknown(&filter.fields(), known.as_slice(), rows.names()))
    }

    /// Fields that no run of any project has, each once.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn unknown_fields(&self, fields: &[&str]) -> Result<Vec<String>, StoreError> {
        let projects = self.projects()?;
        for overview in &projects {
            drop(self.up_to_date(&overview.project)?);
        }
        let rows = self.tables().read();
        let of_project = |overview: &ProjectOverview| rows.project(&overview.project);
        let tables: Vec<&ProjectRows> = projects.iter().filter_map(of_project).collect();
        Ok(unknown(fields, &tables, rows.names()))
    }

    /// The rows, with all changes of a project in them.
    fn up_to_date(&self, project: &Project) -> Result<RwLockReadGuard<'_, Rows>, StoreError> {
        let version = self.version()?;
        let rows = self.tables().read();
        if rows
            .project(project)
            .is_some_and(|rows| rows.version >= version)
        {
            return Ok(rows);
        }
        drop(rows);
        self.bring_up_to_date(project)?;
        Ok(self.tables().read())
    }

    fn bring_up_to_date(&self, project: &Project) -> Result<(), StoreError> {
        let mut rows = self.tables().write();
        let known = rows.version(project);
        // Asked first, so that what happens between the questions is asked for again.
        let version = self.version()?;
        for run in self.gone_since(project, known)? {
            rows.remove(project, &run);
        }
        self.documents_since(project, known, &mut |run| {
            if run.trashed {
                rows.remove(project, &run.document.key.run);
            } else {
                rows.put(&run.document);
            }
            Ok(())
        })?;
        // A project that nobody has is not remembered: anybody can ask for any.
        if rows.project(project).is_some() {
            rows.set_version(project, version);
        }
        Ok(())
    }
}

/// Those of these fields that no run has, each once; none where there are no runs.
fn unknown(fields: &[&str], tables: &[&ProjectRows], names: &Names) -> Vec<String> {
    let runs = || tables.iter().copied().flat_map(ProjectRows::iter);
    let mut unknown: Vec<String> = Vec::new();
    for path in fields {
        let field = FieldPath::new(path, names);
        let has = |run: &Row| run.value(&field, Timestamp::default()).is_some();
        let found = matches!(field, FieldPath::BuiltIn(_)) || runs().any(has);
        if !found && runs().next().is_some() && !unknown.iter().any(|known| known == path) {
            unknown.push((*path).to_owned());
        }
    }
    unknown
}
