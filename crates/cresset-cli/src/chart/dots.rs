//! Braille dots, two columns and four rows a cell.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::sample::{Columns, Kept, Range};

/// U+2800, the pattern without dots; each dot is a bit above it.
const BLANK: u32 = 0x2800;
/// The bit of the dot in each column and row of a cell.
const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// The dots of one line of a chart.
pub(super) struct Dots {
    cells: Vec<u8>,
    width: usize,
    height: usize,
}

impl Dots {
    /// No dots, in `width` by `height` cells.
    pub(super) fn new(width: u16, height: u16) -> Self {
        let (width, height) = (usize::from(width), usize::from(height));
        Self {
            cells: vec![0; width * height],
            width,
            height,
        }
    }

    /// Draws a line: from the lowest to the highest value of each column, and from column to column.
    pub(super) fn draw(&mut self, columns: &Columns, y: Range) {
        self.draw_by(columns, y, |kept| *kept);
    }

    /// Draws the line of the mean of each column.
    pub(super) fn draw_mean(&mut self, columns: &Columns, y: Range) {
        self.draw_by(columns, y, Kept::flattened);
    }

    fn draw_by(&mut self, columns: &Columns, y: Range, of: impl Fn(&Kept) -> Kept) {
        let rows = self.height * 4 - 1;
        let row = |value: f64| ((1.0 - y.share(value)) * rows as f64).round() as usize;
        let mut before: Option<(usize, usize)> = None;
        for (x, column) in columns.iter().enumerate() {
            if column.is_gap() {
                before = None;
            }
            let Some(kept) = column.kept.as_ref().map(&of) else {
                continue;
            };
            self.vertical(x, row(kept.max), row(kept.min));
            if let Some(from) = before {
                self.connect(from, (x, row(kept.first)));
            }
            before = Some((x, row(kept.last)));
        }
    }

    fn vertical(&mut self, x: usize, top: usize, bottom: usize) {
        (top..=bottom).for_each(|y| self.set(x, y));
    }

    /// A line between two dots: each column between them has the part of the way that it covers.
    fn connect(&mut self, (x0, y0): (usize, usize), (x1, y1): (usize, usize)) {
        let span = (x1 - x0) as f64;
        let height = y1 as f64 - y0 as f64;
        let mut y_before = y0;
        for x in x0..=x1 {
            let share = ((x - x0) as f64 + 0.5).min(span) / span;
            let y = (y0 as f64 + height * share).round() as usize;
            self.vertical(x, y_before.min(y), y_before.max(y));
            y_before = y;
        }
    }

    fn set(&mut self, x: usize, y: usize) {
        let place = (y / 4) * self.width + x / 2;
        if let Some(cell) = self.cells.get_mut(place) {
            *cell |= BITS[x % 2][y % 4];
        }
    }

    /// Puts the dots into the cells of `area`, with those that are there already.
    pub(super) fn show(&self, area: Rect, style: Style, buffer: &mut Buffer) {
        for (i, &bits) in self.cells.iter().enumerate().filter(|(_, bits)| **bits > 0) {
            let x = area.x + (i % self.width) as u16;
            let y = area.y + (i / self.width) as u16;
            let Some(cell) = buffer.cell_mut(Position::new(x, y)) else {
                continue;
            };
            let there = cell.symbol().chars().next().map_or(0, u32::from);
            let there = there.checked_sub(BLANK).filter(|bits| *bits < 256);
            let code = BLANK + (there.unwrap_or(0) | u32::from(bits));
            cell.set_char(char::from_u32(code).unwrap_or(' '))
                .set_style(style);
        }
    }
}
