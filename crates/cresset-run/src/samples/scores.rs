//! The scores of a whole pass in bounded memory: all of them while they are few, histograms after that.

use super::batch::Kind;
use super::ranking::{Group, Ranking};

/// Most scores that are kept one by one, rows times classes: 32 MiB of them.
pub(super) const MAX_EXACT: usize = 8 << 20;
/// Most bins of a class's histogram; fewer if there are so many classes that they would take more memory than the scores.
const MAX_BINS: usize = 1 << 14;
/// Fewest bins of a class's histogram.
const MIN_BINS: usize = 1 << 8;
/// Where the bins end, on the folded scale of [`fold`]: log-odds of ±22,000.
const FOLDED_END: f64 = 10.0;

/// What ranks the rows of each class.
pub(super) struct ScoreStore {
    classes: usize,
    max_exact: usize,
    scores: Stored,
}

enum Stored {
    Exact {
        /// Row-major `[rows, classes]`: probabilities as they came, or log-odds in the precision of the logits.
        scores: Vec<f32>,
        targets: Vec<u32>,
        kind: Kind,
    },
    /// `[classes, bins]`, from the lowest score up.
    Binned(Vec<Group>),
}

impl ScoreStore {
    pub(super) fn new(classes: usize, max_exact: usize) -> Self {
        let scores = Stored::Exact {
            scores: Vec::new(),
            targets: Vec::new(),
            kind: Kind::Logits,
        };
        Self {
            classes,
            max_exact,
            scores,
        }
    }

    /// Takes a row in: its scores as they came, and the log-odds from them. All rows are of one kind.
    pub(super) fn push(&mut self, kind: Kind, row: &[f32], log_odds: &[f64], target: u32) {
        if let Stored::Exact { scores, .. } = &self.scores
            && scores.len() + self.classes > self.max_exact
        {
            self.scores = Stored::Binned(self.binned());
        }
        match &mut self.scores {
            Stored::Exact {
                scores,
                targets,
                kind: stored_kind,
            } => {
                *stored_kind = kind;
                targets.push(target);
                match kind {
                    Kind::Probabilities => scores.extend_from_slice(row),
                    // The models' own arithmetic is no finer, and equal answers stay equal in it.
                    _ => scores.extend(log_odds.iter().map(|x| *x as f32)),
                }
            }
            Stored::Binned(groups) => add_row(groups, log_odds, target),
        }
    }

    /// Whether rankings come from histograms, in which neighbouring scores count as equal.
    pub(super) fn is_approximate(&self) -> bool {
        matches!(self.scores, Stored::Binned(_))
    }

    /// The ranking of all rows by their score for a class.
    pub(super) fn ranking(&self, class: usize) -> Ranking {
        match &self.scores {
            Stored::Exact {
                scores, targets, ..
            } => {
                let of_class = scores.iter().skip(class).step_by(self.classes);
                let rows = of_class
                    .zip(targets)
                    .map(|(score, target)| (*score, *target as usize == class))
                    .collect();
                Ranking::from_scores(rows)
            }
            Stored::Binned(groups) => {
                let bins = groups.len() / self.classes;
                let of_class = &groups[class * bins..(class + 1) * bins];
                let is_used = |group: &&Group| group.positives + group.negatives > 0;
                Ranking::new(of_class.iter().rev().filter(is_used).copied().collect())
            }
        }
    }

    /// The histograms of what has been kept one by one.
    fn binned(&self) -> Vec<Group> {
        let bytes_each = self.max_exact / self.classes * size_of::<f32>();
        let bins = (bytes_each / size_of::<Group>()).clamp(MIN_BINS, MAX_BINS);
        let mut groups = vec![Group::default(); bins * self.classes];
        if let Stored::Exact {
            scores,
            targets,
            kind,
        } = &self.scores
        {
            let mut log_odds = Vec::new();
            for (row, target) in scores.chunks_exact(self.classes).zip(targets) {
                log_odds.clear();
                log_odds.extend(row.iter().map(|score| match kind {
                    Kind::Probabilities => super::row::log_odds_of(f64::from(*score)),
                    _ => f64::from(*score),
                }));
                add_row(&mut groups, &log_odds, *target);
            }
        }
        groups
    }
}

fn add_row(groups: &mut [Group], log_odds: &[f64], target: u32) {
    let bins = groups.len() / log_odds.len();
    for (class, (x, groups)) in log_odds
        .iter()
        .zip(groups.chunks_exact_mut(bins))
        .enumerate()
    {
        let position = (fold(*x) + FOLDED_END) / (2.0 * FOLDED_END) * bins as f64;
        // The cast takes what is below the first bin to it.
        let group = &mut groups[(position as usize).min(bins - 1)];
        if class == target as usize {
            group.positives += 1;
        } else {
            group.negatives += 1;
        }
    }
}

/// Log-odds on a scale that is even around zero, where most answers differ, and logarithmic far out.
fn fold(x: f64) -> f64 {
    x.signum() * x.abs().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both stores of rows with two classes and log-odds `±x`.
    fn stores(rows: &[(f64, u32)]) -> [ScoreStore; 2] {
        [usize::MAX, 8 * MAX_BINS].map(|max_exact| {
            let mut store = ScoreStore::new(2, max_exact);
            for (x, target) in rows {
                store.push(Kind::Logits, &[], &[-x, *x], *target);
            }
            store
        })
    }

    #[test]
    fn histograms_come_close_and_ties_bound_their_error() {
        // Logits of two overlapping, skewed classes.
        let rows: Vec<(f64, u32)> = (0..70_000)
            .map(|i| {
                let u = f64::from(i * 7919 % 70_000) / 70_000.0;
                let target = u32::from(i % 3 == 0);
                (
                    20.0 * (u - 0.5).powi(3) + f64::from(target) * 0.7 + u,
                    target,
                )
            })
            .collect();
        let [exact, binned] = stores(&rows);
        assert!(!exact.is_approximate() && binned.is_approximate());
        for class in 0..2 {
            let (exact, binned) = (exact.ranking(class), binned.ranking(class));
            let error = exact.auc().unwrap() - binned.auc().unwrap();
            assert!(error.abs() < 1e-4, "{error}");
            let error = exact.average_precision().unwrap() - binned.average_precision().unwrap();
            assert!(error.abs() < 1e-4, "{error}");
        }
    }

    #[test]
    fn histograms_hold_everything_however_far_out() {
        let far = [f64::INFINITY, 1e30, 0.0, -0.0, -1e30, f64::NEG_INFINITY];
        let rows: Vec<(f64, u32)> = far
            .into_iter()
            .cycle()
            .take(70_200)
            .map(|x| (x, u32::from(x > 0.0)))
            .collect();
        let [exact, binned] = stores(&rows);
        assert_eq!(binned.ranking(1).auc(), Some(1.0));
        assert_eq!(exact.ranking(1).auc(), Some(1.0));
    }

    #[test]
    fn memory_is_bounded() {
        for classes in [2, 10, 1000, 10_000] {
            let store = ScoreStore::new(classes, MAX_EXACT);
            let groups = store.binned().len();
            assert!(groups * size_of::<Group>() <= 64 << 20, "{groups}");
        }
    }
}
