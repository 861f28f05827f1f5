//! One writer's log on its way.

use std::time::{Duration, Instant};

use cresset_record::{Piece, PieceReader, Rank, RunDir};

use crate::error::ShipError;

/// About so many bytes are sent at a time.
const PIECE: usize = 1 << 20;

#[derive(Debug, Default)]
pub(super) struct Writer {
    /// The number of the last frame that the server has.
    pub(super) last: Option<u64>,
    /// The number of the last frame whose blobs it has too.
    pub(super) blobs: Option<u64>,
    reader: Option<(u32, PieceReader)>,
    /// When the server last heard of it.
    heard: Option<Instant>,
}

impl Writer {
    /// A writer of which the server has this.
    pub(super) fn at(last: Option<u64>, blobs: Option<u64>) -> Self {
        Self {
            last,
            blobs: blobs.min(last),
            ..Self::default()
        }
    }

    pub(super) fn heard(&mut self, last: Option<u64>) {
        self.last = last;
        self.heard = Some(Instant::now());
    }

    pub(super) fn is_silent(&self, patience: Duration) -> bool {
        self.heard.is_none_or(|heard| heard.elapsed() >= patience)
    }

    /// The segment that it is at.
    pub(super) fn segment(&self) -> u32 {
        self.reader.as_ref().map_or(0, |(index, _)| *index)
    }

    /// What comes next, with its segment; `None` if there is no more now.
    pub(super) fn next_piece(
        &mut self,
        run: &RunDir,
        rank: Rank,
        is_live: bool,
    ) -> Result<Option<(u32, Piece)>, ShipError> {
        loop {
            let next = self.following(run, rank)?;
            let Some((index, reader)) = &mut self.reader else {
                let Some(first) = next else {
                    return Ok(None);
                };
                self.open(run, rank, first)?;
                continue;
            };
            let index = *index;
            let is_complete = next.is_some() || !is_live;
            if let Some(piece) = reader.next(PIECE, is_complete)? {
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
        Ok(())
    }

    /// The segment after the one that is read now, or the first.
    fn following(&self, run: &RunDir, rank: Rank) -> Result<Option<u32>, ShipError> {
        let segments = run.segments().map_err(ShipError::disk(run.path()))?;
        let at = self.reader.as_ref().map(|(index, _)| *index);
        let own = segments.into_iter().filter(|(r, _)| *r == rank);
        Ok(own
            .map(|(_, index)| index)
            .find(|index| at.is_none_or(|at| *index > at)))
    }
}
