//! Figures as pages without scripts, which MLflow shows beside the list of artifacts.

use std::fmt::Write as _;

use cresset_record::{Curve, Figure};

/// Colours that people with colour blindness tell apart (Okabe and Ito).
const COLOURS: [&str; 7] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000",
];
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
/// Points of one curve that are drawn; more would be less than a pixel apart.
const MAX_POINTS: usize = 2000;

const STYLE: &str = "body{font:14px system-ui,sans-serif;margin:16px;color:#222;background:#fff}\
table{border-collapse:collapse}td,th{border:1px solid #ddd;padding:3px 8px;text-align:right;font-weight:normal}\
th{text-align:left;background:#f6f6f6}.bar{background:#0072b2;height:12px}svg{max-width:100%}";

/// A page that shows the figure.
pub(super) fn page(key: &str, step: u64, figure: &Figure) -> String {
    let (x, y) = ("False positive rate", "True positive rate");
    let body = match figure {
        Figure::ConfusionMatrix { classes, counts } => {
            let rows = counts.iter();
            let rows: Vec<Vec<f64>> = rows
                .map(|row| row.iter().map(|&n| n as f64).collect())
                .collect();
            let said = "<p>Rows are the true classes, columns the predicted ones.</p>";
            format!("{said}{}", matrix(classes, classes, &rows))
        }
        Figure::HeatMap {
            axes,
            x_labels,
            y_labels,
            values,
        } => {
            let rows: Vec<Vec<f64>> = values.iter().map(|row| row.0.clone()).collect();
            let said = format!(
                "<p>{} over {}</p>",
                escaped(&axes.y_label),
                escaped(&axes.x_label)
            );
            format!(
                "{}{said}{}",
                title(&axes.title),
                matrix(x_labels, y_labels, &rows)
            )
        }
        Figure::Roc { curves } => chart(curves, x, y, true),
        Figure::PrecisionRecall { curves } => chart(curves, "Recall", "Precision", true),
        Figure::Line { axes, lines } => {
            let chart = chart(lines, &axes.x_label, &axes.y_label, true);
            format!("{}{chart}", title(&axes.title))
        }
        Figure::Scatter { axes, groups } => {
            let chart = chart(groups, &axes.x_label, &axes.y_label, false);
            format!("{}{chart}", title(&axes.title))
        }
        Figure::Bar {
            axes,
            labels,
            values,
        } => format!("{}{}", title(&axes.title), bars(labels, values)),
    };
    let key = escaped(key);
    format!(
        "<!doctype html><meta charset=\"utf-8\"><title>{key}</title><style>{STYLE}</style><h3>{key}, step {step}</h3>{body}\n"
    )
}

fn title(title: &str) -> String {
    match title {
        "" => String::new(),
        title => format!("<h4>{}</h4>", escaped(title)),
    }
}

/// Numbers in cells, the larger in their row the darker.
fn matrix(columns: &[String], rows: &[String], values: &[Vec<f64>]) -> String {
    let mut out = "<table><tr><th></th>".to_owned();
    for column in columns {
        let _ = write!(out, "<th>{}</th>", escaped(column));
    }
    out.push_str("</tr>");
    for (name, row) in rows.iter().zip(values) {
        let _ = write!(out, "<tr><th>{}</th>", escaped(name));
        let (low, high) = range(row);
        let low = low.min(0.0);
        for value in row {
            let share = (value - low) / (high - low);
            let share = if share.is_finite() { share } else { 0.0 };
            let ink = if share > 0.6 { "#fff" } else { "#222" };
            let _ = write!(
                out,
                "<td style=\"background:rgba(0,114,178,{share:.2});color:{ink}\">{}</td>",
                short(*value)
            );
        }
        out.push_str("</tr>");
    }
    out.push_str("</table>");
    out
}

fn bars(labels: &[String], values: &[f64]) -> String {
    let (low, high) = range(values);
    let most = high.abs().max(low.abs());
    let mut out = "<table>".to_owned();
    for (label, value) in labels.iter().zip(values) {
        let share = value.abs() / most * 300.0;
        let share = if share.is_finite() { share } else { 0.0 };
        let _ = write!(
            out,
            "<tr><th>{}</th><td>{}</td><td style=\"width:300px\"><div class=\"bar\" style=\"width:{share:.0}px\"></div></td></tr>",
            escaped(label),
            short(*value)
        );
    }
    out.push_str("</table>");
    out
}

/// Curves, or dots, over the ranges of their values.
fn chart(curves: &[Curve], x_label: &str, y_label: &str, is_line: bool) -> String {
    let plane = Plane::of(curves);
    let mut out =
        format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\">");
    plane.axes(&mut out, x_label, y_label);
    let mut legend = "<p>".to_owned();
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        match is_line {
            true => plane.line(&mut out, curve, colour),
            false => plane.dots(&mut out, curve, colour),
        }
        let area = curve.area.map(|area| format!(" (area {})", short(area)));
        let _ = write!(
            legend,
            "<span style=\"color:{colour}\">■</span> {}{} &nbsp; ",
            escaped(&curve.name),
            area.unwrap_or_default()
        );
    }
    format!("{out}</svg>{legend}</p>")
}

/// Where values are on the picture.
struct Plane {
    x: (f64, f64),
    y: (f64, f64),
}

impl Plane {
    /// Wide enough for all curves.
    fn of(curves: &[Curve]) -> Self {
        let all = |of: fn(&Curve) -> &Vec<f64>| -> Vec<f64> {
            curves.iter().flat_map(of).copied().collect()
        };
        Self {
            x: range(&all(|curve| &curve.x)),
            y: range(&all(|curve| &curve.y)),
        }
    }

    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let share = |value: f64, (low, high): (f64, f64)| (value - low) / (high - low);
        (
            60.0 + share(x, self.x) * (WIDTH - 80.0),
            HEIGHT - 40.0 - share(y, self.y) * (HEIGHT - 60.0),
        )
    }

    /// The points that are drawn.
    fn points(&self, curve: &Curve) -> impl Iterator<Item = (f64, f64)> {
        let stride = curve.x.len().div_ceil(MAX_POINTS).max(1);
        let points = curve.x.iter().zip(&curve.y).step_by(stride);
        let points = points.filter(|(x, y)| x.is_finite() && y.is_finite());
        points.map(|(&x, &y)| self.place(x, y))
    }

    fn axes(&self, out: &mut String, x_label: &str, y_label: &str) {
        let ((x0, x1), (y0, y1)) = (self.x, self.y);
        let (left, bottom) = self.place(x0, y0);
        let (right, top) = self.place(x1, y1);
        let _ = write!(
            out,
            "<path d=\"M{left} {top}V{bottom}H{right}\" fill=\"none\" stroke=\"#888\"/>\
             <text x=\"{left}\" y=\"{}\" font-size=\"11\">{}</text>\
             <text x=\"{right}\" y=\"{}\" font-size=\"11\" text-anchor=\"end\">{}</text>\
             <text x=\"{}\" y=\"{bottom}\" font-size=\"11\" text-anchor=\"end\">{}</text>\
             <text x=\"{}\" y=\"{}\" font-size=\"11\" text-anchor=\"end\">{}</text>\
             <text x=\"{}\" y=\"{}\" font-size=\"12\" text-anchor=\"middle\">{}</text>\
             <text x=\"{left}\" y=\"12\" font-size=\"12\">{}</text>",
            bottom + 14.0,
            short(x0),
            bottom + 14.0,
            short(x1),
            left - 4.0,
            short(y0),
            left - 4.0,
            top + 10.0,
            short(y1),
            f64::midpoint(left, right),
            bottom + 30.0,
            escaped(x_label),
            escaped(y_label),
        );
    }

    fn line(&self, out: &mut String, curve: &Curve, colour: &str) {
        let points = self.points(curve).map(|(x, y)| format!("{x:.1},{y:.1}"));
        let points = points.collect::<Vec<_>>().join(" ");
        let _ = write!(
            out,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>"
        );
    }

    fn dots(&self, out: &mut String, curve: &Curve, colour: &str) {
        for (x, y) in self.points(curve) {
            let _ = write!(
                out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\" fill=\"{colour}\"/>"
            );
        }
    }
}

/// Lowest and highest finite value, apart from each other.
fn range(values: &[f64]) -> (f64, f64) {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    match low < high {
        true => (low, high),
        false if low == high => (low - 0.5, high + 0.5),
        false => (0.0, 1.0),
    }
}

/// At most four digits behind the point.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cresset_record::Axes;

    #[test]
    fn what_people_wrote_is_text() {
        let figure = Figure::Bar {
            axes: Axes {
                title: "<script>".into(),
                ..Axes::default()
            },
            labels: vec!["a&b".into()],
            values: vec![f64::NAN],
        };
        let page = page("<k>", 3, &figure);
        assert!(page.contains("&lt;script&gt;") && page.contains("a&amp;b"));
        assert!(!page.contains("<script"), "{page}");
    }

    #[test]
    fn curves_of_one_point_or_none_are_no_trouble() {
        for x in [vec![], vec![0.5], vec![f64::NAN, 1.0]] {
            let curve = Curve {
                name: "a".into(),
                y: x.clone(),
                x,
                area: Some(0.9),
            };
            let page = page(
                "roc",
                0,
                &Figure::Roc {
                    curves: vec![curve],
                },
            );
            assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
        }
    }
}
