use super::ExpHistogram;

/// Statistics of the elements of a tensor at one step.
///
/// Extremes, sums and the histogram are over the finite elements; NaN and infinities are counted apart and spoil
/// nothing. Two of these merge into the statistics of both sets of elements together, exactly in everything but the
/// rounding of the two sums.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorStats {
    /// All elements, finite or not.
    pub count: u64,
    /// Elements equal to zero, of either sign.
    pub zeros: u64,
    /// Elements that are not a number.
    pub nan: u64,
    /// Elements that are +∞.
    pub pos_inf: u64,
    /// Elements that are −∞.
    pub neg_inf: u64,
    /// Smallest finite element; NaN if there is none.
    pub min: f64,
    /// Largest finite element; NaN if there is none.
    pub max: f64,
    /// Sum of the finite elements. Only `f64` elements beyond 1e308 in sum can overflow it.
    pub sum: f64,
    /// Sum of the squares of the finite elements. Only `f64` elements beyond 1e154 can overflow it.
    pub sum_sq: f64,
    /// Where the finite elements lie.
    pub histogram: ExpHistogram,
}

impl Default for TensorStats {
    fn default() -> Self {
        Self {
            count: 0,
            zeros: 0,
            nan: 0,
            pos_inf: 0,
            neg_inf: 0,
            min: f64::NAN,
            max: f64::NAN,
            sum: 0.0,
            sum_sq: 0.0,
            histogram: ExpHistogram::default(),
        }
    }
}

impl TensorStats {
    /// Statistics of the given values, one value at a time: right for a handful; for tensors there are kernels.
    pub fn from_values(values: impl IntoIterator<Item = f64>) -> Self {
        let mut stats = Self::default();
        for value in values {
            stats.insert(value);
        }
        stats
    }

    /// Takes in one element.
    pub fn insert(&mut self, value: f64) {
        self.count = self.count.saturating_add(1);
        if value.is_finite() {
            // −0 becomes 0, so that the extremes do not depend on the order of elements.
            let value = value + 0.0;
            self.zeros = self.zeros.saturating_add(u64::from(value == 0.0));
            self.min = self.min.min(value);
            self.max = self.max.max(value);
            self.sum += value;
            self.sum_sq += value * value;
            self.histogram.insert(value);
        } else {
            let counter = match value {
                f64::INFINITY => &mut self.pos_inf,
                f64::NEG_INFINITY => &mut self.neg_inf,
                _ => &mut self.nan,
            };
            *counter = counter.saturating_add(1);
        }
    }

    /// Takes in all elements that `other` describes.
    pub fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.zeros = self.zeros.saturating_add(other.zeros);
        self.nan = self.nan.saturating_add(other.nan);
        self.pos_inf = self.pos_inf.saturating_add(other.pos_inf);
        self.neg_inf = self.neg_inf.saturating_add(other.neg_inf);
        // f64::min and max return the other operand where one is NaN, here: where one side has no finite element.
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
        self.sum_sq += other.sum_sq;
        self.histogram.merge(&other.histogram);
    }

    /// How many elements are NaN or infinite.
    pub fn non_finite(&self) -> u64 {
        self.nan
            .saturating_add(self.pos_inf)
            .saturating_add(self.neg_inf)
    }

    /// How many elements are finite.
    pub fn finite(&self) -> u64 {
        self.count.saturating_sub(self.non_finite())
    }

    /// Mean of the finite elements; NaN if there is none.
    pub fn mean(&self) -> f64 {
        self.sum / self.finite() as f64
    }

    /// Population standard deviation of the finite elements; NaN if there is none.
    ///
    /// Computed as √(E\[x²\] − E\[x\]²): about 16 − 2·log10(|mean| / std) digits of its square are right, which is all of
    /// them for weights and gradients and few for a large constant with a tiny spread. A constant tensor gives 0.
    pub fn std(&self) -> f64 {
        if self.min == self.max {
            return 0.0;
        }
        let mean = self.mean();
        let variance = self.sum_sq / self.finite() as f64 - mean * mean;
        // Not f64::max, which would turn the NaN of an empty tensor into 0.
        if variance < 0.0 { 0.0 } else { variance.sqrt() }
    }

    /// Euclidean norm of the finite elements; 0 if there is none.
    pub fn l2_norm(&self) -> f64 {
        self.sum_sq.sqrt()
    }

    /// An estimate of the `q`-quantile of the finite elements, as [`ExpHistogram::quantile`], never outside of
    /// `min` and `max`.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        self.histogram
            .quantile(q)
            .map(|value| value.max(self.min).min(self.max))
    }
}
