//! A filter that cannot be read.

use std::fmt;

/// What was expected, and where in the filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    source: String,
    /// Byte at which the trouble begins.
    at: usize,
    message: String,
}

impl std::error::Error for FilterError {}

impl FilterError {
    pub(super) fn new(source: &str, at: usize, message: impl Into<String>) -> Self {
        Self {
            source: source.to_owned(),
            at: source.floor_char_boundary(at),
            message: message.into(),
        }
    }

    /// The character at which the trouble begins, counted from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.source[..self.at].chars().count() + 1
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One character a column, so that the mark stands under its place.
        let line = self.source.replace(char::is_control, " ");
        writeln!(f, "filter, column {}: {}", self.column(), self.message)?;
        writeln!(f, "  {line}")?;
        let indent = unicode_width::UnicodeWidthStr::width(line.get(..self.at).unwrap_or(&line));
        write!(f, "  {:indent$}^", "")
    }
}
