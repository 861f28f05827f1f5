//! Where the history of series is.

use super::schema::raise;
use super::{Transaction, step_to_sql};
use crate::chunk::{Axis, AxisHead, Encoded, Head};
use crate::error::StoreError;

/// Bits of a chunk's number within its series: sixteen million chunks of 4,096 points.
const NUMBER_BITS: u32 = 24;
/// Bits of a page's number.
const PAGE_BITS: u32 = 4;

/// The history of series: sealed chunks by number, found by series and steps.
///
/// The default keeps them in the metadata's database, so that chunks and cursors are committed together. An engine that
/// keeps them elsewhere writes them before the transaction commits (a chunk's number makes that idempotent).
pub(crate) trait Chunks: Send + Sync + std::fmt::Debug {
    /// Stores an axis; gives its id.
    fn put_axis(
        &self,
        tx: &mut dyn Transaction,
        run: i64,
        axis: &Encoded,
    ) -> Result<i64, StoreError>;

    /// Stores chunk `number` of a series.
    fn put(
        &self,
        tx: &mut dyn Transaction,
        place: &Place,
        chunk: &Encoded,
    ) -> Result<(), StoreError>;

    /// The chunks of a series with steps in a window (both ends inclusive), by number.
    fn heads(
        &self,
        tx: &mut dyn Transaction,
        series: i64,
        steps: (u64, u64),
        each: &mut dyn FnMut(Stored) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Appends one page of values.
    fn values(
        &self,
        tx: &mut dyn Transaction,
        chunk: &mut Stored,
        page: usize,
        out: &mut Vec<f64>,
    ) -> Result<(), StoreError>;

    /// What is needed to read an axis.
    fn axis(&self, tx: &mut dyn Transaction, axis: i64) -> Result<AxisHead, StoreError>;

    /// Appends one page of steps and times.
    fn places(
        &self,
        tx: &mut dyn Transaction,
        axis: i64,
        head: &mut AxisHead,
        page: usize,
        out: &mut Axis,
    ) -> Result<(), StoreError>;

    /// Removes a chunk; its axis stays, as others may use it.
    fn remove(&self, tx: &mut dyn Transaction, chunk: &Stored) -> Result<(), StoreError>;

    /// Removes everything of these series, and the axes of their run.
    fn remove_run(
        &self,
        tx: &mut dyn Transaction,
        run: i64,
        series: &[i64],
    ) -> Result<(), StoreError>;
}

/// Where a chunk belongs.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) series: i64,
    pub(crate) number: u64,
    pub(crate) axis: i64,
    /// Lowest and highest step.
    pub(crate) steps: (u64, u64),
}

/// A chunk as it was found.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) series: i64,
    pub(crate) number: u64,
    pub(crate) axis: i64,
    data: i64,
    pub(crate) head: Head,
}

/// Chunks in the tables of the metadata's database.
#[derive(Debug)]
pub(crate) struct InTables;

impl Chunks for InTables {
    fn put_axis(
        &self,
        tx: &mut dyn Transaction,
        run: i64,
        axis: &Encoded,
    ) -> Result<i64, StoreError> {
        let id = raise(tx, "axis", 1)?;
        tx.execute(
            "INSERT INTO axes (id, run, head) VALUES ($1, $2, $3)",
            &[id.into(), run.into(), axis.head.as_slice().into()],
        )?;
        for (number, page) in (0..).zip(&axis.pages) {
            tx.execute(
                "INSERT INTO axis_pages (id, data) VALUES ($1, $2)",
                &[(id << PAGE_BITS | number).into(), page.as_slice().into()],
            )?;
        }
        Ok(id)
    }

    fn put(
        &self,
        tx: &mut dyn Transaction,
        place: &Place,
        chunk: &Encoded,
    ) -> Result<(), StoreError> {
        let data = raise(tx, "data", 1)?;
        tx.execute(
            "INSERT INTO chunks (id, step_min, step_max, data, axis, head) VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                chunk_id(place.series, place.number)?.into(),
                step_to_sql(place.steps.0).into(),
                step_to_sql(place.steps.1).into(),
                data.into(),
                place.axis.into(),
                chunk.head.as_slice().into(),
            ],
        )?;
        for (number, page) in (0..).zip(&chunk.pages) {
            tx.execute(
                "INSERT INTO chunk_pages (id, data) VALUES ($1, $2)",
                &[(data << PAGE_BITS | number).into(), page.as_slice().into()],
            )?;
        }
        Ok(())
    }

    fn heads(
        &self,
        tx: &mut dyn Transaction,
        series: i64,
        steps: (u64, u64),
        each: &mut dyn FnMut(Stored) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (first, last) = all_of(series);
        tx.query(
            "SELECT id, axis, data, head FROM chunks WHERE id BETWEEN $1 AND $2 AND step_max >= $3 AND step_min <= $4 ORDER BY id",
            &[first.into(), last.into(), step_to_sql(steps.0).into(), step_to_sql(steps.1).into()],
            &mut |row| {
                each(Stored {
                    series,
                    number: (row.integer(0)? & ((1 << NUMBER_BITS) - 1)) as u64,
                    axis: row.integer(1)?,
                    data: row.integer(2)?,
                    head: Head::decode(row.bytes(3)?)?,
                })
            },
        )
    }

    fn values(
        &self,
        tx: &mut dyn Transaction,
        chunk: &mut Stored,
        page: usize,
        out: &mut Vec<f64>,
    ) -> Result<(), StoreError> {
        let id = chunk.data << PAGE_BITS | page as i64;
        let mut found = false;
        tx.query(
            "SELECT data FROM chunk_pages WHERE id = $1",
            &[id.into()],
            &mut |row| {
                found = true;
                chunk.head.read(page, row.bytes(0)?, out)
            },
        )?;
        found
            .then_some(())
            .ok_or_else(|| crate::varint::damaged("a page"))
    }

    fn axis(&self, tx: &mut dyn Transaction, axis: i64) -> Result<AxisHead, StoreError> {
        let head = tx.first(
            "SELECT head FROM axes WHERE id = $1",
            &[axis.into()],
            |row| AxisHead::decode(row.bytes(0)?),
        )?;
        head.ok_or_else(|| crate::varint::damaged("an axis"))
    }

    fn places(
        &self,
        tx: &mut dyn Transaction,
        axis: i64,
        head: &mut AxisHead,
        page: usize,
        out: &mut Axis,
    ) -> Result<(), StoreError> {
        let id = axis << PAGE_BITS | page as i64;
        let mut found = false;
        tx.query(
            "SELECT data FROM axis_pages WHERE id = $1",
            &[id.into()],
            &mut |row| {
                found = true;
                head.read(page, row.bytes(0)?, out)
            },
        )?;
        found
            .then_some(())
            .ok_or_else(|| crate::varint::damaged("a page"))
    }

    fn remove(&self, tx: &mut dyn Transaction, chunk: &Stored) -> Result<(), StoreError> {
        remove_pages(tx, "chunk_pages", chunk.data)?;
        tx.execute(
            "DELETE FROM chunks WHERE id = $1",
            &[chunk_id(chunk.series, chunk.number)?.into()],
        )?;
        Ok(())
    }

    fn remove_run(
        &self,
        tx: &mut dyn Transaction,
        run: i64,
        series: &[i64],
    ) -> Result<(), StoreError> {
        for &series in series {
            let (first, last) = all_of(series);
            let data = tx.all(
                "SELECT data FROM chunks WHERE id BETWEEN $1 AND $2",
                &[first.into(), last.into()],
                |row| row.integer(0),
            )?;
            for data in data {
                remove_pages(tx, "chunk_pages", data)?;
            }
            tx.execute(
                "DELETE FROM chunks WHERE id BETWEEN $1 AND $2",
                &[first.into(), last.into()],
            )?;
        }
        let axes = tx.all("SELECT id FROM axes WHERE run = $1", &[run.into()], |row| {
            row.integer(0)
        })?;
        for axis in axes {
            remove_pages(tx, "axis_pages", axis)?;
        }
        tx.execute("DELETE FROM axes WHERE run = $1", &[run.into()])?;
        Ok(())
    }
}

fn remove_pages(tx: &mut dyn Transaction, table: &str, owner: i64) -> Result<(), StoreError> {
    let first = owner << PAGE_BITS;
    let sql = format!("DELETE FROM {table} WHERE id BETWEEN $1 AND $2");
    tx.execute(
        &sql,
        &[first.into(), (first | ((1 << PAGE_BITS) - 1)).into()],
    )?;
    Ok(())
}

fn all_of(series: i64) -> (i64, i64) {
    let first = series << NUMBER_BITS;
    (first, first | ((1 << NUMBER_BITS) - 1))
}

fn chunk_id(series: i64, number: u64) -> Result<i64, StoreError> {
    if number >> NUMBER_BITS != 0 {
        return Err(StoreError::Engine(format!(
            "series {series} has more points than can be numbered"
        )));
    }
    Ok(series << NUMBER_BITS | number as i64)
}

impl Stored {
    /// The highest step.
    pub(crate) fn last_step(&self) -> u64 {
        self.head.steps().1
    }
}

#[cfg(test)]
mod tests {
    use super::super::step_from_sql;
    use super::*;

    #[test]
    fn steps_keep_their_order() {
        let steps = [0, 1, u64::from(u32::MAX), 1 << 63, u64::MAX];
        assert!(steps.map(step_to_sql).is_sorted());
        assert_eq!(steps.map(step_to_sql).map(step_from_sql), steps);
    }
}
