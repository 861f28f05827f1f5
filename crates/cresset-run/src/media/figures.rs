//! Figures made from the numbers at hand.
//!
//! ```
//! use cresset_run::figures;
//!
//! let (rates, losses) = ([1e-4, 1e-3, 1e-2], [0.9f32, 0.4, 2.1]);
//! let figure = figures::line("Learning rate finder", "learning rate", "loss", [figures::curve("sgd", &rates, &losses)]);
//! assert_eq!(figure.name(), "line");
//! ```
//!
//! Numbers that are not finite are kept as gaps. Lengths that do not agree are reported when the figure is encoded.

use cresset_record::{Axes, Curve, Figure, FloatRow};

/// Points that belong together: a line of [`line()`] or a group of [`scatter`]. `y` has as many numbers as `x`.
pub fn curve<X, Y>(name: impl Into<String>, x: &[X], y: &[Y]) -> Curve
where
    X: Into<f64> + Copy,
    Y: Into<f64> + Copy,
{
    Curve {
        name: name.into(),
        x: floats(x),
        y: floats(y),
        area: None,
    }
}

/// Lines over shared axes.
pub fn line(
    title: impl Into<String>,
    x_label: impl Into<String>,
    y_label: impl Into<String>,
    lines: impl IntoIterator<Item = Curve>,
) -> Figure {
    Figure::Line {
        axes: axes(title, x_label, y_label),
        lines: lines.into_iter().collect(),
    }
}

/// Groups of points over shared axes.
pub fn scatter(
    title: impl Into<String>,
    x_label: impl Into<String>,
    y_label: impl Into<String>,
    groups: impl IntoIterator<Item = Curve>,
) -> Figure {
    Figure::Scatter {
        axes: axes(title, x_label, y_label),
        groups: groups.into_iter().collect(),
    }
}

/// Bars: what each is, and how high.
pub fn bar<L, V>(
    title: impl Into<String>,
    x_label: impl Into<String>,
    y_label: impl Into<String>,
    bars: impl IntoIterator<Item = (L, V)>,
) -> Figure
where
    L: Into<String>,
    V: Into<f64>,
{
    let bars = bars.into_iter();
    let (labels, values) = bars
        .map(|(label, value)| (label.into(), value.into()))
        .unzip();
    Figure::Bar {
        axes: axes(title, x_label, y_label),
        labels,
        values,
    }
}

/// A value for each pair of labels: a row of `values` for each of `rows`, a number in it for each of `columns`.
///
/// `x_label` is what the columns are, `y_label` what the rows are.
pub fn heat_map<R, V>(
    title: impl Into<String>,
    x_label: impl Into<String>,
    y_label: impl Into<String>,
    columns: impl IntoIterator<Item = impl Into<String>>,
    rows: impl IntoIterator<Item = impl Into<String>>,
    values: impl IntoIterator<Item = R>,
) -> Figure
where
    R: AsRef<[V]>,
    V: Into<f64> + Copy,
{
    Figure::HeatMap {
        axes: axes(title, x_label, y_label),
        x_labels: columns.into_iter().map(Into::into).collect(),
        y_labels: rows.into_iter().map(Into::into).collect(),
        values: values
            .into_iter()
            .map(|row| FloatRow(floats(row.as_ref())))
            .collect(),
    }
}

fn axes(title: impl Into<String>, x_label: impl Into<String>, y_label: impl Into<String>) -> Axes {
    Axes {
        title: title.into(),
        x_label: x_label.into(),
        y_label: y_label.into(),
    }
}

fn floats<V: Into<f64> + Copy>(values: &[V]) -> Vec<f64> {
    values.iter().map(|&value| value.into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_made_of_what_was_given() {
        let line = line("t", "x", "y", [curve("a", &[1u32, 2], &[0.5f32, f32::NAN])]);
        let json = serde_json::to_value(&line).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "figure": "line", "title": "t", "x_label": "x", "y_label": "y",
                "lines": [{"name": "a", "x": [1.0, 2.0], "y": [0.5, null]}],
            })
        );
        let bar = bar("t", "x", "y", [("a", 1), ("b", -2)]);
        let Figure::Bar { labels, values, .. } = &bar else {
            panic!("{bar:?}");
        };
        assert_eq!(
            (&labels[..], &values[..]),
            (&["a".into(), "b".into()][..], &[1.0, -2.0][..])
        );
        assert_eq!(bar.check(), Ok(()));
    }

    #[test]
    fn lengths_are_checked_by_the_figure() {
        let square = [[1.0, 2.0], [3.0, 4.0]];
        let map = heat_map("t", "x", "y", ["a", "b"], ["c", "d"], square);
        assert_eq!(map.check(), Ok(()));
        let rows: Vec<Vec<f32>> = vec![vec![1.0]];
        let map = heat_map("t", "x", "y", ["a", "b"], ["c"], &rows);
        assert_eq!(
            map.check(),
            Err("heat_map: 1 values in a row, expected 2".into())
        );
        let scatter = scatter("t", "x", "y", [curve("a", &[1.0], &[1.0, 2.0])]);
        assert_eq!(scatter.check(), Err("curve \"a\": 1 x for 2 y".into()));
    }
}
