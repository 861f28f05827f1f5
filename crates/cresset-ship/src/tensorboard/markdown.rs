//! Tables and figures as Markdown, which the text plugin shows.

use cresset_record::{Curve, Figure, Table};
use serde_json::Value as Json;

/// What a person still reads; the rest is counted.
const MAX_ROWS: usize = 200;
const MAX_COLUMNS: usize = 50;

/// A Markdown table that is being written.
pub(super) struct Rows {
    text: String,
    lines: Vec<String>,
    /// Rows in all.
    count: usize,
}

impl Rows {
    pub(super) fn new<'a>(head: impl IntoIterator<Item = &'a str>) -> Self {
        let head: Vec<&str> = head.into_iter().collect();
        let rule = "---|".repeat(head.len().min(MAX_COLUMNS + 1));
        let text = format!("{}|{rule}\n", line(head));
        Self {
            text,
            lines: Vec::new(),
            count: 0,
        }
    }

    pub(super) fn push<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        self.count += 1;
        self.lines.push(line(cells));
    }

    /// The table with the first rows.
    pub(super) fn finish(mut self) -> String {
        self.lines.truncate(MAX_ROWS);
        let left_out = self.count - self.lines.len();
        let mut text = self.all();
        if left_out > 0 {
            text.push_str(&format!("\n… and {left_out} more rows\n"));
        }
        text
    }

    /// The table with all rows.
    pub(super) fn all(mut self) -> String {
        self.text.extend(self.lines);
        self.text
    }
}

fn line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::from("|");
    let mut cells = cells.into_iter();
    for cell in cells.by_ref().take(MAX_COLUMNS) {
        // What would end the cell or the row.
        text.push_str(&cell.replace('|', "\\|").replace(['\n', '\r'], " "));
        text.push('|');
    }
    if cells.next().is_some() {
        text.push_str("…|");
    }
    text.push('\n');
    text
}

/// A value as it stands in a cell: text without quotes.
pub(super) fn cell(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Text as it is, whatever is in it.
pub(super) fn fenced(text: &str, language: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}{language}\n{text}\n{fence}")
}

pub(super) fn table(table: &Table) -> String {
    let mut rows = Rows::new(table.columns.iter().map(String::as_str));
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(cell).collect();
        rows.push(cells.iter().map(String::as_str));
    }
    rows.finish()
}

pub(super) fn figure(figure: &Figure) -> String {
    match figure {
        Figure::ConfusionMatrix { classes, counts } => {
            let counts = counts.iter().map(|row| row.iter().map(u64::to_string));
            grid("true \\ predicted", classes, classes, counts)
        }
        Figure::Roc { curves: lines } => curves("false positive rate", "true positive rate", lines),
        Figure::PrecisionRecall { curves: lines } => curves("recall", "precision", lines),
        Figure::Line {
            axes,
            lines: groups,
        }
        | Figure::Scatter { axes, groups } => {
            let table = curves(or(&axes.x_label, "x"), or(&axes.y_label, "y"), groups);
            titled(&axes.title, &table)
        }
        Figure::Bar {
            axes,
            labels,
            values,
        } => {
            let mut rows = Rows::new([or(&axes.x_label, "label"), or(&axes.y_label, "value")]);
            for (label, value) in labels.iter().zip(values) {
                rows.push([label.as_str(), value.to_string().as_str()]);
            }
            titled(&axes.title, &rows.finish())
        }
        Figure::HeatMap {
            axes,
            x_labels,
            y_labels,
            values,
        } => {
            let corner = format!("{} \\ {}", axes.y_label, axes.x_label);
            let values = values.iter().map(|row| row.0.iter().map(f64::to_string));
            titled(&axes.title, &grid(&corner, x_labels, y_labels, values))
        }
    }
}

fn or<'a>(text: &'a str, other: &'a str) -> &'a str {
    if text.is_empty() { other } else { text }
}

fn titled(title: &str, table: &str) -> String {
    match title {
        "" => table.to_owned(),
        title => format!("**{title}**\n\n{table}"),
    }
}

fn grid<R: Iterator<Item = String>>(
    corner: &str,
    columns: &[String],
    names: &[String],
    cells: impl Iterator<Item = R>,
) -> String {
    let head = std::iter::once(corner).chain(columns.iter().map(String::as_str));
    let mut rows = Rows::new(head);
    for (name, cells) in names.iter().zip(cells) {
        let cells: Vec<String> = cells.collect();
        rows.push(std::iter::once(name.as_str()).chain(cells.iter().map(String::as_str)));
    }
    rows.finish()
}

/// What each curve is, and its points.
fn curves(x: &str, y: &str, curves: &[Curve]) -> String {
    let mut summary = Rows::new(["curve", "points", "area"]);
    let mut points = Rows::new(["curve", x, y]);
    for curve in curves {
        let area = curve.area.map_or_else(String::new, |area| area.to_string());
        let count = curve.x.len().to_string();
        summary.push([curve.name.as_str(), count.as_str(), area.as_str()]);
        for (x, y) in curve.x.iter().zip(&curve.y) {
            points.push([curve.name.as_str(), &x.to_string(), &y.to_string()]);
        }
    }
    format!("{}\n{}", summary.finish(), points.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_cell_breaks_the_table() {
        let text = table(&Table {
            columns: vec!["a|b".into(), "c".into()],
            rows: vec![vec!["x\ny".into(), 1.into()]],
        });
        assert_eq!(text, "|a\\|b|c|\n|---|---|\n|x y|1|\n");
        assert_eq!(fenced("a ``` b", ""), "````\na ``` b\n````");
    }

    #[test]
    fn what_is_left_out_is_said() {
        let text = table(&Table {
            columns: (0..60).map(|c| c.to_string()).collect(),
            rows: vec![vec![Json::Null; 60]; 300],
        });
        assert!(text.ends_with("\n… and 100 more rows\n"));
        let lines: Vec<&str> = text.lines().take(202).collect();
        assert!(
            lines.iter().all(|line| line.matches('|').count() == 52),
            "{}",
            lines[0]
        );
    }

    #[test]
    fn a_confusion_matrix_is_a_table() {
        let text = figure(&Figure::ConfusionMatrix {
            classes: vec!["ok".into(), "void".into()],
            counts: vec![vec![5, 1], vec![0, 7]],
        });
        let expected = "|true \\ predicted|ok|void|\n|---|---|---|\n|ok|5|1|\n|void|0|7|\n";
        assert_eq!(text, expected);
    }
}
