//! The seam between what the store does and what keeps it: metadata transactions, chunks of series, blobs.
//!
//! The embedded engine is one SQLite file and the blob folders of the runs. Another engine implements [`Engine`] (a
//! database that speaks the portable SQL of [`schema`] and of the callers) and [`Chunks`] (where the history is; the
//! default keeps it in the same database), and must pass the suite in `engine/conformance.rs`. Nothing of SQLite is
//! visible here: values are [`Arg`] and [`Row`], errors are [`StoreError`].
//!
//! Portable SQL is: `$1`, `$2`, … in the order of their first appearance; `ON CONFLICT … DO UPDATE`; `RETURNING`; types
//! `BIGINT`, `TEXT`, and in the schema `ID` (a 64-bit primary key by which rows are clustered) and
//! `BYTES`. Ids are given by the callers from counters in the same transaction, never by the database.

pub(crate) mod chunks;
#[cfg(test)]
mod conformance;
pub(crate) mod files;
pub(crate) mod schema;
pub(crate) mod sqlite;

use crate::error::StoreError;

/// A database with transactions. Calls block and may come from any thread; readers never wait for the writer.
pub(crate) trait Engine: Send + Sync + std::fmt::Debug {
    /// Runs `work` on a snapshot.
    fn read_with(&self, work: &mut Work<'_>) -> Result<(), StoreError>;

    /// Runs `work` as the only writer, and keeps what it did if it gives `Ok`; else nothing of it.
    fn write_with(&self, work: &mut Work<'_>) -> Result<(), StoreError>;
}

/// What is done in a transaction.
pub(crate) type Work<'a> = dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError> + 'a;

impl dyn Engine + '_ {
    /// [`Engine::read_with`] for work that gives something.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut work = Some(work);
        let mut result = None;
        self.read_with(&mut |tx| {
            if let Some(work) = work.take() {
                result = Some(work(tx)?);
            }
            Ok(())
        })?;
        result.ok_or_else(not_run)
    }

    /// [`Engine::write_with`] for work that gives something.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut work = Some(work);
        let mut result = None;
        self.write_with(&mut |tx| {
            if let Some(work) = work.take() {
                result = Some(work(tx)?);
            }
            Ok(())
        })?;
        result.ok_or_else(not_run)
    }
}

fn not_run() -> StoreError {
    StoreError::Engine("the transaction was not run".into())
}

/// A transaction that goes on.
pub(crate) trait Transaction {
    /// Runs a statement; gives how many rows it changed.
    fn execute(&mut self, sql: &str, args: &[Arg<'_>]) -> Result<u64, StoreError>;

    /// Runs a query and gives each row to `each`, until that fails.
    fn query(
        &mut self,
        sql: &str,
        args: &[Arg<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

impl dyn Transaction + '_ {
    /// The first row of a query, made into something.
    pub(crate) fn first<T>(
        &mut self,
        sql: &str,
        args: &[Arg<'_>],
        make: impl Fn(&dyn Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.query(sql, args, &mut |row| {
            if found.is_none() {
                found = Some(make(row)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// All rows of a query, made into something.
    pub(crate) fn all<T>(
        &mut self,
        sql: &str,
        args: &[Arg<'_>],
        make: impl Fn(&dyn Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.query(sql, args, &mut |row| {
            found.push(make(row)?);
            Ok(())
        })?;
        Ok(found)
    }
}

/// A value given to a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arg<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl From<i64> for Arg<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a, T: Into<Self>> From<Option<T>> for Arg<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row of an answer; columns count from 0. A value of another type than asked for is an error.
pub(crate) trait Row {
    /// The number, or `None` where the value is null.
    fn optional_integer(&self, column: usize) -> Result<Option<i64>, StoreError>;
    /// See [`Self::optional_integer`].
    fn optional_text(&self, column: usize) -> Result<Option<&str>, StoreError>;
    /// See [`Self::optional_integer`].
    fn optional_bytes(&self, column: usize) -> Result<Option<&[u8]>, StoreError>;
}

impl dyn Row + '_ {
    /// The number; an error where the value is null.
    pub(crate) fn integer(&self, column: usize) -> Result<i64, StoreError> {
        self.optional_integer(column)?.ok_or_else(|| null(column))
    }

    /// See [`Self::integer`].
    pub(crate) fn text(&self, column: usize) -> Result<&str, StoreError> {
        self.optional_text(column)?.ok_or_else(|| null(column))
    }

    /// See [`Self::integer`].
    pub(crate) fn bytes(&self, column: usize) -> Result<&[u8], StoreError> {
        self.optional_bytes(column)?.ok_or_else(|| null(column))
    }
}

fn null(column: usize) -> StoreError {
    StoreError::Engine(format!("column {column} of an answer is empty"))
}

/// A step as a number that any SQL database can compare: steps are `u64`, databases know `i64`.
pub(crate) fn step_to_sql(step: u64) -> i64 {
    (step ^ (1 << 63)) as i64
}

/// See [`step_to_sql`].
pub(crate) fn step_from_sql(number: i64) -> u64 {
    number as u64 ^ (1 << 63)
}
