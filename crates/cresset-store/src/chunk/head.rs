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

/// What is damaged where a head cannot be read.
const WHAT: &str = "a chunk";

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
    first_step: u64,
    steps: (u64, u64),
    times: (i64, i64),
    flags: u8,
    /// The blocks as they are stored, less than half of what they take up taken apart (a long chart asks for thousands of
    /// heads), then how the values are compressed.
    bytes: Vec<u8>,
    /// Where the latter begins.
    description: usize,
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

/// Passes over what `take_block` takes.
fn skip_block(head: &mut Taker<'_>, flags: u8) -> Result<(), StoreError> {
    if flags & NON_FINITE != 0 {
        for _ in 0..3 {
            head.number()?;
        }
    }
    let value = if flags & SINGLE == 0 { 8 } else { 4 };
    head.bytes(8 + 4 * value).map(drop)
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

/// Walks over the blocks of a head.
struct Blocks<'a> {
    head: Taker<'a>,
    arithmetic: Option<(u64, u64)>,
    /// The last step and the latest time so far.
    end: (u64, i64),
    /// Points so far, and of all blocks.
    at: usize,
    count: usize,
}

/// How many points a block has, its steps, its times.
type Extent = (usize, (u64, u64), (i64, i64));

impl Blocks<'_> {
    /// The next block; its aggregate comes next in `head`.
    fn next(&mut self) -> Result<Option<Extent>, StoreError> {
        let n = (self.count - self.at).min(BLOCK);
        if n == 0 {
            return Ok(None);
        }
        let steps = if let Some((first, stride)) = self.arithmetic {
            let at = |i: usize| first.wrapping_add(stride.wrapping_mul(i as u64));
            (at(self.at), at(self.at + n - 1))
        } else {
            let from = self.end.0.wrapping_add(self.head.number()?);
            (from, from.wrapping_add(self.head.number()?))
        };
        let early = self.end.1.wrapping_add(self.head.signed()?);
        let late = early.wrapping_add(self.head.number()? as i64);
        self.end = (steps.1, late);
        self.at += n;
        Ok(Some((n, steps, (early, late))))
    }
}

impl Head {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut head = Taker::new(bytes, WHAT);
        if head.byte()? != VERSION {
            return Err(head.damaged());
        }
        let flags = head.byte()?;
        let count = head.number()? as usize;
        if count == 0 || count > CHUNK {
            return Err(head.damaged());
        }
        let first_arrival = head.number()?;
        let first_step = head.number()?;
        let number = head.number()?;
        let arithmetic = (flags & ARITHMETIC != 0).then_some((first_step, number));
        let mut found = Self {
            count,
            distinct: match arithmetic {
                Some((_, 0)) => 1,
                Some(_) => count as u64,
                None => number,
            },
            first_arrival,
            chronological: flags & CHRONOLOGICAL != 0,
            arithmetic,
            first_step,
            steps: (0, 0),
            times: (i64::MAX, i64::MIN),
            flags,
            bytes: head.rest().to_vec(),
            description: 0,
            reader: None,
        };
        found.survey()?;
        Ok(found)
    }

    /// Finds where all blocks lie, and where they end.
    fn survey(&mut self) -> Result<(), StoreError> {
        let mut walk = self.walk();
        let (mut first, mut times) = (None, self.times);
        while let Some((_, steps, (early, late))) = walk.next()? {
            skip_block(&mut walk.head, self.flags)?;
            first = first.or(Some(steps.0));
            times = (times.0.min(early), times.1.max(late));
        }
        let (end, rest) = (walk.end.0, walk.head.rest().len());
        self.steps = (first.unwrap_or_default(), end);
        self.times = times;
        self.description = self.bytes.len() - rest;
        Ok(())
    }

    fn walk(&self) -> Blocks<'_> {
        Blocks {
            head: Taker::new(&self.bytes, WHAT),
            arithmetic: self.arithmetic,
            end: (self.first_step, 0),
            at: 0,
            count: self.count,
        }
    }

    /// First and last step.
    pub(crate) fn steps(&self) -> (u64, u64) {
        self.steps
    }

    /// Earliest and latest time.
    pub(crate) fn times(&self) -> (i64, i64) {
        self.times
    }

    /// Replaces what is in `out` by its blocks.
    pub(crate) fn blocks(&self, out: &mut Vec<PlacedBlock>) -> Result<(), StoreError> {
        out.clear();
        let mut walk = self.walk();
        while let Some((n, steps, times)) = walk.next()? {
            out.push(PlacedBlock {
                block: take_block(&mut walk.head, n, self.flags)?,
                steps,
                times,
            });
        }
        Ok(())
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
            let description = self.bytes.get(self.description..).unwrap_or_default();
            let mut description = Taker::new(description, WHAT);
            self.reader = Some(if self.flags & SINGLE != 0 {
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
