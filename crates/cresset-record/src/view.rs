//! A run as a reader sees it: its logs, folded.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::define::{Definition, resolve};
use crate::histogram::TensorStats;
use crate::ids::Rank;
use crate::key::{Key, KeyId};
use crate::layout::RunDir;
use crate::log::{Batch, Damage, Follower, LogError};
use crate::media::Media;
use crate::record::{Alert, ConsoleLine, LossReason, Outcome, Record, Resume, Row, Start};
use crate::series::{Point, Series};
use crate::time::Timestamp;

/// Everything that is known of a run, kept in memory; [`Self::refresh`] reads what came since.
#[derive(Debug)]
pub struct RunView {
    dir: RunDir,
    follower: Follower,
    writers: BTreeMap<Rank, Writer>,
    start: Option<Start>,
    environment: Map<String, Json>,
    definitions: Vec<Definition>,
    series: BTreeMap<(Key, Rank), Series>,
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

/// Whether a run goes on, and if not, how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A writer holds its log.
    Running,
    /// It came to its end.
    Finished,
    /// A panic or an error ended it, for this reason.
    Failed(String),
    /// It was asked to stop, for this reason.
    Stopped(String),
    /// Nobody holds the log and it has no end: killed, or the power went.
    Crashed,
}

impl State {
    /// The state in one word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed(_) => "failed",
            Self::Stopped(_) => "stopped",
            Self::Crashed => "crashed",
        }
    }

    /// Why it failed or was stopped.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Failed(reason) | Self::Stopped(reason) => Some(reason),
            _ => None,
        }
    }
}

/// What one writer's log said of itself.
#[derive(Debug, Default)]
struct Writer {
    keys: BTreeMap<KeyId, Key>,
    outcome: Option<Outcome>,
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
            definitions: Vec::new(),
            series: BTreeMap::new(),
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

    fn apply(&mut self, batch: Batch) {
        let rank = batch.rank;
        for record in batch.records {
            self.apply_record(rank, record);
        }
    }

    fn apply_record(&mut self, rank: Rank, record: Record) {
        match record {
            Record::Start(start) => self.begin(rank, *start),
            Record::Resume(resume) => self.resume(rank, &resume),
            Record::Environment(map) => {
                if rank.0 == 0 || self.environment.is_empty() {
                    self.environment = map;
                }
            }
            Record::Key { id, key } => {
                self.writer(rank).keys.insert(id, key);
            }
            Record::Rows(rows) => rows.into_iter().for_each(|row| self.add_row(rank, &row)),
            Record::Histogram {
                key,
                step,
                time,
                stats,
            } => {
                self.saw(time);
                let key = self.key(rank, key);
                self.histograms
                    .entry((key, rank))
                    .or_default()
                    .push(Logged {
                        step,
                        time,
                        value: *stats,
                    });
            }
            Record::Media {
                key,
                step,
                time,
                media,
            } => {
                self.saw(time);
                let key = self.key(rank, key);
                self.media.entry((key, rank)).or_default().push(Logged {
                    step,
                    time,
                    value: *media,
                });
            }
            Record::Define(definition) => {
                // Every segment repeats them.
                if !self.definitions.contains(&definition) {
                    self.definitions.push(definition);
                }
            }
            Record::Config(update) => {
                self.saw(update.time);
                if let Some(start) = &mut self.start {
                    start.config.extend(update.values);
                }
            }
            Record::Label(update) => {
                let Some(start) = &mut self.start else { return };
                start.name = update
                    .name
                    .unwrap_or_else(|| std::mem::take(&mut start.name));
                start.notes = update
                    .notes
                    .unwrap_or_else(|| std::mem::take(&mut start.notes));
                start.tags = update
                    .tags
                    .unwrap_or_else(|| std::mem::take(&mut start.tags));
                start.group = update.group.or_else(|| start.group.take());
            }
            Record::Summary(values) => self.set_by_hand.extend(values),
            Record::Console(line) => {
                self.saw(line.time);
                self.console.push(line);
            }
            Record::Alert(alert) => {
                self.saw(alert.time);
                self.alerts.push(alert);
            }
            Record::Lost(lost) => {
                let total = self.lost.entry(lost.reason).or_default();
                total.points = total.points.saturating_add(lost.points);
                total.values = total.values.saturating_add(lost.values);
            }
            Record::End(end) => {
                self.saw(end.time);
                self.writer(rank).outcome = Some(end.outcome);
            }
            Record::Unknown { .. } => {}
        }
    }

    fn begin(&mut self, rank: Rank, start: Start) {
        self.writer(rank).outcome = None;
        self.saw(start.time);
        // Every segment repeats the head; rank 0 speaks for the run.
        match &self.start {
            Some(known) if known.rank <= start.rank => {}
            _ => self.start = Some(start),
        }
    }

    fn resume(&mut self, rank: Rank, resume: &Resume) {
        self.writer(rank).outcome = None;
        self.saw(resume.time);
        let Some(from) = resume.from_step else { return };
        let of_rank = |(_, r): &(Key, Rank)| *r == rank;
        self.series
            .iter_mut()
            .filter(|(k, _)| of_rank(k))
            .for_each(|(_, s)| s.supersede(from));
        self.histograms
            .iter_mut()
            .filter(|(k, _)| of_rank(k))
            .for_each(|(_, h)| h.retain(|v| v.step < from));
        self.media
            .iter_mut()
            .filter(|(k, _)| of_rank(k))
            .for_each(|(_, m)| m.retain(|v| v.step < from));
    }

    fn add_row(&mut self, rank: Rank, row: &Row) {
        self.saw(row.time);
        for &(id, value) in &row.points {
            let key = self.key(rank, id);
            let point = Point {
                step: row.step,
                time: row.time,
                value,
            };
            self.series.entry((key, rank)).or_default().push(point);
        }
    }

    fn writer(&mut self, rank: Rank) -> &mut Writer {
        self.writers.entry(rank).or_default()
    }

    /// The name of a key; one made up from its number if the declaration was in a damaged part.
    fn key(&mut self, rank: Rank, id: KeyId) -> Key {
        let known = self
            .writers
            .get(&rank)
            .and_then(|w| w.keys.get(&id))
            .cloned();
        known.unwrap_or_else(|| Key::undeclared(id))
    }

    fn saw(&mut self, time: Timestamp) {
        self.latest = self.latest.max(time);
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
        let severity = |s: &State| match s {
            State::Failed(_) => 4,
            State::Crashed => 3,
            State::Running => 2,
            State::Stopped(_) => 1,
            State::Finished => 0,
        };
        let states = self
            .writers
            .iter()
            .map(|(&rank, writer)| match &writer.outcome {
                _ if self.follower.is_writer_live(rank) && writer.outcome.is_none() => {
                    State::Running
                }
                None => State::Crashed,
                Some(Outcome::Finished) => State::Finished,
                Some(Outcome::Failed { reason }) => State::Failed(reason.clone()),
                Some(Outcome::Stopped { reason }) => State::Stopped(reason.clone()),
            });
        states
            .max_by_key(severity)
            .unwrap_or(if self.follower.is_live() {
                State::Running
            } else {
                State::Crashed
            })
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
        self.series.iter().map(|((key, rank), s)| (key, *rank, s))
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
        resolve(&self.definitions, key)
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
                summary.insert(key.as_str().to_owned(), number(value));
            }
        }
        let lost: u64 = self
            .lost
            .values()
            .map(|l| l.points.saturating_add(l.values))
            .sum();
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
fn number(value: f64) -> Json {
    serde_json::Number::from_f64(value)
        .map_or_else(|| Json::String(value.to_string()), Json::Number)
}
