//! Who gets how much of the screen.

use ratatui::layout::Rect;

use super::super::app::App;
use super::machine;

/// A chart is at least this large where there is room for more than one.
const CHART_WIDTH: u16 = 44;
const CHART_HEIGHT: u16 = 9;
/// Blank columns between charts.
const GAP: u16 = 2;

/// The parts of the screen, from top to bottom. A part without room has no height.
pub(super) struct Parts {
    pub(super) head: Rect,
    pub(super) charts: Rect,
    pub(super) machine: Rect,
    pub(super) troubles: Rect,
    pub(super) tail: Rect,
    pub(super) foot: Rect,
}

impl Parts {
    pub(super) fn of(app: &App, area: Rect, troubles: usize) -> Self {
        let h = area.height;
        // What matters most gets its rows first; the charts keep what is left.
        let head = if h >= 14 { 2 } else { 1 };
        let foot = u16::from(h >= 6);
        let troubles = match h {
            ..10 => 0,
            10..20 => troubles.min(1),
            _ => troubles.min(4),
        };
        let troubles = titled(troubles);
        let lines = app.view.console().len();
        let tail = match h {
            ..16 => 0,
            _ if app.tall_tail => lines.min(usize::from(h / 2)),
            16..24 => lines.min(2),
            24..30 => lines.min(4),
            _ => lines.min(7),
        };
        let tail = titled(tail);
        let machine = match h {
            ..18 => 0,
            _ => machine::rows(app, area.width).min(h / 5),
        };
        let others = head + foot + troubles + tail + machine;
        let heights = [
            head,
            h.saturating_sub(others),
            machine,
            troubles,
            tail,
            foot,
        ];
        let mut y = area.y;
        let [head, charts, machine, troubles, tail, foot] = heights.map(|wanted| {
            let height = wanted.min(area.bottom().saturating_sub(y));
            let part = Rect::new(area.x, y, area.width, height);
            y += height;
            part
        });
        Self {
            head,
            charts,
            machine,
            troubles,
            tail,
            foot,
        }
    }
}

/// With a row for the title.
fn titled(lines: usize) -> u16 {
    match u16::try_from(lines).unwrap_or(u16::MAX - 1) {
        0 => 0,
        n => n + 1,
    }
}

/// Charts in rows and columns.
pub(super) struct Grid {
    area: Rect,
    pub(super) columns: usize,
    pub(super) rows: usize,
}

impl Grid {
    /// The grid for so many charts: as many columns as have room, then as many rows, as high as there is room.
    pub(super) fn of(area: Rect, charts: usize) -> Self {
        let most_columns = usize::from((area.width / CHART_WIDTH).clamp(1, 4));
        let most_rows = usize::from((area.height / CHART_HEIGHT).max(1));
        // Fewer columns where the charts would all fit anyway: wide charts show more.
        let columns = (1..=most_columns)
            .find(|&columns| charts.div_ceil(columns) <= most_rows)
            .unwrap_or(most_columns)
            .max(most_columns.min(charts).min(2));
        let rows = most_rows.min(charts.div_ceil(columns));
        Self {
            area,
            columns,
            rows: rows.max(1),
        }
    }

    /// The first chart on the screen, such that the selected one is on it; whole rows scroll.
    pub(super) fn first_shown(&self, selected: usize) -> usize {
        let page = self.columns * self.rows;
        selected / page * page
    }

    /// Where the chart at this place of the screen is.
    pub(super) fn cell(&self, place: usize) -> Rect {
        let (column, row) = ((place % self.columns) as u16, (place / self.columns) as u16);
        let (columns, rows) = (self.columns as u16, self.rows as u16);
        let width = self.area.width.saturating_sub(GAP * (columns - 1)) / columns;
        let height = self.area.height / rows;
        let cell = Rect::new(
            self.area.x + column * (width + GAP),
            self.area.y + row * height,
            width,
            // A blank row between charts, where they are high enough to spare it.
            if height > CHART_HEIGHT {
                height - 1
            } else {
                height
            },
        );
        cell.intersection(self.area)
    }
}
