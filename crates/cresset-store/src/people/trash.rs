//! What was deleted and can still be taken back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cresset_record::{Rank, RunDir, Timestamp, is_live};

use super::audit::{About, Actor, note};
use super::{labels, name, require};
use crate::document::RunKey;
use crate::engine::{Arg, Transaction};
use crate::error::StoreError;
use crate::index;

pub(super) const TABLE: (&str, &str) = (
    "trash",
    "project TEXT NOT NULL, run TEXT NOT NULL, name TEXT NOT NULL, deleted BIGINT NOT NULL, bytes BIGINT NOT NULL, \
     PRIMARY KEY (project, run)",
);

/// Days that a run stays in the trash where `CRESSET_TRASH_DAYS` says nothing else.
const DAYS: f64 = 7.0;

/// Where folders go that are being removed, under the folder of runs: deep enough that nobody takes them for runs.
const DOOMED: [&str; 2] = [".trash", "purged"];

/// A run in the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trashed {
    /// Which.
    pub key: RunKey,
    /// Its name.
    pub name: String,
    /// Since when.
    pub deleted: Timestamp,
    /// When it goes for good.
    pub purged_after: Timestamp,
    /// Bytes of its folder.
    pub bytes: u64,
}

/// Whether a run is in the trash.
pub(crate) fn holds(tx: &mut dyn Transaction, key: &RunKey) -> Result<bool, StoreError> {
    let args = [key.project.as_str().into(), key.run.as_str().into()];
    let sql = "SELECT 1 FROM trash WHERE project = $1 AND run = $2";
    Ok(tx.first(sql, &args, |_| Ok(()))?.is_some())
}

impl crate::Store {
    /// How long a run stays in the trash: 7 days, or as many as `CRESSET_TRASH_DAYS` says (fractions too).
    #[must_use]
    pub fn trash_delay(&self) -> Duration {
        let said = std::env::var("CRESSET_TRASH_DAYS").ok();
        let days = said.and_then(|text| text.trim().parse::<f64>().ok());
        let seconds = |days: f64| Duration::try_from_secs_f64(days * 86_400.0).ok();
        days.and_then(seconds)
            .or_else(|| seconds(DAYS))
            .unwrap_or_default()
    }

    /// Puts a run into the trash.
    ///
    /// # Errors
    /// `Conflict` while it is being written; `NotFound` where there is no such run.
    pub fn delete(&self, key: &RunKey) -> Result<(), StoreError> {
        let run = self.run(key)?;
        let dir = self.root().run(&key.project, &key.run);
        refuse_live(&dir, &run.name)?;
        let bytes = i64::try_from(folder_bytes(dir.path())).unwrap_or(i64::MAX);
        self.engine().write(|tx| {
            require(tx, key)?;
            tx.execute(
                "INSERT INTO trash (project, run, name, deleted, bytes) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (project, run) DO NOTHING",
                &[
                    key.project.as_str().into(),
                    key.run.as_str().into(),
                    run.name.as_str().into(),
                    Arg::Integer(Timestamp::now().0),
                    Arg::Integer(bytes),
                ],
            )?;
            note(tx, self.actor(), "run.delete", About::run(key, &run.name))?;
            index::touch(tx, key)
        })
    }

    /// Takes a run out of the trash.
    ///
    /// # Errors
    /// `NotFound` where it is not in it.
    pub fn restore(&self, key: &RunKey) -> Result<(), StoreError> {
        self.engine().write(|tx| {
            if !forget(tx, key)? {
                return Err(not_in_trash(key));
            }
            note(tx, self.actor(), "run.restore", About::run(key, ""))?;
            index::touch(tx, key)
        })
    }

    /// What is in the trash, newest first.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn trash(&self) -> Result<Vec<Trashed>, StoreError> {
        let delay = i64::try_from(self.trash_delay().as_micros()).unwrap_or(i64::MAX);
        let sql = "SELECT project, run, name, deleted, bytes FROM trash ORDER BY deleted DESC, project, run";
        self.engine().read(|tx| {
            tx.all(sql, &[], |row| {
                let deleted = row.integer(3)?;
                Ok(Trashed {
                    key: RunKey {
                        project: name(row.text(0)?)?,
                        run: name(row.text(1)?)?,
                    },
                    name: row.text(2)?.to_owned(),
                    deleted: Timestamp(deleted),
                    purged_after: Timestamp(deleted.saturating_add(delay)),
                    bytes: u64::try_from(row.integer(4)?).unwrap_or(0),
                })
            })
        })
    }

    /// Removes a run that is in the trash for good, its folder and blobs included.
    ///
    /// # Errors
    /// `Conflict` where it is not in the trash, or is being written again; `Io` where its folder cannot be removed.
    pub fn purge(&self, key: &RunKey) -> Result<(), StoreError> {
        let in_trash = self.engine().read(|tx| holds(tx, key))?;
        if !in_trash {
            return Err(not_in_trash(key));
        }
        let dir = self.root().run(&key.project, &key.run);
        refuse_live(&dir, key.run.as_str())?;
        // From one step to the next the run is gone: half of a folder is never taken for a run.
        let name = format!("{}-{}", key.run, Timestamp::now().0);
        let doomed = self.doomed().join(name);
        move_away(dir.path(), &doomed)?;
        self.engine().write(|tx| {
            index::forget(tx, self.chunks(), key)?;
            labels::forget(tx, key)?;
            forget(tx, key)?;
            note(tx, self.actor(), "run.purge", About::run(key, ""))
        })?;
        self.recount(&key.project);
        remove(&doomed)
    }

    /// Purges what has been in the trash for longer than the delay; the indexer does so from time to time.
    ///
    /// # Errors
    /// If the index cannot be read. A run that cannot be removed now stays until the next time.
    pub fn purge_expired(&self) -> Result<Vec<RunKey>, StoreError> {
        self.by(Actor::rule("trash"))
            .purge_expired_at(Timestamp::now())
    }

    pub(super) fn purge_expired_at(&self, now: Timestamp) -> Result<Vec<RunKey>, StoreError> {
        let expired = self
            .trash()?
            .into_iter()
            .filter(|run| run.purged_after <= now);
        let purged = expired
            .map(|run| run.key)
            .filter(|key| self.purge(key).is_ok())
            .collect();
        // What a process left that was killed at it. It is no run any more, so that nothing is lost but room on the disk.
        let _ = remove(&self.doomed());
        Ok(purged)
    }

    fn doomed(&self) -> PathBuf {
        let mut path = self.root().path().to_owned();
        path.extend(DOOMED);
        path
    }
}

/// Takes a run off the list; whether it was on it.
fn forget(tx: &mut dyn Transaction, key: &RunKey) -> Result<bool, StoreError> {
    let args = [key.project.as_str().into(), key.run.as_str().into()];
    let sql = "DELETE FROM trash WHERE project = $1 AND run = $2";
    Ok(tx.execute(sql, &args)? > 0)
}

fn not_in_trash(key: &RunKey) -> StoreError {
    StoreError::NotFound(format!(
        "run {} of {} is not in the trash",
        key.run, key.project
    ))
}

fn refuse_live(dir: &RunDir, name: &str) -> Result<(), StoreError> {
    if any_writer(dir) {
        return Err(StoreError::Conflict(format!(
            "run {name} is being written; ask it to stop first, or end its process"
        )));
    }
    Ok(())
}

/// Whether a process writes the run.
pub(super) fn any_writer(dir: &RunDir) -> bool {
    let mut ranks: Vec<Rank> = dir
        .segments()
        .map(|segments| segments.into_iter().map(|(rank, _)| rank).collect())
        .unwrap_or_default();
    ranks.dedup();
    // A writer takes its lock before its log is there.
    ranks.push(Rank(0));
    ranks.into_iter().any(|rank| is_live(dir, rank))
}

/// Bytes of all files of a folder; links are not followed.
pub(crate) fn folder_bytes(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else {
        return 0;
    };
    let bytes = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(bytes).sum()
}

fn move_away(path: &Path, to: &Path) -> Result<(), StoreError> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(StoreError::io(parent))?;
    }
    match fs::rename(path, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io(path)(error)),
        // Somebody removed it by hand.
        _ => Ok(()),
    }
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io(path)(error)),
        _ => Ok(()),
    }
}
