use std::cmp::{max, min};

/// The buckets of one sign: `counts[k]` belongs to the bucket of index `offset + k`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets {
    /// Index of the first bucket in `counts`.
    pub offset: i32,
    /// Counts of consecutive buckets, magnitudes rising.
    pub counts: Vec<u64>,
}

impl Buckets {
    /// Consecutive counts from the bucket `offset` on, without the empty ones at either end.
    pub fn new(offset: i32, mut counts: Vec<u64>) -> Self {
        let used = counts
            .iter()
            .rposition(|&count| count > 0)
            .map_or(0, |last| last + 1);
        counts.truncate(used);
        let empty = counts.iter().take_while(|&&count| count == 0).count();
        counts.drain(..empty);
        if counts.is_empty() {
            return Self::default();
        }
        Self {
            offset: offset.saturating_add_unsigned(empty as u32),
            counts,
        }
    }

    /// How many values were counted.
    pub fn total(&self) -> u64 {
        self.counts
            .iter()
            .fold(0, |total, &count| total.saturating_add(count))
    }

    /// (index, count) from the first to the last bucket that counted something.
    pub(super) fn trimmed(&self) -> impl DoubleEndedIterator<Item = (i64, u64)> {
        let counted = |&count: &u64| count > 0;
        let first = self.counts.iter().position(counted).unwrap_or(0);
        let last = self
            .counts
            .iter()
            .rposition(counted)
            .map_or(0, |last| last + 1);
        let offset = i64::from(self.offset);
        (first..last).map(move |k| (offset + k as i64, self.counts[k]))
    }

    /// How many buckets there are once `index` is among them.
    pub(super) fn span_with(&self, index: i32) -> usize {
        let index = i64::from(index);
        span(self.range().map_or((index, index), |(first, last)| {
            (min(first, index), max(last, index))
        }))
    }

    /// How many buckets the union with `other` needs; 0 if either side has none, as then nothing grows.
    pub(super) fn span_of_both(&self, other: &Self) -> usize {
        match (self.range(), other.range()) {
            (Some(a), Some(b)) => span((min(a.0, b.0), max(a.1, b.1))),
            _ => 0,
        }
    }

    /// Counts one value if its bucket exists already.
    pub(super) fn count_existing(&mut self, index: i32) -> bool {
        let k = i64::from(index) - i64::from(self.offset);
        let slot = usize::try_from(k).ok().and_then(|k| self.counts.get_mut(k));
        slot.map(|slot| *slot = slot.saturating_add(1)).is_some()
    }

    /// Counts one value, growing to reach its bucket: the caller has bounded [`Self::span_with`].
    pub(super) fn count(&mut self, index: i32) {
        self.grow_to(index);
        self.count_existing(index);
    }

    /// Adds all counts of `other`: the caller has bounded [`Self::span_of_both`].
    pub(super) fn merge(&mut self, other: &Self) {
        let Some((first, last)) = other.range() else {
            return;
        };
        if self.counts.is_empty() {
            self.clone_from(other);
            return;
        }
        self.grow_to(first as i32);
        self.grow_to(last as i32);
        let start = (first - i64::from(self.offset)) as usize;
        for (slot, &count) in self.counts.iter_mut().skip(start).zip(&other.counts) {
            *slot = slot.saturating_add(count);
        }
    }

    /// Joins groups of `2^by` buckets.
    pub(super) fn downscale(&mut self, by: u8) {
        let Some((first, last)) = self.range() else {
            return;
        };
        let by = u32::from(by).min(63);
        let offset = first >> by;
        let mut counts = vec![0u64; span((offset, last >> by))];
        for (index, &count) in (first..=last).zip(&self.counts) {
            let slot = &mut counts[((index >> by) - offset) as usize];
            *slot = slot.saturating_add(count);
        }
        *self = Self {
            offset: offset as i32,
            counts,
        };
    }

    fn grow_to(&mut self, index: i32) {
        let index = i64::from(index);
        let Some((first, last)) = self.range() else {
            *self = Self {
                offset: index as i32,
                counts: vec![0],
            };
            return;
        };
        if index > last {
            self.counts.resize((index - first + 1) as usize, 0);
        } else if index < first {
            self.counts.splice(..0, (index..first).map(|_| 0));
            self.offset = index as i32;
        }
    }

    /// First and last index; none without buckets. Indices beyond `i32`, which only a damaged file has, are cut off.
    fn range(&self) -> Option<(i64, i64)> {
        let first = i64::from(self.offset);
        let last = min(first + self.counts.len() as i64 - 1, i64::from(i32::MAX));
        (!self.counts.is_empty()).then_some((first, last))
    }
}

fn span((first, last): (i64, i64)) -> usize {
    (last - first + 1) as usize
}

const MANTISSA_BITS: u32 = f64::MANTISSA_DIGITS - 1;
const MANTISSA: u64 = (1 << MANTISSA_BITS) - 1;
const BIAS: i32 = f64::MAX_EXP - 1;

/// Index of the bucket that holds a finite magnitude above zero, for scales up to 20.
pub(super) fn bucket_index(scale: i8, magnitude: f64) -> i32 {
    let (exponent, mantissa) = split(magnitude);
    let coarser = u32::from(scale.min(0).unsigned_abs()).min(31);
    let finer = u32::from(scale.max(0).unsigned_abs());
    if mantissa == 0 {
        // A power of two closes the bucket below it, at every scale.
        return if finer > 0 {
            (exponent << finer) - 1
        } else {
            (exponent - 1) >> coarser
        };
    }
    ((exponent >> coarser) << finer) | sub_bucket(mantissa, finer)
}

/// `magnitude = 2^exponent · (1 + mantissa / 2^52)`, for subnormal numbers too.
fn split(magnitude: f64) -> (i32, u64) {
    let bits = magnitude.to_bits();
    let (field, mantissa) = ((bits >> MANTISSA_BITS) as i32, bits & MANTISSA);
    if field > 0 {
        return (field - BIAS, mantissa);
    }
    let shift = mantissa.leading_zeros() - (u64::BITS - f64::MANTISSA_DIGITS);
    (1 - BIAS - shift as i32, (mantissa << shift) & MANTISSA)
}

/// The first `bits` binary digits of log2(1 + mantissa / 2^52): squaring doubles a logarithm, so that the next digit
/// is whether the square reaches 2. Up to one digit this is exact: no `f64` squares to 2, and those next to √2 fall on
/// the right side of it.
fn sub_bucket(mantissa: u64, bits: u32) -> i32 {
    let mut x = f64::from_bits(((BIAS as u64) << MANTISSA_BITS) | mantissa);
    let mut digits = 0;
    for _ in 0..bits {
        x *= x;
        digits <<= 1;
        if x >= 2.0 {
            x *= 0.5;
            digits |= 1;
        }
    }
    digits
}

/// The edge `base^index`, at most the largest finite number.
pub(super) fn edge(scale: i8, index: i64) -> f64 {
    edge_at(scale, index as f64)
}

/// `base^index` for an index that may lie between two edges.
pub(super) fn edge_at(scale: i8, index: f64) -> f64 {
    let log2 = (index * (-f64::from(scale)).exp2()).clamp(-2000.0, 2000.0);
    let whole = log2.floor();
    let fraction = log2 - whole;
    // Whole powers must be exact on every platform; its exp2 need not be.
    let mantissa = if fraction == 0.0 {
        1.0
    } else {
        fraction.exp2()
    };
    // Two factors, as 2^whole itself may be too small or too large for f64.
    let half = (whole / 2.0).floor();
    (mantissa * power_of_two(half) * power_of_two(whole - half)).min(f64::MAX)
}

/// 2^exponent for |exponent| ≤ 1000.
fn power_of_two(exponent: f64) -> f64 {
    f64::from_bits(((exponent as i64 + i64::from(BIAS)) as u64) << MANTISSA_BITS)
}
