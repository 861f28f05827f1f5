//! Views of a project that somebody saved.

use cresset_record::{Project, Timestamp};
use serde_json::Value as Json;

use super::audit::{About, note};
use super::check_name;
use crate::engine::{Arg, Row};
use crate::error::StoreError;

pub(super) const TABLE: (&str, &str) = (
    "views",
    "project TEXT NOT NULL, name TEXT NOT NULL, updated BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (project, name)",
);

/// Longest name, in bytes.
const MAX_NAME: usize = 128;
/// Largest body as JSON, in bytes.
const MAX_BODY: usize = 256 << 10;
/// Most views of a project.
const MAX_VIEWS: i64 = 1_000;

/// A saved view of a project.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Its name; `default` is the one that the project opens with.
    pub name: String,
    /// When it was saved.
    pub updated: Timestamp,
    /// What the dashboard keeps in it, at most 256 KiB of JSON.
    pub body: Json,
}

impl View {
    fn read(row: &dyn Row) -> Result<Self, StoreError> {
        let body = serde_json::from_str(row.text(2)?);
        Ok(Self {
            name: row.text(0)?.to_owned(),
            updated: Timestamp(row.integer(1)?),
            body: body
                .map_err(|e| StoreError::Engine(format!("holds a view that is no JSON: {e}")))?,
        })
    }
}

impl crate::Store {
    /// All views of a project, by name.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn views(&self, project: &Project) -> Result<Vec<View>, StoreError> {
        let sql = "SELECT name, updated, body FROM views WHERE project = $1 ORDER BY name";
        self.engine()
            .read(|tx| tx.all(sql, &[project.as_str().into()], View::read))
    }

    /// Saves a view, in place of one with the same name.
    ///
    /// # Errors
    /// `Invalid` for a name or body that is too long, or one view too many.
    pub fn save_view(
        &self,
        project: &Project,
        name: &str,
        body: &Json,
    ) -> Result<View, StoreError> {
        check_name("the view", name, MAX_NAME)?;
        let text = body.to_string();
        if text.len() > MAX_BODY {
            return Err(StoreError::invalid(format!(
                "the view has {} bytes as JSON; at most {MAX_BODY} are kept",
                text.len()
            )));
        }
        let view = View {
            name: name.to_owned(),
            updated: Timestamp::now(),
            body: body.clone(),
        };
        self.engine().write(|tx| {
            let sql = "SELECT COUNT(*) FROM views WHERE project = $1 AND name <> $2";
            let others = tx.first(sql, &[project.as_str().into(), name.into()], |row| row.integer(0))?;
            if others.is_some_and(|others| others >= MAX_VIEWS) {
                return Err(StoreError::invalid(format!(
                    "the project has {MAX_VIEWS} views; remove one that nobody needs"
                )));
            }
            tx.execute(
                "INSERT INTO views (project, name, updated, body) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (project, name) DO UPDATE SET updated = excluded.updated, body = excluded.body",
                &[
                    project.as_str().into(),
                    name.into(),
                    Arg::Integer(view.updated.0),
                    text.as_str().into(),
                ],
            )?;
            note(tx, self.actor(), "view.save", About::project(project, name))
        })?;
        Ok(view)
    }

    /// Removes a view.
    ///
    /// # Errors
    /// `NotFound` where there is none of this name.
    pub fn remove_view(&self, project: &Project, name: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM views WHERE project = $1 AND name = $2";
        let args = [project.as_str().into(), name.into()];
        self.engine().write(|tx| match tx.execute(sql, &args)? {
            0 => Err(StoreError::NotFound(format!(
                "project {project} has no view {name:?}"
            ))),
            _ => note(
                tx,
                self.actor(),
                "view.remove",
                About::project(project, name),
            ),
        })
    }
}
