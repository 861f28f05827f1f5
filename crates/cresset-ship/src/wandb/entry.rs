//! What a run says, in W&B's terms, before it is a record in a file or a request.

use cresset_record::{Definition, Level};
use serde::{Deserialize, Serialize};

use super::head::Head;
use super::value;

/// One thing that W&B is told.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// The run, as it is now called.
    Run(Box<Head>),
    /// Paths within config, and their new values as JSON.
    Config(Vec<(Vec<String>, String)>),
    /// What some metrics mean.
    Metric(Definition),
    /// Values of one step.
    History(Row),
    /// Keys of the summary, and their new values as JSON.
    Summary(Vec<(String, String)>),
    /// What the machine did.
    Stats {
        /// When, in microseconds since 1970.
        time: i64,
        /// Names without `system.`, and values.
        items: Vec<(String, f64)>,
    },
    /// A line of the console.
    Output(Output),
    /// Something a person should look at.
    Alert {
        /// One line.
        title: String,
        /// The rest.
        text: String,
        /// How urgent.
        level: Level,
    },
    /// A file in the run's folder of files.
    File {
        /// Its path there.
        path: String,
        /// What part it plays.
        kind: FileKind,
    },
    /// The run's end.
    Exit {
        /// 0 if all went well.
        code: i64,
        /// Seconds since the start.
        runtime: i64,
    },
}

/// What part a file plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Shown among the run's files.
    Other,
    /// A value of history points to it.
    Media,
}

/// A line of the console.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// When, in microseconds since 1970.
    pub(crate) time: i64,
    /// Whether it went to standard error.
    pub(crate) is_error: bool,
    /// Without its end of line.
    pub(crate) text: String,
}

/// A row of history.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The training step.
    pub(crate) step: u64,
    /// When the last value came, in microseconds since 1970.
    pub(crate) time: i64,
    /// Seconds since the start.
    pub(crate) runtime: f64,
    /// Keys, and values as JSON.
    pub(crate) items: Vec<(String, String)>,
}

impl Row {
    /// A row of this step without values.
    pub(crate) fn at(step: u64) -> Self {
        Self {
            step,
            ..Self::default()
        }
    }

    /// The values that W&B adds to each row.
    pub(crate) fn added(&self) -> [(String, String); 3] {
        [
            ("_step".to_owned(), self.step.to_string()),
            (
                "_timestamp".to_owned(),
                value::number(self.time as f64 / 1e6),
            ),
            ("_runtime".to_owned(), value::number(self.runtime)),
        ]
    }
}
