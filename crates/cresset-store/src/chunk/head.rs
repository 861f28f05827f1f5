//! The head of a chunk: how its values are compressed, and what is known of its blocks without them.

use super::column::{self, Reader};
use super::{Axis, BLOCK, Block, CHUNK, Encoded, VERSION, page_len};
use crate::error::StoreError;
use crate::varint::{self, Taker};

/// All values came out of `f32`: they are stored so, in half the bytes and time.
const SINGLE: u8 = 1;
/// Places, arrivals and times rise together.
const CHRONOLOGICAL: u8 = 2;
/// Some value is not finite.
const NON_FINITE: u8 = 4;
/// Steps have a constant difference.
const ARITHMETIC: u8 = 8;

/// A chunk without its values.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) count: usize,
    /// How many different steps it has.
    pub(crate) distinct: u64,
    /// The place in its series of the first of its points to arrive.
    pub(crate) first_arrival: u64,
    /// Whether places, arrivals and times rise together.
    pub(crate) chronological: bool,
    /// First step and difference, where that is always the same: the axis need not be read for steps.
    pub(crate) arithmetic: Option<(u64, u64)>,
    pub(crate) blocks: Vec<PlacedBlock>,
    /// Kept as bytes: most heads are only asked for their blocks.
    description: Vec<u8>,
    single: bool,
    reader: Option<ValueReader>,
}

/// A block and where it lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlacedBlock {
    pub(crate) block: Block,
    /// First and last step.
    pub(crate) steps: (u64, u64),
    /// Earliest and latest time, microseconds since 1970.
    pub(crate) times: (i64, i64),
}

#[derive(Debug)]
enum ValueReader {
    Single(Reader<f32>),
    Double(Reader<f64>),
}

pub(super) fn encode(
    values: &[f64],
    axis: &Axis,
    first_arrival: u64,
) -> Result<Encoded, StoreError> {
    let sorted: Vec<f64>;
    let values = match &axis.order {
        None => values,
        Some(order) => {
            let places = order.iter().map(|&i| values.get(i as usize).copied());
            sorted = places.map(|v| v.unwrap_or(f64::NAN)).collect();
            &sorted
        }
    };
    let single = values.iter().all(|&v| is_single(v));
    let non_finite = values.iter().any(|v| !v.is_finite());
    let stride = axis.stride();
    let mut flags = 0;
    for (set, flag) in [
        (single, SINGLE),
        (axis.is_chronological(), CHRONOLOGICAL),
        (non_finite, NON_FINITE),
        (stride.is_some(), ARITHMETIC),
    ] {
        flags |= if set { flag } else { 0 };
    }
    let mut head = vec![VERSION, flags];
    varint::put(&mut head, values.len() as u64);
    varint::put(&mut head, first_arrival);
    varint::put(&mut head, axis.steps.first().copied().unwrap_or_default());
    match stride {
        Some(stride) => varint::put(&mut head, stride),
        None => varint::put(&mut head, axis.distinct() as u64),
    }
    let mut step = axis.steps.first().copied().unwrap_or_default();
    let mut time = 0i64;
    for (chunk, (steps, times)) in values.chunks(BLOCK).zip(axis.ranges()) {
        if stride.is_none() {
            varint::put(&mut head, steps.0.wrapping_sub(step));
            varint::put(&mut head, steps.1.wrapping_sub(steps.0));
            step = steps.1;
        }
        varint::put_signed(&mut head, times.0.wrapping_sub(time));
        varint::put(&mut head, times.1.wrapping_sub(times.0) as u64);
        time = times.1;
        put_block(&mut head, &Block::of(chunk.iter().copied()), flags);
    }
    let pages = if single {
        let values: Vec<f32> = values.iter().map(|&v| v as f32).collect();
        column::encode(&values, &mut head)?
    } else {
        column::encode(values, &mut head)?
    };
    Ok(Encoded { head, pages })
}

fn is_single(value: f64) -> bool {
    value.is_nan() || f64::from(value as f32) == value
}

fn put_block(out: &mut Vec<u8>, block: &Block, flags: u8) {
    if flags & NON_FINITE != 0 {
        for n in [block.nan, block.pos_inf, block.neg_inf] {
            varint::put(out, n);
        }
    }
    varint::put_f64(out, block.sum);
    for value in [block.min, block.max, block.first, block.last] {
        if flags & SINGLE == 0 {
            varint::put_f64(out, value);
        } else {
            out.extend_from_slice(&(value as f32).to_le_bytes());
        }
    }
}

fn take_block(head: &mut Taker<'_>, count: usize, flags: u8) -> Result<Block, StoreError> {
    let mut block = Block {
        count: count as u64,
        ..Block::default()
    };
    if flags & NON_FINITE != 0 {
        block.nan = head.number()?;
        block.pos_inf = head.number()?;
        block.neg_inf = head.number()?;
    }
    block.sum = head.f64()?;
    for field in [
        &mut block.min,
        &mut block.max,
        &mut block.first,
        &mut block.last,
    ] {
        *field = if flags & SINGLE == 0 {
            head.f64()?
        } else {
            f64::from(head.f32()?)
        };
    }
    Ok(block)
}

impl Head {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut head = Taker::new(bytes, "a chunk");
        if head.byte()? != VERSION {
            return Err(head.damaged());
        }
        let flags = head.byte()?;
        let count = head.number()? as usize;
        if count == 0 || count > CHUNK {
            return Err(head.damaged());
        }
        let first_arrival = head.number()?;
        let first = head.number()?;
        let number = head.number()?;
        let arithmetic = (flags & ARITHMETIC != 0).then_some((first, number));
        let mut blocks = Vec::with_capacity(count.div_ceil(BLOCK));
        let (mut step, mut time) = (first, 0i64);
        for from in (0..count).step_by(BLOCK) {
            let n = (count - from).min(BLOCK);
            let steps = if let Some((first, stride)) = arithmetic {
                let at = |i: usize| first.wrapping_add(stride.wrapping_mul(i as u64));
                (at(from), at(from + n - 1))
            } else {
                let from = step.wrapping_add(head.number()?);
                (from, from.wrapping_add(head.number()?))
            };
            step = steps.1;
            let early = time.wrapping_add(head.signed()?);
            time = early.wrapping_add(head.number()? as i64);
            blocks.push(PlacedBlock {
                block: take_block(&mut head, n, flags)?,
                steps,
                times: (early, time),
            });
        }
        Ok(Self {
            count,
            distinct: match arithmetic {
                Some((_, 0)) => 1,
                Some(_) => count as u64,
                None => number,
            },
            first_arrival,
            chronological: flags & CHRONOLOGICAL != 0,
            arithmetic,
            blocks,
            description: head.rest().to_vec(),
            single: flags & SINGLE != 0,
            reader: None,
        })
    }

    /// First and last step.
    pub(crate) fn steps(&self) -> (u64, u64) {
        let first = self.blocks.first().map_or(0, |b| b.steps.0);
        (first, self.blocks.last().map_or(0, |b| b.steps.1))
    }

    /// Earliest and latest time.
    pub(crate) fn times(&self) -> (i64, i64) {
        let early = self.blocks.iter().map(|b| b.times.0).min();
        let late = self.blocks.iter().map(|b| b.times.1).max();
        (early.unwrap_or_default(), late.unwrap_or_default())
    }

    /// Appends the values of one page to `out`.
    pub(crate) fn read(
        &mut self,
        number: usize,
        page: &[u8],
        out: &mut Vec<f64>,
    ) -> Result<(), StoreError> {
        let n = page_len(self.count, number);
        if self.reader.is_none() {
            let mut description = Taker::new(&self.description, "a chunk");
            self.reader = Some(if self.single {
                ValueReader::Single(Reader::new(&mut description)?)
            } else {
                ValueReader::Double(Reader::new(&mut description)?)
            });
        }
        match &mut self.reader {
            Some(ValueReader::Double(reader)) => reader.read(page, n, out),
            Some(ValueReader::Single(reader)) => {
                let mut values = Vec::with_capacity(n);
                reader.read(page, n, &mut values)?;
                out.extend(values.into_iter().map(f64::from));
                Ok(())
            }
            None => Ok(()),
        }
    }
}
