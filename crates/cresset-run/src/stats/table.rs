use super::scan::{LANES, Scan, Slots};
use cresset_record::{Buckets, ExpHistogram};

/// Counters for the buckets of all normal `f32` numbers.
///
/// A *bin* is a bucket as a table row: `2·e + h` with `e` the exponent field of an `f32` and `h` whether the mantissa
/// lies above √2, plus [`SIGN`] for negative numbers. The scans compute it with two shifts, by an argument that makes
/// the upper edges inclusive without a comparison: one less than the bits of a number has the exponent of the bucket
/// below exactly for powers of two, and adding [`F32_HALF`] carries into the exponent exactly above √2. Zero of either
/// sign wraps around to [`ZERO`], a bin that only NaN would share.
///
/// Each bin has a counter for each lane. Equal elements in a row, as in a constant tensor, then do not wait for each
/// other's increments. A *slot* is the index of the first of these counters, `bin · LANES`.
pub(super) struct Table {
    counts: Box<[u32; BINS * LANES]>,
    /// The first and last bin that may have counted something, sign and zero aside.
    lowest: usize,
    highest: usize,
    /// How often each lane was counted in, over all bins.
    groups: u32,
}

const BINS: usize = 2 * SIGN;
pub(super) const SIGN: usize = 512;
pub(super) const ZERO: usize = SIGN - 1;

/// The first slot in use. Those before it stand for everything that the table has no bucket for: subnormal `f32`
/// numbers and their upper edge, `f64` numbers outside of the range of `f32`.
pub(super) const FIRST_SLOT: u16 = 2 * LANES as u16;

/// The last bin of finite `f32` numbers.
pub(super) const LAST: usize = ZERO - 2;

/// The same as `SIGN` where bins are those of `f64`, which has more exponents.
pub(super) const SIGN_64: u64 = 1 << 12;

/// The bin of `f64` that is bin 0 of the table.
pub(super) const FIRST_64: u64 = 2 * (1023 - 127);

/// The bits of a slot without those of the sign.
pub(super) const SLOT_MAGNITUDE: u16 = (SIGN * LANES - 1) as u16;

/// Added to `bits − 1`, carries into the exponent if the mantissa lies above √2 = 1.6A09E667F3BCC9…₁₆.
pub(super) const F32_HALF: u32 = 0x80_0000 - 0x35_04F3;
/// The same for `f64`.
pub(super) const F64_HALF: u64 = 0x10_0000_0000_0000 - 0x6_A09E_667F_3BCC;

const LOG2_LANES: u32 = LANES.ilog2();

/// Bucket index, at [`ExpHistogram::TENSOR_SCALE`], of bin 0: two buckets for each power of two from 2^-127 on.
const FIRST_INDEX: i32 = -2 * 127;

/// The slot of an `f32`. Wrong for NaN and infinities.
#[inline(always)]
pub(super) fn slot_f32(value: f32) -> u16 {
    let below = value.to_bits().wrapping_sub(1);
    let bin = (below >> 23) + (below.wrapping_add(F32_HALF) >> 23);
    (bin << LOG2_LANES) as u16
}

/// The slot of an `f64`. Wrong for NaN and infinities.
#[inline(always)]
pub(super) fn slot_f64(value: f64) -> u16 {
    let below = value.to_bits().wrapping_sub(1);
    let bin_64 = (below >> 52) + (below.wrapping_add(F64_HALF) >> 52);
    let bin = (bin_64 % SIGN_64).wrapping_sub(FIRST_64);
    let sign = bin_64 / SIGN_64 * SIGN as u64;
    let bin = if bin <= LAST as u64 { bin + sign } else { 0 };
    let bin = if value == 0.0 { ZERO as u64 } else { bin };
    (bin << LOG2_LANES) as u16
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            counts: Box::new([0; BINS * LANES]),
            lowest: SIGN,
            highest: 0,
            groups: 0,
        }
    }

    /// Counts the elements that a regular scan found.
    pub(super) fn count(&mut self, slots: &[Slots], scan: &Scan) {
        for slots in slots {
            for (lane, &slot) in slots.iter().enumerate() {
                // The mask changes nothing; it spares the bounds check.
                let counter = &mut self.counts[(usize::from(slot) & ((BINS - 1) * LANES)) + lane];
                *counter = counter.wrapping_add(1);
            }
        }
        self.groups += slots.len() as u32;
        self.extend_used(scan);
    }

    /// Counts the element that a regular scan of one found.
    pub(super) fn count_one(&mut self, slot: u16, scan: &Scan) {
        self.counts[usize::from(slot) & ((BINS - 1) * LANES)] += 1;
        self.groups += 1;
        self.extend_used(scan);
    }

    fn extend_used(&mut self, scan: &Scan) {
        let bin = |slot: u16| usize::from(slot & SLOT_MAGNITUDE) / LANES;
        let highest = bin(slot_f64(scan.max.max(-scan.min)));
        if highest != ZERO {
            self.lowest = self.lowest.min(bin(scan.lowest));
            self.highest = self.highest.max(highest);
        }
    }

    /// Whether a counter could overflow in the next block.
    pub(super) fn is_nearly_full(&self) -> bool {
        self.groups > u32::MAX - super::scan::BLOCK as u32
    }

    #[cfg(test)]
    pub(super) fn pretend_nearly_full(&mut self) {
        self.groups = u32::MAX - 2 * super::scan::BLOCK as u32;
    }

    /// Everything counted; empties the table.
    pub(super) fn take(&mut self) -> ExpHistogram {
        let mut histogram = ExpHistogram::new(ExpHistogram::TENSOR_SCALE);
        histogram.zero_count = self.take_bin(ZERO);
        histogram.positive = self.take_buckets(0);
        histogram.negative = self.take_buckets(SIGN);
        (self.lowest, self.highest, self.groups) = (SIGN, 0, 0);
        histogram
    }

    fn take_buckets(&mut self, sign: usize) -> Buckets {
        let offset = FIRST_INDEX + self.lowest as i32;
        let bins = self.lowest..=self.highest;
        Buckets::new(offset, bins.map(|bin| self.take_bin(sign + bin)).collect())
    }

    fn take_bin(&mut self, bin: usize) -> u64 {
        let counters = &mut self.counts[bin * LANES..][..LANES];
        let count = counters.iter().map(|&counter| u64::from(counter)).sum();
        counters.fill(0);
        count
    }
}
