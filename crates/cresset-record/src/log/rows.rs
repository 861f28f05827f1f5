//! The body of a `Rows` record: scalars, one row a log call.
//!
//! Two streams: the heads of the rows (which keys, step, time) as bytes, then the values as bits. Keys, steps and
//! times that go on as before cost one byte a row together; values are XORed with the one before of their key.

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

/// More rows than this a reader refuses to believe of one record.
const MAX_ROWS: u64 = 1 << 24;

/// Encodes rows as they come.
#[derive(Default)]
pub(super) struct RowsEncoder {
    heads: Vec<u8>,
    values: BitWriter,
    rows: u64,
    layouts: Vec<Vec<u32>>,
    by_keys: FxHashMap<Vec<u32>, usize>,
    layout: Option<usize>,
    columns: Vec<Column>,
    step: u64,
    stride: u64,
    time: i64,
    keys: Vec<u32>,
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
        let mut head = self.push_keys(points);
        // Steps wrap around: any order of any steps is a delta modulo 2⁶⁴.
        let delta = step.wrapping_sub(self.step);
        head |= if delta == 0 {
            STEP_SAME
        } else if delta == self.stride {
            STEP_STRIDE
        } else {
            varint::put_signed(&mut self.heads, delta as i64);
            self.stride = delta;
            STEP_DELTA
        } << 2;
        self.step = step;
        let delta = time.0.wrapping_sub(self.time);
        head |= match delta {
            0 => TIME_SAME,
            1.. => {
                varint::put(&mut self.heads, delta as u64);
                TIME_DELTA
            }
            _ => {
                varint::put_signed(&mut self.heads, delta);
                TIME_SIGNED
            }
        } << 4;
        self.time = time.0;
        self.heads[head_at] = head;
        for &(KeyId(id), value) in points {
            let id = id as usize;
            if id >= self.columns.len() {
                self.columns.resize(id + 1, Column::default());
            }
            self.columns[id].push(value, &mut self.values);
        }
        self.rows += 1;
    }

    /// Says which keys the row has; returns the bits for the head byte.
    fn push_keys(&mut self, points: &[(KeyId, f64)]) -> u8 {
        let ids = points.iter().map(|(id, _)| id.0);
        if let Some(layout) = self.layout.and_then(|i| self.layouts.get(i))
            && layout.len() == points.len()
            && layout.iter().copied().eq(ids.clone())
        {
            return KEYS_SAME;
        }
        self.keys.clear();
        self.keys.extend(ids);
        if let Some(&known) = self.by_keys.get(&self.keys) {
            varint::put(&mut self.heads, known as u64);
            self.layout = Some(known);
            return KEYS_KNOWN;
        }
        varint::put(&mut self.heads, self.keys.len() as u64);
        for &id in &self.keys {
            varint::put(&mut self.heads, u64::from(id));
        }
        self.layout = Some(self.layouts.len());
        self.by_keys.insert(self.keys.clone(), self.layouts.len());
        self.layouts.push(self.keys.clone());
        KEYS_NEW
    }

    /// Appends the record's body to `out` and starts anew.
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
        self.step = 0;
        self.stride = 0;
        self.time = 0;
    }
}

/// Decodes a body; `None` if it is not one.
pub(super) fn decode(mut body: &[u8]) -> Option<Vec<Row>> {
    let count = varint::take(&mut body).filter(|n| *n <= MAX_ROWS)?;
    let heads_len = usize::try_from(varint::take(&mut body)?).ok()?;
    let (mut heads, values) = body.split_at_checked(heads_len)?;
    // Each row has a head byte, so a claim of more rows than bytes is false.
    if count > heads.len() as u64 {
        return None;
    }
    let mut values = BitReader::new(values);
    let mut rows = Vec::with_capacity(count as usize);
    let mut layouts: Vec<Vec<KeyId>> = Vec::new();
    let mut layout = 0usize;
    let mut columns: FxHashMap<u32, Column> = FxHashMap::default();
    let (mut step, mut stride, mut time) = (0u64, 0u64, 0i64);
    for _ in 0..count {
        let (&head, rest) = heads.split_first()?;
        heads = rest;
        match head & 3 {
            KEYS_SAME => {}
            KEYS_KNOWN => layout = usize::try_from(varint::take(&mut heads)?).ok()?,
            KEYS_NEW => {
                layout = layouts.len();
                layouts.push(take_keys(&mut heads)?);
            }
            _ => return None,
        }
        match head >> 2 & 3 {
            STEP_STRIDE => step = step.wrapping_add(stride),
            STEP_SAME => {}
            STEP_DELTA => {
                stride = varint::take_signed(&mut heads)? as u64;
                step = step.wrapping_add(stride);
            }
            _ => return None,
        }
        time = match head >> 4 {
            TIME_SAME => time,
            TIME_DELTA => time.wrapping_add(varint::take(&mut heads)? as i64),
            TIME_SIGNED => time.wrapping_add(varint::take_signed(&mut heads)?),
            _ => return None,
        };
        let keys = layouts.get(layout)?;
        let mut points = Vec::with_capacity(keys.len());
        for &id in keys {
            points.push((id, columns.entry(id.0).or_default().take(&mut values)?));
        }
        rows.push(Row {
            step,
            time: Timestamp(time),
            points,
        });
    }
    heads.is_empty().then_some(rows)
}

fn take_keys(heads: &mut &[u8]) -> Option<Vec<KeyId>> {
    let n = varint::take(heads)?;
    // Each key takes a byte at least.
    if n > heads.len() as u64 {
        return None;
    }
    (0..n)
        .map(|_| {
            varint::take(heads)
                .and_then(|id| u32::try_from(id).ok())
                .map(KeyId)
        })
        .collect()
}
