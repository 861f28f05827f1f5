//! How far a `cresset sync` is, on a terminal.

use std::io::{self, IsTerminal};

use cresset_ship::bytes_sent;
use indicatif::{ProgressBar, ProgressStyle};

use crate::human;

/// A bar below the lines, as long as it lives.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// `None` where nobody looks.
    pub(super) fn on_terminal() -> Option<Self> {
        // It draws on standard error, and must not stand between lines that go to a file.
        if !io::stderr().is_terminal() || !io::stdout().is_terminal() {
            return None;
        }
        let style = "{bar:30} {binary_bytes} of {binary_total_bytes} of log, {msg}, {eta} left";
        let bar = ProgressBar::new(0);
        bar.set_style(ProgressStyle::with_template(style).ok()?);
        Some(Self(bar))
    }

    /// So many bytes more are to be carried.
    pub(super) fn add(&mut self, bytes: u64) {
        self.0.inc_length(bytes);
    }

    /// Shows how far it is. What is sent is less than the log where that is packed or there already, and more where images are.
    pub(super) fn show(&self, bytes: u64, frames: u64) {
        let sent = human::bytes(bytes_sent());
        let carried = human::count(frames, "frame");
        self.0.set_message(format!("{carried}, {sent} sent"));
        self.0.set_position(bytes);
    }

    /// Prints lines above it.
    pub(super) fn beside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
