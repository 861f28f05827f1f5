//! The body of a `Rows` record: scalars, one row a log call.
//!
//! Two streams: the heads of the rows (which keys, step, time) as bytes, then the values as bits. Keys, steps and
//! times that go on as before cost one byte a row together; values are XORed with the one before of their key.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::bits::{BitReader, BitWriter, Column};
use super::varint;
use crate::key::KeyId;
use crate::record::Row;
use crate::time::Timestamp;

// The head byte of a row: bits 0–1 keys, 2–3 step, 4–5 time.
const KEYS_SAME: u8 = 0;
const KEYS_KNOWN: u8 = 1;
const KEYS_NEW: u8 = 2;
const STEP_STRIDE: u8 = 0;
const STEP_SAME: u8 = 1;
const STEP_DELTA: u8 = 2;
const TIME_SAME: u8 = 0;
const TIME_DELTA: u8 = 1;
const TIME_SIGNED: u8 = 2;

/// Encodes rows as they come.
#[derive(Default)]
pub(super) struct RowsEncoder {
    heads: Vec<u8>,
    values: BitWriter,
    rows: u64,
    layouts: Vec<Layout>,
    /// The number of the layout with these keys.
    by_keys: FxHashMap<Vec<u32>, usize>,
    layout: Option<usize>,
    columns: Vec<Column>,
    /// Where in `columns` a key's is: ids may be any numbers, so they are no indices.
    slots: FxHashMap<u32, usize>,
    step: u64,
    stride: u64,
    time: i64,
    keys: Vec<u32>,
}

/// The keys of a row and the column of each.
#[derive(Default)]
struct Layout {
    columns: Vec<(u32, usize)>,
}

impl RowsEncoder {
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Bytes that [`Self::finish_into`] would append, within ten.
    pub(super) fn len(&self) -> usize {
        self.heads.len() + self.values.len() + 10
    }

    pub(super) fn push(&mut self, step: u64, time: Timestamp, points: &[(KeyId, f64)]) {
        let head_at = self.heads.len();
        self.heads.push(0);
        let (keys, layout) = self.push_keys(points);
        let head = keys | self.push_step(step) << 2 | self.push_time(time) << 4;
        self.heads[head_at] = head;
        let columns = self.layouts.get(layout).map_or(&[][..], |l| &l.columns);
        for (&(_, value), &(_, slot)) in points.iter().zip(columns) {
            if let Some(column) = self.columns.get_mut(slot) {
                column.push(value, &mut self.values);
            }
        }
        self.rows += 1;
    }

    /// Says which keys the row has; returns the bits for the head byte and the layout's number.
    fn push_keys(&mut self, points: &[(KeyId, f64)]) -> (u8, usize) {
        let ids = points.iter().map(|(id, _)| id.0);
        if let Some(number) = self.layout
            && let Some(layout) = self.layouts.get(number)
            && layout.columns.iter().map(|(id, _)| *id).eq(ids.clone())
        {
            return (KEYS_SAME, number);
        }
        self.keys.clear();
        self.keys.extend(ids);
        if let Some(&known) = self.by_keys.get(&self.keys) {
            varint::put(&mut self.heads, known as u64);
            self.layout = Some(known);
            return (KEYS_KNOWN, known);
        }
        varint::put(&mut self.heads, self.keys.len() as u64);
        let mut layout = Layout::default();
        for &id in &self.keys {
            varint::put(&mut self.heads, u64::from(id));
            let next = self.slots.len();
            layout
                .columns
                .push((id, *self.slots.entry(id).or_insert(next)));
        }
        self.columns.resize(self.slots.len(), Column::default());
        let number = self.layouts.len();
        self.layout = Some(number);
        self.by_keys.insert(self.keys.clone(), number);
        self.layouts.push(layout);
        (KEYS_NEW, number)
    }

    fn push_step(&mut self, step: u64) -> u8 {
        // Steps wrap around: any order of any steps is a delta modulo 2⁶⁴.
        let delta = step.wrapping_sub(self.step);
        self.step = step;
        if delta == 0 {
            STEP_SAME
        } else if delta == self.stride {
            STEP_STRIDE
        } else {
            varint::put_signed(&mut self.heads, delta as i64);
            self.stride = delta;
            STEP_DELTA
        }
    }

    fn push_time(&mut self, time: Timestamp) -> u8 {
        let delta = time.0.wrapping_sub(self.time);
        self.time = time.0;
        match delta {
            0 => TIME_SAME,
            1.. => {
                varint::put(&mut self.heads, delta as u64);
                TIME_DELTA
            }
            _ => {
                varint::put_signed(&mut self.heads, delta);
                TIME_SIGNED
            }
        }
    }

    /// Appends the body and starts anew.
    pub(super) fn finish_into(&mut self, out: &mut Vec<u8>) {
        varint::put(out, self.rows);
        varint::put(out, self.heads.len() as u64);
        out.extend_from_slice(&self.heads);
        self.values.finish_into(out);
        self.heads.clear();
        self.rows = 0;
        self.layouts.clear();
        self.by_keys.clear();
        self.layout = None;
        self.columns.clear();
        self.slots.clear();
        self.step = 0;
        self.stride = 0;
        self.time = 0;
    }
}

/// Decodes a body; `None` if it is not one. Rows and points are taken off `allowance`: a constant value costs one bit, so
/// without a limit a small file could ask for much memory.
pub(super) fn decode(mut body: &[u8], allowance: &mut usize) -> Option<Vec<Row>> {
    let count = usize::try_from(varint::take(&mut body)?).ok()?;
    let heads_len = usize::try_from(varint::take(&mut body)?).ok()?;
    let (heads, values) = body.split_at_checked(heads_len)?;
    // Each row has a head byte, so a claim of more rows than bytes is false.
    if count > heads.len() {
        return None;
    }
    *allowance = allowance.checked_sub(count)?;
    let mut decoder = Decoder {
        heads,
        values: BitReader::new(values),
        layouts: Vec::new(),
        layout: 0,
        columns: Vec::new(),
        slots: BTreeMap::new(),
        step: 0,
        stride: 0,
        time: 0,
    };
    let mut rows = Vec::with_capacity(count);
    for _ in 0..count {
        rows.push(decoder.take_row(allowance)?);
    }
    decoder.heads.is_empty().then_some(rows)
}

struct Decoder<'a> {
    heads: &'a [u8],
    values: BitReader<'a>,
    layouts: Vec<Layout>,
    layout: usize,
    columns: Vec<Column>,
    /// A tree, not a hash map: these ids may come from somebody who knows the hash.
    slots: BTreeMap<u32, usize>,
    step: u64,
    stride: u64,
    time: i64,
}

impl Decoder<'_> {
    fn take_row(&mut self, allowance: &mut usize) -> Option<Row> {
        let (&head, rest) = self.heads.split_first()?;
        self.heads = rest;
        match head & 3 {
            KEYS_SAME => {}
            KEYS_KNOWN => self.layout = usize::try_from(varint::take(&mut self.heads)?).ok()?,
            KEYS_NEW => self.take_layout(*allowance)?,
            _ => return None,
        }
        match head >> 2 & 3 {
            STEP_STRIDE => self.step = self.step.wrapping_add(self.stride),
            STEP_SAME => {}
            STEP_DELTA => {
                self.stride = varint::take_signed(&mut self.heads)? as u64;
                self.step = self.step.wrapping_add(self.stride);
            }
            _ => return None,
        }
        self.time = match head >> 4 {
            TIME_SAME => self.time,
            TIME_DELTA => self
                .time
                .wrapping_add(varint::take(&mut self.heads)? as i64),
            TIME_SIGNED => self
                .time
                .wrapping_add(varint::take_signed(&mut self.heads)?),
            _ => return None,
        };
        let columns = &self.layouts.get(self.layout)?.columns;
        *allowance = allowance.checked_sub(columns.len())?;
        let mut points = Vec::with_capacity(columns.len());
        for &(id, slot) in columns {
            let value = self.columns.get_mut(slot)?.take(&mut self.values)?;
            points.push((KeyId(id), value));
        }
        Some(Row {
            step: self.step,
            time: Timestamp(self.time),
            points,
        })
    }

    fn take_layout(&mut self, allowance: usize) -> Option<()> {
        let n = usize::try_from(varint::take(&mut self.heads)?).ok()?;
        // Each key takes a byte at least, and the row that brings a layout has a point for each of its keys.
        if n > self.heads.len() || n > allowance {
            return None;
        }
        let mut layout = Layout {
            columns: Vec::with_capacity(n),
        };
        for _ in 0..n {
            let id = u32::try_from(varint::take(&mut self.heads)?).ok()?;
            let next = self.slots.len();
            layout
                .columns
                .push((id, *self.slots.entry(id).or_insert(next)));
        }
        self.columns.resize(self.slots.len(), Column::default());
        self.layout = self.layouts.len();
        self.layouts.push(layout);
        Some(())
    }
}
