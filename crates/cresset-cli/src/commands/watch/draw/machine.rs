//! Figures of the machine: a line for each GPU and for the host of what telemetry records, and one small line each for what
//! else `system/…` holds.

mod telemetry;

use cresset_record::Series;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::app::App;
use super::put;
use crate::{human, theme};

const PREFIX: &str = "system/";
/// Columns of one figure: name, line, value.
const WIDTH: u16 = 42;
const NAME: usize = 20;
/// Values in the small line.
const HISTORY: usize = 10;
/// Columns of a line of telemetry.
const LINE: u16 = 84;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// How many rows all figures would take.
pub(super) fn rows(app: &App, width: u16) -> u16 {
    // In the charts they are seen better.
    if app.system {
        return 0;
    }
    let figures = figures(app).len();
    let columns = usize::from((width / WIDTH).max(1));
    let lines = telemetry::lines(app).len();
    let abreast = usize::from((width / LINE).max(1));
    let rows = lines.div_ceil(abreast) + figures.div_ceil(columns);
    u16::try_from(rows).unwrap_or(u16::MAX)
}

fn figures(app: &App) -> Vec<(&str, &Series)> {
    let mut figures: Vec<(&str, &Series)> = app
        .view
        .series()
        .filter(|(key, _, _)| !telemetry::is_known(key.as_str()))
        .filter_map(|(key, _, series)| Some((key.as_str().strip_prefix(PREFIX)?, series)))
        .collect();
    figures.sort_by_key(|(name, _)| !name.starts_with("gpu"));
    figures
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let lines = telemetry::lines(app);
    let abreast = (area.width / LINE).max(1);
    let each = area.width / abreast;
    let rows = lines.len().div_ceil(usize::from(abreast));
    let rows = u16::try_from(rows).unwrap_or(u16::MAX).min(area.height);
    for (i, line) in lines.iter().enumerate() {
        let (column, row) = (i as u16 % abreast, i as u16 / abreast);
        if row < rows {
            let place = Rect::new(area.x + column * each, area.y + row, each, 1);
            put(line, place, buffer);
        }
    }
    let below = Rect {
        y: area.y + rows,
        height: area.height - rows,
        ..area
    };
    draw_others(app, below, buffer);
}

fn draw_others(app: &App, area: Rect, buffer: &mut Buffer) {
    let columns = (area.width / WIDTH).max(1);
    let each = area.width / columns;
    let places = usize::from(columns) * usize::from(area.height);
    for (i, (name, series)) in figures(app).into_iter().take(places).enumerate() {
        let (column, row) = (i as u16 % columns, i as u16 / columns);
        let place = Rect::new(area.x + column * each, area.y + row, each, 1);
        let key = format!("{PREFIX}{name}");
        let unit = app.view.definition(&key).unit.unwrap_or_default();
        put(&figure(name, series, &unit), place, buffer);
    }
}

fn figure(name: &str, series: &Series, unit: &str) -> Line<'static> {
    let name = human::fit_end(&human::clean(name), NAME);
    let blanks = " ".repeat(NAME - human::width(&name));
    let last = series.last().map_or(f64::NAN, |p| p.value);
    Line::from(vec![
        Span::styled(format!("{name}{blanks} "), theme::QUIET),
        Span::styled(spark(series, None), theme::line_style(0)),
        Span::raw(format!(
            " {} {}",
            human::number(last, 4),
            human::clean(unit)
        )),
    ])
}

/// The latest values as bars: between the ends of a range, or else between the lowest and highest of them.
fn spark(series: &Series, range: Option<(f64, f64)>) -> String {
    let points = series.points();
    let latest = &points[points.len().saturating_sub(HISTORY)..];
    let finite = || latest.iter().map(|p| p.value).filter(|v| v.is_finite());
    let (low, high) = range.unwrap_or_else(|| {
        (
            finite().fold(f64::INFINITY, f64::min),
            finite().fold(f64::NEG_INFINITY, f64::max),
        )
    });
    let bar = |value: f64| {
        if !value.is_finite() {
            return '×';
        }
        let share = match high > low {
            true => (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0),
            false => 0.0,
        };
        BARS[(share * 7.0).round().clamp(0.0, 7.0) as usize]
    };
    let bars: String = latest.iter().map(|p| bar(p.value)).collect();
    format!("{bars:>HISTORY$}")
}
