//! What one run has beside scalars: histograms, media, console lines, alerts.

mod alerts;
mod console;
mod histograms;
mod media;
pub(crate) mod stats;
mod suspicion;

use cresset_record::{Alert, ConsoleLine, Level, Media, Rank, TensorStats, Timestamp};

use crate::document::RunKey;

/// A histogram series in brief.
#[derive(Clone, Debug)]
pub struct TensorSummary {
    /// Its key.
    pub key: String,
    /// Whose.
    pub rank: Rank,
    /// How many observations.
    pub observations: u64,
    /// Of the first and last observation.
    pub steps: (u64, u64),
    /// The last observation (its histogram may be left empty).
    pub last: TensorStats,
    /// NaN and infinities in all observations, and the first step with any.
    pub nonfinite: u64,
    /// See `nonfinite`.
    pub first_nonfinite_step: Option<u64>,
    /// 0 is unsuspicious; from 1,000 on something is not finite.
    pub suspicion: f64,
    /// In words, such as `3 NaN since step 120`.
    pub reasons: Vec<String>,
    /// The L2 norm over time, at most 60 values.
    pub norms: Vec<f64>,
}

/// Histograms over time: observations merged so that there are few enough columns.
#[derive(Clone, Debug)]
pub struct HistogramSeries {
    /// Its key.
    pub key: String,
    /// Whose.
    pub rank: Rank,
    /// By step; all histograms have the same scale.
    pub columns: Vec<HistogramColumn>,
}

/// Observations that were merged into one.
#[derive(Clone, Debug)]
pub struct HistogramColumn {
    /// How many.
    pub observations: u64,
    /// The first and the last step.
    pub steps: (u64, u64),
    /// All together.
    pub stats: TensorStats,
}

/// A question for media.
#[derive(Clone, Debug, Default)]
pub struct MediaQuery {
    /// Keys or patterns with `*`; empty for all.
    pub keys: Vec<String>,
    /// `image`, `table`, `figure`, …; `figure:roc` for one kind of figure. `None` for all.
    pub kind: Option<String>,
    /// Only this rank.
    pub rank: Option<Rank>,
    /// Window of steps, both inclusive; `None` is open.
    pub from: Option<u64>,
    /// See `from`.
    pub to: Option<u64>,
    /// Only samples that are of this class.
    pub true_class: Option<String>,
    /// Only samples that were taken to be of this class.
    pub predicted_class: Option<String>,
    /// The lowest step first.
    pub ascending: bool,
    /// How many to leave out.
    pub offset: usize,
    /// At most so many; with 0, as by default, there are counts and steps only.
    pub limit: usize,
}

/// A part of a run's media.
#[derive(Clone, Debug)]
pub struct MediaPage {
    /// How many match.
    pub total: u64,
    /// Distinct steps of all that match but for the window of steps, at most 5,000.
    pub steps: Vec<u64>,
    /// The media, by step, then key, then place in the series.
    pub items: Vec<MediaEntry>,
}

/// One media value.
#[derive(Clone, Debug)]
pub struct MediaEntry {
    /// Its key.
    pub key: String,
    /// Whose.
    pub rank: Rank,
    /// Place in its series.
    pub index: u64,
    /// The training step.
    pub step: u64,
    /// When.
    pub time: Timestamp,
    /// What.
    pub media: Media,
}

/// A question for console lines.
#[derive(Clone, Debug, Default)]
pub struct ConsoleQuery {
    /// Lines with a higher number; the first ones.
    pub after: Option<u64>,
    /// Lines with a lower number; the last ones.
    pub before: Option<u64>,
    /// At most so many; with 0, as by default, there are counts only.
    pub limit: usize,
    /// At least this level.
    pub level: Option<Level>,
    /// Text that the message or target contains; case does not matter.
    pub search: String,
    /// Only this rank.
    pub rank: Option<Rank>,
}

/// Console lines, in order.
#[derive(Clone, Debug)]
pub struct ConsolePage {
    /// Lines that match, but for `after` and `before`.
    pub matched: u64,
    /// All lines.
    pub total: u64,
    /// The lines.
    pub lines: Vec<ConsoleEntry>,
}

/// One console line.
#[derive(Clone, Debug)]
pub struct ConsoleEntry {
    /// Its place in the run, from 0, in order of arrival.
    pub number: u64,
    /// Whose.
    pub rank: Rank,
    /// What.
    pub line: ConsoleLine,
}

/// One alert.
#[derive(Clone, Debug)]
pub struct AlertEntry {
    /// The run.
    pub key: RunKey,
    /// Whose.
    pub rank: Rank,
    /// What.
    pub alert: Alert,
}
