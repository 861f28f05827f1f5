//! Rows of history in the order of their steps.
//!
//! W&B has one row a step, and steps that rise. Its client drops what comes late. `wandb sync` of such a file does worse (seen with 0.31):
//! it gives a late row the next free step, and pushes all that follow up by one. Cresset's log is in the order of arrival, in which
//! an image comes after the scalars of later steps, because it was encoded in the meantime. So rows wait a while for what belongs to
//! them, and what comes later still is left out and counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::entry::Row;

/// A row waits for so many microseconds of the run.
const WAIT: i64 = 5_000_000;
/// No more rows than these wait: they are part of what is remembered after each batch.
const MOST: usize = 500;

/// Rows that more values may come for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Rows {
    waiting: BTreeMap<u64, Row>,
    /// The lowest step that is not yet past.
    next_step: u64,
    /// When the latest value came, in microseconds since 1970.
    now: i64,
    left_out: u64,
}

impl Rows {
    /// Puts a value into its row; false if W&B gets one value less by that.
    pub(crate) fn put(
        &mut self,
        step: u64,
        time: i64,
        runtime: f64,
        key: String,
        text: String,
    ) -> bool {
        self.now = self.now.max(time);
        if step < self.next_step {
            self.left_out += 1;
            return false;
        }
        let row = self.waiting.entry(step).or_insert_with(|| Row::at(step));
        if time >= row.time {
            (row.time, row.runtime) = (time, runtime);
        }
        match row.items.iter_mut().find(|(k, _)| *k == key) {
            Some((_, value)) => {
                *value = text;
                self.left_out += 1;
                false
            }
            None => {
                row.items.push((key, text));
                true
            }
        }
    }

    /// Rows that have waited long enough.
    pub(crate) fn ready(&mut self) -> impl Iterator<Item = Row> {
        std::iter::from_fn(|| {
            let first = self.waiting.first_entry()?;
            let has_waited = self.now.saturating_sub(first.get().time) > WAIT;
            let is_ready = has_waited || self.waiting.len() > MOST;
            let (step, row) = is_ready.then(|| self.waiting.pop_first())??;
            self.next_step = step.saturating_add(1);
            Some(row)
        })
    }

    /// All rows, and how many values were left out: the run is at its end.
    pub(crate) fn all(&mut self) -> (impl Iterator<Item = Row> + use<>, u64) {
        let rows = std::mem::take(&mut self.waiting);
        if let Some((step, _)) = rows.last_key_value() {
            self.next_step = step.saturating_add(1);
        }
        (rows.into_values(), self.left_out)
    }

    /// Values that W&B did not get.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }
}
