//! From run logs to the index: what is read of each, when, and by whom.
//!
//! Only one process indexes a folder at a time: the one that holds the lock of `index.lock`. Everything that is read of a run
//! is committed together with the cursor behind it, so that a process may die at any byte and nothing is lost or doubled;
//! should two index at once all the same (a file system without locks), the second finds the run's generation changed,
//! and its transaction is undone.

mod commit;
mod fold;
mod ids;
mod remove;
mod run;
mod scan;
mod seal;
mod series;
mod state;
mod stored;

use std::collections::{BTreeMap, HashMap};

use cresset_record::{Cursor, Project, Rank, Root, RunId};

use crate::document::RunKey;
use crate::engine::Transaction;
use crate::engine::schema::raise;
use crate::error::StoreError;

pub(crate) use ids::{ALERT_BITS, PLACE_BITS, range_of};
pub(crate) use remove::forget;
pub(crate) use series::{SeriesState, kind_from_sql};
pub(crate) use state::{Found, Places, State};
pub(crate) use stored::{StoredHead, from_json};

/// Gives a run the next version: its labels changed, or it went into the trash or came back. To be called in the
/// transaction of the change.
pub(crate) fn touch(tx: &mut dyn Transaction, key: &RunKey) -> Result<(), StoreError> {
    let version = raise(tx, "version", 1)?;
    tx.execute(
        "UPDATE runs SET version = $1 WHERE project = $2 AND run = $3",
        &[
            version.into(),
            key.project.as_str().into(),
            key.run.as_str().into(),
        ],
    )?;
    Ok(())
}

/// The place of a run among all that its project ever had; given when it is first asked for.
pub(crate) fn place(tx: &mut dyn Transaction, key: &RunKey) -> Result<i64, StoreError> {
    let (project, run) = (key.project.as_str(), key.run.as_str());
    let known = tx.first(
        "SELECT ordinal FROM places WHERE project = $1 AND run = $2",
        &[project.into(), run.into()],
        |row| row.integer(0),
    )?;
    if let Some(ordinal) = known {
        return Ok(ordinal);
    }
    let next = tx.first(
        "SELECT COALESCE(MAX(ordinal), -1) + 1 FROM places WHERE project = $1",
        &[project.into()],
        |row| row.integer(0),
    )?;
    let next = next.unwrap_or(0);
    tx.execute(
        "INSERT INTO places (project, run, ordinal) VALUES ($1, $2, $3)",
        &[project.into(), run.into(), next.into()],
    )?;
    Ok(next)
}

/// The identity in two columns.
pub(crate) fn run_key(project: &str, run: &str) -> Result<RunKey, StoreError> {
    let project = Project::try_from(project.to_owned())
        .map_err(|_| crate::varint::damaged("a run's name"))?;
    let run =
        RunId::try_from(run.to_owned()).map_err(|_| crate::varint::damaged("a run's name"))?;
    Ok(RunKey { project, run })
}

/// How far the logs of all runs go now.
pub(crate) fn log_ends(root: &Root) -> Vec<(RunKey, Rank, u32, u64)> {
    let mut scanner = scan::Scanner::default();
    let mut ends = Vec::new();
    for key in scanner.scan(root).new {
        let dir = scan::dir_of(root, &key);
        let mut lasts: BTreeMap<Rank, u32> = BTreeMap::new();
        lasts.extend(dir.segments().unwrap_or_default());
        for (rank, segment) in lasts {
            if let Ok(data) = std::fs::metadata(dir.segment(rank, segment)) {
                ends.push((key.clone(), rank, segment, data.len()));
            }
        }
    }
    ends
}

/// Whether everything up to these ends is in the index.
pub(crate) fn has_reached(
    tx: &mut dyn Transaction,
    ends: &[(RunKey, Rank, u32, u64)],
) -> Result<bool, StoreError> {
    let mut cursors: HashMap<RunKey, Cursor> = HashMap::new();
    tx.query("SELECT project, run, cursor FROM runs", &[], &mut |row| {
        let cursor = match row.text(2)? {
            "{}" => Cursor::default(),
            text => from_json(text, "a cursor")?,
        };
        cursors.insert(run_key(row.text(0)?, row.text(1)?)?, cursor);
        Ok(())
    })?;
    Ok(ends.iter().all(|(key, rank, segment, offset)| {
        let position = cursors.get(key).and_then(|c| c.0.get(rank));
        position.is_some_and(|p| (p.segment, p.offset) >= (*segment, *offset))
    }))
}
