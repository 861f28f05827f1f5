//! What a series has at each place of the grid.

use super::source::{Source, XPoint};
use super::{ChartSeries, NonFinite};
use crate::chunk::Block;

/// The aggregate of a place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Aggregate {
    /// Its `first` and `last` are those below.
    pub(super) block: Block,
    first: (f64, u64),
    last: (f64, u64),
}

impl Aggregate {
    /// Takes in a point.
    #[inline]
    pub(super) fn insert(&mut self, point: XPoint) {
        self.ends(
            (point.x, point.arrival, point.value),
            (point.x, point.arrival, point.value),
        );
        self.block.count_value(point.value);
    }

    /// Takes in a block whose first and last points stand here.
    #[inline]
    pub(super) fn insert_block(&mut self, block: &Block, first: (f64, u64), last: (f64, u64)) {
        self.ends(
            (first.0, first.1, block.first),
            (last.0, last.1, block.last),
        );
        self.block.count_block(block);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.insert_block(&other.block, other.first, other.last);
    }

    #[inline]
    fn ends(&mut self, first: (f64, u64, f64), last: (f64, u64, f64)) {
        let is_empty = self.block.count == 0;
        if is_empty || (first.0, first.1) < self.first {
            self.first = (first.0, first.1);
            self.block.first = first.2;
        }
        if is_empty || (last.0, last.1) >= self.last {
            self.last = (last.0, last.1);
            self.block.last = last.2;
        }
    }
}

/// The places of one series, from `start` on.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) start: usize,
    pub(super) places: Vec<Aggregate>,
}

impl Columns {
    /// Makes columns of it; `None` if the series has no point in the window.
    pub(super) fn finish(mut self, source: Source) -> Option<ChartSeries> {
        let used = |a: &Aggregate| a.block.count > 0;
        let first = self.places.iter().position(used)?;
        let last = self.places.iter().rposition(used)?;
        self.places.truncate(last + 1);
        self.places.drain(..first);
        let start = self.start + first;
        let blocks = || self.places.iter().map(|a| &a.block);
        let column = |get: fn(&Block) -> f64| -> Vec<f64> { blocks().map(get).collect() };
        let several = blocks().any(|b| b.count > 1);
        let optional = |get: fn(&Block) -> f64| if several { column(get) } else { Vec::new() };
        let nonfinite = blocks().enumerate().filter(|(_, b)| b.non_finite() > 0);
        Some(ChartSeries {
            start,
            count: column(|b| b.count as f64),
            last: column(|b| b.last),
            first: optional(|b| b.first),
            min: optional(|b| b.min),
            max: optional(|b| b.max),
            mean: optional(mean),
            nonfinite: nonfinite
                .map(|(i, b)| NonFinite {
                    index: start + i,
                    nan: b.nan,
                    pos_inf: b.pos_inf,
                    neg_inf: b.neg_inf,
                })
                .collect(),
            points: blocks().map(|b| b.count).sum(),
            run: source.run,
            rank: source.rank,
            total: source.total,
            last_step: source.last_step,
        })
    }
}

/// Over finite values. The sum is rounded; a mean is never outside of the values.
fn mean(block: &Block) -> f64 {
    let mean = block.sum / block.finite() as f64;
    if mean.is_nan() {
        mean
    } else {
        mean.max(block.min).min(block.max)
    }
}
