//! Steps and times of a chunk, shared by the series that were logged together.

use super::column::{self, Reader};
use super::{BLOCK, CHUNK, Encoded, VERSION, page_len};
use crate::error::StoreError;
use crate::varint::{self, Taker};

const ARITHMETIC: u8 = 1;
const REORDERED: u8 = 2;

/// The places of a chunk's points, by step, then arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Axis {
    pub(crate) steps: Vec<u64>,
    /// Microseconds since 1970.
    pub(crate) times: Vec<i64>,
    /// Which arrival of the chunk stands at each place; `None` where all came in this order.
    pub(crate) order: Option<Vec<u32>>,
}

impl Axis {
    /// Sorts what came in order of arrival.
    pub(crate) fn new(steps: Vec<u64>, times: Vec<i64>) -> Self {
        if steps.is_sorted() {
            return Self {
                steps,
                times,
                order: None,
            };
        }
        let mut order: Vec<u32> = (0..steps.len() as u32).collect();
        order.sort_by_key(|&i| steps[i as usize]);
        Self {
            steps: order.iter().map(|&i| steps[i as usize]).collect(),
            times: order.iter().map(|&i| times[i as usize]).collect(),
            order: Some(order),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether places, arrivals and times all rise together.
    pub(crate) fn is_chronological(&self) -> bool {
        self.order.is_none() && self.times.is_sorted()
    }

    /// The difference between neighbouring steps, if it is always the same.
    pub(super) fn stride(&self) -> Option<u64> {
        let (&first, rest) = self.steps.split_first()?;
        let stride = rest.first().map_or(1, |second| second - first);
        self.steps
            .iter()
            .enumerate()
            .all(|(i, &step)| {
                (i as u64)
                    .checked_mul(stride)
                    .and_then(|d| d.checked_add(first))
                    == Some(step)
            })
            .then_some(stride)
    }

    /// How many different steps there are.
    pub(super) fn distinct(&self) -> usize {
        let changes = self.steps.windows(2).filter(|w| w[0] != w[1]).count();
        changes + usize::from(!self.steps.is_empty())
    }

    /// First and last step, earliest and latest time of each block.
    pub(super) fn ranges(&self) -> impl Iterator<Item = ((u64, u64), (i64, i64))> {
        self.steps
            .chunks(BLOCK)
            .zip(self.times.chunks(BLOCK))
            .map(|(steps, times)| {
                let first = steps.first().copied().unwrap_or_default();
                let last = steps.last().copied().unwrap_or_default();
                let early = times.iter().copied().min().unwrap_or_default();
                let late = times.iter().copied().max().unwrap_or_default();
                ((first, last), (early, late))
            })
    }

    pub(crate) fn encode(&self) -> Result<Encoded, StoreError> {
        let stride = self.stride();
        let mut head = vec![VERSION, 0];
        varint::put(&mut head, self.len() as u64);
        let mut parts: Vec<Vec<Vec<u8>>> = Vec::new();
        if let Some(stride) = stride {
            head[1] |= ARITHMETIC;
            varint::put(&mut head, self.steps.first().copied().unwrap_or_default());
            varint::put(&mut head, stride);
        } else {
            parts.push(column::encode(&self.steps, &mut head)?);
        }
        parts.push(column::encode(&self.times, &mut head)?);
        if let Some(order) = &self.order {
            head[1] |= REORDERED;
            parts.push(column::encode(order, &mut head)?);
        }
        let count = parts.iter().map(Vec::len).max().unwrap_or_default();
        let pages = (0..count).map(|page| {
            let mut out = Vec::new();
            for part in &parts {
                let bytes = part.get(page).map_or(&[][..], Vec::as_slice);
                varint::put(&mut out, bytes.len() as u64);
                out.extend_from_slice(bytes);
            }
            out
        });
        Ok(Encoded {
            pages: pages.collect(),
            head,
        })
    }
}

/// Reads pages of an axis.
#[derive(Debug)]
pub(crate) struct AxisHead {
    count: usize,
    steps: Steps,
    times: Reader<i64>,
    order: Option<Reader<u32>>,
}

#[derive(Debug)]
enum Steps {
    Arithmetic { first: u64, stride: u64 },
    // Far larger than the other.
    Column(Box<Reader<u64>>),
}

impl AxisHead {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut head = Taker::new(bytes, "an axis");
        if head.byte()? != VERSION {
            return Err(head.damaged());
        }
        let flags = head.byte()?;
        let count = head.number()? as usize;
        if count > CHUNK {
            return Err(head.damaged());
        }
        let steps = if flags & ARITHMETIC == 0 {
            Steps::Column(Box::new(Reader::new(&mut head)?))
        } else {
            Steps::Arithmetic {
                first: head.number()?,
                stride: head.number()?,
            }
        };
        let times = Reader::new(&mut head)?;
        let order = (flags & REORDERED != 0)
            .then(|| Reader::new(&mut head))
            .transpose()?;
        Ok(Self {
            count,
            steps,
            times,
            order,
        })
    }

    /// Appends the points of one page to `axis`.
    pub(crate) fn read(
        &mut self,
        number: usize,
        page: &[u8],
        axis: &mut Axis,
    ) -> Result<(), StoreError> {
        let n = page_len(self.count, number);
        let mut page = Taker::new(page, "a page");
        match &mut self.steps {
            Steps::Arithmetic { first, stride } => {
                let from = (number * super::PAGE) as u64;
                let steps =
                    (from..from + n as u64).map(|i| first.wrapping_add(stride.wrapping_mul(i)));
                axis.steps.extend(steps);
            }
            Steps::Column(reader) => {
                let length = page.count()?;
                reader.read(page.bytes(length)?, n, &mut axis.steps)?;
            }
        }
        let length = page.count()?;
        self.times.read(page.bytes(length)?, n, &mut axis.times)?;
        if let Some(reader) = &mut self.order {
            let length = page.count()?;
            let order = axis.order.get_or_insert_default();
            reader.read(page.bytes(length)?, n, order)?;
        }
        Ok(())
    }
}
