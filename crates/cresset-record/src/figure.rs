//! Figures: charts kept as the numbers behind them, so that any reader can draw them.

use serde::{Deserialize, Serialize};

/// A chart as structured data. Its JSON is tagged by `figure`, a word such as `roc`.
///
/// Coordinates that are not finite are `null` in the JSON: JSON has no NaN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "figure", rename_all = "snake_case")]
pub enum Figure {
    /// Counts of true against predicted class.
    ConfusionMatrix {
        /// Class names; `n` of them.
        classes: Vec<String>,
        /// `n` rows of `n` counts: `counts[true][predicted]`.
        counts: Vec<Vec<u64>>,
    },
    /// Receiver operating characteristic: false positive rate (x) against true positive rate (y), a curve a class.
    Roc {
        /// One curve a class.
        curves: Vec<Curve>,
    },
    /// Recall (x) against precision (y), a curve a class.
    PrecisionRecall {
        /// One curve a class.
        curves: Vec<Curve>,
    },
    /// Lines over shared axes.
    Line {
        /// The axes.
        #[serde(flatten)]
        axes: Axes,
        /// The lines.
        lines: Vec<Curve>,
    },
    /// Points over shared axes.
    Scatter {
        /// The axes.
        #[serde(flatten)]
        axes: Axes,
        /// Groups of points.
        groups: Vec<Curve>,
    },
    /// One bar a label.
    Bar {
        /// The axes.
        #[serde(flatten)]
        axes: Axes,
        /// What each bar is.
        labels: Vec<String>,
        /// How high it is; as many as `labels`.
        #[serde(with = "crate::nullable::list")]
        values: Vec<f64>,
    },
    /// A value for each pair of labels.
    HeatMap {
        /// The axes.
        #[serde(flatten)]
        axes: Axes,
        /// Labels of the columns.
        x_labels: Vec<String>,
        /// Labels of the rows.
        y_labels: Vec<String>,
        /// One row for each of `y_labels`, each as long as `x_labels`.
        values: Vec<FloatRow>,
    },
}

impl Figure {
    /// The word that stands for this kind of figure in its JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ConfusionMatrix { .. } => "confusion_matrix",
            Self::Roc { .. } => "roc",
            Self::PrecisionRecall { .. } => "precision_recall",
            Self::Line { .. } => "line",
            Self::Scatter { .. } => "scatter",
            Self::Bar { .. } => "bar",
            Self::HeatMap { .. } => "heat_map",
        }
    }

    /// Checks that the lengths within the figure agree.
    ///
    /// # Errors
    /// A sentence that names the two lengths that differ.
    pub fn check(&self) -> Result<(), String> {
        let same = |what: &str, found: usize, expected: usize| {
            if found == expected {
                Ok(())
            } else {
                Err(format!(
                    "{}: {found} {what}, expected {expected}",
                    self.name()
                ))
            }
        };
        match self {
            Self::ConfusionMatrix { classes, counts } => {
                same("rows of counts", counts.len(), classes.len())?;
                counts
                    .iter()
                    .try_for_each(|row| same("counts in a row", row.len(), classes.len()))
            }
            Self::Roc { curves } | Self::PrecisionRecall { curves } => {
                curves.iter().try_for_each(Curve::check)
            }
            Self::Line { lines: curves, .. } | Self::Scatter { groups: curves, .. } => {
                curves.iter().try_for_each(Curve::check)
            }
            Self::Bar { labels, values, .. } => same("values", values.len(), labels.len()),
            Self::HeatMap {
                x_labels,
                y_labels,
                values,
                ..
            } => {
                same("rows", values.len(), y_labels.len())?;
                values
                    .iter()
                    .try_for_each(|row| same("values in a row", row.0.len(), x_labels.len()))
            }
        }
    }
}

/// A title and the names of both axes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axes {
    /// Shown above the figure.
    #[serde(default)]
    pub title: String,
    /// What x is.
    #[serde(default)]
    pub x_label: String,
    /// What y is.
    #[serde(default)]
    pub y_label: String,
}

/// Points that belong together, in drawing order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// What the points are.
    pub name: String,
    /// Left to right.
    #[serde(with = "crate::nullable::list")]
    pub x: Vec<f64>,
    /// Bottom to top; as many as `x`.
    #[serde(with = "crate::nullable::list")]
    pub y: Vec<f64>,
    /// Area under the curve, where it means something.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::nullable::optional"
    )]
    pub area: Option<f64>,
}

impl Curve {
    fn check(&self) -> Result<(), String> {
        if self.x.len() == self.y.len() {
            Ok(())
        } else {
            Err(format!(
                "curve {:?}: {} x for {} y",
                self.name,
                self.x.len(),
                self.y.len()
            ))
        }
    }
}

/// A row of numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FloatRow(#[serde(with = "crate::nullable::list")] pub Vec<f64>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_survives_its_json_nan_included() {
        let figure = Figure::Line {
            axes: Axes {
                title: "t".into(),
                ..Axes::default()
            },
            lines: vec![Curve {
                name: "a".into(),
                x: vec![0.0, 1.0],
                y: vec![f64::NAN, 2.0],
                area: None,
            }],
        };
        let json = serde_json::to_string(&figure).unwrap();
        assert!(
            json.contains(r#""figure":"line""#) && json.contains("[null,2.0]"),
            "{json}"
        );
        let back: Figure = serde_json::from_str(&json).unwrap();
        assert_eq!(format!("{back:?}"), format!("{figure:?}"));
        assert_eq!(back.check(), Ok(()));
    }

    #[test]
    fn lengths_are_checked() {
        let figure = Figure::ConfusionMatrix {
            classes: vec!["a".into(), "b".into()],
            counts: vec![vec![1, 2]],
        };
        assert_eq!(
            figure.check(),
            Err("confusion_matrix: 1 rows of counts, expected 2".into())
        );
        let figure = Figure::Bar {
            axes: Axes::default(),
            labels: vec!["a".into()],
            values: vec![],
        };
        assert_eq!(figure.check(), Err("bar: 0 values, expected 1".into()));
    }
}
