//! One row: from what the model said to log-odds, prediction, confidence and loss.

use thiserror::Error;

use super::batch::Kind;

/// How far the probabilities of a row may be from summing to one; half-precision rounding stays well within.
const SUM_TOLERANCE: f64 = 0.02;

/// A row that was left out of all metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Its place in the data set.
    pub dataset_index: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The target is no class.
    #[error("target {target}, but there are {classes} classes")]
    Target {
        /// The target.
        target: u32,
        /// How many classes there are.
        classes: usize,
    },
    /// A score is NaN or infinite.
    #[error("a score is NaN or infinite")]
    NotFinite,
    /// The scores are no probabilities.
    #[error("the scores are not probabilities that sum to one; push logits as `Scores::Logits`")]
    NotProbabilities,
}

/// What the model said of one row; reused from row to row.
///
/// For each class it has the log-odds `ln(p / (1 - p))` of its probability `p`: unlike `p`, they do not run into 1 for a
/// model that is sure, and keep the order of its answers.
#[derive(Default)]
pub(super) struct RowScores {
    pub(super) log_odds: Vec<f64>,
    /// The class with the highest score; the first of equals.
    pub(super) predicted: usize,
    exponentials: Vec<f64>,
}

impl RowScores {
    /// Reads a row with a target below the number of classes, which is at least one.
    pub(super) fn read(&mut self, kind: Kind, row: &[f32]) -> Result<(), Fault> {
        if row.iter().any(|score| !score.is_finite()) {
            return Err(Fault::NotFinite);
        }
        let scores = row.iter().map(|score| f64::from(*score));
        self.log_odds.clear();
        match kind {
            Kind::Logits => self.log_odds.extend(scores),
            Kind::BinaryLogits => self.log_odds.extend(scores.flat_map(|z| [-z, z])),
            Kind::Probabilities => {
                let sum: f64 = scores.clone().sum();
                let is_one = (sum - 1.0).abs() <= SUM_TOLERANCE;
                if !is_one || row.iter().any(|p| *p < 0.0) {
                    return Err(Fault::NotProbabilities);
                }
                self.log_odds.extend(scores.map(log_odds_of));
            }
        }
        self.predicted = arg_max(&self.log_odds);
        if kind == Kind::Logits {
            logits_to_log_odds(&mut self.log_odds, self.predicted, &mut self.exponentials);
        }
        Ok(())
    }

    /// The probability of the predicted class.
    pub(super) fn confidence(&self) -> f32 {
        (1.0 / (1.0 + (-self.log_odds[self.predicted]).exp())) as f32
    }

    /// The cross-entropy `-ln(p)` of the target, in nats.
    pub(super) fn loss(&self, target: usize) -> f64 {
        // -ln(p) = ln(1 + e^-x) with log-odds x, without overflow for large -x.
        let x = -self.log_odds[target];
        x.max(0.0) + (-x.abs()).exp().ln_1p()
    }
}

/// Replaces logits by log-odds: of each class against all others together.
fn logits_to_log_odds(logits: &mut [f64], largest: usize, exponentials: &mut Vec<f64>) {
    let max = logits[largest];
    exponentials.clear();
    exponentials.extend(logits.iter().map(|z| (z - max).exp()));
    // A sum of its own for the largest: the difference from the sum of all may round to zero.
    let rest: f64 = others(exponentials, largest).sum();
    let of_largest = if rest > 0.0 {
        -rest.ln()
    } else {
        // So far ahead that the others' exponentials are zero: the next one is the rest. A single class has none.
        max - others(logits, largest).fold(f64::NEG_INFINITY, f64::max)
    };
    for (z, exponential) in logits.iter_mut().zip(exponentials) {
        *z = *z - max - (1.0 + rest - *exponential).ln();
    }
    logits[largest] = of_largest;
}

fn others(values: &[f64], left_out: usize) -> impl Iterator<Item = f64> {
    let is_other = move |(class, value): (usize, &f64)| (class != left_out).then_some(*value);
    values.iter().enumerate().filter_map(is_other)
}

/// The log-odds of a probability. Zero counts as the smallest normal `f32`, so that one such row does not make the loss of
/// a whole pass infinite.
pub(super) fn log_odds_of(p: f64) -> f64 {
    let p = p.clamp(f64::from(f32::MIN_POSITIVE), 1.0);
    p.ln() - (-p).ln_1p()
}

fn arg_max(values: &[f64]) -> usize {
    let mut best = 0;
    for (class, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = class;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Kind, row: &[f32]) -> RowScores {
        let mut scores = RowScores::default();
        scores.read(kind, row).unwrap();
        scores
    }

    /// Softmax by the book.
    fn softmax(row: &[f32]) -> Vec<f64> {
        let exponentials: Vec<f64> = row.iter().map(|z| f64::from(*z).exp()).collect();
        let sum: f64 = exponentials.iter().sum();
        exponentials.iter().map(|e| e / sum).collect()
    }

    #[test]
    fn probabilities_and_losses_are_those_of_the_softmax() {
        for row in [
            vec![0.3, -1.0, 2.0, 0.0],
            vec![5.0, 5.0],
            vec![-3.0, -3.5, -3.25],
            vec![0.0],
        ] {
            let scores = read(Kind::Logits, &row);
            let expected = softmax(&row);
            for (class, p) in expected.iter().enumerate() {
                assert!((scores.loss(class) + p.ln()).abs() < 1e-12, "{row:?}");
                let found = 1.0 / (1.0 + (-scores.log_odds[class]).exp());
                assert!((found - p).abs() < 1e-12, "{row:?}");
            }
            let best = expected[scores.predicted];
            assert!((f64::from(scores.confidence()) - best).abs() < 1e-7);
            let probabilities: Vec<f32> = expected.iter().map(|p| *p as f32).collect();
            let again = read(Kind::Probabilities, &probabilities);
            assert_eq!(again.predicted, scores.predicted);
            assert!((again.loss(0) - scores.loss(0)).abs() < 1e-6);
        }
    }

    #[test]
    fn sure_models_keep_an_order() {
        let sure = read(Kind::Logits, &[60.0, 0.0, -10.0]);
        let surer = read(Kind::Logits, &[61.0, 0.0, -10.0]);
        assert_eq!((sure.confidence(), surer.confidence()), (1.0, 1.0));
        assert!(surer.log_odds[0] > sure.log_odds[0] + 0.99);
        assert!((sure.loss(1) - 60.0).abs() < 1e-3);
        let far = read(Kind::Logits, &[f32::MAX, f32::MIN]);
        assert!(far.loss(1) > 1e38 && far.loss(0) == 0.0);
    }

    #[test]
    fn a_binary_logit_is_two_logits() {
        for z in [-3.0, 0.0, 0.5] {
            let one = read(Kind::BinaryLogits, &[z]);
            let two = read(Kind::Logits, &[0.0, z]);
            assert_eq!(one.predicted, two.predicted);
            assert!((one.loss(1) - two.loss(1)).abs() < 1e-12);
        }
    }

    #[test]
    fn bad_rows_are_named() {
        for (kind, row, expected) in [
            (Kind::Logits, [f32::NAN, 0.0], Err(Fault::NotFinite)),
            (Kind::Logits, [0.0, f32::INFINITY], Err(Fault::NotFinite)),
            (
                Kind::Probabilities,
                [0.7, 0.7],
                Err(Fault::NotProbabilities),
            ),
            (
                Kind::Probabilities,
                [-0.1, 1.1],
                Err(Fault::NotProbabilities),
            ),
            (Kind::Probabilities, [0.0, 1.0], Ok(())),
            (Kind::Probabilities, [0.495, 0.5], Ok(())),
        ] {
            assert_eq!(RowScores::default().read(kind, &row), expected, "{row:?}");
        }
        assert!(read(Kind::Probabilities, &[0.0, 1.0]).loss(0) < 88.0);
    }
}
