//! One scalar series, as a reader holds it.

use crate::define::{Goal, SummaryRule};
use crate::time::Timestamp;

/// A value with its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The training step.
    pub step: u64,
    /// When it was logged.
    pub time: Timestamp,
    /// The value, NaN and infinities included.
    pub value: f64,
}

/// All values of one key, in order of arrival.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    points: Vec<Point>,
    superseded: u64,
    /// Whether a point came with a lower step than one before it.
    unsorted: bool,
}

impl Series {
    pub(crate) fn push(&mut self, point: Point) {
        self.unsorted |= self
            .points
            .last()
            .is_some_and(|last| point.step < last.step);
        self.points.push(point);
    }

    /// Leaves out the points that a resumed process will log again.
    pub(crate) fn supersede(&mut self, from_step: u64) {
        let before = self.points.len();
        self.points.retain(|p| p.step < from_step);
        self.superseded += (before - self.points.len()) as u64;
    }

    /// The points in order of arrival.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The points by step, in order of arrival within a step.
    #[must_use]
    pub fn by_step(&self) -> Vec<Point> {
        let mut sorted = self.points.clone();
        if self.unsorted {
            sorted.sort_by_key(|p| p.step);
        }
        sorted
    }

    /// How many points were left out because a resumed process logged their steps again.
    #[must_use]
    pub fn superseded(&self) -> u64 {
        self.superseded
    }

    /// The value of the highest step, the latest to arrive of those.
    #[must_use]
    pub fn last(&self) -> Option<Point> {
        // `max_by_key` gives the last of equals.
        self.points.iter().copied().max_by_key(|p| p.step)
    }

    /// The one value that stands for the series; `None` for an empty series or [`SummaryRule::None`]. NaN is skipped by
    /// all rules but `Last`; a series of NaN alone gives NaN.
    #[must_use]
    pub fn summarise(&self, rule: SummaryRule, goal: Option<Goal>) -> Option<f64> {
        let last = self.last()?.value;
        let numbers = || self.points.iter().map(|p| p.value).filter(|v| !v.is_nan());
        let or_nan = |v: Option<f64>| Some(v.unwrap_or(f64::NAN));
        match (rule, goal) {
            (SummaryRule::None, _) => None,
            (SummaryRule::Last, _) | (SummaryRule::Best, None) => Some(last),
            (SummaryRule::Min, _) | (SummaryRule::Best, Some(Goal::Minimize)) => {
                or_nan(numbers().reduce(f64::min))
            }
            (SummaryRule::Max, _) | (SummaryRule::Best, Some(Goal::Maximize)) => {
                or_nan(numbers().reduce(f64::max))
            }
            (SummaryRule::Mean, _) => {
                let (sum, n) = numbers().fold((0.0, 0u64), |(sum, n), v| (sum + v, n + 1));
                Some(sum / n as f64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: &[(u64, f64)]) -> Series {
        let mut series = Series::default();
        for &(step, value) in points {
            series.push(Point {
                step,
                time: Timestamp(0),
                value,
            });
        }
        series
    }

    #[test]
    fn rules() {
        let s = series(&[(0, 3.0), (1, f64::NAN), (2, 1.0), (2, 2.0), (1, 9.0)]);
        let rule = |r, g| s.summarise(r, g);
        assert_eq!(
            rule(SummaryRule::Last, None),
            Some(2.0),
            "highest step, latest arrival"
        );
        assert_eq!(rule(SummaryRule::Min, None), Some(1.0));
        assert_eq!(rule(SummaryRule::Max, None), Some(9.0));
        assert_eq!(rule(SummaryRule::Mean, None), Some(3.75));
        assert_eq!(rule(SummaryRule::Best, Some(Goal::Maximize)), Some(9.0));
        assert_eq!(rule(SummaryRule::Best, None), Some(2.0));
        assert_eq!(rule(SummaryRule::None, None), None);
        assert_eq!(
            s.by_step().iter().map(|p| p.value).collect::<Vec<_>>()[3..],
            [1.0, 2.0]
        );
        let nan = series(&[(0, f64::NAN)]);
        assert!(
            nan.summarise(SummaryRule::Min, None)
                .is_some_and(f64::is_nan)
        );
        assert_eq!(Series::default().summarise(SummaryRule::Last, None), None);
    }

    #[test]
    fn a_resumed_process_replaces_the_steps_it_logs_again() {
        let mut s = series(&[(0, 1.0), (1, 2.0), (2, 3.0)]);
        s.supersede(1);
        assert_eq!((s.points().len(), s.superseded()), (1, 2));
    }
}
