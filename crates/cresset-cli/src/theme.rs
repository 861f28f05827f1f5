//! Colours, from the terminal's own sixteen so that they suit light and dark ones; never the only carrier of meaning.

use cresset_record::{Level, State};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;

/// Names of things, axes, and whatever should step back.
pub(crate) const QUIET: Style = Style::new().add_modifier(Modifier::DIM);
/// Titles.
pub(crate) const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
/// What is wrong.
pub(crate) const BAD: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
/// What may be wrong.
pub(crate) const DOUBTFUL: Style = Style::new().fg(Color::Yellow);

/// Lines of a chart, in turn.
const LINES: [Color; 6] = [
    Color::Cyan,
    Color::Yellow,
    Color::Magenta,
    Color::Green,
    Color::Blue,
    Color::Red,
];

/// The style of the `index`th line of a chart.
pub(crate) fn line_style(index: usize) -> Style {
    Style::new().fg(LINES[index % LINES.len()])
}

/// A state as a sign and a word.
pub(crate) fn state(state: &State) -> Span<'static> {
    let (sign, style) = match state {
        State::Running => ("●", Style::new().fg(Color::Green)),
        State::Finished => ("✓", Style::new().fg(Color::Cyan)),
        State::Failed(_) => ("✗", BAD),
        State::Stopped(_) => ("■", DOUBTFUL),
        State::Crashed => ("✗", BAD),
    };
    Span::styled(format!("{sign} {}", state.word()), style)
}

/// The style of a console line or an alert.
pub(crate) fn level_style(level: Level) -> Style {
    match level {
        Level::Trace | Level::Debug => QUIET,
        Level::Info => Style::new(),
        Level::Warn => DOUBTFUL,
        Level::Error => BAD,
    }
}

/// A level in five letters.
pub(crate) fn level_word(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info ",
        Level::Warn => "warn ",
        Level::Error => "error",
    }
}
