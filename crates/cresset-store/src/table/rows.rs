//! The rows of all projects that were asked for, kept up to date.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use cresset_record::{Project, RunId};

use crate::document::RunDocument;
use crate::row::Row;
use crate::values::{Names, Pool};

/// Rows of the projects that were asked for. One lock: it is written to for as long as it takes to make rows of the runs
/// that changed, and read from for as long as a question takes, milliseconds both.
#[derive(Debug, Default)]
pub(crate) struct Tables(RwLock<Rows>);

impl Tables {
    /// The rows, to be read.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows, to be brought up to date.
    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Rows> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows by project, and what they share.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pool: Pool,
    projects: HashMap<Project, ProjectRows>,
}

/// The rows of one project, in no order.
#[derive(Debug, Default)]
pub(super) struct ProjectRows {
    /// All changes up to it are in the rows.
    pub(super) version: u64,
    rows: Vec<Row>,
    places: HashMap<RunId, usize>,
}

impl Rows {
    /// The rows of a project, if it was asked for before.
    pub(super) fn project(&self, project: &Project) -> Option<&ProjectRows> {
        self.projects.get(project)
    }

    /// Names that the rows use.
    pub(super) fn names(&self) -> &Names {
        &self.pool.names
    }

    /// Up to which version a project is known; 0 if it is not.
    pub(super) fn version(&self, project: &Project) -> u64 {
        self.project(project).map_or(0, |rows| rows.version)
    }

    /// Says that all changes of a project up to a version are in its rows.
    pub(super) fn set_version(&mut self, project: &Project, version: u64) {
        self.projects.entry(project.clone()).or_default().version = version;
        self.pool.tidy();
    }

    /// Puts a run in, in place of what was known of it.
    pub(super) fn put(&mut self, run: &RunDocument) {
        let row = Row::new(run, &mut self.pool);
        let rows = self.projects.entry(run.key.project.clone()).or_default();
        match rows
            .places
            .get(&run.key.run)
            .map(|&place| rows.rows.get_mut(place))
        {
            Some(Some(known)) => *known = row,
            _ => {
                rows.places.insert(run.key.run.clone(), rows.rows.len());
                rows.rows.push(row);
            }
        }
    }

    /// Takes a run out.
    pub(super) fn remove(&mut self, project: &Project, run: &RunId) {
        let Some(rows) = self.projects.get_mut(project) else {
            return;
        };
        let Some(place) = rows.places.remove(run) else {
            return;
        };
        rows.rows.swap_remove(place);
        if let Some(moved) = rows.rows.get(place) {
            rows.places.insert(moved.head.key.run.clone(), place);
        }
    }
}

impl ProjectRows {
    /// The row of a run.
    pub(super) fn get(&self, run: &RunId) -> Option<&Row> {
        self.rows.get(*self.places.get(run)?)
    }

    /// All rows, in no order.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Row> {
        self.rows.iter()
    }
}
