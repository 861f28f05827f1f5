//! Writes what was folded of a run into the database, in one transaction with the cursor.
//!
//! Here are the run itself and its scalars; `others` is what else it logged, `supersede` what a resumed process logs again.

mod others;
mod supersede;

use std::collections::{BTreeMap, HashMap};

use cresset_record::{Cursor, Rank};

use super::fold::Fold;
use super::run::Tracked;
use super::seal::{self, Group};
use super::series::kind_to_sql;
use super::stored::to_json;
use crate::chunk::{self, Axis};
use crate::engine::Transaction;
use crate::engine::chunks::{Chunks, Place};
use crate::engine::schema::raise;
use crate::error::StoreError;
use crate::open::Open;

/// Rows of the tail of a run, each from one commit; more of them are joined.
const MAX_TAIL_ROWS: u64 = 64;

/// Stores what is pending of a run. After an error the run in memory is of no use any more.
///
/// With `seal_all` nothing stays in the tail: the run has ended, or seems to.
pub(super) fn commit(
    tx: &mut dyn Transaction,
    chunks: &dyn Chunks,
    run: &mut Tracked,
    cursor: &Cursor,
    seal_all: bool,
) -> Result<(), StoreError> {
    let version = raise(tx, "version", 1)?;
    if run.id == 0 {
        insert_run(tx, run, version)?;
    }
    let mut commit = Commit {
        chunks,
        run: run.id,
        version,
    };
    commit.name_series(tx, &mut run.fold)?;
    let open = run.fold.pending.take_open();
    let superseded = std::mem::take(&mut run.fold.pending.superseded);
    for (rank, from_step) in superseded {
        commit.supersede(tx, run, rank, from_step, open.get(&rank))?;
    }
    commit.scalars(tx, run, open, seal_all)?;
    commit.others(tx, &run.fold)?;
    run.fold.count_lines();
    let summary = run.fold.finish();
    commit.series(tx, &mut run.fold)?;
    run.fold.pending = super::fold::Pending::default();

    let environment = run
        .fold
        .environment_changed
        .then(|| to_json(&run.fold.environment));
    let environment = environment.transpose()?;
    run.fold.environment_changed = false;
    let changed = tx.execute(
        "UPDATE runs SET version = $1, log_version = $1, generation = generation + 1, stamp = $2, cursor = $3, head = $4, \
         summary = $5, environment = COALESCE($6, environment), live = $7, state = $8, created = $9, active = $10, alerts = $11, \
         tags = $12 WHERE id = $13 AND generation = $14",
        &[
            version.into(),
            run.stamp.into(),
            to_json(cursor)?.as_str().into(),
            run.fold.head.json()?.as_str().into(),
            to_json(&summary)?.as_str().into(),
            environment.as_deref().into(),
            i64::from(run.is_live()).into(),
            run.fold.head.state().word().into(),
            run.fold.head.start.as_ref().map(|s| s.time.0).into(),
            run.fold.head.active().map(|t| t.0).into(),
            (run.fold.head.grave_alerts as i64).into(),
            to_json(&run.fold.head.start.as_ref().map_or(&[][..], |s| &s.tags))?.as_str().into(),
            run.id.into(),
            run.generation.into(),
        ],
    )?;
    if changed != 1 {
        return Err(StoreError::Conflict(format!(
            "run {} was indexed by another process at the same time",
            run.key.run
        )));
    }
    run.generation += 1;
    Ok(())
}

fn insert_run(tx: &mut dyn Transaction, run: &mut Tracked, version: i64) -> Result<(), StoreError> {
    let (project, id) = (run.key.project.as_str(), run.key.run.as_str());
    let ordinal = super::place(tx, &run.key)?;
    run.id = raise(tx, "run", 1)?;
    tx.execute(
        "DELETE FROM gone WHERE project = $1 AND run = $2",
        &[project.into(), id.into()],
    )?;
    tx.execute(
        "INSERT INTO runs (id, project, run, ordinal, version, log_version, generation, stamp, live, state, alerts, tags, cursor, head, \
         summary, environment) VALUES ($1, $2, $3, $4, $5, $5, 0, 0, 0, 'crashed', 0, '[]', '{}', '{}', '{}', '{}')",
        &[run.id.into(), project.into(), id.into(), ordinal.into(), version.into()],
    )?;
    Ok(())
}

struct Commit<'a> {
    chunks: &'a dyn Chunks,
    run: i64,
    version: i64,
}

impl Commit<'_> {
    /// Gives new series their ids.
    fn name_series(&self, tx: &mut dyn Transaction, fold: &mut Fold) -> Result<(), StoreError> {
        let new = fold.slots.iter().filter(|slot| slot.id == 0).count() as i64;
        if new == 0 {
            return Ok(());
        }
        let mut next = raise(tx, "series", new)? - new;
        for slot in fold.slots.iter_mut().filter(|slot| slot.id == 0) {
            next += 1;
            slot.id = next;
            let name = intern(tx, slot.key.as_str())?;
            tx.execute(
                "INSERT INTO series (id, run, name, rank, kind, version, state) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                &[
                    slot.id.into(),
                    self.run.into(),
                    name.into(),
                    i64::from(slot.rank.0).into(),
                    kind_to_sql(slot.kind).into(),
                    self.version.into(),
                    slot.state.encode().as_slice().into(),
                ],
            )?;
        }
        Ok(())
    }

    fn series(&self, tx: &mut dyn Transaction, fold: &mut Fold) -> Result<(), StoreError> {
        for slot in fold.slots.iter_mut().filter(|slot| slot.changed) {
            tx.execute(
                "UPDATE series SET version = $1, state = $2 WHERE id = $3",
                &[
                    self.version.into(),
                    slot.state.encode().as_slice().into(),
                    slot.id.into(),
                ],
            )?;
            slot.changed = false;
        }
        Ok(())
    }

    fn scalars(
        &mut self,
        tx: &mut dyn Transaction,
        run: &mut Tracked,
        pending: BTreeMap<Rank, Open>,
        seal_all: bool,
    ) -> Result<(), StoreError> {
        let mut full = false;
        for (&rank, open) in &pending {
            for (&place, column) in &open.columns {
                if let Some(slot) = run.fold.slots.get_mut(place as usize) {
                    slot.state.unsealed += column.values.len() as u64;
                    full |= slot.state.unsealed >= chunk::CHUNK as u64;
                }
            }
            let slots = run.fold.slots.iter().filter(|slot| slot.rank == rank);
            let points: u64 = slots.map(|slot| slot.state.unsealed).sum();
            full |= points as usize > seal::MAX_OPEN;
        }
        let unsealed = run.fold.slots.iter().any(|slot| slot.state.unsealed > 0);
        if full || (seal_all && unsealed) || run.tail_rows + pending.len() as u64 > MAX_TAIL_ROWS {
            let mut all = self.take_tail(tx, run)?;
            for (rank, open) in pending {
                all.entry(rank).or_default().append(open);
            }
            for (rank, mut open) in all {
                self.seal(tx, &mut run.fold, &mut open, seal_all)?;
                self.put_tail(tx, run, rank, &open)?;
            }
        } else {
            for (rank, open) in pending {
                self.put_tail(tx, run, rank, &open)?;
            }
        }
        Ok(())
    }

    /// Takes the whole tail out of the database; series are places of slots.
    fn take_tail(
        &self,
        tx: &mut dyn Transaction,
        run: &mut Tracked,
    ) -> Result<BTreeMap<Rank, Open>, StoreError> {
        let mut tail: BTreeMap<Rank, Open> = BTreeMap::new();
        if run.tail_rows == 0 {
            return Ok(tail);
        }
        let places: HashMap<i64, i64> =
            (0..).zip(&run.fold.slots).map(|(i, s)| (s.id, i)).collect();
        tx.query(
            "SELECT data FROM tails WHERE run = $1 ORDER BY number",
            &[self.run.into()],
            &mut |row| {
                let (rank, mut open) = Open::decode(row.bytes(0)?, |_| true)?;
                let columns = std::mem::take(&mut open.columns).into_iter();
                open.columns = columns
                    .filter_map(|(id, column)| Some((*places.get(&id)?, column)))
                    .collect();
                tail.entry(Rank(rank)).or_default().append(open);
                Ok(())
            },
        )?;
        tx.execute("DELETE FROM tails WHERE run = $1", &[self.run.into()])?;
        run.tail_rows = 0;
        Ok(tail)
    }

    fn put_tail(
        &self,
        tx: &mut dyn Transaction,
        run: &mut Tracked,
        rank: Rank,
        open: &Open,
    ) -> Result<(), StoreError> {
        if open.is_empty() {
            return Ok(());
        }
        let slots = &run.fold.slots;
        let data = open.encode(rank.0, |place| {
            slots.get(place as usize).map_or(0, |s| s.id)
        });
        run.next_tail += 1;
        run.tail_rows += 1;
        tx.execute(
            "INSERT INTO tails (run, number, data) VALUES ($1, $2, $3)",
            &[
                self.run.into(),
                run.next_tail.into(),
                data.as_slice().into(),
            ],
        )?;
        Ok(())
    }

    /// Makes chunks of what there is enough of.
    fn seal(
        &self,
        tx: &mut dyn Transaction,
        fold: &mut Fold,
        open: &mut Open,
        all: bool,
    ) -> Result<(), StoreError> {
        let groups = seal::cut(open, all);
        for group in &groups {
            self.seal_group(tx, fold, open, group)?;
        }
        seal::remove(open, &groups);
        Ok(())
    }

    fn seal_group(
        &self,
        tx: &mut dyn Transaction,
        fold: &mut Fold,
        open: &Open,
        group: &Group,
    ) -> Result<(), StoreError> {
        let (series, range) = &group.rows;
        let rows = open
            .columns
            .get(series)
            .and_then(|c| c.rows.get(range.clone()))
            .unwrap_or_default();
        let pick = |row: &u32| *row as usize;
        let axis = Axis::new(
            rows.iter()
                .filter_map(|r| open.steps.get(pick(r)).copied())
                .collect(),
            rows.iter()
                .filter_map(|r| open.times.get(pick(r)).copied())
                .collect(),
        );
        let axis_id = self.chunks.put_axis(tx, self.run, &axis.encode()?)?;
        let first = axis.steps.first().copied().unwrap_or_default();
        let last = axis.steps.last().copied().unwrap_or_default();
        for (series, range) in &group.members {
            let values = open
                .columns
                .get(series)
                .and_then(|c| c.values.get(range.clone()))
                .unwrap_or_default();
            let Some(slot) = fold.slots.get_mut(*series as usize) else {
                continue;
            };
            let first_arrival = slot.state.arrivals.saturating_sub(slot.state.unsealed);
            let encoded = chunk::encode(values, &axis, first_arrival)?;
            let place = Place {
                series: slot.id,
                number: slot.state.chunks,
                axis: axis_id,
                steps: (first, last),
            };
            self.chunks.put(tx, &place, &encoded)?;
            slot.state.chunks += 1;
            slot.state.unsealed = slot.state.unsealed.saturating_sub(values.len() as u64);
            slot.changed = true;
        }
        Ok(())
    }
}

/// The number of a key.
fn intern(tx: &mut dyn Transaction, name: &str) -> Result<i64, StoreError> {
    let known = tx.first(
        "SELECT id FROM keys WHERE name = $1",
        &[name.into()],
        |row| row.integer(0),
    )?;
    if let Some(id) = known {
        return Ok(id);
    }
    let id = raise(tx, "key", 1)?;
    tx.execute(
        "INSERT INTO keys (id, name) VALUES ($1, $2)",
        &[id.into(), name.into()],
    )?;
    Ok(id)
}
