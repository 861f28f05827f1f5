//! What a resumed process logs again.

use cresset_record::Rank;

use super::Commit;
use crate::chunk::{self, Axis};
use crate::document::SeriesKind;
use crate::engine::chunks::{Place, Stored};
use crate::engine::{Transaction, step_from_sql, step_to_sql};
use crate::error::StoreError;
use crate::index::ids::range_of;
use crate::index::run::Tracked;
use crate::index::series::Slot;
use crate::open::{Open, OpenColumn};
use crate::points::whole_chunk;

impl Commit<'_> {
    /// Removes what a resumed process logs again from what is in the database, and makes the aggregates anew.
    pub(super) fn supersede(
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
        slot: &mut Slot,
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
                state.last = step.map(|step| (step_from_sql(step), f64::NAN));
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
        let (axis, values) = whole_chunk(tx, self.chunks, chunk)?;
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

    fn fold_chunks(&self, tx: &mut dyn Transaction, slot: &mut Slot) -> Result<(), StoreError> {
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
}

fn fold_open(open: &Open, place: i64, slot: &mut Slot) {
    let Some(OpenColumn { rows, values }) = open.columns.get(&place) else {
        return;
    };
    for (&row, &value) in rows.iter().zip(values) {
        if let Some(&step) = open.steps.get(row as usize) {
            slot.state.push(step, value);
        }
    }
}
