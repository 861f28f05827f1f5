//! Which slot of a table counts which numbers.

use cresset_record::{Buckets, ExpHistogram};

/// The buckets of one kind of floating-point numbers as slots of a table, negative numbers first:
///
/// | slot | counts |
/// |---|---|
/// | 0 | −∞ |
/// | 1 … `ZERO` − 1 | negative numbers, magnitudes falling |
/// | `ZERO` | zeros |
/// | `ZERO` + 1 … | positive numbers, magnitudes rising |
/// | 2 · `ZERO` | +∞ |
/// | 2 · `ZERO` + 1 | NaN |
///
/// So a number's slot is `ZERO + sign · rank`, with 0, 1 or −1 as the sign, rank 1 for the smallest bucket, and infinity
/// ranking right above the last one.
#[derive(Clone, Copy, Debug)]
pub struct Slots {
    /// Index of the bucket of the smallest subnormal number, at [`ExpHistogram::TENSOR_SCALE`].
    first: i32,
    /// Index of the bucket of the largest finite number.
    last: i32,
    is_wide: bool,
}

impl Slots {
    /// For `f32`, and for numbers of 16 bits, each of which is also an `f32`.
    pub const F32: Self = Self {
        first: -2 * 149 - 1,
        last: 2 * 128 - 1,
        is_wide: false,
    };

    /// For `f64`.
    pub const F64: Self = Self {
        first: -2 * 1074 - 1,
        last: 2 * 1024 - 1,
        is_wide: true,
    };

    /// Whether numbers are computed with as `f64`.
    #[must_use]
    pub fn is_wide(self) -> bool {
        self.is_wide
    }

    /// The smallest number above zero.
    #[must_use]
    pub fn smallest(self) -> f64 {
        self.edge(self.first + 1)
    }

    /// The largest finite number.
    #[must_use]
    pub fn largest(self) -> f64 {
        self.edge(self.last + 1)
    }

    /// Index of the bucket of rank 0, which is empty: its upper edge is 0.
    #[must_use]
    pub fn base(self) -> i32 {
        self.first - 1
    }

    /// The upper edge of each rank's bucket, from rank 0 on: a magnitude above it belongs to a higher rank.
    #[must_use]
    pub fn upper_edges(self) -> Vec<f64> {
        (self.first..=self.last + 1).map(|i| self.edge(i)).collect()
    }

    /// The slot of zeros.
    #[must_use]
    pub fn zero_slot(self) -> usize {
        // The infinities rank after all buckets.
        (self.last - self.first + 2) as usize
    }

    /// The slot of NaN.
    #[must_use]
    pub fn nan_slot(self) -> usize {
        2 * self.zero_slot() + 1
    }

    /// How many slots there are.
    #[must_use]
    pub fn slots(self) -> usize {
        self.nan_slot() + 1
    }

    /// The histogram that a table of [`slots`](Self::slots) counts is.
    #[must_use]
    pub fn histogram(self, counts: &[u64]) -> ExpHistogram {
        let zero = self.zero_slot();
        let mut histogram = ExpHistogram::new(ExpHistogram::TENSOR_SCALE);
        histogram.zero_count = counts[zero];
        histogram.positive = Buckets::new(self.first, counts[zero + 1..2 * zero].to_vec());
        let negative = counts[1..zero].iter().rev().copied().collect();
        histogram.negative = Buckets::new(self.first, negative);
        histogram
    }

    /// The largest number of the kind that is not above 2^(i/2), which is all that decides about its bucket.
    fn edge(self, i: i32) -> f64 {
        let edge = edge_64(i);
        if self.is_wide {
            return edge;
        }
        let rounded = edge as f32;
        let below = if f64::from(rounded) > edge {
            rounded.next_down()
        } else {
            rounded
        };
        f64::from(below.min(f32::MAX))
    }
}

/// 2^(i/2) as the largest `f64` not above it.
fn edge_64(i: i32) -> f64 {
    const MANTISSA_BITS: i32 = 52;
    const SQRT_2: u64 = 0x16_A09E_667F_3BCC;
    let exponent = i.div_euclid(2);
    let mantissa = if i.rem_euclid(2) == 0 {
        1 << MANTISSA_BITS
    } else {
        SQRT_2
    };
    if exponent > 1023 {
        return f64::MAX;
    }
    if exponent >= -1022 {
        let hidden = 1 << MANTISSA_BITS;
        return f64::from_bits(((exponent + 1023) as u64) << MANTISSA_BITS | (mantissa - hidden));
    }
    // Subnormal: the bits are the number in units of 2^-1074.
    let shift = -1022 - exponent;
    f64::from_bits(mantissa.checked_shr(shift as u32).unwrap_or(0))
}
