//! Follows a run for a sink.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use cresset_record::{
    Batch, Follower, Kept, Key, KeyId, LogError, Rank, Record, RunDir, State, StopRequest,
    Timestamp,
};

use crate::error::ShipError;
use crate::event::Event;
use crate::ledger::{Ledger, Outcomes};
use crate::selection::Selection;
use crate::sieve::Sieve;
use crate::sink::Sink;
use crate::target::{Progress, Target, passed};

/// About so many events are given to a sink at a time.
const MANY: usize = 2000;
/// A call returns after this time, so that others have their turn.
const TURN: Duration = Duration::from_secs(1);

/// A [`Target`] that is a tracker of another kind.
#[derive(Debug)]
pub struct Events<S> {
    run: RunDir,
    ledger: Ledger,
    sink: S,
    /// The sink sees what passes it.
    sieve: Sieve,
    follower: Follower,
    keys: HashMap<(Rank, KeyId), Key>,
    outcomes: Outcomes,
    /// What was read and not yet given to the sink; the ledger knows nothing of it.
    held: Held,
    kept: Kept,
    /// Somebody at the tracker has asked for it, and the run was told.
    is_stopping: bool,
}

/// Events that wait for more to come.
#[derive(Debug, Default)]
struct Held {
    events: Vec<(Rank, Event)>,
    frames: u64,
    /// When the sink was last given all there was; `None` while it is behind.
    level_since: Option<Instant>,
}

impl<S: Sink> Events<S> {
    /// Goes on from the ledger.
    ///
    /// # Errors
    /// If the log cannot be read, or is another than it was.
    pub fn new(run: RunDir, ledger: Ledger, sink: S) -> Result<Self, ShipError> {
        Ok(Self {
            sieve: Sieve::new(Selection::default()),
            follower: Follower::resume(run.clone(), ledger.cursor())?,
            keys: HashMap::new(),
            outcomes: ledger.outcomes().clone(),
            held: Held::default(),
            kept: Kept::default(),
            is_stopping: false,
            run,
            ledger,
            sink,
        })
    }

    /// Gives the sink no more than this of the run.
    #[must_use]
    pub fn selecting(mut self, selection: Selection) -> Self {
        self.sieve = Sieve::new(selection);
        self
    }

    /// The sink.
    pub fn sink(&self) -> &S {
        &self.sink
    }

    /// Gives the sink what comes next, or holds it until more has come; frames that were given, and whether there is no more now.
    fn carry_some(&mut self) -> Result<(u64, bool), ShipError> {
        let mut held = std::mem::take(&mut self.held);
        let mut is_level = false;
        while held.events.len() < MANY {
            let Some(batch) = self.follower.next_batch()? else {
                is_level = true;
                break;
            };
            held.frames += u64::from(!batch.replayed);
            self.name(batch, &mut held.events);
        }
        if is_level && self.may_wait(&held) {
            self.held = held;
            return Ok((0, true));
        }
        if held.frames > 0 {
            self.keep()?;
            let mut memory = self.ledger.memory().clone();
            if !held.events.is_empty() {
                self.sink.take(&self.run, &held.events, &mut memory)?;
            }
            let cursor = self.follower.cursor();
            self.ledger
                .enter(cursor, memory, self.outcomes.clone(), false)?;
        }
        self.held.level_since = match (is_level, held.frames) {
            (true, 0) => held.level_since.or_else(|| Some(Instant::now())),
            (true, _) => Some(Instant::now()),
            (false, _) => None,
        };
        Ok((held.frames, is_level))
    }

    /// The ledger must not know of more than a loss of power leaves here.
    fn keep(&mut self) -> Result<(), ShipError> {
        for (rank, place) in self.follower.cursor().0 {
            let kept = self.kept.keep(&self.run, rank, place.segment, place.offset);
            kept.map_err(|source| LogError::Sync {
                path: self.run.segment(rank, place.segment),
                source,
            })?;
        }
        Ok(())
    }

    /// Whether what is held may wait for more.
    fn may_wait(&self, held: &Held) -> bool {
        let interval = self.sink.interval();
        let is_early = |since: Instant| since.elapsed() < interval;
        let is_end = |(_, event): &(Rank, Event)| matches!(event, Event::End(_));
        held.frames > 0
            && held.level_since.is_some_and(is_early)
            && self.follower.is_live()
            && !self.is_stopping
            && !held.events.iter().any(is_end)
    }

    /// Tells the sink of the run's end, once.
    fn end(&mut self) -> Result<(), ShipError> {
        let writers = self.outcomes.values().map(|end| (end.as_ref(), false));
        let state = State::of_run(writers).unwrap_or(State::Crashed);
        let mut memory = self.ledger.memory().clone();
        self.sink.end(&self.run, &state, &mut memory)?;
        let cursor = self.follower.cursor();
        self.ledger
            .enter(cursor, memory, self.outcomes.clone(), true)
    }

    /// Tells the process that writes the run to stop, once, if somebody at the tracker has asked for that.
    fn heed_stop(&mut self) -> Result<(), ShipError> {
        if let (false, Some(reason)) = (self.is_stopping, self.sink.stop_requested()) {
            let request = StopRequest {
                time: Timestamp::now(),
                reason,
            };
            let path = self.run.stop_request();
            request.write(&self.run).map_err(ShipError::disk(path))?;
            self.is_stopping = true;
        }
        Ok(())
    }

    /// Everything again from the ledger, as after a restart.
    fn go_back(&mut self) -> Result<(), ShipError> {
        self.held = Held::default();
        self.follower = Follower::resume(self.run.clone(), self.ledger.cursor())?;
        self.outcomes = self.ledger.outcomes().clone();
        Ok(())
    }
}

impl<S: Sink> Target for Events<S> {
    fn carry(&mut self) -> Result<Progress, ShipError> {
        let began = Instant::now();
        let mut progress = Progress::default();
        while !progress.is_level && began.elapsed() < TURN {
            match self.carry_some() {
                Ok((frames, is_level)) => {
                    progress.frames += frames;
                    progress.is_level = is_level;
                }
                Err(error) => {
                    self.go_back()?;
                    return Err(error);
                }
            }
        }
        progress.bytes = passed(&self.run, &self.follower.cursor());
        self.heed_stop()?;
        let is_held = self.held.frames > 0;
        if progress.is_level && !is_held && !self.follower.is_live() {
            // Who ended after the last look has said so in the log.
            let has_begun = !self.outcomes.is_empty();
            if has_begun && !self.ledger.is_done() {
                self.end()?;
            }
            progress.is_done = has_begun;
        }
        Ok(progress)
    }
}

impl<S> Events<S> {
    /// Names in place of numbers; keys are remembered.
    fn name(&mut self, batch: Batch, events: &mut Vec<(Rank, Event)>) {
        let Batch {
            rank,
            records,
            replayed,
            ..
        } = batch;
        for record in self.sieve.pass(rank, records) {
            let key = |id: KeyId| {
                let known = self.keys.get(&(rank, id)).cloned();
                known.or_else(|| Key::new(&format!("cresset/undeclared/{}", id.0)).ok())
            };
            let event = match record {
                Record::Key { id, key } => {
                    self.keys.insert((rank, id), key);
                    continue;
                }
                _ if replayed => continue,
                Record::Rows(rows) => {
                    events.extend(rows.into_iter().map(|row| {
                        let points = row.points.into_iter();
                        let points = points.filter_map(|(id, value)| Some((key(id)?, value)));
                        let scalars = Event::Scalars {
                            step: row.step,
                            time: row.time,
                            points: points.collect(),
                        };
                        (rank, scalars)
                    }));
                    continue;
                }
                Record::Histogram {
                    key: id,
                    step,
                    time,
                    stats,
                } => key(id).map(|key| Event::Histogram {
                    key,
                    step,
                    time,
                    stats,
                }),
                Record::Media {
                    key: id,
                    step,
                    time,
                    media,
                } => key(id).map(|key| Event::Media {
                    key,
                    step,
                    time,
                    media,
                }),
                Record::Start(start) => {
                    self.outcomes.insert(rank, None);
                    Some(Event::Start(start))
                }
                Record::Resume(resume) => {
                    self.outcomes.insert(rank, None);
                    Some(Event::Resume(resume))
                }
                Record::End(end) => {
                    self.outcomes.insert(rank, Some(end.outcome.clone()));
                    Some(Event::End(end))
                }
                Record::Environment(environment) => Some(Event::Environment(environment)),
                Record::Define(definition) => Some(Event::Define(definition)),
                Record::Config(update) => Some(Event::Config(update)),
                Record::Label(update) => Some(Event::Label(update)),
                Record::Summary(summary) => Some(Event::Summary(summary)),
                Record::Console(line) => Some(Event::Console(line)),
                Record::Alert(alert) => Some(Event::Alert(alert)),
                Record::Lost(lost) => Some(Event::Lost(lost)),
                Record::Unknown { .. } => None,
            };
            events.extend(event.map(|event| (rank, event)));
        }
    }
}

#[cfg(test)]
mod tests;
