//! Statistics by operations of the device that holds the tensors: only the small result leaves it.
//!
//! The same as [`cresset_run::stats`] computes on a CPU, to the last count: elements, zeros, NaN, infinities, extremes, sums,
//! and the exponential histogram; and for parameters ‖Δw‖₂ of one step. Sums are in `f32` over 1,024 elements, because many
//! devices have no `f64`, and in `f64` over those. Numbers so small that a device takes them for zero (subnormal
//! ones, on most GPUs) are counted as zeros.
//!
//! burn's operations are all there is to compute with, and each costs the training thread a launch, so tensors are not taken one by
//! one: they are cut into rows of 1,024 elements, the rest filled up with NaN, and up to 4,096 rows make a page for which every
//! operation is done once.
//!
//! # What waits for what
//!
//! Everything is queued by the training thread, in its own order, and nothing is waited for there. Only results, which nobody else
//! has, go to the run's worker, and it reads those of all pages in one [`Transaction`]. Parameters and gradients must not go there: burn's
//! fusion follows tensors by thread, and one that a second thread uses while the first goes on with it can be taken for gone, which
//! ends the training (seen on an H200 with burn 0.22.1).

use burn_core::tensor::{
    Device, ExecutionError, IndexingUpdateOp, Int, Tensor, TensorData, Transaction,
};
use cresset_run::TensorStats;
use cresset_run::watch::Slots;

/// Elements of a row.
const WIDTH: usize = 1024;
/// Most rows of a page: 16 MiB, and about ten times that while it is worked on.
const MAX_ROWS: usize = 4096;
/// How many numbers there are of a row besides its counts: sum, sum of squares, smallest, largest.
const MOMENTS: usize = 4;

/// Looks at tensors of `f32` that are on one device.
#[derive(Debug)]
pub(crate) struct DeviceStats {
    kit: Kit,
}

/// Results that a device is computing.
#[derive(Debug, Default)]
pub(crate) struct Queued {
    pages: Vec<Page>,
    tensors: usize,
    /// Counts and moments of each page.
    stats: Vec<(Tensor<1, Int>, Tensor<1>)>,
    moves: Vec<Page>,
    pairs: usize,
    /// Of each page of moves.
    squares: Vec<Tensor<1>>,
}

/// What was found, in the order of the tensors.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) stats: Vec<TensorStats>,
    /// ‖after − before‖₂ of each pair; NaN where there was a NaN before.
    pub(crate) distances: Vec<f64>,
}

impl DeviceStats {
    pub(crate) fn new(device: &Device) -> Self {
        Self {
            kit: Kit::new(device),
        }
    }

    /// Queues the statistics of these tensors.
    pub(crate) fn queue(&self, tensors: &[Tensor<1>]) -> Queued {
        let pages = plan(tensors.iter().map(elements));
        let stats = pages.iter().map(|page| {
            let x = self.kit.lay_out(page, tensors);
            (self.kit.counts(page, x.clone()), self.kit.moments(x))
        });
        Queued {
            stats: stats.collect(),
            tensors: tensors.len(),
            pages,
            ..Queued::default()
        }
    }

    /// Queues how far the pairs (before, after) are apart, too.
    pub(crate) fn queue_distances(
        &self,
        queued: &mut Queued,
        before: &[Tensor<1>],
        after: &[Tensor<1>],
    ) {
        queued.moves = plan(before.iter().map(elements));
        queued.pairs = before.len();
        queued.squares = queued
            .moves
            .iter()
            .map(|page| {
                let (before, after) = (
                    self.kit.lay_out(page, before),
                    self.kit.lay_out(page, after),
                );
                self.kit.squared_distances(before, after)
            })
            .collect();
    }
}

impl Queued {
    /// Waits for the device. Not for the training thread.
    ///
    /// # Errors
    /// If the device fails.
    pub(crate) fn read(self) -> Result<Measured, ExecutionError> {
        let mut transaction = Transaction::default();
        let is_empty = self.stats.is_empty() && self.squares.is_empty();
        for (counts, moments) in self.stats {
            transaction = transaction.register(counts).register(moments);
        }
        for squares in self.squares {
            transaction = transaction.register(squares);
        }
        let results = if is_empty {
            Vec::new()
        } else {
            transaction.try_execute()?
        };
        let mut results = results.into_iter();
        let mut stats = vec![TensorStats::default(); self.tensors];
        for page in &self.pages {
            if let (Some(counts), Some(moments)) = (results.next(), results.next()) {
                page.read_stats(&counts, &moments, &mut stats);
            }
        }
        let mut squares = vec![0.0; self.pairs];
        for (page, found) in self.moves.iter().zip(results) {
            for (row, square) in page.rows.iter().zip(found.iter::<f64>()) {
                squares[row.tensor] += square;
            }
        }
        Ok(Measured {
            stats,
            distances: squares.into_iter().map(f64::sqrt).collect(),
        })
    }
}

fn elements(tensor: &Tensor<1>) -> usize {
    tensor.dims()[0]
}

/// Rows that are worked on together.
#[derive(Debug)]
struct Page {
    rows: Vec<Row>,
    /// The first tensor that has a row in it, and how many do.
    first: usize,
    tensors: usize,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    tensor: usize,
    from: usize,
    len: usize,
}

fn plan(lengths: impl Iterator<Item = usize>) -> Vec<Page> {
    let rows = lengths.enumerate().flat_map(|(tensor, length)| {
        (0..length).step_by(WIDTH).map(move |from| Row {
            tensor,
            from,
            len: WIDTH.min(length - from),
        })
    });
    let rows: Vec<Row> = rows.collect();
    let page = |rows: &[Row]| {
        let ends = rows.first().zip(rows.last());
        let (first, last) = ends.map_or((0, 0), |(a, b)| (a.tensor, b.tensor));
        Page {
            rows: rows.to_vec(),
            first,
            tensors: last - first + 1,
        }
    };
    rows.chunks(MAX_ROWS).map(page).collect()
}

/// Constants on a device.
#[derive(Debug)]
struct Kit {
    device: Device,
    slots: Slots,
    upper_edges: Tensor<1>,
    padding: Tensor<1>,
}

impl Kit {
    fn new(device: &Device) -> Self {
        let slots = Slots::F32;
        let edges: Vec<f32> = slots
            .upper_edges()
            .iter()
            .map(|&edge| edge as f32)
            .collect();
        Self {
            slots,
            upper_edges: Tensor::from_data(&edges[..], device),
            padding: Tensor::from_data(&[f32::NAN; WIDTH][..], device),
            device: device.clone(),
        }
    }

    /// (rows, `WIDTH`)
    fn lay_out(&self, page: &Page, tensors: &[Tensor<1>]) -> Tensor<2> {
        let mut pieces = Vec::new();
        let mut rows = page.rows.iter().peekable();
        while let Some(row) = rows.next() {
            // Neighbouring rows of one tensor are one piece.
            let mut end = row.from + row.len;
            while let Some(next) = rows.next_if(|next| next.tensor == row.tensor) {
                end = next.from + next.len;
            }
            let length = end - row.from;
            pieces.push(tensors[row.tensor].clone().slice(row.from..end));
            let missing = length.next_multiple_of(WIDTH) - length;
            if missing > 0 {
                pieces.push(self.padding.clone().slice(0..missing));
            }
        }
        Tensor::cat(pieces, 0).reshape([page.rows.len(), WIDTH])
    }

    /// (tensors · slots) counts: how often each slot occurs in each tensor.
    fn counts(&self, page: &Page, x: Tensor<2>) -> Tensor<1, Int> {
        let per_tensor = self.slots.slots();
        let begins: Vec<i32> = page
            .rows
            .iter()
            .map(|row| ((row.tensor - page.first) * per_tensor) as i32)
            .collect();
        let begins = TensorData::new(begins, [page.rows.len(), 1]);
        let begins = Tensor::<2, Int>::from_data(begins, &self.device);
        let n = page.rows.len() * WIDTH;
        let cells = (self.slots_of(x) + begins).reshape([n]);
        let table = Tensor::<1, Int>::zeros([page.tensors * per_tensor], &self.device);
        let ones = Tensor::<1, Int>::ones([n], &self.device);
        table.scatter(0, cells, ones, IndexingUpdateOp::Add)
    }

    /// The slot of each element.
    ///
    /// A logarithm finds the bucket, half a bucket too low on purpose: floor(2·log2|x| − ½) is the right index or the one
    /// below, whatever the device's rounding, and the exact edge decides. Only comparisons with exact numbers count in the end.
    fn slots_of(&self, x: Tensor<2>) -> Tensor<2, Int> {
        let [rows, width] = x.dims();
        let nan = x.clone().is_nan();
        let x = x.mask_fill(nan.clone(), 0.0);
        let magnitude = x.clone().abs();
        let bounded = magnitude
            .clone()
            .clamp(self.slots.smallest(), self.slots.largest());
        let to_rank = -f64::from(self.slots.base()) - 0.5;
        let rank = bounded
            .log()
            .mul_scalar(2.0 / std::f64::consts::LN_2)
            .add_scalar(to_rank);
        let last = (elements(&self.upper_edges) - 1) as f64;
        let rank = rank.floor().clamp(0.0, last).int();
        let edge = self
            .upper_edges
            .clone()
            .select(0, rank.clone().reshape([rows * width]));
        let rank = rank + magnitude.greater(edge.reshape([rows, width])).int();
        let slot = x.sign().int() * rank + self.slots.zero_slot() as i32;
        slot.mask_fill(nan, self.slots.nan_slot() as i32)
    }

    /// (4 · rows): sums, sums of squares, smallest and largest finite elements.
    fn moments(&self, x: Tensor<2>) -> Tensor<1> {
        let rows = x.dims()[0];
        let bad = x.clone().is_finite().bool_not();
        let or = |other: f32| x.clone().mask_fill(bad.clone(), other);
        let clean = or(0.0);
        let found = [
            clean.clone().sum_dim(1),
            clean.square().sum_dim(1),
            or(f32::MAX).min_dim(1),
            or(f32::MIN).max_dim(1),
        ];
        Tensor::cat(found.map(|t| t.reshape([rows])).to_vec(), 0)
    }

    /// (rows): ‖after − before‖² over the elements that were a number before.
    fn squared_distances(&self, before: Tensor<2>, after: Tensor<2>) -> Tensor<1> {
        let rows = before.dims()[0];
        // The padding is NaN, and so is what was NaN before; what has become NaN since spoils the distance.
        let was_nan = before.clone().is_nan();
        let squares = (after - before).square().mask_fill(was_nan, 0.0);
        squares.sum_dim(1).reshape([rows])
    }
}

impl Page {
    fn read_stats(&self, counts: &TensorData, moments: &TensorData, stats: &mut [TensorStats]) {
        let slots = Slots::F32;
        let counts: Vec<u64> = counts.iter::<i64>().map(|n| n.max(0) as u64).collect();
        let moments: Vec<f64> = moments.iter::<f64>().collect();
        let rows = self.rows.len();
        if moments.len() != MOMENTS * rows {
            return;
        }
        let tables = counts.chunks(slots.slots());
        for (tensor, counts) in (self.first..self.first + self.tensors).zip(tables) {
            let rows_of = self.rows.iter().enumerate();
            let rows_of: Vec<_> = rows_of.filter(|(_, row)| row.tensor == tensor).collect();
            let count: u64 = rows_of.iter().map(|(_, row)| row.len as u64).sum();
            let padding = (rows_of.len() * WIDTH) as u64 - count;
            let (zero, nan) = (slots.zero_slot(), slots.nan_slot());
            let nan = counts[nan].saturating_sub(padding);
            let (neg_inf, pos_inf) = (counts[0], counts[2 * zero]);
            let has_finite = count > nan + neg_inf + pos_inf;
            let moment = |m: usize| {
                rows_of
                    .iter()
                    .map(move |(i, _)| *i)
                    .map(move |i| m * rows + i)
            };
            let of = |m: usize| moment(m).map(|i| moments[i]);
            // −0 becomes 0, as on the CPU.
            let extreme = |value: f64| if has_finite { value + 0.0 } else { f64::NAN };
            stats[tensor].merge(&TensorStats {
                count,
                zeros: counts[zero],
                nan,
                pos_inf,
                neg_inf,
                min: extreme(of(2).fold(f64::INFINITY, f64::min)),
                max: extreme(of(3).fold(f64::NEG_INFINITY, f64::max)),
                sum: of(0).sum(),
                sum_sq: of(1).sum(),
                histogram: slots.histogram(counts),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use cresset_run::stats::tensor_stats_f32;

    use super::*;

    fn check(all: &[Vec<f32>]) {
        let device = Device::flex();
        let tensors: Vec<_> = all
            .iter()
            .map(|values| Tensor::from_data(&values[..], &device))
            .collect();
        let found = DeviceStats::new(&device).queue(&tensors).read().unwrap();
        assert_eq!(found.stats.len(), all.len());
        for (values, found) in all.iter().zip(found.stats) {
            let expected = tensor_stats_f32(values);
            let counts = |s: &TensorStats| [s.count, s.zeros, s.nan, s.pos_inf, s.neg_inf];
            assert_eq!(counts(&found), counts(&expected));
            assert_eq!(found.histogram, expected.histogram);
            let extremes = |s: &TensorStats| [s.min.to_bits(), s.max.to_bits()];
            assert_eq!(extremes(&found), extremes(&expected));
            // Sums and squares of the largest numbers are no `f32`.
            if expected.max.abs().max(expected.min.abs()) < 1e17 {
                let size = expected.sum_sq.sqrt() * (values.len() as f64).sqrt();
                assert!((found.sum - expected.sum).abs() <= 1e-6 * size, "{found:?}");
                let error = (found.sum_sq - expected.sum_sq).abs();
                assert!(error <= 1e-6 * expected.sum_sq, "{found:?}");
            }
        }
    }

    fn wave(n: usize, scale: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * 0.61).sin() * scale).collect()
    }

    #[test]
    fn tensors_of_all_sizes_together() {
        let sizes = [1, 2, 1023, 1024, 1025, 5000, 16, 70_000];
        let mut all: Vec<_> = sizes.iter().map(|&n| wave(n, 0.01)).collect();
        all.push(Vec::new());
        all.push(vec![
            0.0,
            -0.0,
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            1.0,
        ]);
        all.push(vec![f32::NAN; 3]);
        check(&all);
    }

    #[test]
    fn every_edge_with_its_neighbours() {
        let mut values = Vec::new();
        for edge in Slots::F32.upper_edges() {
            let edge = edge as f32;
            let around = [edge.next_down(), edge, edge.next_up()];
            values.extend(around.into_iter().flat_map(|v| [v, -v]));
        }
        check(&[values]);
    }

    #[test]
    fn a_tensor_of_several_pages() {
        check(&[
            wave(100, 1.0),
            wave(MAX_ROWS * WIDTH + 5000, 3.0),
            wave(7, 1.0),
        ]);
    }

    #[test]
    fn distances() {
        let device = Device::flex();
        let tensor = |values: &[f32]| Tensor::<1>::from_data(values, &device);
        let (before, after) = (wave(3000, 1.0), wave(3000, 1.5));
        let expected: f64 = before
            .iter()
            .zip(&after)
            .map(|(a, b)| f64::from(b - a).powi(2))
            .sum();
        let before = [tensor(&before), tensor(&[f32::NAN, 1.0]), tensor(&[1.0])];
        let after = [tensor(&after), tensor(&[5.0, 4.0]), tensor(&[f32::NAN])];
        let (stats, mut queued) = (DeviceStats::new(&device), Queued::default());
        stats.queue_distances(&mut queued, &before, &after);
        let found = queued.read().unwrap().distances;
        assert!((found[0] - expected.sqrt()).abs() < 1e-5 * expected.sqrt());
        assert_eq!(found[1], 3.0);
        assert!(found[2].is_nan());
    }
}
