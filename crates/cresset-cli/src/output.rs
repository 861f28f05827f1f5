//! Standard output: styled lines on a terminal, plain ones elsewhere.

use std::env;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use ratatui::buffer::Buffer;
use ratatui::crossterm::terminal;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;

use crate::args::ColorChoice;

/// Where a command prints to.
pub(crate) struct Output {
    writer: BufWriter<StdoutLock<'static>>,
    colour: bool,
    width: Option<u16>,
}

impl Output {
    /// Standard output.
    pub(crate) fn stdout(choice: ColorChoice) -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let colour = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && colour_is_welcome(),
        };
        let width = is_terminal
            .then(|| terminal::size().map_or(80, |(columns, _)| columns))
            .map(|columns| columns.max(20));
        Self {
            writer: BufWriter::with_capacity(1 << 16, stdout.lock()),
            colour,
            width,
        }
    }

    /// Columns of the terminal; `None` elsewhere, where nothing is cut.
    pub(crate) fn width(&self) -> Option<u16> {
        self.width
    }

    /// Prints one line, without blanks at its end.
    pub(crate) fn line<'a>(&mut self, line: impl Into<Line<'a>>) -> io::Result<()> {
        let line = line.into();
        let text: String = line.spans.iter().map(|s| s.content.as_ref()).collect();
        let mut left = text.trim_end().len();
        for span in &line.spans {
            let shown = &span.content[..span.content.len().min(left)];
            left -= shown.len();
            self.span(shown, line.style.patch(span.style))?;
        }
        self.writer.write_all(b"\n")
    }

    /// Prints an empty line.
    pub(crate) fn blank(&mut self) -> io::Result<()> {
        self.writer.write_all(b"\n")
    }

    /// Prints what was drawn, row by row.
    pub(crate) fn buffer(&mut self, buffer: &Buffer) -> io::Result<()> {
        for y in buffer.area.top()..buffer.area.bottom() {
            let mut line = Line::default();
            let mut x = buffer.area.left();
            while x < buffer.area.right() {
                let cell = &buffer[(x, y)];
                push_cell(&mut line, cell.symbol(), cell.style());
                x += unicode_width::UnicodeWidthStr::width(cell.symbol()).max(1) as u16;
            }
            self.line(line)?;
        }
        Ok(())
    }

    fn span(&mut self, text: &str, style: Style) -> io::Result<()> {
        let codes = if self.colour { sgr(style) } else { Vec::new() };
        if text.is_empty() || codes.is_empty() {
            return self.writer.write_all(text.as_bytes());
        }
        write!(self.writer, "\x1b[{}m{text}\x1b[0m", codes.join(";"))
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// <https://no-color.org>: any value that is not empty says no.
fn colour_is_welcome() -> bool {
    let set = |name| env::var_os(name).is_some_and(|v| !v.is_empty());
    !set("NO_COLOR") && env::var_os("TERM").is_none_or(|t| t != "dumb")
}

/// Neighbouring cells of one style share a span.
fn push_cell(line: &mut Line<'static>, symbol: &str, style: Style) {
    match line.spans.last_mut() {
        Some(last) if last.style == style => last.content.to_mut().push_str(symbol),
        _ => line
            .spans
            .push(ratatui::text::Span::styled(symbol.to_owned(), style)),
    }
}

/// The numbers of ECMA-48's "select graphic rendition" for a style.
fn sgr(style: Style) -> Vec<String> {
    let modifiers = [
        (Modifier::BOLD, "1"),
        (Modifier::DIM, "2"),
        (Modifier::ITALIC, "3"),
        (Modifier::UNDERLINED, "4"),
        (Modifier::REVERSED, "7"),
    ];
    let mut codes: Vec<String> = modifiers
        .iter()
        .filter(|(modifier, _)| style.add_modifier.contains(*modifier))
        .map(|(_, code)| (*code).to_owned())
        .collect();
    codes.extend(style.fg.and_then(foreground));
    codes
}

fn foreground(colour: Color) -> Option<String> {
    let basic = |n: u8| Some(n.to_string());
    match colour {
        Color::Black => basic(30),
        Color::Red => basic(31),
        Color::Green => basic(32),
        Color::Yellow => basic(33),
        Color::Blue => basic(34),
        Color::Magenta => basic(35),
        Color::Cyan => basic(36),
        Color::Gray => basic(37),
        Color::DarkGray => basic(90),
        Color::LightRed => basic(91),
        Color::LightGreen => basic(92),
        Color::LightYellow => basic(93),
        Color::LightBlue => basic(94),
        Color::LightMagenta => basic(95),
        Color::LightCyan => basic(96),
        Color::White => basic(97),
        Color::Indexed(n) => Some(format!("38;5;{n}")),
        Color::Rgb(r, g, b) => Some(format!("38;2;{r};{g};{b}")),
        Color::Reset => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_become_codes() {
        assert_eq!(sgr(Style::new().bold().fg(Color::Red)), ["1", "31"]);
        assert_eq!(sgr(Style::new().fg(Color::Indexed(208))), ["38;5;208"]);
        assert!(sgr(Style::new().fg(Color::Reset)).is_empty());
    }
}
