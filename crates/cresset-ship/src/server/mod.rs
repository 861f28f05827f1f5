//! Runs at a Cresset server.
//!
//! What the server has is what counts: it says the number of the last frame that it has of each writer, and gets the ones after it, so
//! that nothing is doubled whatever was lost on the way. The ledger keeps what the server does not say: up to which frame the blobs are there
//! too. Of a selection, frames have their numbers and only what is selected in them.

mod api;
mod blobs;
mod writer;

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use cresset_record::{
    BlobRef, Cursor, Piece, Position, Rank, Record, RunDir, StopRequest, Timestamp,
};
use serde_json::{Value as Json, json};

use crate::error::ShipError;
use crate::ledger::Ledger;
use crate::selection::Selection;
use crate::sink::Memory;
use crate::target::{Progress, Target, passed};
pub use api::check_key;
use api::{Api, Stop};
use writer::{Look, Writer};

/// A call returns after this time, so that others have their turn.
const TURN: Duration = Duration::from_secs(1);
/// A writer that has nothing to say says so at this interval; the server waits for three of them.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// A [`Target`] that is a Cresset server.
#[derive(Debug)]
pub struct Server {
    run: RunDir,
    ledger: Ledger,
    api: Api,
    selection: Selection,
    /// Empty until the server has said what it has.
    writers: BTreeMap<Rank, Writer>,
    is_greeted: bool,
    /// Whether the server knows the run: blobs of a run that it does not know are refused.
    is_known: bool,
}

impl Server {
    /// Carries the run to the server at `address`, with a key that may write in the run's project.
    ///
    /// # Errors
    /// If the address is none, or the folder is not that of a run.
    pub fn new(
        run: RunDir,
        ledger: Ledger,
        address: &str,
        key: Option<&str>,
    ) -> Result<Self, ShipError> {
        Ok(Self {
            api: Api::new(address, key, &run)?,
            run,
            ledger,
            selection: Selection::default(),
            writers: BTreeMap::new(),
            is_greeted: false,
            is_known: false,
        })
    }

    /// Sends no more than this of the run.
    #[must_use]
    pub fn selecting(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    fn carry_on(&mut self) -> Result<Progress, ShipError> {
        let began = Instant::now();
        let mut progress = Progress::default();
        let look = Look::at(&self.run, self.writers.keys().copied())?;
        // Of one that goes on, nobody asks how long it is.
        let ends = match look.live.is_empty() && !look.segments.is_empty() {
            true => Some(ends(&self.run, &look)?),
            false => None,
        };
        if self.ledger.is_done() && ends.as_ref() == Some(self.ledger.cursor()) {
            progress.bytes = passed(&self.run, self.ledger.cursor());
            progress.is_level = true;
            progress.is_done = true;
            return Ok(progress);
        }
        if !self.is_greeted {
            self.greet()?;
        }
        for &(rank, _) in &look.segments {
            let selection = &self.selection;
            let begun = || Writer::at(None, None, selection);
            self.writers.entry(rank).or_insert_with(begun);
        }
        progress.is_level = true;
        let ranks: Vec<Rank> = self.writers.keys().copied().collect();
        for rank in ranks {
            progress.is_level &= self.carry_writer(rank, &look, began, &mut progress.frames)?;
        }
        let positions = self.writers.iter();
        let now = Cursor(positions.map(|(rank, w)| (*rank, w.position())).collect());
        progress.bytes = passed(&self.run, &now);
        if let (true, Some(ends)) = (progress.is_level, ends) {
            self.let_go(ends)?;
            progress.is_done = true;
        }
        Ok(progress)
    }

    /// Asks what the server has.
    fn greet(&mut self) -> Result<(), ShipError> {
        let blobs = self
            .ledger
            .memory()
            .get("blobs")
            .cloned()
            .unwrap_or_default();
        let there = self.api.state()?;
        self.is_known = !there.is_empty();
        self.writers = there
            .into_iter()
            .map(|(rank, last)| {
                let blobs = blobs[rank.0.to_string()].as_u64();
                (rank, Writer::at(last, blobs, &self.selection))
            })
            .collect();
        self.is_greeted = true;
        Ok(())
    }

    /// Sends what one writer has; `true` if that was all, or all that there was a moment ago of one that goes on.
    fn carry_writer(
        &mut self,
        rank: Rank,
        look: &Look,
        began: Instant,
        frames: &mut u64,
    ) -> Result<bool, ShipError> {
        loop {
            let Some(writer) = self.writers.get_mut(&rank) else {
                return Ok(true);
            };
            let Some((index, piece)) = writer.next_piece(&self.run, rank, look)? else {
                if look.live.contains(&rank) && writer.is_silent(HEARTBEAT) {
                    let index = writer.segment();
                    self.send(rank, index, &[])?;
                }
                return Ok(true);
            };
            *frames += piece.frames;
            self.carry_piece(rank, index, &piece, look)?;
            // What was written meanwhile waits for the next turn: each piece is a request, and the log has to be on the disk for it, for
            // which a writer that writes all the time has to wait.
            if look.is_last(rank, index) && writer::is_small(&piece) {
                return Ok(true);
            }
            if began.elapsed() >= TURN {
                return Ok(false);
            }
        }
    }

    fn carry_piece(
        &mut self,
        rank: Rank,
        index: u32,
        piece: &Piece,
        look: &Look,
    ) -> Result<(), ShipError> {
        let blobs = piece.records.iter().filter_map(|record| match record {
            Record::Media { media, .. } => Some(media.blobs()),
            _ => None,
        });
        let blobs: Vec<_> = blobs.flatten().collect();
        let is_new = self
            .writers
            .get(&rank)
            .is_some_and(|writer| writer.last < Some(piece.last));
        // What the log points to is there first, but for the run's first piece, with which the server gets to know the run.
        if self.is_known {
            self.send_blobs(&blobs, look)?;
        }
        if is_new {
            self.send(rank, index, &piece.bytes)?;
        }
        if !self.is_known {
            self.is_known = true;
            self.send_blobs(&blobs, look)?;
        }
        if let Some(writer) = self.writers.get_mut(&rank) {
            writer.blobs = Some(piece.last);
        }
        // Without blobs, the server's own word is enough.
        if !blobs.is_empty() {
            let memory = self.memory();
            self.enter(memory, Cursor::default(), false)?;
        }
        Ok(())
    }

    /// Sends those of the blobs that the server does not have.
    fn send_blobs(&mut self, blobs: &[&BlobRef], look: &Look) -> Result<(), ShipError> {
        let missing = match blobs {
            [] => return Ok(()),
            blobs => self.api.missing(blobs)?,
        };
        let Self {
            api, run, writers, ..
        } = &mut *self;
        let mut stop = None;
        let beat = || {
            for (rank, writer) in &mut *writers {
                if look.live.contains(rank) && writer.is_silent(HEARTBEAT) {
                    let index = writer.segment();
                    let known = writer.last;
                    let taken = api.piece(*rank, index, known, writer.host(run, *rank), &[])?;
                    writer.heard(taken.last)?;
                    stop = taken.stop.or(stop.take());
                }
            }
            Ok(())
        };
        blobs::send(api, run, &missing, HEARTBEAT, beat)?;
        stop.map_or(Ok(()), |stop| self.stop(&stop))
    }

    fn send(&mut self, rank: Rank, index: u32, bytes: &[u8]) -> Result<(), ShipError> {
        let Some(writer) = self.writers.get_mut(&rank) else {
            return Ok(());
        };
        let known = writer.last;
        let host = writer.host(&self.run, rank);
        let taken = self.api.piece(rank, index, known, host, bytes)?;
        writer.heard(taken.last)?;
        match taken.stop {
            Some(stop) => self.stop(&stop),
            None => Ok(()),
        }
    }

    /// Somebody at the server asked the run to stop: tells the process, once.
    fn stop(&mut self, stop: &Stop) -> Result<(), ShipError> {
        let mut memory = self.memory();
        if memory.get("stop").and_then(Json::as_i64) == Some(stop.time) {
            return Ok(());
        }
        let request = StopRequest {
            // The recorder compares with this machine's clock.
            time: Timestamp::now(),
            reason: stop.reason.clone(),
        };
        let path = self.run.stop_request();
        request.write(&self.run).map_err(ShipError::disk(path))?;
        memory.insert("stop".into(), stop.time.into());
        self.enter(memory, Cursor::default(), false)
    }

    /// All is carried, and nobody writes.
    fn let_go(&mut self, ends: Cursor) -> Result<(), ShipError> {
        for rank in self.writers.keys() {
            self.api.let_go(*rank)?;
        }
        // What is there now stays there. It is never asked for again, and may be less than was sent, if the server's power went in between.
        let there: BTreeMap<Rank, Option<u64>> = self.api.state()?.into_iter().collect();
        for (rank, writer) in &mut self.writers {
            writer.heard(there.get(rank).copied().flatten())?;
        }
        let memory = self.memory();
        self.enter(memory, ends, true)
    }

    fn memory(&self) -> Memory {
        let mut memory = self.ledger.memory().clone();
        let blobs = self
            .writers
            .iter()
            .map(|(rank, writer)| (rank.0.to_string(), json!(writer.blobs)));
        memory.insert("blobs".into(), blobs.collect());
        memory
    }

    fn enter(&mut self, memory: Memory, cursor: Cursor, is_done: bool) -> Result<(), ShipError> {
        self.ledger.enter(cursor, memory, BTreeMap::new(), is_done)
    }
}

impl Target for Server {
    fn carry(&mut self) -> Result<Progress, ShipError> {
        let carried = self.carry_on();
        if carried.is_err() {
            // What the server has now is for it to say.
            self.is_greeted = false;
        }
        carried
    }
}

/// How far each writer's log goes.
fn ends(run: &RunDir, look: &Look) -> Result<Cursor, ShipError> {
    let mut ends = BTreeMap::new();
    for &(rank, segment) in &look.segments {
        let path = run.segment(rank, segment);
        let offset = fs::metadata(&path).map_err(ShipError::disk(&path))?.len();
        let end = Position {
            segment,
            offset,
            ..Position::default()
        };
        ends.insert(rank, end);
    }
    Ok(Cursor(ends))
}
