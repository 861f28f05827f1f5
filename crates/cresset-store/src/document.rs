//! What is known of a run without its points: small, so that thousands can be held.

use std::collections::BTreeMap;

use cresset_record::{Damage, Definition, LossReason, Project, Rank, RunId, State, Timestamp};
use serde_json::{Map, Value as Json};

/// A run's identity in a folder of runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunKey {
    /// The project.
    pub project: Project,
    /// The run.
    pub run: RunId,
}

/// Everything of a run but its series' values, console lines and media.
#[derive(Clone, Debug, PartialEq)]
pub struct RunDocument {
    /// Which run.
    pub key: RunKey,
    /// Its place among all runs that the project ever had, from 0; it never changes.
    pub ordinal: u64,
    /// Rises with every change of any run.
    pub version: u64,
    /// Its name, as a person last set it.
    pub name: String,
    /// Whether it goes on.
    pub state: State,
    /// When it began; `None` where its head is damaged.
    pub created: Option<Timestamp>,
    /// The time of its latest record.
    pub active: Option<Timestamp>,
    /// Runs that belong together.
    pub group: Option<String>,
    /// What the process did.
    pub job_type: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Free text.
    pub notes: String,
    /// Hyper-parameters, with later changes.
    pub config: Map<String, Json>,
    /// Later changes of config.
    pub config_history: Vec<(Timestamp, Map<String, Json>)>,
    /// One value a series by its summary rule, and what the user set by hand. As `cresset_record::RunView::summary`.
    pub summary: Map<String, Json>,
    /// What surrounded it.
    pub environment: Map<String, Json>,
    /// What its series mean, in order; see `cresset_record::resolve`.
    pub definitions: Vec<Definition>,
    /// Its writers, by rank.
    pub writers: Vec<Writer>,
    /// Processes that took it up again: when, which rank, from which step.
    pub resumed: Vec<(Timestamp, Rank, Option<u64>)>,
    /// What could not be kept, by reason.
    pub lost: BTreeMap<LossReason, LossTotal>,
    /// What is damaged in its logs.
    pub damage: Vec<Damage>,
    /// How many alerts, and how many of level warn or error.
    pub alerts: (u64, u64),
    /// How many console lines.
    pub console_lines: u64,
    /// The highest step of any series.
    pub last_step: Option<u64>,
    /// Bytes of its segments.
    pub log_bytes: u64,
}

/// One writer of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Writer {
    /// Which.
    pub rank: Rank,
    /// Whether it goes on.
    pub state: State,
    /// How many ranks it said there are.
    pub world_size: Option<u32>,
    /// The version of Cresset that it was built with.
    pub cresset_version: String,
}

/// How much was lost for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LossTotal {
    /// Scalar points.
    pub points: u64,
    /// Everything else.
    pub values: u64,
}

/// What kind of values a series has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SeriesKind {
    /// Numbers.
    Scalar,
    /// Histograms with statistics.
    Histogram,
    /// Images, tables, figures, …
    Media,
}

/// One series of one rank of a run, or of many runs together.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesInfo {
    /// Its key.
    pub key: String,
    /// What values it has. A key can have several kinds; each is a series of its own.
    pub kind: SeriesKind,
    /// For media: `image`, `table`, `figure:roc`, … as they occur.
    pub media: Vec<String>,
    /// Runs that have it.
    pub runs: u64,
    /// Ranks that have it.
    pub ranks: Vec<Rank>,
    /// How many values.
    pub count: u64,
    /// Its highest step.
    pub last_step: Option<u64>,
    /// What the user said of it.
    pub definition: Definition,
}
