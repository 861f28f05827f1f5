//! A run as a reader sees it: its logs, folded.

mod fold;

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::define::{Definition, merge};
use crate::histogram::TensorStats;
use crate::ids::Rank;
use crate::key::Key;
use crate::layout::RunDir;
use crate::log::{Damage, Follower, LogError};
use crate::media::Media;
use crate::record::{Alert, ConsoleLine, LossReason, Start};
use crate::series::Series;
use crate::state::State;
use crate::time::Timestamp;

use fold::{AllSeries, Definitions, Writer};

/// Everything that is known of a run, kept in memory; [`Self::refresh`] reads what came since.
#[derive(Debug)]
pub struct RunView {
    dir: RunDir,
    follower: Follower,
    writers: BTreeMap<Rank, Writer>,
    start: Option<Start>,
    environment: Map<String, Json>,
    definitions: Definitions,
    series: AllSeries,
    histograms: BTreeMap<(Key, Rank), Vec<Logged<TensorStats>>>,
    media: BTreeMap<(Key, Rank), Vec<Logged<Media>>>,
    set_by_hand: Map<String, Json>,
    console: Vec<ConsoleLine>,
    alerts: Vec<Alert>,
    lost: BTreeMap<LossReason, Loss>,
    latest: Timestamp,
}

/// A value with its place in the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged<T> {
    /// The training step.
    pub step: u64,
    /// When it was logged.
    pub time: Timestamp,
    /// The value.
    pub value: T,
}

/// How much was lost for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Scalar points.
    pub points: u64,
    /// Everything else.
    pub values: u64,
}

impl RunView {
    /// Reads all that is there of a run.
    ///
    /// # Errors
    /// If a log cannot be read or is of a newer format. Damage is no error: see [`Self::damage`].
    pub fn open(dir: RunDir) -> Result<Self, LogError> {
        let mut view = Self {
            follower: Follower::new(dir.clone()),
            dir,
            writers: BTreeMap::new(),
            start: None,
            environment: Map::new(),
            definitions: Definitions::default(),
            series: AllSeries::default(),
            histograms: BTreeMap::new(),
            media: BTreeMap::new(),
            set_by_hand: Map::new(),
            console: Vec::new(),
            alerts: Vec::new(),
            lost: BTreeMap::new(),
            latest: Timestamp::default(),
        };
        view.refresh()?;
        Ok(view)
    }

    /// Reads what came since the last time; `true` if anything did.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn refresh(&mut self) -> Result<bool, LogError> {
        let mut news = false;
        while let Some(batch) = self.follower.next_batch()? {
            news = true;
            self.apply(batch);
        }
        Ok(news)
    }

    /// Where the run is.
    #[must_use]
    pub fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// The run's head, with later changes; `None` if its records are damaged or not yet written.
    #[must_use]
    pub fn start(&self) -> Option<&Start> {
        self.start.as_ref()
    }

    /// The run's name, or its id where the head is missing.
    #[must_use]
    pub fn name(&self) -> &str {
        self.start.as_ref().map_or(self.dir.id_text(), |s| &s.name)
    }

    /// What surrounded the run.
    #[must_use]
    pub fn environment(&self) -> &Map<String, Json> {
        &self.environment
    }

    /// Whether it goes on. Of several ranks the worst state counts: failed, crashed, running, stopped, finished.
    #[must_use]
    pub fn state(&self) -> State {
        let writers = self.writers.iter().map(|(&rank, writer)| {
            let live = self.follower.is_writer_live(rank);
            (writer.outcome.as_ref(), live)
        });
        // A writer may have its lock and nothing in its log.
        let unheard = || State::of_run([(None, self.follower.is_live())]);
        State::of_run(writers)
            .or_else(unheard)
            .unwrap_or(State::Crashed)
    }

    /// Seconds from the start to the last record, or to now while the run goes on.
    #[must_use]
    pub fn duration_seconds(&self) -> f64 {
        let Some(start) = &self.start else { return 0.0 };
        let end = if self.state() == State::Running {
            Timestamp::now()
        } else {
            self.latest
        };
        end.seconds_since(start.time).max(0.0)
    }

    /// All scalar series, by key and rank.
    pub fn series(&self) -> impl Iterator<Item = (&Key, Rank, &Series)> {
        self.series.iter()
    }

    /// The scalar series of a key as the lowest rank that has it logged it.
    #[must_use]
    pub fn series_of(&self, key: &str) -> Option<&Series> {
        self.series()
            .find(|(k, _, _)| k.as_str() == key)
            .map(|(_, _, s)| s)
    }

    /// All histogram series, by key and rank.
    pub fn histograms(&self) -> impl Iterator<Item = (&Key, Rank, &[Logged<TensorStats>])> {
        self.histograms
            .iter()
            .map(|((key, rank), h)| (key, *rank, h.as_slice()))
    }

    /// All media series, by key and rank.
    pub fn media(&self) -> impl Iterator<Item = (&Key, Rank, &[Logged<Media>])> {
        self.media
            .iter()
            .map(|((key, rank), m)| (key, *rank, m.as_slice()))
    }

    /// What the user says of a key.
    #[must_use]
    pub fn definition(&self, key: &str) -> Definition {
        merge(self.definitions.iter(), key)
    }

    /// One value a series by its summary rule, and what the user set by hand, which wins. Rank 0 only, where
    /// it has the series.
    #[must_use]
    pub fn summary(&self) -> Map<String, Json> {
        let mut summary = Map::new();
        for (key, _, series) in self.series() {
            if summary.contains_key(key.as_str()) {
                continue;
            }
            let definition = self.definition(key.as_str());
            if let Some(value) =
                series.summarise(definition.summary.unwrap_or_default(), definition.goal)
            {
                summary.insert(key.as_str().to_owned(), json_number(value));
            }
        }
        let lost = self.lost.values().fold(0u64, |sum, lost| {
            sum.saturating_add(lost.points).saturating_add(lost.values)
        });
        if lost > 0 {
            summary.insert("cresset/lost".to_owned(), lost.into());
        }
        summary.extend(self.set_by_hand.clone());
        summary
    }

    /// Console lines, in order of arrival.
    #[must_use]
    pub fn console(&self) -> &[ConsoleLine] {
        &self.console
    }

    /// Alerts, in order of arrival.
    #[must_use]
    pub fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    /// What the writers could not keep, by reason.
    #[must_use]
    pub fn lost(&self) -> &BTreeMap<LossReason, Loss> {
        &self.lost
    }

    /// What is damaged in the logs.
    #[must_use]
    pub fn damage(&self) -> &[Damage] {
        self.follower.damage()
    }
}

/// A number as JSON; JSON has no NaN and no infinities, so those become words.
#[must_use]
pub fn json_number(value: f64) -> Json {
    serde_json::Number::from_f64(value)
        .map_or_else(|| Json::String(value.to_string()), Json::Number)
}
