//! The aggregate of neighbouring points of one series.

/// What is known of some points without their values. Values that are not finite are counted and take no part in
/// `min`, `max` and `sum`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Block {
    /// All points.
    pub(crate) count: u64,
    pub(crate) nan: u64,
    pub(crate) pos_inf: u64,
    pub(crate) neg_inf: u64,
    /// NaN if there is no finite value.
    pub(crate) min: f64,
    /// See `min`.
    pub(crate) max: f64,
    pub(crate) sum: f64,
    /// By step, then arrival.
    pub(crate) first: f64,
    pub(crate) last: f64,
}

impl Default for Block {
    fn default() -> Self {
        Self {
            count: 0,
            nan: 0,
            pos_inf: 0,
            neg_inf: 0,
            min: f64::NAN,
            max: f64::NAN,
            sum: 0.0,
            first: f64::NAN,
            last: f64::NAN,
        }
    }
}

impl Block {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut block = Self::default();
        for value in values {
            block.insert(value);
        }
        block
    }

    /// Takes in the next value, all but `first` and `last`.
    #[inline]
    pub(crate) fn count_value(&mut self, value: f64) {
        self.count += 1;
        if value.is_finite() {
            // f64::min and max give the other operand where one is NaN: where nothing finite was seen yet.
            self.min = self.min.min(value);
            self.max = self.max.max(value);
            self.sum += value;
        } else if value.is_nan() {
            self.nan += 1;
        } else if value > 0.0 {
            self.pos_inf += 1;
        } else {
            self.neg_inf += 1;
        }
    }

    /// Takes in the next value.
    pub(crate) fn insert(&mut self, value: f64) {
        if self.count == 0 {
            self.first = value;
        }
        self.last = value;
        self.count_value(value);
    }

    /// Takes in another block, all but `first` and `last`.
    #[inline]
    pub(crate) fn count_block(&mut self, other: &Self) {
        self.count += other.count;
        self.nan += other.nan;
        self.pos_inf += other.pos_inf;
        self.neg_inf += other.neg_inf;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
    }

    pub(crate) fn non_finite(&self) -> u64 {
        self.nan + self.pos_inf + self.neg_inf
    }

    pub(crate) fn finite(&self) -> u64 {
        self.count - self.non_finite().min(self.count)
    }
}
