use super::scan::{BLOCK, Kernel, LANES, Scan, Slots};
use super::table::{Table, slot_f64};
use cresset_record::TensorStats;
use half::{bf16, f16};

/// Gathers the statistics of one tensor after another.
///
/// A tensor may come in any number of slices: `add_*` them all, then [`finish`](Self::finish). Its 40 KB of working
/// memory are allocated once; a finished tensor allocates only the counts of its own histogram.
///
/// The same slices in the same order give the same bits on every processor. Slices cut differently give the same
/// counts and extremes, and sums that differ by rounding.
///
/// `f64` values of magnitudes beyond those of normal `f32` numbers (about 1e-38 to 3e38) take the slow path, as
/// subnormal `f32` and `bf16` values do.
pub struct Accumulator {
    blocks: Blocks,
    widened: Box<[f32; BLOCK]>,
}

impl Default for Accumulator {
    fn default() -> Self {
        Self::new()
    }
}

impl Accumulator {
    /// An empty accumulator that uses the best instructions of this processor.
    pub fn new() -> Self {
        Self::with(Kernel::detect())
    }

    /// An empty accumulator that uses no instructions beyond those the program was compiled for: the same results,
    /// slower. It is what other processors than x86-64 with AVX2 get, and there to be compared with.
    pub fn portable() -> Self {
        Self::with(Kernel::Portable)
    }

    fn with(kernel: Kernel) -> Self {
        Self {
            blocks: Blocks::new(kernel),
            widened: Box::new([0.0; BLOCK]),
        }
    }

    /// Takes in `f32` elements.
    pub fn add_f32(&mut self, values: &[f32]) {
        for block in values.chunks(BLOCK) {
            self.blocks.add(block, Kernel::scan_f32);
        }
    }

    /// Takes in `f64` elements.
    pub fn add_f64(&mut self, values: &[f64]) {
        for block in values.chunks(BLOCK) {
            self.blocks.add(block, Kernel::scan_f64);
        }
    }

    /// Takes in `f16` elements.
    pub fn add_f16(&mut self, values: &[f16]) {
        self.add_widened(values, Kernel::widen_f16);
    }

    /// Takes in `bf16` elements.
    pub fn add_bf16(&mut self, values: &[bf16]) {
        self.add_widened(values, Kernel::widen_bf16);
    }

    /// The statistics of everything added since the last call.
    pub fn finish(&mut self) -> TensorStats {
        self.blocks.finish()
    }

    #[cfg(test)]
    pub(super) fn pretend_nearly_full(&mut self) {
        self.blocks.table.pretend_nearly_full();
    }

    /// Every 16-bit number is an `f32` too, so that widening changes nothing.
    fn add_widened<T>(&mut self, values: &[T], widen: fn(&Kernel, &[T], &mut [f32])) {
        for block in values.chunks(BLOCK) {
            let widened = &mut self.widened[..block.len()];
            widen(&self.blocks.kernel, block, widened);
            self.blocks.add(widened, Kernel::scan_f32);
        }
    }
}

struct Blocks {
    kernel: Kernel,
    slots: Box<[Slots; BLOCK / LANES]>,
    table: Table,
    /// What was taken element by element, and of the rest everything that is not in the table.
    seen: TensorStats,
}

impl Blocks {
    fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            slots: Box::new([[0; LANES]; BLOCK / LANES]),
            table: Table::new(),
            seen: TensorStats::default(),
        }
    }

    /// Takes in at most [`BLOCK`] elements.
    fn add<T>(&mut self, block: &[T], scan: fn(&Kernel, &[[T; LANES]], &mut [Slots]) -> Scan)
    where
        T: Copy + Into<f64>,
    {
        let (groups, rest) = block.as_chunks::<LANES>();
        let slots = &mut self.slots[..groups.len()];
        let scan = scan(&self.kernel, groups, slots);
        if scan.is_regular() {
            self.table.count(slots, &scan);
            scan.add_to(&mut self.seen, groups.len() * LANES);
        } else {
            self.add_each(groups.as_flattened());
        }
        self.add_each(rest);
        if self.table.is_nearly_full() {
            self.empty_table();
        }
    }

    fn add_each<T: Copy + Into<f64>>(&mut self, values: &[T]) {
        for &value in values {
            let value = value.into();
            let slot = slot_f64(value);
            let scan = Scan::of_one(value, slot);
            if scan.is_regular() {
                self.table.count_one(slot, &scan);
                scan.add_to(&mut self.seen, 1);
            } else {
                self.seen.insert(value);
            }
        }
    }

    fn empty_table(&mut self) {
        self.seen.histogram.merge(&self.table.take());
    }

    fn finish(&mut self) -> TensorStats {
        self.empty_table();
        let mut stats = std::mem::take(&mut self.seen);
        stats.zeros = stats.histogram.zero_count;
        stats
    }
}
