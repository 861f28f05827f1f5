//! Histogram series: in brief, and over time.

use cresset_record::{Rank, TensorStats};

use super::suspicion::Observed;
use super::{HistogramColumn, HistogramSeries, TensorSummary, stats, suspicion};
use crate::document::RunKey;
use crate::documents::no_run;
use crate::engine::{Transaction, step_from_sql};
use crate::error::StoreError;
use crate::index::range_of;
use crate::store::Store;

/// Most columns that can be asked for.
const MAX_COLUMNS: usize = 4096;

impl Store {
    /// The histogram series of a run whose keys begin with `prefix`, what looks wrong first.
    ///
    /// # Errors
    /// `NotFound`, or if the index cannot be read.
    pub fn tensors(&self, key: &RunKey, prefix: &str) -> Result<Vec<TensorSummary>, StoreError> {
        self.engine().read(|tx| {
            let run = run_id(tx, key)?;
            let series = tx.all(
                "SELECT s.id, k.name, s.rank FROM series s JOIN keys k ON k.id = s.name WHERE s.run = $1 AND s.kind = 1 ORDER BY k.name, s.rank",
                &[run.into()],
                |row| Ok((row.integer(0)?, row.text(1)?.to_owned(), to_rank(row.integer(2)?))),
            )?;
            let mut summaries = Vec::new();
            for (id, name, rank) in series.into_iter().filter(|(_, name, _)| name.starts_with(prefix)) {
                let mut observed: Vec<Observed> = Vec::new();
                let (first, last) = range_of(id);
                tx.query(
                    "SELECT step, data FROM histograms WHERE id BETWEEN $1 AND $2 ORDER BY id",
                    &[first.into(), last.into()],
                    &mut |row| {
                        observed.push(Observed {
                            step: step_from_sql(row.integer(0)?),
                            stats: stats::decode_moments(row.bytes(1)?)?,
                        });
                        Ok(())
                    },
                )?;
                observed.sort_by_key(|o| o.step);
                summaries.extend(suspicion::summarise(name, rank, &observed));
            }
            summaries.sort_by(|a, b| b.suspicion.total_cmp(&a.suspicion));
            Ok(summaries)
        })
    }

    /// One histogram series between two steps (both inclusive) as at most `columns` columns: where there are more
    /// observations, neighbours are merged, as many into each column.
    ///
    /// # Errors
    /// `NotFound` for a run or series that is not there, `Invalid` for no columns, or if the index cannot be read.
    pub fn histograms(
        &self,
        key: &RunKey,
        series: &str,
        rank: Rank,
        steps: (u64, u64),
        columns: usize,
    ) -> Result<HistogramSeries, StoreError> {
        if columns == 0 || columns > MAX_COLUMNS {
            return Err(StoreError::invalid(format!(
                "columns must be 1 to {MAX_COLUMNS}"
            )));
        }
        self.engine().read(|tx| {
            let run = run_id(tx, key)?;
            let id = tx.first(
                "SELECT s.id FROM series s JOIN keys k ON k.id = s.name WHERE s.run = $1 AND k.name = $2 AND s.rank = $3 AND s.kind = 1",
                &[run.into(), series.into(), i64::from(rank.0).into()],
                |row| row.integer(0),
            )?;
            let id = id.ok_or_else(|| {
                StoreError::NotFound(format!("run {} has no histograms {series} of {rank}", key.run))
            })?;
            let mut places = Vec::new();
            let (first, last) = range_of(id);
            tx.query(
                "SELECT step, id FROM histograms WHERE id BETWEEN $1 AND $2",
                &[first.into(), last.into()],
                &mut |row| {
                    let step = step_from_sql(row.integer(0)?);
                    if (steps.0..=steps.1).contains(&step) {
                        places.push((step, row.integer(1)?));
                    }
                    Ok(())
                },
            )?;
            places.sort_unstable();
            let each = places.len().div_ceil(columns).max(1);
            let mut merged = Vec::new();
            for group in places.chunks(each) {
                merged.extend(merge(tx, group)?);
            }
            align(&mut merged);
            Ok(HistogramSeries {
                key: series.to_owned(),
                rank,
                columns: merged,
            })
        })
    }
}

fn merge(
    tx: &mut dyn Transaction,
    group: &[(u64, i64)],
) -> Result<Option<HistogramColumn>, StoreError> {
    let (Some(first), Some(last)) = (group.first(), group.last()) else {
        return Ok(None);
    };
    let mut all: Option<TensorStats> = None;
    for &(_, id) in group {
        let one = tx.first(
            "SELECT data FROM histograms WHERE id = $1",
            &[id.into()],
            |row| stats::decode(row.bytes(0)?),
        )?;
        match (&mut all, one) {
            (Some(all), Some(one)) => all.merge(&one),
            (all, one) => *all = one,
        }
    }
    Ok(all.map(|stats| HistogramColumn {
        observations: group.len() as u64,
        steps: (first.0, last.0),
        stats,
    }))
}

/// Brings all histograms to the scale of the coarsest.
fn align(columns: &mut [HistogramColumn]) {
    let Some(scale) = columns.iter().map(|c| c.stats.histogram.scale).min() else {
        return;
    };
    for column in columns {
        let by = column.stats.histogram.scale.abs_diff(scale);
        column.stats.histogram.downscale(by);
    }
}

/// The number of a run.
pub(super) fn run_id(tx: &mut dyn Transaction, key: &RunKey) -> Result<i64, StoreError> {
    let id = tx.first(
        "SELECT id FROM runs WHERE project = $1 AND run = $2",
        &[key.project.as_str().into(), key.run.as_str().into()],
        |row| row.integer(0),
    )?;
    id.ok_or_else(|| no_run(key))
}

pub(super) fn to_rank(number: i64) -> Rank {
    Rank(u32::try_from(number).unwrap_or(u32::MAX))
}
