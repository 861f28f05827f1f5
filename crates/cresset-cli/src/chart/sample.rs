//! Points to columns: what is kept of the points that fall into each column of dots.

/// The finite values between which an axis runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Default for Range {
    fn default() -> Self {
        Self {
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
        }
    }
}

impl Range {
    /// Widens the range to the value, if it is finite.
    pub(super) fn include(&mut self, value: f64) {
        if value.is_finite() {
            self.low = self.low.min(value);
            self.high = self.high.max(value);
        }
    }

    /// Whether no finite value was included.
    pub(super) fn is_empty(&self) -> bool {
        self.low > self.high
    }

    /// Where a value of the range lies in it: 0 at `low`, 1 at `high`; a half where both are the same.
    pub(super) fn share(&self, value: f64) -> f64 {
        if self.low == self.high {
            return 0.5;
        }
        // Halves, because the whole range may be wider than the widest f64.
        ((value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)).clamp(0.0, 1.0)
    }
}

/// What is kept of the points of one column.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Column {
    /// Of the finite values, if there are any.
    pub(super) kept: Option<Kept>,
    pub(super) nan: bool,
    pub(super) pos_inf: bool,
    pub(super) neg_inf: bool,
}

/// Extremes, and the values at both sides, from which lines to the neighbours begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kept {
    pub(super) min: f64,
    pub(super) max: f64,
    /// The value with the lowest x, the first of those to arrive.
    pub(super) first: f64,
    /// The value with the highest x, the last of those to arrive.
    pub(super) last: f64,
    first_x: f64,
    last_x: f64,
    sum: f64,
    count: u32,
}

impl Kept {
    /// The same column with every value at the arithmetic mean.
    pub(super) fn flattened(&self) -> Self {
        // The sum of huge values may overflow; their mean lies between them all the same.
        let mean = (self.sum / f64::from(self.count)).clamp(self.min, self.max);
        Self {
            min: mean,
            max: mean,
            first: mean,
            last: mean,
            ..*self
        }
    }
}

/// The columns of dots of one line.
pub(super) struct Columns {
    columns: Vec<Column>,
    x: Range,
}

impl Columns {
    pub(super) fn new(count: usize, x: Range) -> Self {
        Self {
            columns: vec![Column::default(); count],
            x,
        }
    }

    /// Takes in a point. The order of points does not matter; a point without a finite x has no place.
    pub(super) fn add(&mut self, x: f64, y: f64) {
        let last = self.columns.len().saturating_sub(1);
        if !x.is_finite() {
            return;
        }
        let place = (self.x.share(x) * last as f64).round() as usize;
        let Some(column) = self.columns.get_mut(place) else {
            return;
        };
        if y.is_finite() {
            column.keep(x, y);
        } else {
            column.nan |= y.is_nan();
            column.pos_inf |= y == f64::INFINITY;
            column.neg_inf |= y == f64::NEG_INFINITY;
        }
    }

    /// Whether there are so many points that their line fills an area.
    pub(super) fn is_dense(&self) -> bool {
        let filled = || self.columns.iter().filter_map(|c| c.kept);
        let points: u64 = filled().map(|kept| u64::from(kept.count)).sum();
        points > 4 * filled().count() as u64
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter()
    }
}

impl Column {
    fn keep(&mut self, x: f64, y: f64) {
        let kept = self.kept.get_or_insert(Kept {
            min: y,
            max: y,
            first: y,
            last: y,
            first_x: x,
            last_x: x,
            sum: 0.0,
            count: 0,
        });
        kept.sum += y;
        kept.count = kept.count.saturating_add(1);
        kept.min = kept.min.min(y);
        kept.max = kept.max.max(y);
        if x < kept.first_x {
            (kept.first_x, kept.first) = (x, y);
        }
        if x >= kept.last_x {
            (kept.last_x, kept.last) = (x, y);
        }
    }

    /// Whether only values that are not finite fell here: a line is not drawn across it.
    pub(super) fn is_gap(&self) -> bool {
        self.kept.is_none() && (self.nan || self.pos_inf || self.neg_inf)
    }
}
