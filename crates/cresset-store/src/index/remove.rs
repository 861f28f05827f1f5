//! A run whose logs are gone, or are those of another.

use super::ids::{ALERT_BITS, range_of};
use crate::document::RunKey;
use crate::engine::Transaction;
use crate::engine::chunks::Chunks;
use crate::engine::schema::raise;
use crate::error::StoreError;

/// Removes everything that is derived from a run's logs, and remembers that it is gone.
pub(crate) fn forget(
    tx: &mut dyn Transaction,
    chunks: &dyn Chunks,
    key: &RunKey,
) -> Result<(), StoreError> {
    if !remove_derived(tx, chunks, key)? {
        return Ok(());
    }
    let version = raise(tx, "version", 1)?;
    tx.execute(
        "INSERT INTO gone (project, run, version) VALUES ($1, $2, $3) \
         ON CONFLICT (project, run) DO UPDATE SET version = excluded.version",
        &[
            key.project.as_str().into(),
            key.run.as_str().into(),
            version.into(),
        ],
    )?;
    Ok(())
}

/// Removes all that is derived from a run's logs.
pub(super) fn remove_derived(
    tx: &mut dyn Transaction,
    chunks: &dyn Chunks,
    key: &RunKey,
) -> Result<bool, StoreError> {
    let id = tx.first(
        "SELECT id FROM runs WHERE project = $1 AND run = $2",
        &[key.project.as_str().into(), key.run.as_str().into()],
        |row| row.integer(0),
    )?;
    let Some(id) = id else { return Ok(false) };
    let series = tx.all(
        "SELECT id FROM series WHERE run = $1",
        &[id.into()],
        |row| row.integer(0),
    )?;
    chunks.remove_run(tx, id, &series)?;
    for &series in &series {
        let (first, last) = range_of(series);
        for table in ["histograms", "media"] {
            tx.execute(
                &format!("DELETE FROM {table} WHERE id BETWEEN $1 AND $2"),
                &[first.into(), last.into()],
            )?;
        }
    }
    let (first, last) = range_of(id);
    tx.execute(
        "DELETE FROM console WHERE id BETWEEN $1 AND $2",
        &[first.into(), last.into()],
    )?;
    let first = id << ALERT_BITS;
    let last = first | ((1 << ALERT_BITS) - 1);
    tx.execute(
        "DELETE FROM alerts WHERE id BETWEEN $1 AND $2",
        &[first.into(), last.into()],
    )?;
    for table in ["tails", "series"] {
        tx.execute(&format!("DELETE FROM {table} WHERE run = $1"), &[id.into()])?;
    }
    tx.execute("DELETE FROM runs WHERE id = $1", &[id.into()])?;
    Ok(true)
}
