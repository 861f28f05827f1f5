//! The operations that are done on a page.

use std::f64::consts::LN_2;

use candle_core::{DType, Device, Result, Tensor};
use cresset_run::watch::Slots;

use super::slots_of;

/// How many numbers there are of a row besides its counts: sum, sum of squares, smallest, largest.
pub(super) const MOMENTS: usize = 4;

/// Most cells of the tables that a page is counted in, at 4 bytes each.
pub(super) const MAX_CELLS: usize = 8 << 20;
/// How many elements one device thread counts at least, one after another.
const MIN_RUN: usize = 32;

/// Constants on a device for one type of elements.
pub(super) struct Kit {
    grid: Slots,
    /// What numbers are computed with as.
    dtype: DType,
    /// What sums are in.
    exact: DType,
    upper_edges: Tensor,
    smallest: Tensor,
    largest: Tensor,
    zero: Tensor,
    exact_zero: Tensor,
    infinity: Tensor,
    negative_infinity: Tensor,
    nan_slot: Tensor,
}

impl Kit {
    pub(super) fn new(device: &Device, dtype: DType) -> Result<Self> {
        let grid = slots_of(dtype);
        let dtype = if grid.is_wide() {
            DType::F64
        } else {
            DType::F32
        };
        // Made on the host: Metal has no `f64` to convert from.
        let constant = |values: &[f64]| {
            let constant = Tensor::new(values, &Device::Cpu)?.to_dtype(dtype)?;
            constant.to_device(device)
        };
        let exact = if device.is_metal() {
            DType::F32
        } else {
            DType::F64
        };
        Ok(Self {
            grid,
            dtype,
            exact,
            exact_zero: Tensor::new(&[0f32], device)?.to_dtype(exact)?,
            upper_edges: constant(&grid.upper_edges())?,
            smallest: constant(&[grid.smallest()])?,
            largest: constant(&[grid.largest()])?,
            zero: constant(&[0.0])?,
            infinity: constant(&[f64::INFINITY])?,
            negative_infinity: constant(&[f64::NEG_INFINITY])?,
            nan_slot: constant(&[grid.nan_slot() as f64])?,
        })
    }

    /// Of each row of a page: how often each slot of the grid occurs, row by row; then sums, sums of squares, smallest and
    /// largest numbers of the finite elements, one after the other.
    pub(super) fn stats(&self, page: &Tensor) -> Result<Tensor> {
        let x = page.to_dtype(self.dtype)?;
        let split = Split::of(&x, self.grid.slots())?;
        let magnitude = x.abs()?;
        let counts = self.count(&x, &magnitude, split)?.flatten_all()?;
        let finite = magnitude.broadcast_le(&self.largest)?;
        drop(magnitude);
        let finite_or = |other: &Tensor| -> Result<Tensor> {
            let kept = finite.where_cond(&x, &other.broadcast_as(x.shape())?)?;
            split.apply(&kept)
        };
        // In two steps, or one block of the device would add a whole row up.
        let min = finite_or(&self.infinity)?.min(2)?.min(1)?;
        let max = finite_or(&self.negative_infinity)?.max(2)?.max(1)?;
        let clean = finite_or(&self.zero)?.to_dtype(self.exact)?;
        let sum = clean.sum(2)?.sum(1)?;
        let sum_sq = clean.sqr()?.sum(2)?.sum(1)?;
        let (min, max) = (min.to_dtype(self.exact)?, max.to_dtype(self.exact)?);
        Tensor::cat(&[counts, sum, sum_sq, min, max], 0)
    }

    /// (rows, slots) counts.
    fn count(&self, x: &Tensor, magnitude: &Tensor, split: Split) -> Result<Tensor> {
        let slots = split.apply(&self.slots(x, magnitude)?.to_dtype(DType::U32)?)?;
        let Split { rows, run, lanes } = split;
        // Each lane counts in a table of its own, so that no two threads of the device count in one cell. Counts of
        // `f32` are exact: none is above the 2²¹ elements of a page.
        let table = Tensor::zeros((rows, self.grid.slots(), lanes), DType::F32, x.device())?;
        let ones = Tensor::ones((rows, run, lanes), DType::F32, x.device())?;
        table.scatter_add_set(&slots, &ones, 1)?;
        table.sum(2)?.to_dtype(self.exact)
    }

    /// The slot of each element, as a whole number of floating-point type.
    ///
    /// A logarithm finds the bucket, half a bucket too low on purpose: floor(2·log2|x| − ½) is the right index or the one
    /// below, whatever the device's rounding, and the exact edge decides. Only comparisons with exact numbers count in
    /// the end.
    fn slots(&self, x: &Tensor, magnitude: &Tensor) -> Result<Tensor> {
        // In this order the comparison is false for NaN and gives the constant, so that indices stay in range.
        let bounded = self.smallest.broadcast_maximum(magnitude)?;
        let bounded = bounded.broadcast_minimum(&self.largest)?;
        let to_rank = -f64::from(self.grid.base()) - 0.5;
        let rank = bounded.log()?.affine(2.0 / LN_2, to_rank)?.floor()?;
        let edge = self
            .upper_edges
            .index_select(&rank.flatten_all()?.to_dtype(DType::U32)?, 0)?
            .reshape(x.shape())?;
        let rank = (rank + magnitude.gt(&edge)?.to_dtype(x.dtype())?)?;
        let slot = (x.sign()? * rank)?.affine(1.0, self.grid.zero_slot() as f64)?;
        let nan_slot = self.nan_slot.broadcast_as(x.shape())?;
        x.ne(x)?.where_cond(&nan_slot, &slot)
    }

    /// ‖after − before‖² of each row, over the elements that were a number before.
    pub(super) fn squared_distances(&self, before: &Tensor, after: &Tensor) -> Result<Tensor> {
        // The padding is NaN, and so is what was NaN before; what has become NaN since spoils the distance.
        let was_nan = before.ne(before)?;
        let (before, after) = (before.to_dtype(self.exact)?, after.to_dtype(self.exact)?);
        let squares = (after - before)?.sqr()?;
        let zero = self.exact_zero.broadcast_as(squares.shape())?;
        let squares = was_nan.where_cond(&zero, &squares)?;
        let split = Split::of(&squares, 1)?;
        split.apply(&squares)?.sum(2)?.sum(1)
    }
}

/// Rows seen as (rows, run, lanes): each lane of a row is for one thread of the device, neighbours side by side.
#[derive(Clone, Copy, Debug)]
struct Split {
    rows: usize,
    run: usize,
    lanes: usize,
}

impl Split {
    /// As many lanes as the tables have room for. All widths are powers of two.
    fn of(page: &Tensor, slots: usize) -> Result<Self> {
        let (rows, width) = page.dims2()?;
        // A page has no more rows than there is room for one lane each.
        let most = (MAX_CELLS / (rows * slots)).max(1);
        let mut lanes = width / MIN_RUN;
        while lanes > most {
            lanes /= 2;
        }
        Ok(Self {
            rows,
            run: width / lanes,
            lanes,
        })
    }

    fn apply(self, page: &Tensor) -> Result<Tensor> {
        page.reshape((self.rows, self.run, self.lanes))
    }
}
