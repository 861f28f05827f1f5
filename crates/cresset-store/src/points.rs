//! Reads stored points back.

use crate::chunk::{Axis, PAGE};
use crate::engine::Transaction;
use crate::engine::chunks::{Chunks, Stored};
use crate::error::StoreError;
use crate::open::Open;

/// A point as charts need it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Placed {
    pub(crate) step: u64,
    /// Microseconds since 1970.
    pub(crate) time: i64,
    /// Rises in the order in which the points of the series arrived.
    pub(crate) arrival: u64,
    pub(crate) value: f64,
}

/// Places and values of a chunk, by step, then arrival.
pub(crate) fn whole_chunk(
    tx: &mut dyn Transaction,
    chunks: &dyn Chunks,
    chunk: &mut Stored,
) -> Result<(Axis, Vec<f64>), StoreError> {
    let mut head = chunks.axis(tx, chunk.axis)?;
    let (mut axis, mut values) = (Axis::default(), Vec::with_capacity(chunk.head.count));
    for page in 0..chunk.head.count.div_ceil(PAGE) {
        chunks.places(tx, chunk.axis, &mut head, page, &mut axis)?;
        chunks.values(tx, chunk, page, &mut values)?;
    }
    Ok((axis, values))
}

/// Appends all points of a chunk.
pub(crate) fn append_chunk(
    tx: &mut dyn Transaction,
    chunks: &dyn Chunks,
    chunk: &mut Stored,
    out: &mut Vec<Placed>,
) -> Result<(), StoreError> {
    let first = chunk.head.first_arrival;
    let (axis, values) = whole_chunk(tx, chunks, chunk)?;
    let places = axis.steps.iter().zip(&axis.times).zip(&values).enumerate();
    out.extend(places.map(|(i, ((&step, &time), &value))| {
        let order = axis.order.as_ref().and_then(|o| o.get(i).copied());
        let arrival = first + order.map_or(i as u64, u64::from);
        Placed {
            step,
            time,
            arrival,
            value,
        }
    }));
    Ok(())
}

/// The points of a series that are not sealed, in order of arrival; the first of them has this arrival.
pub(crate) fn tail(
    tx: &mut dyn Transaction,
    run: i64,
    series: i64,
    first_arrival: u64,
) -> Result<Vec<Placed>, StoreError> {
    let mut points = Vec::new();
    tx.query(
        "SELECT data FROM tails WHERE run = $1 ORDER BY number",
        &[run.into()],
        &mut |row| {
            let (_, open) = Open::decode(row.bytes(0)?, |id| id == series)?;
            let Some(column) = open.columns.get(&series) else {
                return Ok(());
            };
            for (&row, &value) in column.rows.iter().zip(&column.values) {
                let place = open
                    .steps
                    .get(row as usize)
                    .zip(open.times.get(row as usize));
                let Some((&step, &time)) = place else {
                    continue;
                };
                let arrival = first_arrival + points.len() as u64;
                points.push(Placed {
                    step,
                    time,
                    arrival,
                    value,
                });
            }
            Ok(())
        },
    )?;
    Ok(points)
}
