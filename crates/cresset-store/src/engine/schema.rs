//! The tables, in portable SQL.
//!
//! `ID` stands for a 64-bit primary key by which the rows are clustered, `BYTES` for binary data.

use std::path::Path;

use super::Transaction;
use super::sqlite::Writing;
use crate::error::StoreError;
use crate::people;

/// History: 1 (2026-11) first version; 2 (2026-11) users, projects' settings and the audit log; 3 (2026-11) logins.
const VERSION: i64 = 3;

/// What is derived from logs. [`clear`] empties it.
///
/// - `runs`: one row a run; `head` is everything small as JSON, `environment` the rest, a few columns repeat what lists need; `cursor` and `generation` say how far
///   its logs were read, and change in the same transaction as what was read. `version` rises with every change.
/// - `series`: one row a (run, key, rank, kind); `state` has its aggregates. `keys` are interned.
/// - `chunks`: sealed scalars; the id is `series << 24 | number`, so that those of a series lie together. Pages of values are in
///   `chunk_pages` (`data << 4 | page`), their steps and times in `axis_pages` (`axis << 4 | page`), shared between series.
/// - `tails`: what came and is not sealed yet.
/// - `histograms`, `media`: `series << 32 | place`; `console`: `run << 32 | number`; `alerts`: `run << 24 | number`.
const DERIVED: &[(&str, &str)] = &[
    ("keys", "id ID, name TEXT NOT NULL UNIQUE"),
    (
        "runs",
        "id ID, project TEXT NOT NULL, run TEXT NOT NULL, ordinal BIGINT NOT NULL, version BIGINT NOT NULL, \
         log_version BIGINT NOT NULL, generation BIGINT NOT NULL, stamp BIGINT NOT NULL, live BIGINT NOT NULL, \
         state TEXT NOT NULL, created BIGINT, active BIGINT, alerts BIGINT NOT NULL, tags TEXT NOT NULL, \
         cursor TEXT NOT NULL, head TEXT NOT NULL, summary TEXT NOT NULL, environment TEXT NOT NULL, UNIQUE (project, run)",
    ),
    (
        "series",
        "id ID, run BIGINT NOT NULL, name BIGINT NOT NULL, rank BIGINT NOT NULL, kind BIGINT NOT NULL, \
         version BIGINT NOT NULL, state BYTES NOT NULL, UNIQUE (run, name, rank, kind)",
    ),
    (
        "chunks",
        "id ID, step_min BIGINT NOT NULL, step_max BIGINT NOT NULL, data BIGINT NOT NULL, axis BIGINT NOT NULL, head BYTES NOT NULL",
    ),
    ("chunk_pages", "id ID, data BYTES NOT NULL"),
    ("axes", "id ID, run BIGINT NOT NULL, head BYTES NOT NULL"),
    ("axis_pages", "id ID, data BYTES NOT NULL"),
    (
        "tails",
        "run BIGINT NOT NULL, number BIGINT NOT NULL, data BYTES NOT NULL, PRIMARY KEY (run, number)",
    ),
    (
        "histograms",
        "id ID, step BIGINT NOT NULL, time BIGINT NOT NULL, data BYTES NOT NULL",
    ),
    (
        "media",
        "id ID, run BIGINT NOT NULL, step BIGINT NOT NULL, time BIGINT NOT NULL, kind TEXT NOT NULL, \
         true_class TEXT, predicted_class TEXT, data TEXT NOT NULL",
    ),
    (
        "console",
        "id ID, rank BIGINT NOT NULL, time BIGINT NOT NULL, level BIGINT NOT NULL, target TEXT NOT NULL, \
         message TEXT NOT NULL, fields TEXT NOT NULL",
    ),
    (
        "alerts",
        "id ID, rank BIGINT NOT NULL, time BIGINT NOT NULL, level BIGINT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, step BIGINT",
    ),
];

const INDEXES: &[&str] = &[
    "CREATE INDEX IF NOT EXISTS runs_by_version ON runs (version)",
    "CREATE INDEX IF NOT EXISTS axes_by_run ON axes (run)",
    "CREATE INDEX IF NOT EXISTS media_by_step ON media (run, step)",
    "CREATE INDEX IF NOT EXISTS gone_by_version ON gone (version)",
];

/// What stays when everything derived is made anew: counters, the places of runs among those of their project, runs that
/// are gone, who is logged in.
const KEPT: &[(&str, &str)] = &[
    people::LOGINS,
    (
        "meta",
        "name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL",
    ),
    (
        "places",
        "project TEXT NOT NULL, run TEXT NOT NULL, ordinal BIGINT NOT NULL, PRIMARY KEY (project, run)",
    ),
    (
        "gone",
        "project TEXT NOT NULL, run TEXT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (project, run)",
    ),
];

/// Makes what is not there yet.
pub(super) fn prepare(engine: &mut Writing<'_>, path: &Path) -> Result<(), StoreError> {
    // Most often everything is there: no reason to wait for another process that writes.
    if engine
        .peek(&mut |tx| counter(tx, "schema"))
        .is_ok_and(|found| found == VERSION)
    {
        return Ok(());
    }
    let path = path.to_owned();
    engine.run(&mut |tx| {
        for (name, columns) in KEPT.iter().chain(people::TABLES).chain(DERIVED) {
            let columns = columns
                .replace("id ID", "id INTEGER PRIMARY KEY")
                .replace("BYTES", "BLOB");
            tx.execute(
                &format!("CREATE TABLE IF NOT EXISTS {name} ({columns})"),
                &[],
            )?;
        }
        for index in INDEXES {
            tx.execute(index, &[])?;
        }
        let found = counter(tx, "schema")?;
        if found > VERSION {
            return Err(StoreError::Newer {
                path: path.clone(),
                found,
                known: VERSION,
            });
        }
        if found == 1 {
            for column in people::ADDED_IN_2 {
                tx.execute(column, &[])?;
            }
        }
        raise(tx, "schema", VERSION - found).map(drop)
    })
}

/// Empties everything that is derived from logs.
pub(crate) fn clear(tx: &mut dyn Transaction) -> Result<(), StoreError> {
    for (name, _) in DERIVED {
        tx.execute(&format!("DELETE FROM {name}"), &[])?;
    }
    Ok(())
}

/// The tables that no log can give back, with their columns: what people said, and the places of runs among those of their project.
pub(crate) fn said() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let places = KEPT.iter().filter(|(name, _)| *name == "places");
    people::TABLES.iter().chain(places).map(|&(name, columns)| {
        let word = |column: &'static str| column.split_whitespace().next();
        let columns = columns.split(", ").filter_map(word);
        // `PRIMARY KEY (a, b)` is no column, and neither is what is after its comma.
        let is_column = |column: &&str| *column != "PRIMARY" && !column.ends_with(')');
        (name, columns.filter(is_column).collect())
    })
}

/// The value of a counter; 0 if there is none.
pub(crate) fn counter(tx: &mut dyn Transaction, name: &str) -> Result<i64, StoreError> {
    let value = tx.first(
        "SELECT value FROM meta WHERE name = $1",
        &[name.into()],
        |row| row.integer(0),
    )?;
    Ok(value.unwrap_or(0))
}

/// Raises a counter by `by` and gives its new value.
pub(crate) fn raise(tx: &mut dyn Transaction, name: &str, by: i64) -> Result<i64, StoreError> {
    let value = tx.first(
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = meta.value + excluded.value \
         RETURNING value",
        &[name.into(), by.into()],
        |row| row.integer(0),
    )?;
    value.ok_or_else(|| StoreError::Engine(format!("the counter {name} gave nothing")))
}
