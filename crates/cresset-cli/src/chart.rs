//! A line chart in a few cells of a terminal, two by four dots a cell.
//!
//! Down-sampling keeps the lowest and highest value of every column of dots, so a spike of one step is seen at any width.
//! Values that are not finite are marked: `▲` and `▼` where the infinities are, `×` on the axis for NaN.

mod dots;
mod sample;

use cresset_record::RunView;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::human::{fit_end, number, width};
use crate::select::{Selected, StepMetric};
use crate::theme;
use dots::Dots;
use sample::{Columns, Range};

/// Digits of the numbers at the axes.
const DIGITS: usize = 4;
/// A chart of fewer columns has no numbers beside its y axis.
const NARROW: u16 = 20;

/// A chart of one key, all ranks in one picture.
pub(crate) struct Chart<'a> {
    series: &'a Selected<'a>,
    step_metric: Option<StepMetric>,
    log: bool,
    title_style: Style,
}

impl<'a> Chart<'a> {
    /// A chart of a series of the run, with a linear axis.
    pub(crate) fn new(view: &RunView, series: &'a Selected<'a>) -> Self {
        Self {
            step_metric: StepMetric::of(view, series),
            series,
            log: false,
            title_style: theme::STRONG,
        }
    }

    /// With a logarithmic y axis if `log`.
    pub(crate) fn log(mut self, log: bool) -> Self {
        self.log = log;
        self
    }

    /// With the key written in another style than bold.
    pub(crate) fn title_style(mut self, style: Style) -> Self {
        self.title_style = style;
        self
    }

    /// Gives every point as x and y, rank by rank.
    fn each_point(&self, rank: usize, mut give: impl FnMut(f64, f64)) {
        let Some((_, series)) = self.series.ranks.get(rank) else {
            return;
        };
        for point in series.points() {
            let x = match &self.step_metric {
                Some(metric) => metric.at(point.step),
                None => point.step as f64,
            };
            let y = match (self.log, point.value) {
                // What has no logarithm is counted apart.
                (true, v) if v.is_finite() && v <= 0.0 => continue,
                (true, v) if v.is_finite() => v.log10(),
                (_, v) => v,
            };
            give(x, y);
        }
    }

    fn not_positive(&self) -> usize {
        let ranks = self.series.ranks.iter();
        ranks
            .flat_map(|(_, series)| series.points())
            .filter(|p| p.value.is_finite() && p.value <= 0.0)
            .count()
    }

    fn ranges(&self) -> (Range, Range) {
        let (mut x, mut y) = (Range::default(), Range::default());
        for rank in 0..self.series.ranks.len() {
            self.each_point(rank, |px, py| {
                x.include(px);
                y.include(py);
            });
        }
        (x, y)
    }

    /// The key at the left, its latest value at the right.
    fn draw_title(&self, row: Rect, buffer: &mut Buffer) {
        let room = usize::from(row.width);
        let mut value = Line::default();
        if let Some(last) = self.series.ranks.first().and_then(|(_, s)| s.last()) {
            let style = if last.value.is_finite() {
                Style::new()
            } else {
                theme::BAD
            };
            value.push_span(Span::styled(number(last.value, 5), style));
            if let Some(unit) = &self.series.definition.unit {
                value.push_span(Span::styled(
                    format!(" {}", crate::human::clean(unit)),
                    theme::QUIET,
                ));
            }
        }
        let mut notes: Vec<String> = Vec::new();
        if self.series.ranks.len() > 1 {
            notes.push(format!("{} ranks", self.series.ranks.len()));
        }
        if self.log {
            notes.push("log".into());
            match self.not_positive() {
                0 => {}
                n => notes.push(format!("{n} ≤ 0 not shown")),
            }
        }
        let notes = match notes.is_empty() {
            true => String::new(),
            false => format!(" ({})", notes.join(", ")),
        };
        let value_width = value.width();
        let for_key = room.saturating_sub(value_width + 1);
        let key = fit_end(&crate::human::clean(self.series.key), for_key);
        let key_width = width(&key);
        buffer.set_stringn(row.x, row.y, key, for_key, self.title_style);
        buffer.set_stringn(
            row.x + key_width as u16,
            row.y,
            notes,
            for_key.saturating_sub(key_width),
            theme::QUIET,
        );
        if value_width < room {
            let x = row.right() - value_width as u16;
            buffer.set_line(x, row.y, &value, value_width as u16);
        }
    }
}

impl Widget for &Chart<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.width < 4 || area.height == 0 {
            return;
        }
        self.draw_title(Rect { height: 1, ..area }, buffer);
        let (x_range, y_range) = self.ranges();
        let Some(frame) = Frame::new(area, y_range, self.log) else {
            return;
        };
        if x_range.is_empty() {
            return;
        }
        frame.draw_axes(buffer, x_range, self.x_name());
        let plot = frame.plot;
        for rank in 0..self.series.ranks.len() {
            let mut columns = Columns::new(usize::from(plot.width) * 2, x_range);
            self.each_point(rank, |x, y| columns.add(x, y));
            draw_line(&columns, y_range, theme::line_style(rank), plot, buffer);
            mark_not_finite(&columns, plot, frame.axis, buffer);
        }
    }
}

impl Chart<'_> {
    fn x_name(&self) -> &str {
        self.step_metric.as_ref().map_or("step", |m| &m.key)
    }
}

/// Where the parts of a chart are: below the title the plot, then the axis and its numbers as far as there is room.
struct Frame {
    plot: Rect,
    /// The row of the x axis.
    axis: Option<u16>,
    /// The row of the numbers below it.
    numbers: Option<u16>,
    /// Left of the plot.
    labels: Rect,
    top: String,
    bottom: String,
}

impl Frame {
    fn new(area: Rect, y: Range, log: bool) -> Option<Self> {
        let below_title = area.height - 1;
        let (axis, numbers) = match below_title {
            0 => return None,
            1..=2 => (false, false),
            3..=4 => (true, false),
            _ => (true, true),
        };
        let height = below_title - u16::from(axis) - u16::from(numbers);
        let label = |v: f64| number(if log { 10f64.powf(v) } else { v }, DIGITS);
        let (top, bottom) = match y.is_empty() {
            true => (String::new(), String::new()),
            false => (label(y.high), label(y.low)),
        };
        let for_labels = match area.width {
            ..NARROW => 0,
            _ => width(&top).max(width(&bottom)) as u16,
        };
        let first = area.y + 1;
        let labels = Rect::new(area.x, first, for_labels, height);
        let plot_x = area.x + for_labels + 1;
        let plot = Rect::new(plot_x, first, area.right().saturating_sub(plot_x), height);
        (plot.width > 0).then(|| Self {
            plot,
            axis: axis.then_some(plot.bottom()),
            numbers: numbers.then_some(plot.bottom() + 1),
            labels,
            top,
            bottom,
        })
    }

    fn draw_axes(&self, buffer: &mut Buffer, x: Range, x_name: &str) {
        let plot = self.plot;
        let quiet = theme::QUIET;
        for y in plot.top()..plot.bottom() {
            let end = y == plot.top() || (y + 1 == plot.bottom());
            buffer.set_string(plot.x - 1, y, if end { "┤" } else { "│" }, quiet);
        }
        if self.labels.width > 0 {
            let at_right = |text: &str| self.labels.right() - width(text) as u16;
            let rows = [(plot.top(), &self.top), (plot.bottom() - 1, &self.bottom)];
            // A flat line has one value, and a single row room for one.
            let flat = self.top == self.bottom || plot.height == 1;
            let middle = [(plot.top() + plot.height / 2, &self.top); 1];
            for (y, text) in if flat { &middle[..] } else { &rows[..] } {
                buffer.set_string(at_right(text), *y, text.as_str(), quiet);
            }
        }
        if let Some(y) = self.axis {
            buffer.set_string(plot.x - 1, y, "└", quiet);
            let line = "─".repeat(usize::from(plot.width));
            buffer.set_string(plot.x, y, line, quiet);
        }
        if let Some(y) = self.numbers {
            self.draw_numbers(buffer, y, x, x_name);
        }
    }

    /// The first x at the left, the last at the right, the name of the axis between them if it fits.
    fn draw_numbers(&self, buffer: &mut Buffer, y: u16, x: Range, name: &str) {
        let plot = self.plot;
        let room = usize::from(plot.width);
        let (first, last) = (number(x.low, 7), number(x.high, 7));
        let name = crate::human::clean(name);
        let (a, b, n) = (width(&first), width(&last), width(&name));
        buffer.set_stringn(plot.x, y, &first, room, theme::QUIET);
        if first != last && a + 1 + b <= room {
            buffer.set_string(plot.right() - b as u16, y, &last, theme::QUIET);
        }
        let centre = room.saturating_sub(n) / 2;
        if centre > a && centre + n + b < room {
            buffer.set_string(plot.x + centre as u16, y, &name, theme::QUIET);
        }
    }
}

/// The line of all points. Where they are so many that it fills an area, the area steps back behind the line of means.
fn draw_line(columns: &Columns, y: Range, style: Style, plot: Rect, buffer: &mut Buffer) {
    let mut all = Dots::new(plot.width, plot.height);
    all.draw(columns, y);
    if columns.is_dense() {
        all.show(plot, style.patch(theme::QUIET), buffer);
        let mut means = Dots::new(plot.width, plot.height);
        means.draw_mean(columns, y);
        means.show(plot, style.remove_modifier(Modifier::DIM), buffer);
    } else {
        all.show(plot, style, buffer);
    }
}

/// Signs for values that have no height.
fn mark_not_finite(columns: &Columns, plot: Rect, axis: Option<u16>, buffer: &mut Buffer) {
    let bottom = plot.bottom() - 1;
    for (i, column) in columns.iter().enumerate() {
        let x = plot.x + (i / 2) as u16;
        let marks = [
            (column.pos_inf, plot.y, "▲"),
            (column.neg_inf, bottom, "▼"),
            (column.nan, axis.unwrap_or(bottom), "×"),
        ];
        for (there, y, sign) in marks {
            if let (true, Some(cell)) = (there, buffer.cell_mut(Position::new(x, y))) {
                cell.set_symbol(sign).set_style(theme::BAD);
            }
        }
    }
}

#[cfg(test)]
mod tests;
