//! What the program printed, line by line.

use cresset_record::{ConsoleLine, Level, Timestamp};
use serde_json::Map;

use super::super::ImportError;
use super::super::writer::RunWriter;

/// Output without an end of line as yet.
#[derive(Default)]
pub(super) struct Console {
    out: String,
    error: String,
}

impl Console {
    /// More output, of which whole lines are written.
    pub(super) fn push(
        &mut self,
        run: &mut RunWriter,
        time: Timestamp,
        is_error: bool,
        text: &str,
    ) -> Result<(), ImportError> {
        let line = match is_error {
            true => &mut self.error,
            false => &mut self.out,
        };
        line.push_str(text);
        let Some((whole, rest)) = line.rsplit_once('\n') else {
            return Ok(());
        };
        let (whole, rest) = (whole.to_owned(), rest.to_owned());
        *line = rest;
        whole
            .split('\n')
            .try_for_each(|line| say(run, time, is_error, line))
    }

    /// What came without an end.
    pub(super) fn end(self, run: &mut RunWriter, time: Timestamp) -> Result<(), ImportError> {
        for (line, is_error) in [(self.error, true), (self.out, false)] {
            if !line.is_empty() {
                say(run, time, is_error, &line)?;
            }
        }
        Ok(())
    }
}

fn say(
    run: &mut RunWriter,
    time: Timestamp,
    is_error: bool,
    line: &str,
) -> Result<(), ImportError> {
    // Progress bars write a line again and again: the last is what stood there.
    let line = line.trim_end_matches('\r').rsplit('\r').next();
    run.console(ConsoleLine {
        time,
        level: Level::Info,
        target: if is_error { "stderr" } else { "" }.to_owned(),
        message: line.unwrap_or_default().to_owned(),
        fields: Map::new(),
    })
}
