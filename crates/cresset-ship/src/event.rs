//! What a run's log says, with names in place of the numbers that stand for them there.

use cresset_record::{
    Alert, ConfigUpdate, ConsoleLine, Definition, End, Key, LabelUpdate, Lost, Media, Resume,
    Start, TensorStats, Timestamp,
};
use serde_json::{Map, Value as Json};

/// One thing that a writer of a run said.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The writer begins: the first event of each.
    Start(Box<Start>),
    /// A process took the run up again.
    Resume(Resume),
    /// What surrounds the run: git, program, host, … (a JSON object; see `docs/run-log.md`).
    Environment(Map<String, Json>),
    /// Scalars of one step.
    Scalars {
        /// The training step.
        step: u64,
        /// When they were logged.
        time: Timestamp,
        /// The values, which may be NaN or infinite.
        points: Vec<(Key, f64)>,
    },
    /// A histogram with the statistics of what it was made from.
    Histogram {
        /// The series.
        key: Key,
        /// The training step.
        step: u64,
        /// When it was logged.
        time: Timestamp,
        /// The value.
        stats: Box<TensorStats>,
    },
    /// A text, image, table, figure, file, …
    Media {
        /// The series.
        key: Key,
        /// The training step.
        step: u64,
        /// When it was logged.
        time: Timestamp,
        /// The value; its bytes are in the run's blobs.
        media: Box<Media>,
    },
    /// What some series mean.
    Define(Definition),
    /// A later change to config.
    Config(ConfigUpdate),
    /// A later change to name, tags, notes or group.
    Label(LabelUpdate),
    /// Values that the user put into the summary by hand.
    Summary(Map<String, Json>),
    /// A line of console output or a `tracing` event.
    Console(ConsoleLine),
    /// Something a person should look at.
    Alert(Alert),
    /// What could not be kept.
    Lost(Lost),
    /// The writer is done.
    End(End),
}
