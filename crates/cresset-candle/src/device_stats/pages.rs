//! Tensors cut into rows, and rows of one width side by side.

use candle_core::{DType, Result, Tensor, bail};
use cresset_run::TensorStats;
use half::{bf16, f16};

use super::measure::{MAX_CELLS, MOMENTS};
use super::slots_of;

/// Most elements of a row: larger tensors take several.
const MAX_ROW: usize = 1 << 20;
/// Most elements of a page: they bound the working memory.
const MAX_PAGE: usize = 1 << 21;
/// The width of the narrowest rows.
const MIN_WIDTH: usize = 256;
/// Up to here widths grow by four, to have few pages; beyond by two, to waste little.
const COARSE_WIDTH: usize = 1 << 16;

/// One page: rows of one type and width.
#[derive(Debug)]
pub(super) struct Plan {
    dtype: DType,
    width: usize,
    rows: Vec<Row>,
    /// How many tensors were planned for, on all pages.
    tensors: usize,
}

/// Part of a tensor; what it does not fill of its width is NaN.
#[derive(Clone, Copy, Debug)]
struct Row {
    tensor: usize,
    from: usize,
    len: usize,
}

/// Spreads tensors over pages.
pub(super) fn plan(tensors: &[Tensor]) -> Vec<Plan> {
    let mut pages: Vec<Plan> = Vec::new();
    for (i, tensor) in tensors.iter().enumerate() {
        let elements = tensor.elem_count();
        for from in (0..elements).step_by(MAX_ROW) {
            let row = Row {
                tensor: i,
                from,
                len: (elements - from).min(MAX_ROW),
            };
            let (dtype, width) = (tensor.dtype(), width_of(row.len));
            let has_room = |page: &Plan| {
                let is_same = page.dtype == dtype && page.width == width;
                let rows = page.rows.len() + 1;
                is_same && rows * width <= MAX_PAGE && rows * slots_of(dtype).slots() <= MAX_CELLS
            };
            match pages.iter_mut().find(|page| has_room(page)) {
                Some(page) => page.rows.push(row),
                None => pages.push(Plan {
                    dtype,
                    width,
                    rows: vec![row],
                    tensors: tensors.len(),
                }),
            }
        }
    }
    pages
}

fn width_of(elements: usize) -> usize {
    let mut width = MIN_WIDTH;
    while width < elements {
        width *= if width < COARSE_WIDTH { 4 } else { 2 };
    }
    width
}

impl Plan {
    pub(super) fn dtype(&self) -> DType {
        self.dtype
    }

    #[cfg(test)]
    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The page, of shape (rows, width).
    pub(super) fn lay_out(&self, tensors: &[Tensor]) -> Result<Tensor> {
        let (rows, width) = (self.rows.len(), self.width);
        let device = match self.rows.first().and_then(|row| tensors.get(row.tensor)) {
            Some(tensor) => tensor.device(),
            None => bail!("a page of no tensor"),
        };
        let page = match self.dtype {
            DType::F64 => Tensor::full(f64::NAN, rows * width, device)?,
            DType::F16 => Tensor::full(f16::NAN, rows * width, device)?,
            DType::BF16 => Tensor::full(bf16::NAN, rows * width, device)?,
            _ => Tensor::full(f32::NAN, rows * width, device)?,
        };
        for (i, row) in self.rows.iter().enumerate() {
            let Some(tensor) = tensors.get(row.tensor) else {
                bail!("a page of more tensors than there are");
            };
            // Detached: a variable would make candle keep the graph of all that follows.
            let flat = tensor.detach().contiguous()?.flatten_all()?;
            page.slice_set(&flat.narrow(0, row.from, row.len)?, 0, i * width)?;
        }
        page.reshape((rows, width))
    }
}

/// The statistics of all tensors of some pages, off the front of the results.
pub(super) fn read_stats(pages: &[Plan], results: &mut &[f64]) -> Result<Vec<TensorStats>> {
    let tensors = pages.first().map_or(0, |page| page.tensors);
    let mut all = vec![TensorStats::default(); tensors];
    for page in pages {
        let grid = slots_of(page.dtype);
        let rows = page.rows.len();
        let counts = take(results, rows * grid.slots())?;
        let moments = take(results, rows * MOMENTS)?;
        for (i, row) in page.rows.iter().enumerate() {
            let counts = &counts[i * grid.slots()..][..grid.slots()];
            let [sum, sum_sq, min, max] = std::array::from_fn(|m| moments[m * rows + i]);
            let counts: Vec<u64> = counts.iter().map(|&count| count as u64).collect();
            if counts.iter().sum::<u64>() != page.width as u64 {
                bail!("the device's counts do not add up; its statistics were not recorded");
            }
            let padding = (page.width - row.len) as u64;
            let nan = counts[grid.nan_slot()].saturating_sub(padding);
            let (neg_inf, pos_inf) = (counts[0], counts[2 * grid.zero_slot()]);
            let has_finite = row.len as u64 > nan + neg_inf + pos_inf;
            // −0 becomes 0, as on the CPU.
            let extreme = |value: f64| if has_finite { value + 0.0 } else { f64::NAN };
            all[row.tensor].merge(&TensorStats {
                count: row.len as u64,
                zeros: counts[grid.zero_slot()],
                nan,
                pos_inf,
                neg_inf,
                min: extreme(min),
                max: extreme(max),
                sum,
                sum_sq,
                histogram: grid.histogram(&counts),
            });
        }
    }
    Ok(all)
}

/// How far each parameter moved, off the front of the results; NaN where it had NaN before.
pub(super) fn read_distances(
    pages: &[Plan],
    before: &[TensorStats],
    results: &mut &[f64],
) -> Result<Vec<f64>> {
    let mut squares = vec![0.0; before.len()];
    for page in pages {
        let found = take(results, page.rows.len())?;
        for (row, square) in page.rows.iter().zip(found) {
            squares[row.tensor] += square;
        }
    }
    let distance = |(square, before): (f64, &TensorStats)| {
        if before.nan > 0 {
            f64::NAN
        } else {
            square.sqrt()
        }
    };
    Ok(squares.into_iter().zip(before).map(distance).collect())
}

fn take<'a>(results: &mut &'a [f64], n: usize) -> Result<&'a [f64]> {
    match results.split_at_checked(n) {
        Some((taken, rest)) => {
            *results = rest;
            Ok(taken)
        }
        None => bail!("the device gave fewer results than were asked for"),
    }
}
