//! One class against all others: the area under the ROC curve, average precision, and both curves.

use cresset_record::Curve;

use super::thin::thin;

/// Most points of a curve that is kept.
const MAX_POINTS: usize = 200;

/// How many rows of the class and of the others have each score, from the highest score down.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ranking {
    groups: Vec<Group>,
    positives: u64,
    negatives: u64,
}

/// The rows with one score.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Group {
    pub(super) positives: u64,
    pub(super) negatives: u64,
}

impl Ranking {
    /// From groups with falling scores.
    pub(super) fn new(groups: Vec<Group>) -> Self {
        let total = |count: fn(&Group) -> u64| groups.iter().map(count).sum();
        Self {
            positives: total(|group| group.positives),
            negatives: total(|group| group.negatives),
            groups,
        }
    }

    /// From a score for each row and whether the row is of the class. No score is NaN.
    pub(super) fn from_scores(mut rows: Vec<(f32, bool)>) -> Self {
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let groups = rows
            .chunk_by(|a, b| a.0 == b.0)
            .map(|tied| {
                let positives = tied.iter().filter(|(_, positive)| *positive).count() as u64;
                let negatives = tied.len() as u64 - positives;
                Group {
                    positives,
                    negatives,
                }
            })
            .collect();
        Self::new(groups)
    }

    /// The area under the ROC curve: the share of pairs of a positive and a negative in which the positive has the higher
    /// score, a tie counting half. This is the Mann–Whitney U over the number of pairs, as shown by J. A. Hanley and
    /// B. J. McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC) curve",
    /// Radiology 143 (1982), 29–36. Nothing without both positives and negatives.
    pub(super) fn auc(&self) -> Option<f64> {
        let pairs = u128::from(self.positives) * u128::from(self.negatives);
        let mut above = 0;
        let mut won_halves: u128 = 0;
        for group in &self.groups {
            won_halves += u128::from(group.negatives) * u128::from(2 * above + group.positives);
            above += group.positives;
        }
        (pairs > 0).then(|| won_halves as f64 / (2 * pairs) as f64)
    }

    /// Average precision: the precision at each score, weighted with the recall gained there, without interpolation.
    /// Nothing without positives.
    pub(super) fn average_precision(&self) -> Option<f64> {
        let gained = self
            .cumulative()
            .zip(&self.groups)
            .map(|(seen, group)| group.positives as f64 * precision(seen));
        (self.positives > 0).then(|| gained.sum::<f64>() / self.positives as f64)
    }

    /// False positive rate against true positive rate, from (0, 0) to (1, 1), thinned; its area is the exact one.
    pub(super) fn roc(&self, name: &str) -> Option<Curve> {
        let area = self.auc()?;
        let (positives, negatives) = (self.positives as f64, self.negatives as f64);
        let point = |seen: Group| {
            (
                seen.negatives as f64 / negatives,
                seen.positives as f64 / positives,
            )
        };
        let points = std::iter::once((0.0, 0.0))
            .chain(self.cumulative().map(point))
            .collect();
        Some(curve(name, points, area))
    }

    /// Recall against precision, thinned; its area is the average precision. It begins at recall 0 with the first
    /// precision and ends where recall first is 1.
    pub(super) fn precision_recall(&self, name: &str) -> Option<Curve> {
        let area = self.average_precision()?;
        let mut points = Vec::with_capacity(self.groups.len() + 1);
        for seen in self.cumulative() {
            if points.is_empty() {
                points.push((0.0, precision(seen)));
            }
            points.push((
                seen.positives as f64 / self.positives as f64,
                precision(seen),
            ));
            if seen.positives == self.positives {
                break;
            }
        }
        Some(curve(name, points, area))
    }

    /// How many rows have each score or a higher one.
    fn cumulative(&self) -> impl Iterator<Item = Group> {
        self.groups.iter().scan(Group::default(), |seen, group| {
            seen.positives += group.positives;
            seen.negatives += group.negatives;
            Some(*seen)
        })
    }
}

/// How many of the rows seen, which are some, are positive.
fn precision(seen: Group) -> f64 {
    seen.positives as f64 / (seen.positives + seen.negatives) as f64
}

fn curve(name: &str, points: Vec<(f64, f64)>, area: f64) -> Curve {
    let (x, y) = thin(&points, MAX_POINTS).into_iter().unzip();
    Curve {
        name: name.to_owned(),
        x,
        y,
        area: Some(area),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranking(rows: &[(f32, bool)]) -> Ranking {
        Ranking::from_scores(rows.to_vec())
    }

    /// The definition, pair by pair.
    fn dull_auc(rows: &[(f32, bool)]) -> Option<f64> {
        let mut won = 0.0;
        let mut pairs = 0.0;
        for positive in rows.iter().filter(|row| row.1) {
            for negative in rows.iter().filter(|row| !row.1) {
                pairs += 1.0;
                if positive.0 > negative.0 {
                    won += 1.0;
                } else if positive.0 == negative.0 {
                    won += 0.5;
                }
            }
        }
        (pairs > 0.0).then(|| won / pairs)
    }

    /// The rank-sum form of the same: average ranks for ties.
    fn rank_sum_auc(rows: &[(f32, bool)]) -> Option<f64> {
        let rank = |score: f32| {
            let below = rows.iter().filter(|row| row.0 < score).count() as f64;
            let tied = rows.iter().filter(|row| row.0 == score).count() as f64;
            below + (tied + 1.0) / 2.0
        };
        let positives: Vec<f32> = rows.iter().filter(|row| row.1).map(|row| row.0).collect();
        let p = positives.len() as f64;
        let n = rows.len() as f64 - p;
        let sum: f64 = positives.iter().map(|score| rank(*score)).sum();
        (p > 0.0 && n > 0.0).then(|| (sum - p * (p + 1.0) / 2.0) / (p * n))
    }

    /// At each threshold, count everything again.
    fn dull_average_precision(rows: &[(f32, bool)]) -> Option<f64> {
        let mut thresholds: Vec<f32> = rows.iter().map(|row| row.0).collect();
        thresholds.sort_by(|a, b| b.total_cmp(a));
        thresholds.dedup();
        let positives = rows.iter().filter(|row| row.1).count() as f64;
        let (mut sum, mut recall) = (0.0, 0.0);
        for threshold in thresholds {
            let seen = rows.iter().filter(|row| row.0 >= threshold);
            let right = seen.clone().filter(|row| row.1).count() as f64;
            sum += (right / positives - recall) * (right / seen.count() as f64);
            recall = right / positives;
        }
        (positives > 0.0).then_some(sum)
    }

    fn close(a: Option<f64>, b: Option<f64>) -> bool {
        match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-12,
            (a, b) => a == b,
        }
    }

    proptest! {
        #[test]
        fn areas_are_those_of_their_definitions(
            rows in prop::collection::vec((-8i32..8, any::<bool>()), 0..60)
        ) {
            let rows: Vec<(f32, bool)> = rows.into_iter().map(|(s, p)| (s as f32 / 4.0, p)).collect();
            let found = ranking(&rows);
            prop_assert!(close(found.auc(), dull_auc(&rows)));
            prop_assert!(close(found.auc(), rank_sum_auc(&rows)));
            prop_assert!(close(found.average_precision(), dull_average_precision(&rows)));
            // So few points are all kept, and the area under them is the area.
            if let Some(curve) = found.roc("a") {
                prop_assert!(close(Some(trapezoids(&curve)), curve.area));
            }
        }
    }

    fn trapezoids(curve: &Curve) -> f64 {
        (1..curve.x.len())
            .map(|i| (curve.x[i] - curve.x[i - 1]) * (curve.y[i] + curve.y[i - 1]) / 2.0)
            .sum()
    }

    #[test]
    fn hand_made_rankings() {
        let perfect = ranking(&[(3.0, true), (2.0, true), (1.0, false)]);
        assert_eq!(
            (perfect.auc(), perfect.average_precision()),
            (Some(1.0), Some(1.0))
        );
        let inverted = ranking(&[(3.0, false), (2.0, false), (1.0, true)]);
        assert_eq!(
            (inverted.auc(), inverted.average_precision()),
            (Some(0.0), Some(1.0 / 3.0))
        );
        let tied = ranking(&[(1.0, false), (1.0, true), (-0.0, true), (0.0, false)]);
        assert_eq!(
            (tied.auc(), tied.average_precision()),
            (Some(0.5), Some(0.5))
        );
        let one_class = ranking(&[(1.0, true), (0.0, true)]);
        assert_eq!(
            (one_class.auc(), one_class.average_precision()),
            (None, Some(1.0))
        );
        let other_class = ranking(&[(1.0, false)]);
        assert_eq!(
            (other_class.auc(), other_class.average_precision()),
            (None, None)
        );
        assert_eq!(ranking(&[]).auc(), None);
        assert_eq!(ranking(&[]).precision_recall("a"), None);
    }

    #[test]
    fn curves_begin_and_end_where_they_should() {
        let ranking = ranking(&[(4.0, true), (3.0, false), (2.0, true), (1.0, false)]);
        let roc = ranking.roc("a").unwrap();
        assert_eq!(roc.x, [0.0, 0.0, 0.5, 0.5, 1.0]);
        assert_eq!(roc.y, [0.0, 0.5, 0.5, 1.0, 1.0]);
        assert_eq!(roc.area, Some(0.75));
        let pr = ranking.precision_recall("a").unwrap();
        assert_eq!(pr.x, [0.0, 0.5, 0.5, 1.0]);
        assert_eq!(pr.y, [1.0, 1.0, 0.5, 2.0 / 3.0]);
        assert_eq!(pr.area, Some((1.0 + 2.0 / 3.0) / 2.0));
    }

    #[test]
    fn counts_of_a_large_pass_do_not_overflow() {
        let n = 5_000_000_000;
        let group = |positives, negatives| Group {
            positives,
            negatives,
        };
        let ranking = Ranking::new(vec![group(n, n), group(0, n)]);
        assert_eq!(ranking.auc(), Some(0.75));
    }
}
