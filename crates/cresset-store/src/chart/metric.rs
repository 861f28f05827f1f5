//! Another series as the x axis.

use super::source::{Found, Place, Source, XPoint, scalar_series, sort};
use crate::engine::Transaction;
use crate::engine::chunks::Chunks;
use crate::error::StoreError;
use crate::points::{self, Placed};

/// Points of a series that are joined in memory.
const MAX_POINTS: u64 = 4_000_000;

/// Fills a source with the points of a series, each at the value that the metric of the same rank has at its step, or has at
/// the nearest step before. Where a rank does not have the metric, that of the lowest rank is taken.
pub(super) fn fill(
    tx: &mut dyn Transaction,
    chunks: &dyn Chunks,
    source: &mut Source,
    run: i64,
    series: &Found,
    metric: i64,
) -> Result<(), StoreError> {
    source.x = Place::Metric;
    let metrics = scalar_series(tx, run, metric)?;
    let own = metrics.iter().find(|m| m.rank == series.rank);
    let Some(metric) = own.or_else(|| metrics.first()) else {
        return Ok(());
    };
    for s in [series, metric] {
        if s.state.block.count > MAX_POINTS {
            return Err(StoreError::invalid(format!(
                "a series of {} points cannot be drawn over a metric, at most {MAX_POINTS}; use step or time",
                s.state.block.count
            )));
        }
    }
    let xs = all(tx, chunks, run, metric)?;
    let mut xs = xs.iter().peekable();
    let mut x = f64::NAN;
    for point in all(tx, chunks, run, series)? {
        while let Some(next) = xs.next_if(|next| next.step <= point.step) {
            // Zero has one place, whatever its sign.
            x = next.value + 0.0;
        }
        if x.is_finite() && source.window.has(x) {
            source.loose.push(XPoint {
                x,
                arrival: point.arrival,
                value: point.value,
            });
        }
    }
    sort(&mut source.loose);
    Ok(())
}

/// All points of a series, by step, then arrival.
fn all(
    tx: &mut dyn Transaction,
    chunks: &dyn Chunks,
    run: i64,
    series: &Found,
) -> Result<Vec<Placed>, StoreError> {
    let mut heads = Vec::new();
    chunks.heads(tx, series.id, (0, u64::MAX), &mut |chunk| {
        heads.push(chunk);
        Ok(())
    })?;
    let mut all = Vec::new();
    for chunk in &mut heads {
        points::append_chunk(tx, chunks, chunk, &mut all)?;
    }
    if series.state.unsealed > 0 {
        all.extend(points::tail(tx, run, series.id, series.first_unsealed())?);
    }
    all.sort_by_key(|p| (p.step, p.arrival));
    Ok(all)
}
