//! What is set for a project: who sees it, how much it may hold, and what of it goes with time.

use std::fmt;

use cresset_record::Project;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::audit::{About, note};
use super::name;
use crate::engine::{Arg, Row, Transaction};
use crate::error::StoreError;
use crate::words::size_in_words;

/// What is null is not limited.
pub(super) const TABLE: (&str, &str) = (
    "project_settings",
    "project TEXT NOT NULL PRIMARY KEY, private BIGINT NOT NULL, quota BIGINT, keep_checkpoints BIGINT, media_days BIGINT",
);

const COLUMNS: &str = "project, private, quota, keep_checkpoints, media_days";

/// Longest time that media are kept by a rule, in days: a hundred years.
const MAX_DAYS: u32 = 36_525;

/// What is set for a project. What nobody set is as in `default()`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectSettings {
    /// Whether a user needs a grant for this very project to see it; one for all projects does only if its role is admin.
    pub private: bool,
    /// Bytes that its runs may hold in all; what comes from elsewhere beyond that is refused.
    pub quota: Option<u64>,
    /// Of each series of checkpoints of a run, so many are kept, the latest; at least one.
    pub keep_checkpoints: Option<u32>,
    /// Days that media are kept; files are not media here.
    pub media_days: Option<u32>,
}

/// Such as `private, at most 46.6 GiB, the last 3 checkpoints of each series, media for 30 days`.
impl fmt::Display for ProjectSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        words.extend(self.private.then(|| "private".to_owned()));
        words.extend(
            self.quota
                .map(|bytes| format!("at most {}", size_in_words(bytes))),
        );
        words.extend(self.keep_checkpoints.map(|number| match number {
            1 => "the last checkpoint of each series".to_owned(),
            _ => format!("the last {number} checkpoints of each series"),
        }));
        words.extend(self.media_days.map(|days| match days {
            1 => "media for 1 day".to_owned(),
            _ => format!("media for {days} days"),
        }));
        match words.as_slice() {
            [] => f.write_str("nothing is set"),
            words => f.write_str(&words.join(", ")),
        }
    }
}

impl ProjectSettings {
    /// Whether anything goes with time.
    #[must_use]
    pub fn removes(&self) -> bool {
        self.keep_checkpoints.is_some() || self.media_days.is_some()
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.keep_checkpoints == Some(0) {
            return Err(StoreError::invalid(
                "no checkpoint would be kept at all; keep at least 1",
            ));
        }
        match self.media_days {
            Some(days) if days == 0 || days > MAX_DAYS => Err(StoreError::invalid(format!(
                "media cannot be kept for {days} days; give a number from 1 to {MAX_DAYS}"
            ))),
            _ => Ok(()),
        }
    }

    fn read(row: &dyn Row) -> Result<(Project, Self), StoreError> {
        let number = |column| -> Result<Option<u64>, StoreError> {
            let found = row.optional_integer(column)?;
            Ok(found.map(|number| u64::try_from(number).unwrap_or_default()))
        };
        let small = |column| -> Result<Option<u32>, StoreError> {
            Ok(number(column)?.map(|number| u32::try_from(number).unwrap_or(u32::MAX)))
        };
        let settings = Self {
            private: row.integer(1)? != 0,
            quota: number(2)?,
            keep_checkpoints: small(3)?,
            media_days: small(4)?,
        };
        Ok((name(row.text(0)?)?, settings))
    }
}

/// What is set for a project.
fn of(tx: &mut dyn Transaction, project: &Project) -> Result<ProjectSettings, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM project_settings WHERE project = $1");
    let found = tx.first(&sql, &[project.as_str().into()], ProjectSettings::read)?;
    Ok(found.map(|(_, settings)| settings).unwrap_or_default())
}

/// Projects that need a grant of their own.
pub(super) fn private(tx: &mut dyn Transaction) -> Result<Vec<Project>, StoreError> {
    let sql = "SELECT project FROM project_settings WHERE private = 1";
    tx.all(sql, &[], |row| name(row.text(0)?))
}

impl crate::Store {
    /// What is set for a project, which need not have runs.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn project_settings(&self, project: &Project) -> Result<ProjectSettings, StoreError> {
        self.engine().read(|tx| of(tx, project))
    }

    /// All projects for which something is set, by name.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn all_project_settings(&self) -> Result<Vec<(Project, ProjectSettings)>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM project_settings ORDER BY project");
        self.engine()
            .read(|tx| tx.all(&sql, &[], ProjectSettings::read))
    }

    /// Sets something for a project, in place of what was set before. What goes by it goes at once, or within the hour.
    ///
    /// # Errors
    /// `Invalid` where no checkpoint would be kept, or media for no day or longer than a hundred years.
    pub fn set_project(
        &self,
        project: &Project,
        settings: &ProjectSettings,
    ) -> Result<(), StoreError> {
        self.put_project(project, None, settings)
    }

    /// Sets something for a project, as [`Store::set_project`](crate::Store::set_project) does, if it is still what was `seen`.
    ///
    /// # Errors
    /// As there, and `Conflict` where it is not.
    pub fn change_project(
        &self,
        project: &Project,
        seen: &ProjectSettings,
        settings: &ProjectSettings,
    ) -> Result<(), StoreError> {
        self.put_project(project, Some(seen), settings)
    }

    fn put_project(
        &self,
        project: &Project,
        seen: Option<&ProjectSettings>,
        settings: &ProjectSettings,
    ) -> Result<(), StoreError> {
        settings.check()?;
        let detail = json!(settings);
        let number =
            |number: Option<u64>| number.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
        self.engine().write(|tx| {
            if let Some(seen) = seen
                && of(tx, project)? != *seen
            {
                return Err(StoreError::Conflict(format!(
                    "somebody else changed the settings of {project} meanwhile; look at them again, and change what you want of them"
                )));
            }
            tx.execute(
                "INSERT INTO project_settings (project, private, quota, keep_checkpoints, media_days) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (project) DO UPDATE SET private = excluded.private, \
                 quota = excluded.quota, keep_checkpoints = excluded.keep_checkpoints, media_days = excluded.media_days",
                &[
                    project.as_str().into(),
                    Arg::Integer(settings.private.into()),
                    number(settings.quota).into(),
                    number(settings.keep_checkpoints.map(Into::into)).into(),
                    number(settings.media_days.map(Into::into)).into(),
                ],
            )?;
            note(tx, self.actor(), "project.set", About::project(project, &detail.to_string()))
        })
    }
}
