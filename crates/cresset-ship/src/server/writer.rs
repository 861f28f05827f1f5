//! One writer's log on its way.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use cresset_record::{Holder, Piece, PieceReader, Position, Rank, RunDir, is_live};

use crate::error::ShipError;
use crate::selection::Selection;
use crate::sieve::Sieve;

/// About so many bytes are sent at a time.
const PIECE: usize = 1 << 20;

/// One look at a run's folder. To see it costs more than to carry a run's few new frames, and a run is looked at several times a second.
#[derive(Debug)]
pub(super) struct Look {
    /// By writer and then in order.
    pub(super) segments: Vec<(Rank, u32)>,
    /// Writers that held their lock before that: what one wrote until it let go is seen with a look that finds it gone.
    pub(super) live: BTreeSet<Rank>,
}

impl Look {
    /// Looks at a run of which these writers are known.
    pub(super) fn at(run: &RunDir, known: impl Iterator<Item = Rank>) -> Result<Self, ShipError> {
        let list = || run.segments().map_err(ShipError::disk(run.path()));
        let is_held = |rank: &Rank| is_live(run, *rank);
        let known: BTreeSet<Rank> = known.collect();
        let mut live: BTreeSet<Rank> = known.iter().copied().filter(is_held).collect();
        let mut segments = list()?;
        let ranks = segments.iter().map(|(rank, _)| *rank);
        let new: BTreeSet<Rank> = ranks.filter(|rank| !known.contains(rank)).collect();
        if !new.is_empty() {
            live.extend(new.iter().copied().filter(is_held));
            segments = list()?;
            // Of one that began since, nothing is known: the next look tells.
            let ranks = segments.iter().map(|(rank, _)| *rank);
            live.extend(ranks.filter(|rank| !known.contains(rank) && !new.contains(rank)));
        }
        Ok(Self { segments, live })
    }

    /// Whether a writer that goes on writes this segment.
    pub(super) fn is_last(&self, rank: Rank, index: u32) -> bool {
        self.live.contains(&rank) && self.following(rank, Some(index)).is_none()
    }

    /// The segment after this one, or the first.
    fn following(&self, rank: Rank, at: Option<u32>) -> Option<u32> {
        let own = self.segments.iter().filter(|(r, _)| *r == rank);
        own.map(|(_, index)| *index)
            .find(|index| at.is_none_or(|at| *index > at))
    }
}

#[derive(Debug)]
pub(super) struct Writer {
    /// The number of the last frame that the server has.
    pub(super) last: Option<u64>,
    /// The number of the last frame whose blobs it has too.
    pub(super) blobs: Option<u64>,
    reader: Option<(u32, PieceReader)>,
    /// What of it goes; `None` if all does, byte for byte. It sees a log from its beginning, so that each frame is the same bytes whenever
    /// it goes.
    sieve: Option<Sieve>,
    /// Where it lives, as its lock file says.
    host: Option<String>,
    /// When the server last heard of it.
    heard: Option<Instant>,
}

impl Writer {
    /// A writer of which the server has this.
    pub(super) fn at(last: Option<u64>, blobs: Option<u64>, selection: &Selection) -> Self {
        Self {
            last,
            blobs: blobs.min(last),
            reader: None,
            sieve: (!selection.shows_all()).then(|| Sieve::new(selection.clone())),
            host: (!selection.shows_host()).then(String::new),
            heard: None,
        }
    }

    /// What the server says that it has.
    ///
    /// # Errors
    /// If that is less than it had, as after a loss of power there: it is to be asked anew, and gets it again.
    pub(super) fn heard(&mut self, last: Option<u64>) -> Result<(), ShipError> {
        if last < self.last {
            return Err(ShipError::Unreachable {
                message: "the server has less of the run than it had; the rest is sent again"
                    .to_owned(),
                retry_after: None,
            });
        }
        self.last = last;
        self.heard = Some(Instant::now());
        Ok(())
    }

    pub(super) fn is_silent(&self, patience: Duration) -> bool {
        self.heard.is_none_or(|heard| heard.elapsed() >= patience)
    }

    /// The segment that it is at.
    pub(super) fn segment(&self) -> u32 {
        self.reader.as_ref().map_or(0, |(index, _)| *index)
    }

    /// How far it is read.
    pub(super) fn position(&self) -> Position {
        let offset = self.reader.as_ref().map(|(_, reader)| reader.offset());
        Position {
            segment: self.segment(),
            offset: offset.unwrap_or_default(),
            ..Position::default()
        }
    }

    /// The host where it lives or lived; empty if that is not to be told.
    pub(super) fn host(&mut self, run: &RunDir, rank: Rank) -> &str {
        self.host.get_or_insert_with(|| host(run, rank))
    }

    /// What comes next, with its segment; `None` if there is no more now.
    pub(super) fn next_piece(
        &mut self,
        run: &RunDir,
        rank: Rank,
        look: &Look,
    ) -> Result<Option<(u32, Piece)>, ShipError> {
        loop {
            let at = self.reader.as_ref().map(|(index, _)| *index);
            let next = look.following(rank, at);
            let Some((index, reader)) = &mut self.reader else {
                let Some(first) = next else {
                    return Ok(None);
                };
                self.open(run, rank, first)?;
                continue;
            };
            let index = *index;
            let is_complete = next.is_some() || !look.live.contains(&rank);
            let piece = match &mut self.sieve {
                Some(sieve) => {
                    let mut revise = |records| sieve.pass(rank, records);
                    reader.next_revised(PIECE, is_complete, &mut revise)?
                }
                None => reader.next(PIECE, is_complete)?,
            };
            if let Some(piece) = piece {
                return Ok(Some((index, piece)));
            }
            let Some(next) = next else {
                return Ok(None);
            };
            self.open(run, rank, next)?;
        }
    }

    fn open(&mut self, run: &RunDir, rank: Rank, index: u32) -> Result<(), ShipError> {
        let reader = PieceReader::open(run, rank, index, self.blobs)?;
        self.reader = Some((index, reader));
        // A segment may have been begun elsewhere.
        self.host.take_if(|host| !host.is_empty());
        Ok(())
    }
}

/// Whether there were no more frames when it was read.
pub(super) fn is_small(piece: &Piece) -> bool {
    piece.bytes.len() < PIECE
}

fn host(run: &RunDir, rank: Rank) -> String {
    let signed = fs::read(run.lock(rank)).ok();
    let holder: Option<Holder> = signed.and_then(|text| serde_json::from_slice(&text).ok());
    let host = holder.map(|holder| holder.host).unwrap_or_default();
    host.chars().filter(char::is_ascii_graphic).collect()
}
