//! Sealed scalars: up to 4,096 points of one series, compressed, with an aggregate for every 128 of them.
//!
//! Within a chunk points stand by step, those of one step in the order in which they arrived. Steps and times are an [`Axis`]
//! of their own, stored once for all series that were logged together. Values are compressed in pages of 512, so that few
//! of them can be had without the rest; the aggregates ([`Block`]) answer for whole blocks without any.
//!
//! The first byte of every head is the version of the format. History: 1 (2026-11) first version. Old chunks are kept as
//! tests in `tests/fixtures`.

mod axis;
mod block;
mod column;
mod head;
#[cfg(test)]
mod tests;

pub(crate) use axis::{Axis, AxisHead};
pub(crate) use block::Block;
pub(crate) use head::Head;

/// Most points of a chunk.
pub(crate) const CHUNK: usize = 4096;
/// Points that share an aggregate.
pub(crate) const BLOCK: usize = 128;
/// Points that are compressed together.
pub(crate) const PAGE: usize = 512;

const VERSION: u8 = 1;

/// What is stored of an axis or of the values of a chunk.
#[derive(Debug, Default)]
pub(crate) struct Encoded {
    /// What is needed to read the pages, and the aggregates.
    pub(crate) head: Vec<u8>,
    /// 512 points each, the last one fewer.
    pub(crate) pages: Vec<Vec<u8>>,
}

/// How many points the page of a chunk with `count` points has.
pub(crate) fn page_len(count: usize, page: usize) -> usize {
    count.saturating_sub(page * PAGE).min(PAGE)
}

/// Encodes the values of a chunk, given in order of arrival; `first_arrival` is the place of the first in its series.
pub(crate) fn encode(
    values: &[f64],
    axis: &Axis,
    first_arrival: u64,
) -> Result<Encoded, crate::StoreError> {
    head::encode(values, axis, first_arrival)
}
