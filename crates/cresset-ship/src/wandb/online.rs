//! Runs at a W&B server, as its own client brings them there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cresset_record::{Rank, RunDir, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::error::ShipError;
use crate::event::Event;
use crate::sink::{Memory, Sink};

use super::api::{Api, Place};
use super::entry::Entry;
use super::heartbeat::Heartbeat;
use super::naming::Naming;
use super::record;
use super::remembered::{recall, remember};
use super::stream::{self, Lines, Offsets};
use super::translate::{Known, Told};

/// Between requests for a run that goes on. W&B counts requests, and its own client sends one every 15 seconds at most.
const PACE: Duration = Duration::from_secs(5);

/// A [`Sink`] that brings a run to a W&B server: its GraphQL for what a run is called and made with, `file_stream` for what it logs.
///
/// Lines have numbers there, so that what comes a second time goes to its old place.
#[derive(Debug)]
pub struct OnlineRun {
    api: Api,
    naming: Naming,
    heartbeat: Option<Heartbeat>,
    stop: Arc<AtomicBool>,
}

/// What is remembered of what was sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Sent {
    known: Known,
    /// What the server calls the run; once it knows of it.
    place: Option<Place>,
    offsets: Offsets,
    /// Whether the server knows of the run's end.
    is_ended: bool,
}

impl OnlineRun {
    /// Brings a run to the server at `base`, such as `https://api.wandb.ai`, with an API key of somebody there.
    ///
    /// # Errors
    /// If that is no address of a web server.
    pub fn new(base: &str, key: &str) -> Result<Self, ShipError> {
        Ok(Self {
            api: Api::new(base, key)?,
            naming: Naming::default(),
            heartbeat: None,
            stop: Arc::default(),
        })
    }

    /// Where the run belongs there.
    #[must_use]
    pub fn naming(mut self, naming: Naming) -> Self {
        self.naming = naming;
        self
    }

    /// Whether somebody at W&B has asked the run to stop.
    #[must_use]
    pub fn is_stop_requested(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Sends what was told.
    fn send(&mut self, sent: &mut Sent, told: &Told) -> Result<(), ShipError> {
        let Some(head) = sent.known.head.clone() else {
            // What comes before a run's head cannot be given to W&B: a segment of its log is missing.
            return Ok(());
        };
        let is_about_run =
            |e: &Entry| matches!(e, Entry::Run(_) | Entry::Config(_) | Entry::Metric(_));
        let place = match &sent.place {
            Some(place) if !sent.is_ended && !told.entries.iter().any(is_about_run) => {
                place.clone()
            }
            _ => self.api.upsert(&head, &stream::config(&sent.known))?,
        };
        sent.place = Some(place.clone());
        self.api.upload(&place, &told.files)?;
        self.stream(sent, told, &place, head.start)?;
        for entry in &told.entries {
            if let Entry::Alert { title, text, level } = entry {
                let severity = record::severity(*level);
                self.api
                    .alert(&place, title, text, severity, record::ALERT_PAUSE_MS)?;
            }
        }
        if sent.is_ended {
            self.heartbeat = None;
        } else if self.heartbeat.is_none() {
            let (api, stop) = (self.api.clone(), Arc::clone(&self.stop));
            self.heartbeat = Some(Heartbeat::start(api, place, stop));
        }
        Ok(())
    }

    /// Sends lines, in as many requests as they need, and with the last of these what holds for all of them.
    fn stream(
        &self,
        sent: &mut Sent,
        told: &Told,
        place: &Place,
        start: i64,
    ) -> Result<(), ShipError> {
        let mut lines = Lines::default();
        let (mut has_summary, mut exit) = (false, None);
        for entry in &told.entries {
            lines.push(entry, start);
            has_summary |= matches!(entry, Entry::Summary(_));
            if let Entry::Exit { code, .. } = entry {
                exit = Some(*code);
            }
        }
        sent.is_ended = exit.is_some();
        let bodies = lines.bodies(sent.offsets);
        let last = bodies.len().saturating_sub(1);
        for (i, (mut files, offsets)) in bodies.into_iter().enumerate() {
            let mut body = Map::new();
            if i == last {
                if has_summary {
                    let summary = stream::summary(&sent.known);
                    files.insert(
                        "wandb-summary.json".to_owned(),
                        json!({"offset": 0, "content": [summary]}),
                    );
                }
                if !told.files.is_empty() {
                    let names = told.files.iter().map(|file| file.path.as_str());
                    body.insert("uploaded".to_owned(), names.collect());
                }
                if let Some(code) = exit {
                    body.insert("complete".to_owned(), true.into());
                    body.insert("exitcode".to_owned(), code.into());
                }
            }
            if !files.is_empty() {
                body.insert("files".to_owned(), files.into());
            }
            if !body.is_empty() {
                let answer = self.api.stream(place, &Json::Object(body))?;
                self.hear(&answer);
            }
            sent.offsets = offsets;
        }
        Ok(())
    }

    fn hear(&self, answer: &Json) {
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.spoke();
        }
        self.stop
            .fetch_or(answer["stopped"] == true, Ordering::Relaxed);
    }
}

impl Sink for OnlineRun {
    fn take(
        &mut self,
        run: &RunDir,
        events: &[(Rank, Event)],
        memory: &mut Memory,
    ) -> Result<(), ShipError> {
        let mut sent: Sent = recall(memory)?;
        let told = sent.known.take(run, &self.naming, events);
        self.send(&mut sent, &told)?;
        remember(memory, &sent)
    }

    fn interval(&self) -> Duration {
        PACE
    }

    fn stop_requested(&self) -> Option<String> {
        self.is_stop_requested()
            .then(|| "asked to stop at W&B".to_owned())
    }

    fn end(&mut self, _run: &RunDir, state: &State, memory: &mut Memory) -> Result<(), ShipError> {
        let mut sent: Sent = recall(memory)?;
        let (known, told) = std::mem::take(&mut sent.known).end(state);
        sent.known = known;
        self.send(&mut sent, &told)?;
        remember(memory, &sent)
    }
}
