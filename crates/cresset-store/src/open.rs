//! Scalars that are not sealed yet: rows of one writer as they came, with a column for each series.

use std::collections::BTreeMap;

use crate::error::StoreError;
use crate::varint::{self, Taker};

const VERSION: u8 = 1;
/// The column has a value in every row.
const EVERY_ROW: u8 = 1;

/// Rows in order of arrival. Series are numbers that the owner gives.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Open {
    pub(crate) steps: Vec<u64>,
    /// Microseconds since 1970.
    pub(crate) times: Vec<i64>,
    pub(crate) columns: BTreeMap<i64, OpenColumn>,
}

/// The values of one series.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct OpenColumn {
    /// The row of each value; a row may have several.
    pub(crate) rows: Vec<u32>,
    pub(crate) values: Vec<f64>,
}

/// Rows as they are read: series are small numbers, so that their columns are found at once.
#[derive(Debug, Default)]
pub(crate) struct OpenRows {
    steps: Vec<u64>,
    times: Vec<i64>,
    columns: Vec<OpenColumn>,
}

impl OpenRows {
    /// Begins the next row; gives its number.
    pub(crate) fn begin_row(&mut self, step: u64, time: i64) -> u32 {
        self.steps.push(step);
        self.times.push(time);
        (self.steps.len() - 1) as u32
    }

    /// Adds a value to a row.
    #[inline]
    pub(crate) fn push(&mut self, series: usize, row: u32, value: f64) {
        if series >= self.columns.len() {
            self.columns.resize_with(series + 1, OpenColumn::default);
        }
        if let Some(column) = self.columns.get_mut(series) {
            column.rows.push(row);
            column.values.push(value);
        }
    }

    /// Leaves out all values of a step or later.
    pub(crate) fn supersede(&mut self, from_step: u64) {
        for column in &mut self.columns {
            column.supersede(&self.steps, from_step);
        }
    }

    /// Without the series that have nothing.
    pub(crate) fn into_open(self) -> Open {
        let columns = (0i64..).zip(self.columns);
        Open {
            steps: self.steps,
            times: self.times,
            columns: columns.filter(|(_, c)| !c.rows.is_empty()).collect(),
        }
    }
}

impl OpenColumn {
    fn supersede(&mut self, steps: &[u64], from_step: u64) {
        let keep = |row: u32| steps.get(row as usize).is_some_and(|&s| s < from_step);
        let mut rows = self.rows.iter();
        self.values
            .retain(|_| rows.next().is_some_and(|&row| keep(row)));
        self.rows.retain(|&row| keep(row));
    }
}

impl Open {
    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// How many values there are.
    pub(crate) fn points(&self) -> usize {
        self.columns.values().map(|c| c.values.len()).sum()
    }

    /// Appends rows that came later.
    pub(crate) fn append(&mut self, later: Self) {
        if self.steps.is_empty() {
            *self = later;
            return;
        }
        let shift = self.steps.len() as u32;
        self.steps.extend(later.steps);
        self.times.extend(later.times);
        for (series, column) in later.columns {
            let own = self.columns.entry(series).or_default();
            own.rows
                .extend(column.rows.into_iter().map(|row| row + shift));
            own.values.extend(column.values);
        }
    }

    /// Leaves out all values of a step or later.
    pub(crate) fn supersede(&mut self, from_step: u64) {
        for column in self.columns.values_mut() {
            column.supersede(&self.steps, from_step);
        }
        self.columns.retain(|_, column| !column.rows.is_empty());
    }

    /// Drops the rows that no column has a value in.
    pub(crate) fn compact(&mut self) {
        const UNUSED: u32 = u32::MAX;
        let mut place = vec![UNUSED; self.steps.len()];
        for &row in self.columns.values().flat_map(|c| &c.rows) {
            if let Some(place) = place.get_mut(row as usize) {
                *place = 0;
            }
        }
        let mut next = 0;
        for place in place.iter_mut().filter(|p| **p != UNUSED) {
            *place = next;
            next += 1;
        }
        if next as usize == self.steps.len() {
            return;
        }
        let mut used = place.iter().map(|&p| p != UNUSED);
        self.steps.retain(|_| used.next().unwrap_or_default());
        let mut used = place.iter().map(|&p| p != UNUSED);
        self.times.retain(|_| used.next().unwrap_or_default());
        for column in self.columns.values_mut() {
            for row in &mut column.rows {
                *row = place.get(*row as usize).copied().unwrap_or_default();
            }
        }
    }

    /// As bytes, for the writer `rank`; `id` names each series.
    pub(crate) fn encode(&self, rank: u32, id: impl Fn(i64) -> i64) -> Vec<u8> {
        let mut out = vec![VERSION];
        varint::put(&mut out, u64::from(rank));
        varint::put(&mut out, self.steps.len() as u64);
        let (mut step, mut time) = (0u64, 0i64);
        for (&s, &t) in self.steps.iter().zip(&self.times) {
            varint::put_signed(&mut out, s.wrapping_sub(step) as i64);
            varint::put_signed(&mut out, t.wrapping_sub(time));
            (step, time) = (s, t);
        }
        for (&series, column) in &self.columns {
            let every = column.rows.len() == self.steps.len()
                && column.rows.iter().enumerate().all(|(i, &r)| r == i as u32);
            let mut body = vec![if every { EVERY_ROW } else { 0 }];
            varint::put(&mut body, column.values.len() as u64);
            if !every {
                let mut last = 0;
                for &row in &column.rows {
                    varint::put(&mut body, u64::from(row - last));
                    last = row;
                }
            }
            for value in &column.values {
                varint::put_f64(&mut body, *value);
            }
            varint::put(&mut out, id(series) as u64);
            varint::put(&mut out, body.len() as u64);
            out.extend_from_slice(&body);
        }
        out
    }

    /// What [`Self::encode`] made; only some series of it, if `wanted` says so. With the rank.
    pub(crate) fn decode(
        bytes: &[u8],
        wanted: impl Fn(i64) -> bool,
    ) -> Result<(u32, Self), StoreError> {
        let mut taker = Taker::new(bytes, "the tail of a run");
        if taker.byte()? != VERSION {
            return Err(taker.damaged());
        }
        let rank = u32::try_from(taker.number()?).map_err(|_| taker.damaged())?;
        let mut open = Self::default();
        let rows = taker.count()?;
        let (mut step, mut time) = (0u64, 0i64);
        for _ in 0..rows {
            step = step.wrapping_add(taker.signed()? as u64);
            time = time.wrapping_add(taker.signed()?);
            open.steps.push(step);
            open.times.push(time);
        }
        while !taker.is_empty() {
            let series = taker.number()? as i64;
            let length = taker.count()?;
            let body = taker.bytes(length)?;
            if wanted(series) {
                open.columns.insert(series, decode_column(body, rows)?);
            }
        }
        Ok((rank, open))
    }
}

fn decode_column(body: &[u8], rows: usize) -> Result<OpenColumn, StoreError> {
    let mut taker = Taker::new(body, "the tail of a run");
    let every = taker.byte()? & EVERY_ROW != 0;
    let n = taker.count()?;
    let mut column = OpenColumn::default();
    if every {
        column.rows.extend(0..rows as u32);
    } else {
        let mut row = 0u64;
        for _ in 0..n {
            row += taker.number()?;
            if row >= rows as u64 {
                return Err(taker.damaged());
            }
            column.rows.push(row as u32);
        }
    }
    for _ in 0..n {
        column.values.push(taker.f64()?);
    }
    if column.rows.len() != column.values.len() {
        return Err(taker.damaged());
    }
    Ok(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(rows: &[(u64, &[(i64, f64)])]) -> Open {
        let mut open = Open::default();
        for (i, (step, points)) in rows.iter().enumerate() {
            open.steps.push(*step);
            open.times.push(*step as i64 * 10);
            for &(series, value) in *points {
                let column = open.columns.entry(series).or_default();
                column.rows.push(i as u32);
                column.values.push(value);
            }
        }
        open
    }

    #[test]
    fn comes_back_and_joins() {
        let mut a = open(&[(5, &[(1, 0.5), (2, 1.0)]), (6, &[(1, 0.25)])]);
        let b = open(&[(2, &[(2, 7.0), (2, 8.0)])]);
        let (rank, back) = Open::decode(&a.encode(3, |s| s), |_| true).unwrap();
        assert_eq!((rank, &back), (3, &a));
        let (_, part) = Open::decode(&a.encode(3, |s| s), |s| s == 2).unwrap();
        assert_eq!(part.points(), 1);
        a.append(b);
        assert_eq!(a.columns[&2].rows, [0, 2, 2]);
        a.supersede(5);
        a.compact();
        assert_eq!(a, open(&[(2, &[(2, 7.0), (2, 8.0)])]));
    }

    #[test]
    fn any_bytes_are_survived() {
        let good = open(&[(5, &[(1, 0.5), (2, 1.0)]), (6, &[(1, 0.25)])]).encode(0, |s| s);
        for cut in 0..good.len() {
            let _ = Open::decode(&good[..cut], |_| true);
            let mut bad = good.clone();
            bad[cut] ^= 0xFF;
            let _ = Open::decode(&bad, |_| true);
        }
    }
}
