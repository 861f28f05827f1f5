//! What an evaluation pass comes to.

use std::collections::BTreeMap;

use cresset_record::{Curve, Figure, Table};
use serde_json::{Value as Json, json};

use super::mistakes::{Mistake, Pair};
use super::row::BadRow;
use super::scores::ScoreStore;

/// With more classes, [`Report::scalars`] has no series for each class; [`Report::table`] has all of them.
pub const MAX_CLASS_SERIES: usize = 100;
/// With more classes, [`Report::figures`] has the curves with the smallest areas only.
pub const MAX_CURVES: usize = 50;
/// With more classes, [`Report::figures`] has no confusion matrix; [`Report::count`] still tells each cell.
pub const MAX_MATRIX_CLASSES: usize = 500;

/// Metrics of a whole pass, and its most confident mistakes. A metric that is not defined is `None`.
#[derive(Clone, Debug)]
pub struct Report<I> {
    /// How many rows the metrics are over.
    pub rows: u64,
    /// Share of rows whose prediction is right.
    pub accuracy: Option<f64>,
    /// Mean cross-entropy, in nats.
    pub loss: Option<f64>,
    /// Means over classes.
    pub means: Means,
    /// Metrics of each class, in the order of the classes.
    pub classes: Vec<ClassReport>,
    /// Whether the rows were so many that areas and curves come from histograms of the scores.
    pub approximate: bool,
    /// The most confident mistakes first; equally confident ones as in the data set.
    pub mistakes: Vec<Mistake<I>>,
    /// How many rows were left out, for a target that is no class or bad scores.
    pub bad_rows: u64,
    /// The first of them.
    pub first_bad_rows: Vec<BadRow>,
    counts: BTreeMap<Pair, u64>,
    roc: Vec<Curve>,
    precision_recall: Vec<Curve>,
}

/// Unweighted means over classes ("macro" averages).
///
/// Precision, recall and F1 are over the classes that occur as target or prediction; a term that is not defined counts as
/// zero there. The areas are over the classes for which they are defined.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Means {
    /// Of precision.
    pub precision: Option<f64>,
    /// Of recall.
    pub recall: Option<f64>,
    /// Of F1.
    pub f1: Option<f64>,
    /// Of the area under the ROC curve, one class against the rest.
    pub auc: Option<f64>,
    /// Of the average precision.
    pub average_precision: Option<f64>,
    /// The classes that the mean area is without: no row is of the class, or every row is.
    pub without_auc: Vec<String>,
}

/// Metrics of one class against all others.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassReport {
    /// Its name.
    pub name: String,
    /// How many rows are of the class.
    pub support: u64,
    /// How many rows were predicted to be.
    pub predicted: u64,
    /// Share of its predictions that are right; not defined without predictions.
    pub precision: Option<f64>,
    /// Share of its rows that were found; not defined without rows.
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall: `2 TP / (2 TP + FP + FN)`.
    pub f1: Option<f64>,
    /// Area under the ROC curve (Mann–Whitney; Hanley and McNeil 1982), ties counting half.
    pub auc: Option<f64>,
    /// Precision at each score, weighted with the recall gained there.
    pub average_precision: Option<f64>,
}

impl<I> Report<I> {
    pub(super) fn new(
        names: Vec<String>,
        counts: BTreeMap<Pair, u64>,
        scores: &ScoreStore,
    ) -> Self {
        let rows: u64 = counts.values().sum();
        let is_right = |pair: &Pair| pair.truth == pair.predicted;
        let right: u64 = counts
            .iter()
            .filter_map(|(pair, n)| is_right(pair).then_some(n))
            .sum();
        let mut classes = count_classes(names, &counts);
        let (mut roc, mut precision_recall) = (Vec::new(), Vec::new());
        for (index, class) in classes.iter_mut().enumerate() {
            let ranking = scores.ranking(index);
            class.auc = ranking.auc();
            class.average_precision = ranking.average_precision();
            roc.extend(ranking.roc(&class.name));
            precision_recall.extend(ranking.precision_recall(&class.name));
        }
        Self {
            rows,
            accuracy: share(right, rows),
            loss: None,
            means: Means::of(&classes),
            classes,
            approximate: scores.is_approximate(),
            mistakes: Vec::new(),
            bad_rows: 0,
            first_bad_rows: Vec::new(),
            counts,
            roc: worst(roc),
            precision_recall: worst(precision_recall),
        }
    }

    /// How many rows of class `truth` were predicted to be of class `predicted`.
    #[must_use]
    pub fn count(&self, truth: u32, predicted: u32) -> u64 {
        let pair = Pair { truth, predicted };
        self.counts.get(&pair).copied().unwrap_or(0)
    }

    /// The metrics that are defined, under keys such as `val/accuracy` and `val/recall/<class>` for the prefix `val`.
    ///
    /// There are `accuracy`, `loss`, the means `auc`, `average_precision`, `precision`, `recall` and `f1`, and, for up to
    /// [`MAX_CLASS_SERIES`] classes, `precision`, `recall`, `f1` and `auc` of each; `bad_rows` if there are any.
    #[must_use]
    pub fn scalars(&self, prefix: &str) -> Vec<(String, f64)> {
        let mut scalars = Vec::new();
        let mut put = |name: &str, value: Option<f64>| {
            scalars.extend(value.map(|value| (key_under(prefix, name), value)));
        };
        put("accuracy", self.accuracy);
        put("loss", self.loss);
        put("auc", self.means.auc);
        put("average_precision", self.means.average_precision);
        put("precision", self.means.precision);
        put("recall", self.means.recall);
        put("f1", self.means.f1);
        put(
            "bad_rows",
            (self.bad_rows > 0).then_some(self.bad_rows as f64),
        );
        if self.classes.len() <= MAX_CLASS_SERIES {
            for class in &self.classes {
                let name = &class.name;
                put(&format!("precision/{name}"), class.precision);
                put(&format!("recall/{name}"), class.recall);
                put(&format!("f1/{name}"), class.f1);
                put(&format!("auc/{name}"), class.auc);
            }
        }
        scalars
    }

    /// `confusion_matrix`, `roc` and `precision_recall` behind the prefix, those that have something to show.
    #[must_use]
    pub fn figures(&self, prefix: &str) -> Vec<(String, Figure)> {
        let curves = |curves: &[Curve], figure: fn(Vec<Curve>) -> Figure| {
            (!curves.is_empty()).then(|| figure(curves.to_vec()))
        };
        [
            ("confusion_matrix", self.confusion_matrix()),
            ("roc", curves(&self.roc, |curves| Figure::Roc { curves })),
            (
                "precision_recall",
                curves(&self.precision_recall, |curves| Figure::PrecisionRecall {
                    curves,
                }),
            ),
        ]
        .into_iter()
        .filter_map(|(name, figure)| Some((key_under(prefix, name), figure?)))
        .collect()
    }

    /// A row a class, with all its metrics; those that are not defined are null.
    #[must_use]
    pub fn table(&self) -> Table {
        let columns = [
            "class",
            "support",
            "predicted",
            "precision",
            "recall",
            "f1",
            "auc",
            "average_precision",
        ];
        Table {
            columns: columns.map(str::to_owned).to_vec(),
            rows: self.classes.iter().map(ClassReport::cells).collect(),
        }
    }

    fn confusion_matrix(&self) -> Option<Figure> {
        let classes: Vec<String> = self
            .classes
            .iter()
            .map(|class| class.name.clone())
            .collect();
        if self.rows == 0 || classes.len() > MAX_MATRIX_CLASSES {
            return None;
        }
        let all = 0..classes.len() as u32;
        let row = |truth| {
            all.clone()
                .map(|predicted| self.count(truth, predicted))
                .collect()
        };
        Some(Figure::ConfusionMatrix {
            counts: all.clone().map(row).collect(),
            classes,
        })
    }
}

impl Means {
    fn of(classes: &[ClassReport]) -> Self {
        let occurring = || {
            classes
                .iter()
                .filter(|class| class.support + class.predicted > 0)
        };
        let over_occurring = |metric: fn(&ClassReport) -> Option<f64>| {
            mean(occurring().map(|class| metric(class).unwrap_or(0.0)))
        };
        let over_defined =
            |metric: fn(&ClassReport) -> Option<f64>| mean(classes.iter().filter_map(metric));
        Self {
            precision: over_occurring(|class| class.precision),
            recall: over_occurring(|class| class.recall),
            f1: over_occurring(|class| class.f1),
            auc: over_defined(|class| class.auc),
            average_precision: over_defined(|class| class.average_precision),
            without_auc: classes
                .iter()
                .filter(|class| class.auc.is_none())
                .map(|class| class.name.clone())
                .collect(),
        }
    }
}

impl ClassReport {
    fn cells(&self) -> Vec<Json> {
        vec![
            json!(self.name),
            json!(self.support),
            json!(self.predicted),
            json!(self.precision),
            json!(self.recall),
            json!(self.f1),
            json!(self.auc),
            json!(self.average_precision),
        ]
    }
}

/// Everything about the classes that follows from the counts.
fn count_classes(names: Vec<String>, counts: &BTreeMap<Pair, u64>) -> Vec<ClassReport> {
    let mut support = vec![0; names.len()];
    let mut predicted = vec![0; names.len()];
    let mut right = vec![0; names.len()];
    for (pair, n) in counts {
        support[pair.truth as usize] += n;
        predicted[pair.predicted as usize] += n;
        if pair.truth == pair.predicted {
            right[pair.truth as usize] = *n;
        }
    }
    names
        .into_iter()
        .enumerate()
        .map(|(i, name)| ClassReport {
            name,
            support: support[i],
            predicted: predicted[i],
            precision: share(right[i], predicted[i]),
            recall: share(right[i], support[i]),
            // TP + FP are the predictions, TP + FN the rows of the class.
            f1: share(2 * right[i], predicted[i] + support[i]),
            auc: None,
            average_precision: None,
        })
        .collect()
}

/// The curves with the smallest areas, in their old order.
fn worst(mut curves: Vec<Curve>) -> Vec<Curve> {
    if curves.len() > MAX_CURVES {
        let area = |curve: &Curve| curve.area.unwrap_or(0.0);
        let mut areas: Vec<f64> = curves.iter().map(area).collect();
        areas.sort_unstable_by(f64::total_cmp);
        curves.retain(|curve| area(curve) <= areas[MAX_CURVES - 1]);
        // More only if several have the same area.
        curves.truncate(MAX_CURVES);
    }
    curves
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (n, sum) = values.fold((0u64, 0.0), |(n, sum), value| (n + 1, sum + value));
    (n > 0).then(|| sum / n as f64)
}

/// The key of what a pass calls `name`: `val/auc` under the prefix `val`, the name alone without a prefix.
#[must_use]
pub fn key_under(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}/{name}")
    }
}
