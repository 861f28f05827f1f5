//! Console lines of a run.

use cresset_record::{ConsoleLine, Level, Timestamp};
use serde_json::Map;

use super::histograms::{run_id, to_rank};
use super::{ConsoleEntry, ConsolePage, ConsoleQuery};
use crate::document::RunKey;
use crate::engine::{Arg, Row};
use crate::error::StoreError;
use crate::index::{PLACE_BITS, from_json, range_of};
use crate::store::Store;

const COLUMNS: &str = "id, rank, time, level, target, message, fields";

impl Store {
    /// Console lines of a run. Of a page after no line and before none, the last lines are given.
    ///
    /// # Errors
    /// `NotFound`, or if the index cannot be read.
    pub fn console(&self, key: &RunKey, query: &ConsoleQuery) -> Result<ConsolePage, StoreError> {
        self.engine().read(|tx| {
            let run = run_id(tx, key)?;
            let (first, last) = range_of(run);
            let low = query.after.map_or(first, |n| first.saturating_add(n.min(u64::from(u32::MAX)) as i64 + 1));
            let high = query.before.map_or(last, |n| first.saturating_add(n.min(u64::from(u32::MAX)) as i64 - 1));
            let forward = query.after.is_some();
            let level = query.level.map_or(0, |level| level as i64);
            let rank = query.rank.map(|rank| i64::from(rank.0));
            let needle = query.search.to_lowercase();
            let total = count(tx, (first, last), 0, None)?;
            let mut lines: Vec<ConsoleEntry> = Vec::new();
            let matched = if needle.is_empty() {
                let order = if forward { "ASC" } else { "DESC" };
                let sql = format!(
                    "SELECT {COLUMNS} FROM console WHERE id BETWEEN $1 AND $2 AND level >= $3 AND ($4 IS NULL OR rank = $4) \
                     ORDER BY id {order} LIMIT $5"
                );
                let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
                let args = [low.into(), high.into(), level.into(), rank.into(), limit.into()];
                tx.query(&sql, &args, &mut |row| {
                    lines.push(entry(row)?);
                    Ok(())
                })?;
                if !forward {
                    lines.reverse();
                }
                if level == 0 && rank.is_none() { total } else { count(tx, (first, last), level, rank)? }
            } else {
                let mut matched = 0;
                let mut within = std::collections::VecDeque::new();
                let sql = format!(
                    "SELECT {COLUMNS} FROM console WHERE id BETWEEN $1 AND $2 AND level >= $3 AND ($4 IS NULL OR rank = $4) ORDER BY id"
                );
                let args = [first.into(), last.into(), level.into(), rank.into()];
                tx.query(&sql, &args, &mut |row| {
                    if !contains(row.text(5)?, &needle) && !contains(row.text(4)?, &needle) {
                        return Ok(());
                    }
                    matched += 1;
                    if !(low..=high).contains(&row.integer(0)?) || (forward && within.len() >= query.limit) {
                        return Ok(());
                    }
                    within.push_back(entry(row)?);
                    if within.len() > query.limit {
                        within.pop_front();
                    }
                    Ok(())
                })?;
                lines.extend(within);
                matched
            };
            Ok(ConsolePage {
                matched,
                total,
                lines,
            })
        })
    }
}

fn count(
    tx: &mut dyn crate::engine::Transaction,
    (first, last): (i64, i64),
    level: i64,
    rank: Option<i64>,
) -> Result<u64, StoreError> {
    let args: [Arg<'_>; 4] = [first.into(), last.into(), level.into(), rank.into()];
    let n = tx.first(
        "SELECT COUNT(*) FROM console WHERE id BETWEEN $1 AND $2 AND level >= $3 AND ($4 IS NULL OR rank = $4)",
        &args,
        |row| row.integer(0),
    )?;
    Ok(n.unwrap_or(0) as u64)
}

fn entry(row: &dyn Row) -> Result<ConsoleEntry, StoreError> {
    let fields = row.text(6)?;
    Ok(ConsoleEntry {
        number: (row.integer(0)? & ((1 << PLACE_BITS) - 1)) as u64,
        rank: to_rank(row.integer(1)?),
        line: ConsoleLine {
            time: Timestamp(row.integer(2)?),
            level: to_level(row.integer(3)?),
            target: row.text(4)?.to_owned(),
            message: row.text(5)?.to_owned(),
            fields: if fields.is_empty() {
                Map::new()
            } else {
                from_json(fields, "a console line")?
            },
        },
    })
}

/// A level as the database numbers them.
pub(super) fn to_level(number: i64) -> Level {
    match number {
        0 => Level::Trace,
        1 => Level::Debug,
        3 => Level::Warn,
        4 => Level::Error,
        _ => Level::Info,
    }
}

/// Whether a text contains another, which is in lower case; case does not matter.
fn contains(text: &str, needle: &str) -> bool {
    if !text.is_ascii() || !needle.is_ascii() {
        return text.to_lowercase().contains(needle);
    }
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    text.len() >= needle.len()
        && text
            .windows(needle.len())
            .any(|w| w.eq_ignore_ascii_case(needle))
}
