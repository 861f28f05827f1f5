//! Histograms over time as a heat map: steps to the right, values upwards, the share of elements as shades.

use cresset_record::{Logged, TensorStats};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Style};
use ratatui::widgets::Widget;

use crate::human::{clean, fit_end, number, width};
use crate::theme;

/// From nothing to the fullest cell.
const SHADES: [&str; 5] = [" ", "░", "▒", "▓", "█"];
/// The same as colours, dark to light, of the 256-colour cube.
const COLOURS: [Color; 5] = [
    Color::Reset,
    Color::Indexed(24),
    Color::Indexed(31),
    Color::Indexed(44),
    Color::Indexed(229),
];
/// The share of elements at either end that may lie outside of the picture.
const TAIL: f64 = 0.001;
/// Where the spread changes by more than this factor over time, the axis is logarithmic.
const WIDE: f64 = 30.0;

/// A heat map of one histogram series.
pub(crate) struct HeatMap<'a> {
    /// The key.
    pub(crate) title: &'a str,
    /// The histograms.
    pub(crate) history: &'a [Logged<TensorStats>],
}

impl Widget for &HeatMap<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.width < 12 || area.height < 4 {
            return;
        }
        let axis = Axis::of(self.history);
        self.draw_title(area, axis, buffer);
        let labels = axis.labels();
        let for_labels = labels.iter().map(|l| width(l)).max().unwrap_or(0) as u16;
        let plot = Rect::new(
            area.x + for_labels + 1,
            area.y + 1,
            area.width.saturating_sub(for_labels + 1),
            area.height - 2,
        );
        if plot.width == 0 {
            return;
        }
        draw_labels(&labels, plot, buffer);
        let columns = merge(self.history, usize::from(plot.width));
        for (i, merged) in columns.iter().enumerate() {
            if let Some(stats) = merged {
                let x = plot.x + i as u16;
                draw_column(stats, axis, x, plot, buffer);
            }
        }
        self.draw_steps(plot, buffer);
    }
}

impl HeatMap<'_> {
    fn draw_title(&self, area: Rect, axis: Axis, buffer: &mut Buffer) {
        let last = self.history.iter().max_by_key(|h| h.step);
        let not_finite: u64 = self
            .history
            .iter()
            .map(|h| h.value.non_finite())
            .fold(0, u64::saturating_add);
        let right = if not_finite > 0 {
            format!("{} not finite", crate::human::grouped(not_finite))
        } else {
            last.map_or_else(String::new, |l| {
                let (mean, std) = (l.value.mean(), l.value.std());
                // What is left of a mean of zero after rounding says nothing.
                let mean = if mean.abs() < std * 1e-9 { 0.0 } else { mean };
                format!("{} ± {}", number(mean, 3), number(std, 3))
            })
        };
        let room = usize::from(area.width).saturating_sub(width(&right) + 1);
        let key = fit_end(&clean(self.title), room);
        let after = area.x + width(&key) as u16;
        buffer.set_string(area.x, area.y, key, theme::STRONG);
        if matches!(axis, Axis::Logarithmic { .. }) {
            let left = room.saturating_sub(usize::from(after - area.x));
            buffer.set_stringn(after, area.y, " (log)", left, theme::QUIET);
        }
        let style = if not_finite > 0 {
            theme::BAD
        } else {
            theme::QUIET
        };
        let x = area.right().saturating_sub(width(&right) as u16);
        if x > area.x {
            buffer.set_string(x, area.y, right, style);
        }
    }

    fn draw_steps(&self, plot: Rect, buffer: &mut Buffer) {
        let steps = self.history.iter().map(|h| h.step);
        let (Some(first), Some(last)) = (steps.clone().min(), steps.max()) else {
            return;
        };
        let (first, last) = (first.to_string(), last.to_string());
        let room = usize::from(plot.width);
        buffer.set_stringn(plot.x, plot.bottom(), &first, room, theme::QUIET);
        if first != last && width(&first) + 1 + width(&last) <= room {
            let x = plot.right() - width(&last) as u16;
            buffer.set_string(x, plot.bottom(), &last, theme::QUIET);
            let centre = room.saturating_sub(4) / 2;
            if centre > width(&first) && centre + 4 + width(&last) < room {
                buffer.set_string(plot.x + centre as u16, plot.bottom(), "step", theme::QUIET);
            }
        }
    }
}

/// Top, middle and bottom value beside the plot.
fn draw_labels(labels: &[String; 3], plot: Rect, buffer: &mut Buffer) {
    let rows = [plot.y, plot.y + (plot.height - 1) / 2, plot.bottom() - 1];
    let mut free_from = plot.y;
    for (label, y) in labels.iter().zip(rows) {
        if y >= free_from {
            let x = plot.x - 1 - width(label) as u16;
            buffer.set_string(x, y, label, theme::QUIET);
            free_from = y + 1;
        }
    }
}

/// Histograms that fall into one column are merged, so none is left out; a histogram stands until the next one.
fn merge(history: &[Logged<TensorStats>], columns: usize) -> Vec<Option<TensorStats>> {
    let mut merged: Vec<Option<TensorStats>> = vec![None; columns];
    let steps = history.iter().map(|h| h.step);
    let (Some(first), Some(last)) = (steps.clone().min(), steps.max()) else {
        return merged;
    };
    let span = (last - first).max(1) as f64;
    for logged in history {
        let share = (logged.step - first) as f64 / span;
        let place = (share * columns.saturating_sub(1) as f64).round() as usize;
        if let Some(column) = merged.get_mut(place) {
            match column {
                Some(stats) => stats.merge(&logged.value),
                None => *column = Some(logged.value.clone()),
            }
        }
    }
    let mut before: Option<TensorStats> = None;
    for column in &mut merged {
        match column {
            Some(stats) => before = Some(stats.clone()),
            None => column.clone_from(&before),
        }
    }
    merged
}

fn draw_column(stats: &TensorStats, axis: Axis, x: u16, plot: Rect, buffer: &mut Buffer) {
    let rows = rows_of(stats, axis, usize::from(plot.height));
    let fullest = rows.iter().copied().fold(0.0, f64::max);
    for (i, &mass) in rows.iter().enumerate() {
        let y = plot.bottom() - 1 - i as u16;
        let shade = shade(mass, fullest);
        if let (1.., Some(cell)) = (shade, buffer.cell_mut(Position::new(x, y))) {
            cell.set_symbol(SHADES[shade])
                .set_style(Style::new().fg(COLOURS[shade]));
        }
    }
    let top = Position::new(x, plot.y);
    if let (1.., Some(cell)) = (stats.non_finite(), buffer.cell_mut(top)) {
        cell.set_symbol("×").set_style(theme::BAD);
    }
}

/// The shade of a cell among those of its column. The root makes thin tails visible beside a high peak.
fn shade(mass: f64, fullest: f64) -> usize {
    if mass <= 0.0 || fullest <= 0.0 {
        return 0;
    }
    let last = SHADES.len() - 1;
    (((mass / fullest).sqrt() * last as f64).ceil() as usize).clamp(1, last)
}

/// How many elements lie in each row, lowest row first. A bucket that spans rows is shared out between them.
fn rows_of(stats: &TensorStats, axis: Axis, height: usize) -> Vec<f64> {
    let mut rows = vec![0.0; height];
    for bucket in stats.histogram.buckets() {
        let from = axis.share(bucket.lower.max(stats.min)) * height as f64;
        let to = axis.share(bucket.upper.min(stats.max)) * height as f64;
        let first = (from as usize).min(height - 1);
        let last = (to.ceil() as usize).clamp(first + 1, height);
        for (row, mass) in rows.iter_mut().enumerate().take(last).skip(first) {
            let overlap = to.min((row + 1) as f64) - from.max(row as f64);
            let share = if to > from {
                overlap / (to - from)
            } else {
                1.0
            };
            *mass += bucket.count as f64 * share.max(0.0);
        }
    }
    rows
}

/// From values to heights.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Axis {
    /// Evenly from `low` to `high`.
    Linear { low: f64, high: f64 },
    /// Evenly over the logarithm of the magnitude from `smallest` on, mirrored at zero where there are values below it.
    Logarithmic { low: f64, high: f64, smallest: f64 },
}

impl Axis {
    /// The axis that suits all of a history.
    fn of(history: &[Logged<TensorStats>]) -> Self {
        let mut low = f64::INFINITY;
        let mut high = f64::NEG_INFINITY;
        let mut spreads: Vec<f64> = Vec::new();
        for logged in history.iter().filter(|h| h.value.finite() > 0) {
            let quantile = |q| logged.value.quantile(q).unwrap_or(0.0);
            let (from, to) = (quantile(TAIL), quantile(1.0 - TAIL));
            low = low.min(from);
            high = high.max(to);
            spreads.extend(Some(from.abs().max(to.abs())).filter(|s| *s > 0.0));
        }
        if low > high {
            return Self::Linear {
                low: -1.0,
                high: 1.0,
            };
        }
        let widest = spreads.iter().copied().fold(0.0, f64::max);
        let narrowest = spreads.iter().copied().fold(f64::INFINITY, f64::min);
        if widest / narrowest > WIDE {
            // A tenth of the narrowest spread still shows its shape.
            let smallest = narrowest / 10.0;
            return Self::Logarithmic {
                low: if low < 0.0 { -widest } else { smallest },
                high: if high > 0.0 { widest } else { -smallest },
                smallest,
            };
        }
        if low == high {
            let pad = low.abs().max(1e-12) / 10.0;
            (low, high) = (low - pad, high + pad);
        }
        Self::Linear { low, high }
    }

    /// Where a value lies: 0 at the bottom, 1 at the top; values outside at the nearer end.
    fn share(self, value: f64) -> f64 {
        let (low, high, value) = match self {
            Self::Linear { low, high } => (low, high, value),
            Self::Logarithmic {
                low,
                high,
                smallest,
            } => {
                let place = |v: f64| v.signum() * (v.abs() / smallest).max(1.0).ln();
                (place(low), place(high), place(value))
            }
        };
        ((value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)).clamp(0.0, 1.0)
    }

    /// The values at top, middle and bottom.
    fn labels(self) -> [String; 3] {
        let (low, high) = match self {
            Self::Linear { low, high } | Self::Logarithmic { low, high, .. } => (low, high),
        };
        let middle = match self {
            Self::Linear { .. } => low / 2.0 + high / 2.0,
            Self::Logarithmic { .. } if low < 0.0 && high > 0.0 => 0.0,
            Self::Logarithmic { .. } => high.signum() * (low.abs() * high.abs()).sqrt(),
        };
        // The middle of a range around zero is zero but for rounding.
        let middle = if middle.abs() < (high - low).abs() * 1e-3 {
            0.0
        } else {
            middle
        };
        [high, middle, low].map(|v| number(v, 2))
    }
}

#[cfg(test)]
mod tests {
    use cresset_record::Timestamp;

    use super::*;

    fn history(steps: u64, values: impl Fn(u64) -> Vec<f64>) -> Vec<Logged<TensorStats>> {
        (0..steps)
            .map(|step| Logged {
                step: step * 10,
                time: Timestamp(0),
                value: TensorStats::from_values(values(step)),
            })
            .collect()
    }

    /// About normal: the inverse of a logistic curve, evenly sampled.
    fn bell(scale: f64) -> Vec<f64> {
        (1..2_000)
            .map(|i| f64::from(i) / 2_000.0)
            .map(|p| scale * (p / (1.0 - p)).ln() / 1.7)
            .collect()
    }

    fn map(history: &[Logged<TensorStats>], width: u16, height: u16) -> String {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let title = "gradients/conv1.weight";
        (&HeatMap { title, history }).render(area, &mut buffer);
        let rows = buffer.content.chunks(usize::from(width.max(1)));
        rows.map(|row| {
            let text: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
            text.trim_end().to_owned() + "\n"
        })
        .collect()
    }

    #[test]
    fn weights_that_spread_out() {
        let history = history(40, |step| bell(0.02 + step as f64 * 0.002));
        insta::assert_snapshot!(map(&history, 60, 13));
    }

    #[test]
    fn gradients_that_explode() {
        let history = history(30, |step| {
            let mut values = bell(1e-4 * 1.5f64.powi(step as i32));
            if step > 25 {
                values.push(f64::NAN);
            }
            values
        });
        insta::assert_snapshot!(map(&history, 60, 13));
    }

    #[test]
    fn all_elements_are_in_some_row() {
        let stats = TensorStats::from_values(bell(1.0).into_iter().chain([0.0; 7]));
        for axis in [
            Axis::Linear {
                low: -1.0,
                high: 3.0,
            },
            Axis::Logarithmic {
                low: -2.0,
                high: 2.0,
                smallest: 1e-3,
            },
        ] {
            let sum: f64 = rows_of(&stats, axis, 11).iter().sum();
            assert!((sum - stats.count as f64).abs() < 1e-6, "{axis:?}: {sum}");
        }
    }

    #[test]
    fn odd_histograms_and_sizes() {
        let odd = [
            history(0, |_| vec![]),
            history(2, |_| vec![]),
            history(1, |_| vec![f64::NAN]),
            history(3, |_| vec![0.0]),
            history(3, |_| vec![f64::MAX, f64::MIN]),
            history(3, |_| vec![5e-324]),
            history(3, |step| vec![10f64.powi(step as i32 * 50)]),
            history(3, |step| vec![-(10f64.powi(step as i32 * 50))]),
        ];
        for history in &odd {
            for width in [1, 12, 13, 40] {
                for height in [1, 4, 5, 12] {
                    map(history, width, height);
                }
            }
        }
        assert!(map(&odd[2], 40, 6).contains('×'));
    }
}
