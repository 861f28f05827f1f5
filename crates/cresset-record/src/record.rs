//! The records of a run log: what a writer says, one thing at a time.
//!
//! These are the stored forms. Readers think with [`RunView`](crate::RunView), which folds them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::define::Definition;
use crate::histogram::TensorStats;
use crate::ids::{Project, Rank, RunId};
use crate::key::{Key, KeyId};
use crate::media::Media;
use crate::time::Timestamp;

/// One record of a run log.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// The run begins; the first record of a writer.
    Start(Box<Start>),
    /// A process took the run up again.
    Resume(Resume),
    /// What surrounds the run: git, program, host, … (a JSON object; see `docs/run-log.md`).
    Environment(Map<String, Json>),
    /// From here on, `id` stands for `key` in this writer's log.
    Key {
        /// The number.
        id: KeyId,
        /// The name.
        key: Key,
    },
    /// Scalars, one row a log call.
    Rows(Vec<Row>),
    /// A histogram with the statistics of what it was made from.
    Histogram {
        /// The series.
        key: KeyId,
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
        key: KeyId,
        /// The training step.
        step: u64,
        /// When it was logged.
        time: Timestamp,
        /// The value.
        media: Box<Media>,
    },
    /// What some series mean.
    Define(Definition),
    /// A later change to config: the keys that change, with their new values.
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
    /// A record of a kind that this version does not know.
    Unknown {
        /// Its kind number.
        kind: u64,
        /// The length of its body in bytes.
        len: u64,
    },
}

/// Scalars of one step: one log call, or several for the same step within a millisecond.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The training step.
    pub step: u64,
    /// When it was logged.
    pub time: Timestamp,
    /// The values.
    pub points: Vec<(KeyId, f64)>,
}

/// The head of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The run.
    pub run: RunId,
    /// Its project.
    pub project: Project,
    /// A readable name.
    pub name: String,
    /// Which writer this is.
    #[serde(default)]
    pub rank: Rank,
    /// How many ranks the run has, where it was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub world_size: Option<u32>,
    /// When the writer began.
    pub time: Timestamp,
    /// Runs that belong together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What the process does, such as `train` or `eval`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_type: Option<String>,
    /// Words to find the run by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Hyper-parameters: a JSON object, nested as the user nests it.
    #[serde(default)]
    pub config: Map<String, Json>,
    /// The version of Cresset that wrote the log.
    #[serde(default)]
    pub cresset_version: String,
}

/// A process took the run up again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// When.
    pub time: Timestamp,
    /// The first step that the process will log again. Points of this writer with this step or a later
    /// one, written before this record, are superseded: kept in the log, left out of charts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_step: Option<u64>,
}

/// A later change to config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigUpdate {
    /// When.
    pub time: Timestamp,
    /// New values, replacing the old ones key by key at the top level.
    pub values: Map<String, Json>,
}

/// A later change to what people call the run. `None` leaves a field as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelUpdate {
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// New notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// All tags, as they are from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
}

impl LabelUpdate {
    /// Changes what a run is called from now on.
    pub fn apply(self, start: &mut Start) {
        if let Some(name) = self.name {
            start.name = name;
        }
        if let Some(notes) = self.notes {
            start.notes = notes;
        }
        if let Some(tags) = self.tags {
            start.tags = tags;
        }
        if self.group.is_some() {
            start.group = self.group;
        }
    }
}

/// A line of console output or a `tracing` event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleLine {
    /// When.
    pub time: Timestamp,
    /// How urgent.
    pub level: Level,
    /// The module that spoke; empty for plain output.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// What it said.
    pub message: String,
    /// The event's fields.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Json>,
}

/// How urgent a console line or an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are the documentation")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// Something a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// When.
    pub time: Timestamp,
    /// How urgent.
    pub level: Level,
    /// One line.
    pub title: String,
    /// The rest.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The step it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
}

/// What could not be kept, and why. Counts are since the previous `Lost` record of the writer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// When the loss was written down.
    pub time: Timestamp,
    /// Why, in words for the user.
    pub reason: LossReason,
    /// Scalar points.
    #[serde(default)]
    pub points: u64,
    /// Everything else: media, histograms, console lines, …
    #[serde(default)]
    pub values: u64,
}

/// Why something was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossReason {
    /// The program logged faster than the log could be written.
    Overflow,
    /// The log could not be written: disk full, read-only, folder gone.
    Storage,
    /// The key was empty, too long, reserved, or one of too many.
    BadKey,
    /// The value could not be encoded.
    BadValue,
    /// It was logged after the run had finished.
    Finished,
}

impl LossReason {
    /// All reasons.
    pub const ALL: [Self; 5] = [
        Self::Overflow,
        Self::Storage,
        Self::BadKey,
        Self::BadValue,
        Self::Finished,
    ];

    /// The reason in words.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Overflow => "logged faster than the log could be written",
            Self::Storage => "the log could not be written (disk full, read-only, or folder gone)",
            Self::BadKey => "the key was empty, too long, reserved, or one of too many",
            Self::BadValue => "the value could not be encoded",
            Self::Finished => "logged after the run had finished",
        }
    }
}

/// The writer is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub time: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a writer ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Outcome {
    /// It came to its end.
    Finished,
    /// A panic or an error ended it.
    Failed {
        /// The message, with its place in the code where there is one.
        reason: String,
    },
    /// It was asked to stop.
    Stopped {
        /// By whom or why.
        reason: String,
    },
}
