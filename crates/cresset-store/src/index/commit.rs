//! Writes what was folded of a run into the database, in one transaction with the cursor.

use std::collections::{BTreeMap, HashMap, HashSet};

use cresset_record::{Cursor, Media, MediaDetail, Rank, Sample};

use super::fold::Fold;
use super::run::Tracked;
use super::seal::{self, Group};
use super::series::kind_to_sql;
use super::stored::to_json;
use crate::chunk::{self, Axis};
use crate::document::{RunKey, SeriesKind};
use crate::engine::chunks::{Chunks, Place, Stored};
use crate::engine::schema::raise;
use crate::engine::{Arg, Transaction, step_to_sql};
use crate::error::StoreError;
use crate::open::{Open, OpenColumn};

/// Rows of the tail of a run, each from one commit; more of them are joined.
const MAX_TAIL_ROWS: u64 = 64;
/// What a number within a run or series is shifted by.
pub(crate) const PLACE_BITS: u32 = 32;
/// The same for alerts.
pub(crate) const ALERT_BITS: u32 = 24;

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

    /// Removes what a resumed process logs again from what is in the database, and makes the aggregates anew.
    fn supersede(
        &mut self,
        tx: &mut dyn Transaction,
        run: &mut Tracked,
        rank: Rank,
        from_step: u64,
        pending: Option<&Open>,
    ) -> Result<(), StoreError> {
        let mut tail = self.take_tail(tx, run)?;
        if let Some(open) = tail.get_mut(&rank) {
            open.supersede(from_step);
        }
        for (place, slot) in run.fold.slots.iter_mut().enumerate() {
            if slot.rank != rank {
                continue;
            }
            match slot.kind {
                SeriesKind::Scalar => {
                    self.supersede_chunks(tx, slot.id, from_step)?;
                    slot.state.reset();
                    self.fold_chunks(tx, slot)?;
                    let old = tail.get(&rank);
                    slot.state.unsealed = old
                        .and_then(|o| o.columns.get(&(place as i64)))
                        .map_or(0, |c| c.values.len() as u64);
                    for open in [old, pending].into_iter().flatten() {
                        fold_open(open, place as i64, slot);
                    }
                }
                SeriesKind::Histogram | SeriesKind::Media => {
                    let table = if slot.kind == SeriesKind::Media {
                        "media"
                    } else {
                        "histograms"
                    };
                    self.supersede_others(tx, table, slot, from_step)?;
                }
            }
            slot.changed = true;
        }
        let pending = &run.fold.pending;
        let others = pending.histograms.iter().map(|h| (h.slot, h.step));
        for (place, step) in others.chain(pending.media.iter().map(|m| (m.slot, m.step))) {
            if let Some(slot) = run.fold.slots.get_mut(place).filter(|s| s.rank == rank) {
                slot.state.push_other(step);
            }
        }
        for (rank, open) in &tail {
            self.put_tail(tx, run, *rank, open)?;
        }
        Ok(())
    }

    fn supersede_others(
        &self,
        tx: &mut dyn Transaction,
        table: &str,
        slot: &mut super::series::Slot,
        from_step: u64,
    ) -> Result<(), StoreError> {
        let (first, last) = range_of(slot.id);
        tx.execute(
            &format!("DELETE FROM {table} WHERE id BETWEEN $1 AND $2 AND step >= $3"),
            &[first.into(), last.into(), step_to_sql(from_step).into()],
        )?;
        slot.state.reset();
        let state = &mut slot.state;
        tx.query(
            &format!("SELECT COUNT(*), MAX(step) FROM {table} WHERE id BETWEEN $1 AND $2"),
            &[first.into(), last.into()],
            &mut |row| {
                state.block.count = row.integer(0)? as u64;
                let step = row.optional_integer(1)?;
                state.last = step.map(|step| (crate::engine::step_from_sql(step), f64::NAN));
                Ok(())
            },
        )
    }

    fn supersede_chunks(
        &self,
        tx: &mut dyn Transaction,
        series: i64,
        from_step: u64,
    ) -> Result<(), StoreError> {
        let mut touched: Vec<Stored> = Vec::new();
        self.chunks
            .heads(tx, series, (from_step, u64::MAX), &mut |chunk| {
                touched.push(chunk);
                Ok(())
            })?;
        for mut chunk in touched {
            let keeps = chunk.head.steps().0 < from_step;
            let rest = keeps
                .then(|| self.keep_before(tx, &mut chunk, from_step))
                .transpose()?;
            self.chunks.remove(tx, &chunk)?;
            let Some((axis, values)) = rest else { continue };
            let axis_id = self.chunks.put_axis(tx, self.run, &axis.encode()?)?;
            let place = Place {
                series,
                number: chunk.number,
                axis: axis_id,
                steps: (
                    axis.steps.first().copied().unwrap_or_default(),
                    axis.steps.last().copied().unwrap_or_default(),
                ),
            };
            let encoded = chunk::encode(&values, &axis, chunk.head.first_arrival)?;
            self.chunks.put(tx, &place, &encoded)?;
        }
        Ok(())
    }

    /// The points of a chunk before a step, in order of arrival.
    fn keep_before(
        &self,
        tx: &mut dyn Transaction,
        chunk: &mut Stored,
        from_step: u64,
    ) -> Result<(Axis, Vec<f64>), StoreError> {
        let (axis, values) = crate::points::whole_chunk(tx, self.chunks, chunk)?;
        let mut points: Vec<(u32, u64, i64, f64)> = (0u32..)
            .zip(axis.steps.iter().zip(&axis.times).zip(&values))
            .map(|(i, ((&step, &time), &value))| {
                let arrival = axis.order.as_ref().and_then(|o| o.get(i as usize).copied());
                (arrival.unwrap_or(i), step, time, value)
            })
            .filter(|(_, step, _, _)| *step < from_step)
            .collect();
        points.sort_unstable_by_key(|p| p.0);
        let axis = Axis::new(
            points.iter().map(|p| p.1).collect(),
            points.iter().map(|p| p.2).collect(),
        );
        Ok((axis, points.iter().map(|p| p.3).collect()))
    }

    fn fold_chunks(
        &self,
        tx: &mut dyn Transaction,
        slot: &mut super::series::Slot,
    ) -> Result<(), StoreError> {
        let state = &mut slot.state;
        let mut blocks = Vec::new();
        self.chunks.heads(tx, slot.id, (0, u64::MAX), &mut |chunk| {
            chunk.head.blocks(&mut blocks)?;
            for placed in &blocks {
                state.block.count_block(&placed.block);
            }
            let step = chunk.last_step();
            if state.last.is_none_or(|(last, _)| step >= last) {
                let value = blocks.last().map_or(f64::NAN, |b| b.block.last);
                state.last = Some((step, value));
            }
            Ok(())
        })
    }

    fn others(&self, tx: &mut dyn Transaction, fold: &Fold) -> Result<(), StoreError> {
        let pending = &fold.pending;
        for h in &pending.histograms {
            let Some(slot) = fold.slots.get(h.slot) else {
                continue;
            };
            tx.execute(
                "INSERT INTO histograms (id, step, time, data) VALUES ($1, $2, $3, $4)",
                &[
                    place_id(slot.id, h.place).into(),
                    step_to_sql(h.step).into(),
                    h.time.0.into(),
                    h.data.as_slice().into(),
                ],
            )?;
        }
        for m in &pending.media {
            let Some(slot) = fold.slots.get(m.slot) else {
                continue;
            };
            let sample = sample(&m.media);
            tx.execute(
                "INSERT INTO media (id, run, step, time, kind, true_class, predicted_class, data) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                &[
                    place_id(slot.id, m.place).into(),
                    self.run.into(),
                    step_to_sql(m.step).into(),
                    m.time.0.into(),
                    super::fold::media_kind(&m.media.detail).as_str().into(),
                    sample.map(|s| s.true_class.as_str()).into(),
                    sample.map(|s| s.predicted_class.as_str()).into(),
                    to_json(&m.media)?.as_str().into(),
                ],
            )?;
        }
        for (number, (rank, line)) in (fold.head.console_lines..).zip(&pending.console) {
            let fields = if line.fields.is_empty() {
                String::new()
            } else {
                to_json(&line.fields)?
            };
            tx.execute(
                "INSERT INTO console (id, rank, time, level, target, message, fields) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                &[
                    place_id(self.run, number).into(),
                    i64::from(rank.0).into(),
                    line.time.0.into(),
                    (line.level as i64).into(),
                    line.target.as_str().into(),
                    line.message.as_str().into(),
                    fields.as_str().into(),
                ],
            )?;
        }
        for (number, (rank, alert)) in (fold.head.alerts..).zip(&pending.alerts) {
            tx.execute(
                "INSERT INTO alerts (id, rank, time, level, title, text, step) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                &[
                    (self.run << ALERT_BITS | number as i64).into(),
                    i64::from(rank.0).into(),
                    alert.time.0.into(),
                    (alert.level as i64).into(),
                    alert.title.as_str().into(),
                    alert.text.as_str().into(),
                    alert.step.map_or(Arg::Null, |step| Arg::Integer(step_to_sql(step))),
                ],
            )?;
        }
        Ok(())
    }
}

fn fold_open(open: &Open, place: i64, slot: &mut super::series::Slot) {
    let Some(OpenColumn { rows, values }) = open.columns.get(&place) else {
        return;
    };
    for (&row, &value) in rows.iter().zip(values) {
        if let Some(&step) = open.steps.get(row as usize) {
            slot.state.push(step, value);
        }
    }
}

fn sample(media: &Media) -> Option<&Sample> {
    match &media.detail {
        MediaDetail::Image(image) => image.sample.as_ref(),
        _ => None,
    }
}

/// The id of something that is numbered within a run or series.
pub(crate) fn place_id(owner: i64, place: u64) -> i64 {
    owner << PLACE_BITS | place as i64
}

/// All ids of what is numbered within a run or series.
pub(crate) fn range_of(owner: i64) -> (i64, i64) {
    (place_id(owner, 0), place_id(owner, u64::from(u32::MAX)))
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

/// Removes all that is derived from a run's logs.
pub(crate) fn remove_derived(
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
    let series: HashSet<i64> = tx
        .all(
            "SELECT id FROM series WHERE run = $1",
            &[id.into()],
            |row| row.integer(0),
        )?
        .into_iter()
        .collect();
    let series: Vec<i64> = series.into_iter().collect();
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
