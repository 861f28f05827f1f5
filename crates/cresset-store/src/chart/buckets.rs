//! Charts of many points: equal buckets.

use super::Grid;
use super::columns::{Aggregate, Columns};
use super::source::{BLOCKS_PER_PAGE, Place, Source};
use crate::chunk::BLOCK;
use crate::engine::Transaction;
use crate::engine::chunks::Chunks;
use crate::error::StoreError;

/// Widths of buckets of steps have so many binary digits that are not zero. So the width of a run that goes on changes
/// seldom; and from 1,024 steps on, it is a whole number of blocks, which then need not be decoded.
const WIDTH_DIGITS: u32 = 4;

/// The grid and the columns of each source.
pub(super) fn columns(
    tx: &mut dyn Transaction,
    chunks: &dyn Chunks,
    sources: &mut [Source],
    buckets: usize,
) -> Result<(Grid, Vec<Columns>), StoreError> {
    let ranges = sources.iter().filter_map(Source::range);
    let (low, high) = ranges
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
        .unwrap_or((0.0, 0.0));
    let is_step = sources.iter().all(|s| matches!(s.x, Place::Step));
    let grid = if is_step {
        of_steps(low.ceil(), high.floor(), buckets)
    } else {
        equal(low, high, buckets)
    };
    let mut columns = Vec::with_capacity(sources.len());
    for source in sources {
        columns.push(fill(tx, chunks, source, &grid)?);
    }
    Ok((grid, columns))
}

/// Buckets of a whole number of steps.
fn of_steps(low: f64, high: f64, buckets: usize) -> Grid {
    let steps = high - low + 1.0;
    let mut width = (steps / buckets as f64).ceil().max(1.0);
    if width < (1u64 << 62) as f64 {
        let whole = width as u64;
        let unit = 1u64 << (u64::BITS - whole.leading_zeros()).saturating_sub(WIDTH_DIGITS);
        width = whole.next_multiple_of(unit) as f64;
    }
    let n = (steps / width).ceil().clamp(1.0, buckets as f64) as usize;
    grid(low, width, n, low + n as f64 * width)
}

fn equal(low: f64, high: f64, buckets: usize) -> Grid {
    // Not the width of the difference, which may be infinite.
    let width = high / buckets as f64 - low / buckets as f64;
    if width > 0.0 {
        grid(low, width, buckets, high)
    } else {
        grid(low, 1.0, 1, low + 1.0)
    }
}

fn grid(from: f64, width: f64, n: usize, to: f64) -> Grid {
    Grid {
        x: (0..n).map(|i| from + (i as f64 + 0.5) * width).collect(),
        exact: false,
        from,
        to,
        width,
    }
}

impl Grid {
    /// The bucket of an x; it rises with x, so that a block whose ends are in one bucket is in it as a whole.
    pub(super) fn bucket(&self, x: f64) -> usize {
        // A number below zero becomes 0.
        (((x - self.from) / self.width) as usize).min(self.x.len().saturating_sub(1))
    }
}

fn fill(
    tx: &mut dyn Transaction,
    chunks: &dyn Chunks,
    source: &mut Source,
    grid: &Grid,
) -> Result<Columns, StoreError> {
    let mut places = vec![Aggregate::default(); grid.x.len()];
    let (mut blocks, mut points) = (Vec::new(), Vec::new());
    for at in 0..source.chunks.len() {
        let head = &source.chunks[at].head;
        let by_place = matches!(source.x, Place::Step) || head.chronological;
        if !by_place {
            points.clear();
            source.decode(tx, chunks, at, &mut points)?;
            for &point in &points {
                if let Some(place) = places.get_mut(grid.bucket(point.x)) {
                    place.insert(point);
                }
            }
            continue;
        }
        let mut pages: Vec<usize> = Vec::new();
        head.blocks(&mut blocks)?;
        for (number, placed) in blocks.iter().enumerate() {
            let range = source.x.range(placed.steps, placed.times);
            let bucket = grid.bucket(range.0);
            if source.window.holds(range) && bucket == grid.bucket(range.1) {
                let first = head.first_arrival + (number * BLOCK) as u64;
                let last = first + placed.block.count.saturating_sub(1);
                if let Some(place) = places.get_mut(bucket) {
                    place.insert_block(&placed.block, (range.0, first), (range.1, last));
                }
            } else if pages.last() != Some(&(number / BLOCKS_PER_PAGE))
                && range.0.max(range.1) >= source.window.clip(range).0
            {
                pages.push(number / BLOCKS_PER_PAGE);
            }
        }
        for page in pages {
            points.clear();
            source.page(tx, chunks, at, page, &mut points)?;
            for (i, block) in points.chunks(BLOCK).enumerate() {
                let Some(placed) = blocks.get(page * BLOCKS_PER_PAGE + i) else {
                    continue;
                };
                let range = source.x.range(placed.steps, placed.times);
                if source.window.holds(range) && grid.bucket(range.0) == grid.bucket(range.1) {
                    continue;
                }
                for &point in block.iter().filter(|p| source.window.has(p.x)) {
                    if let Some(place) = places.get_mut(grid.bucket(point.x)) {
                        place.insert(point);
                    }
                }
            }
        }
    }
    for &point in &source.loose {
        if let Some(place) = places.get_mut(grid.bucket(point.x)) {
            place.insert(point);
        }
    }
    Ok(Columns { start: 0, places })
}
