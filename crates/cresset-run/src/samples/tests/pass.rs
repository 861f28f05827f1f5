//! Generated passes.

use crate::samples::{Batch, Evaluation, Report, Scores};

/// What scikit-learn says of a generated pass.
pub(super) struct Expected {
    pub(super) name: &'static str,
    pub(super) seed: u64,
    pub(super) rows: usize,
    pub(super) classes: usize,
    /// How many of the classes occur as targets.
    pub(super) occurring: usize,
    /// Logits are multiples of this, where it is not zero.
    pub(super) grid: f64,
    pub(super) accuracy: f64,
    pub(super) loss: f64,
    pub(super) macro_precision: f64,
    pub(super) macro_recall: f64,
    pub(super) macro_f1: f64,
    /// Support, and precision, recall, F1, area under ROC, average precision; NaN where not defined.
    pub(super) each: &'static [(u64, [f64; 5])],
    pub(super) confusion: &'static [u64],
}

/// SplitMix64, as numbers in `0..1`.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Logits and targets of a pass; scikit_learn.py makes the same.
pub(super) struct Pass {
    pub(super) classes: usize,
    pub(super) logits: Vec<f32>,
    pub(super) targets: Vec<u32>,
}

impl Pass {
    pub(super) fn generate(
        seed: u64,
        rows: usize,
        classes: usize,
        occurring: usize,
        grid: f64,
    ) -> Self {
        let mut random = SplitMix(seed);
        let (mut logits, mut targets) = (Vec::new(), Vec::new());
        for _ in 0..rows {
            let target = (random.next().powi(2) * occurring as f64) as u32;
            for class in 0..classes as u32 {
                let z = random.next() * 6.0 - 3.0 + if class == target { 1.5 } else { 0.0 };
                let on_grid = (z / grid).round_ties_even() * grid;
                logits.push(if grid > 0.0 { on_grid } else { z } as f32);
            }
            targets.push(target);
        }
        Self {
            classes,
            logits,
            targets,
        }
    }

    pub(super) fn of(expected: &Expected) -> Self {
        let Expected {
            seed,
            rows,
            classes,
            occurring,
            grid,
            ..
        } = *expected;
        Self::generate(seed, rows, classes, occurring, grid)
    }

    /// Softmax in double precision, rounded to `f32`.
    pub(super) fn probabilities(&self) -> Vec<f32> {
        self.logits
            .chunks(self.classes)
            .flat_map(|row| {
                let sum: f64 = row.iter().map(|z| f64::from(*z).exp()).sum();
                row.iter().map(move |z| (f64::from(*z).exp() / sum) as f32)
            })
            .collect()
    }

    /// The report of batches of seven.
    pub(super) fn report(&self, evaluation: Evaluation<u64>) -> Report<u64> {
        self.report_of(evaluation, &self.logits, Scores::Logits)
    }

    pub(super) fn report_of<'a>(
        &self,
        mut evaluation: Evaluation<u64>,
        scores: &'a [f32],
        kind: fn(&'a [f32]) -> Scores<'a>,
    ) -> Report<u64> {
        let indices: Vec<u64> = (0..self.targets.len() as u64).collect();
        let columns = scores.len() / self.targets.len();
        let targets = self.targets.chunks(7).zip(indices.chunks(7));
        for (scores, (targets, indices)) in scores.chunks(7 * columns).zip(targets) {
            let batch = Batch {
                scores: kind(scores),
                targets,
                indices,
            };
            for kept in evaluation.push(&batch).unwrap() {
                assert!(evaluation.attach(&kept, indices[kept.row()]));
            }
        }
        evaluation.report()
    }

    pub(super) fn names(&self) -> Vec<String> {
        (0..self.classes).map(|class| format!("c{class}")).collect()
    }
}

pub(super) fn close(found: Option<f64>, expected: f64, tolerance: f64) -> bool {
    match found {
        Some(found) => (found - expected).abs() <= tolerance,
        None => expected.is_nan(),
    }
}
