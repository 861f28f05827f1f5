//! Tables: columns as wide as they need, cut only where a terminal is too narrow.

use std::io;

use ratatui::text::{Line, Span};

use crate::human::{fit, width};
use crate::output::Output;
use crate::theme;

/// Blanks between columns.
const GAP: usize = 2;
/// A column is not cut to fewer than this.
const NARROWEST: usize = 8;

/// A table.
#[derive(Default)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Span<'static>>>,
}

/// The head of a column.
pub(crate) struct Column {
    /// Its title.
    pub(crate) title: String,
    /// Whether cells stand at its right edge, as numbers do.
    pub(crate) right: bool,
    /// Whether cells may be cut when the terminal is too narrow.
    pub(crate) cuttable: bool,
}

impl Column {
    /// A column of text that may be cut.
    pub(crate) fn text(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            right: false,
            cuttable: true,
        }
    }

    /// A column of text that is of use only as a whole.
    pub(crate) fn whole(title: &str) -> Self {
        Self {
            cuttable: false,
            ..Self::text(title)
        }
    }

    /// A column of numbers.
    pub(crate) fn number(title: &str) -> Self {
        Self {
            right: true,
            ..Self::whole(title)
        }
    }
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row: one cell a column.
    pub(crate) fn push(&mut self, cells: Vec<Span<'static>>) {
        self.rows.push(cells);
    }

    /// Prints the table. Returns the titles of columns for which a terminal had no room.
    pub(crate) fn print(&self, out: &mut Output) -> io::Result<Vec<&str>> {
        let widths = self.widths(out.width().map(usize::from));
        let titles = self
            .columns
            .iter()
            .map(|c| Span::styled(c.title.clone(), theme::QUIET))
            .collect::<Vec<_>>();
        out.line(self.row(&titles, &widths))?;
        for row in &self.rows {
            out.line(self.row(row, &widths))?;
        }
        let left_out = &self.columns[widths.len()..];
        Ok(left_out.iter().map(|c| c.title.as_str()).collect())
    }

    /// The width of each column that is shown.
    fn widths(&self, available: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(i, column)| {
                let cells = self.rows.iter().filter_map(|row| row.get(i));
                cells
                    .map(|cell| width(&cell.content))
                    .fold(width(&column.title), usize::max)
            })
            .collect();
        let Some(available) = available else {
            return widths;
        };
        // A column that is dropped leaves its room to those that were cut before it.
        while widths.len() > 1 && self.narrowed(&widths, available).is_none() {
            widths.pop();
        }
        self.narrowed(&widths, available).unwrap_or(widths)
    }

    /// The widths, the widest that may be cut made narrower until all fit; `None` if they never do.
    fn narrowed(&self, widths: &[usize], available: usize) -> Option<Vec<usize>> {
        let mut widths = widths.to_vec();
        let gaps = GAP * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > available {
            let widest = (0..widths.len())
                .filter(|&i| self.columns[i].cuttable && widths[i] > NARROWEST)
                .max_by_key(|&i| widths[i])?;
            widths[widest] -= 1;
        }
        Some(widths)
    }

    fn row(&self, cells: &[Span<'static>], widths: &[usize]) -> Line<'static> {
        let mut line = Line::default();
        for ((cell, column), &room) in cells.iter().zip(&self.columns).zip(widths) {
            if !line.spans.is_empty() {
                line.push_span(" ".repeat(GAP));
            }
            let text = fit(&cell.content, room);
            let blanks = " ".repeat(room - width(&text));
            let cell = Span::styled(text, cell.style);
            if column.right {
                line.push_span(blanks);
                line.push_span(cell);
            } else {
                line.push_span(cell);
                line.push_span(blanks);
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let column = |title: &str, right, cuttable| Column {
            title: title.into(),
            right,
            cuttable,
        };
        let mut table = Table::new(vec![
            column("name", false, true),
            column("state", false, false),
            column("val/auc", true, false),
        ]);
        table.push(vec![
            "resnet-with-a-long-name".into(),
            "running".into(),
            "0.95".into(),
        ]);
        table.push(vec!["焊点".into(), "finished".into(), "NaN".into()]);
        table
    }

    fn text(available: Option<usize>) -> Vec<String> {
        let table = table();
        let widths = table.widths(available);
        table
            .rows
            .iter()
            .map(|row| table.row(row, &widths).to_string())
            .collect()
    }

    #[test]
    fn without_a_terminal_nothing_is_cut() {
        assert_eq!(
            text(None),
            [
                "resnet-with-a-long-name  running      0.95",
                "焊点                     finished      NaN"
            ]
        );
    }

    #[test]
    fn a_narrow_terminal_cuts_names_then_drops_columns() {
        assert_eq!(
            text(Some(30)),
            [
                "resnet-wit…  running      0.95",
                "焊点         finished      NaN"
            ]
        );
        assert_eq!(text(Some(18)), ["resnet-…  running ", "焊点      finished"]);
        // The third column does not fit, and leaves its room to the first.
        assert_eq!(
            text(Some(26)),
            ["resnet-with-a-l…  running ", "焊点              finished"]
        );
    }
}
