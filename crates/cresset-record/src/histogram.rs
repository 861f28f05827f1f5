//! What a tensor looked like at one step: counts, extremes, moments, and an exponential histogram.

mod buckets;
mod tensor_stats;
#[cfg(test)]
mod tests;

pub use buckets::Buckets;
pub use tensor_stats::TensorStats;

use buckets::{bucket_index, edge, edge_at};

/// A histogram whose bucket edges are fixed powers of one base, so that two of them always line up.
///
/// The base is `2^(2^-scale)`. Bucket `i` counts the magnitudes in `(base^i, base^(i+1)]`; positive and negative
/// values have buckets of their own, mirrored at zero, and exact zeros are counted apart. This is the exponential
/// histogram of the OpenTelemetry metrics data model
/// (<https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram>) with a zero threshold of 0.
///
/// Because the edges do not depend on the data, one pass fills it, histograms of different steps can be drawn in one
/// picture, and those of slices, shards or ranks merge without error in the counts.
///
/// The fields are open so that formats can carry them. Any content is safe: no method panics or allocates without
/// bound on a histogram that was read from a damaged or hostile file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpHistogram {
    /// Resolution: every step up doubles the number of buckets in each power of two.
    pub scale: i8,
    /// How many values were exactly zero, of either sign.
    pub zero_count: u64,
    /// Values above zero.
    pub positive: Buckets,
    /// Values below zero, by magnitude.
    pub negative: Buckets,
}

/// One bucket as values rather than as an index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The edge nearer to −∞. Equal to `upper` in the zero bucket.
    pub lower: f64,
    /// The edge nearer to +∞. The outermost bucket ends at the largest finite `f64`.
    pub upper: f64,
    /// How many values fell between the edges. The edge farther from zero belongs to the bucket, the nearer does not.
    pub count: u64,
}

impl Default for ExpHistogram {
    fn default() -> Self {
        Self::new(Self::TENSOR_SCALE)
    }
}

impl ExpHistogram {
    /// The scale of histograms made from tensors: edges at powers of √2, two buckets to each power of two.
    pub const TENSOR_SCALE: i8 = 1;

    /// The finest scale that values are sorted by, as in OpenTelemetry; a finer histogram becomes this coarse when a
    /// value is inserted.
    pub const MAX_SCALE: i8 = 20;

    /// The most buckets of one sign that inserting and merging make: all of `f64` at [`Self::TENSOR_SCALE`]. Where a
    /// finer scale would need more, the histogram is downscaled.
    pub const MAX_BUCKETS: usize = 4200;

    /// An empty histogram.
    pub fn new(scale: i8) -> Self {
        Self {
            scale,
            zero_count: 0,
            positive: Buckets::default(),
            negative: Buckets::default(),
        }
    }

    /// A histogram of the given values at [`Self::TENSOR_SCALE`], one value at a time.
    pub fn from_values(values: impl IntoIterator<Item = f64>) -> Self {
        let mut histogram = Self::default();
        for value in values {
            histogram.insert(value);
        }
        histogram
    }

    /// Counts one value. NaN and infinities have no bucket and are left out.
    ///
    /// Up to scale 1 the bucket is exact. At finer scales a value within a few rounding errors of an edge may be
    /// counted on its other side, which the data model allows.
    pub fn insert(&mut self, value: f64) {
        if value == 0.0 {
            self.zero_count = self.zero_count.saturating_add(1);
        } else if value.is_finite() {
            self.downscale_to(Self::MAX_SCALE);
            let mut index = bucket_index(self.scale, value.abs());
            if self.side(value).count_existing(index) {
                return;
            }
            while self.side(value).span_with(index) > Self::MAX_BUCKETS {
                self.downscale(1);
                index >>= 1;
            }
            self.side(value).count(index);
        }
    }

    /// Adds the counts of `other`. The result has the coarser of the two scales, or a coarser one still where the
    /// union would need more than [`Self::MAX_BUCKETS`].
    pub fn merge(&mut self, other: &Self) {
        if self.is_empty() {
            self.clone_from(other);
            return;
        }
        if other.is_empty() {
            return;
        }
        let mut other = other.clone();
        self.downscale_to(other.scale);
        other.downscale_to(self.scale);
        while self
            .positive
            .span_of_both(&other.positive)
            .max(self.negative.span_of_both(&other.negative))
            > Self::MAX_BUCKETS
        {
            self.downscale(1);
            other.downscale(1);
        }
        self.zero_count = self.zero_count.saturating_add(other.zero_count);
        self.positive.merge(&other.positive);
        self.negative.merge(&other.negative);
    }

    /// Lowers the scale by `by` steps: each step joins neighbouring buckets in pairs.
    pub fn downscale(&mut self, by: u8) {
        self.scale = self.scale.saturating_sub_unsigned(by);
        self.positive.downscale(by);
        self.negative.downscale(by);
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.positive
            .total()
            .saturating_add(self.negative.total())
            .saturating_add(self.zero_count)
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// The buckets from the most negative to the most positive, empty ones between counted ones included, the zero
    /// bucket only if it counted something, none on the outside of the outermost values.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> {
        let scale = self.scale;
        let negative = self
            .negative
            .trimmed()
            .rev()
            .map(move |(index, count)| Bucket {
                lower: -edge(scale, index + 1),
                upper: -edge(scale, index),
                count,
            });
        let zero = (self.zero_count > 0).then_some(Bucket {
            lower: 0.0,
            upper: 0.0,
            count: self.zero_count,
        });
        let positive = self.positive.trimmed().map(move |(index, count)| Bucket {
            lower: edge(scale, index),
            upper: edge(scale, index + 1),
            count,
        });
        negative.chain(zero).chain(positive)
    }

    /// An estimate of the value below which a share `q` of all values lies, `0 ≤ q ≤ 1`; `None` for other `q` and for
    /// an empty histogram.
    ///
    /// The bucket is the right one; within it, values are taken to be spread evenly over the logarithm. The estimate
    /// is thus off by less than the factor `base`: √2 at [`Self::TENSOR_SCALE`].
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.count();
        if total == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let target = q * total as f64;
        let mut below = 0.0;
        let mut last = None;
        for (place, count) in self.places().filter(|&(_, count)| count > 0) {
            let share = ((target - below) / count as f64).clamp(0.0, 1.0);
            last = Some(place.value(self.scale, share));
            below += count as f64;
            if below >= target {
                break;
            }
        }
        last
    }

    fn places(&self) -> impl Iterator<Item = (Place, u64)> {
        let negative = self
            .negative
            .trimmed()
            .rev()
            .map(|(index, count)| (Place::Negative(index), count));
        let positive = self
            .positive
            .trimmed()
            .map(|(index, count)| (Place::Positive(index), count));
        negative
            .chain([(Place::Zero, self.zero_count)])
            .chain(positive)
    }

    fn side(&mut self, value: f64) -> &mut Buckets {
        if value < 0.0 {
            &mut self.negative
        } else {
            &mut self.positive
        }
    }

    fn downscale_to(&mut self, scale: i8) {
        if self.scale > scale {
            self.downscale(self.scale.abs_diff(scale));
        }
    }
}

enum Place {
    Negative(i64),
    Zero,
    Positive(i64),
}

impl Place {
    /// The value that lies the given share of the way through the bucket, from its lower to its upper edge.
    fn value(&self, scale: i8, share: f64) -> f64 {
        match *self {
            Self::Negative(index) => -edge_at(scale, index as f64 + 1.0 - share),
            Self::Zero => 0.0,
            Self::Positive(index) => edge_at(scale, index as f64 + share),
        }
    }
}
