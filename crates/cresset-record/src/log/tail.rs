//! The growing end of one writer's log.

use std::io;

use super::damage::{Damage, DamageKind};
use super::decode::{self, Frame};
use super::follow::Position;
use super::segment::{LogError, Next, SegmentReader};
use crate::ids::Rank;
use crate::layout::{Listing, RunDir};
use crate::lock::is_live;
use crate::record::Record;

/// Reads one writer's log, segment after segment.
#[derive(Debug)]
pub(super) struct Tail {
    rank: Rank,
    segment: u32,
    reader: SegmentReader,
    /// Sequence number of the next frame.
    expected: u64,
    /// Whether the writer was seen to hold its lock at the last look.
    live: bool,
    /// The end of the log was reached while nobody held the lock.
    ended: bool,
}

impl Tail {
    /// Begins at the first byte of a segment.
    pub(super) fn open(dir: &RunDir, rank: Rank, segment: u32) -> Result<Self, LogError> {
        let path = dir.segment(rank, segment);
        let reader = SegmentReader::open(&path).map_err(|source| LogError::Io { path, source })?;
        Ok(Self {
            rank,
            segment,
            reader,
            expected: 0,
            live: false,
            ended: false,
        })
    }

    /// Begins at a position; gives the keys that were declared before it.
    pub(super) fn resume(
        dir: &RunDir,
        rank: Rank,
        position: &Position,
    ) -> Result<(Self, Vec<Record>), LogError> {
        let mut tail = Self::open(dir, rank, position.segment)?;
        let keys = tail.read_keys(position.offset)?;
        let identity = tail.reader.head().map_or(0, |head| head.identity);
        if position.identity != 0 && identity != 0 && position.identity != identity {
            return Err(LogError::Replaced {
                path: tail.reader.path().to_owned(),
            });
        }
        tail.expected = position.sequence;
        tail.reader.go_to(position.offset);
        Ok((tail, keys))
    }

    pub(super) fn is_live(&self) -> bool {
        self.live
    }

    pub(super) fn position(&self) -> Position {
        Position {
            segment: self.segment,
            identity: self.reader.head().map_or(0, |head| head.identity),
            offset: self.reader.offset(),
            sequence: self.expected,
        }
    }

    /// The next frame; `None` when there is none now. `listed` are the run's segments as they were lately; it is
    /// brought up to date where that matters.
    pub(super) fn next_frame(
        &mut self,
        dir: &RunDir,
        listed: &mut Vec<(Rank, u32)>,
        damage: &mut Vec<Damage>,
    ) -> Result<Option<Frame>, LogError> {
        // A segment is final once a later one exists, and what is read after seeing that is all of it.
        let mut complete = self.later(listed).is_some();
        loop {
            match self.reader.next_payload(complete)? {
                Next::Frame {
                    from,
                    to,
                    minor,
                    payload,
                } => {
                    let frame = Frame::decode(payload, minor);
                    if let Some(frame) = self.check(frame, from, to, damage) {
                        return Ok(Some(frame));
                    }
                }
                Next::Damage { from, to, at_end } => {
                    damage.push(self.damage(from, to, DamageKind::of_gap(at_end)));
                }
                // First nothing was found, then the lock was free, then segments are listed, and then the log is read
                // once more: what a writer appended before it let go is never missed.
                Next::Pending => {
                    self.live = is_live(dir, self.rank);
                    // At the end nothing was unfinished. What comes now comes from a writer whose lock cannot be seen
                    // here, so that its unfinished frames must be waited for.
                    if self.live || self.ended {
                        self.ended &= !self.live;
                        return Ok(None);
                    }
                    *listed = list(dir)?.segments;
                    complete = true;
                }
                Next::End => {
                    let Some(next) = self.later(listed) else {
                        self.ended = true;
                        self.live = false;
                        return Ok(None);
                    };
                    self.go_on(dir, next)?;
                    complete = self.later(listed).is_some();
                }
            }
        }
    }

    /// Notes what is wrong with a frame; `None` if nothing is right.
    fn check(
        &mut self,
        frame: Option<Frame>,
        from: u64,
        to: u64,
        damage: &mut Vec<Damage>,
    ) -> Option<Frame> {
        let malformed = |records| DamageKind::Malformed { records };
        let Some(frame) = frame else {
            damage.push(self.damage(from, to, malformed(1)));
            return None;
        };
        if frame.sequence > self.expected {
            let frames = frame.sequence - self.expected;
            damage.push(self.damage(from, from, DamageKind::MissingFrames { frames }));
        }
        if frame.malformed > 0 {
            damage.push(self.damage(from, to, malformed(frame.malformed)));
        }
        self.expected = frame.sequence.saturating_add(1);
        Some(frame)
    }

    fn damage(&self, from: u64, to: u64, kind: DamageKind) -> Damage {
        Damage {
            rank: self.rank,
            segment: self.segment,
            from,
            to,
            kind,
        }
    }

    /// The segment after this one.
    fn later(&self, listed: &[(Rank, u32)]) -> Option<u32> {
        let mut later = listed
            .iter()
            .filter(|(rank, index)| *rank == self.rank && *index > self.segment);
        later.next().map(|(_, index)| *index)
    }

    /// Goes to the beginning of a later segment.
    fn go_on(&mut self, dir: &RunDir, segment: u32) -> Result<(), LogError> {
        *self = Self {
            expected: self.expected,
            live: self.live,
            ..Self::open(dir, self.rank, segment)?
        };
        Ok(())
    }

    /// The key records before `end`.
    fn read_keys(&mut self, end: u64) -> Result<Vec<Record>, LogError> {
        let mut keys = Vec::new();
        while self.reader.offset() < end {
            match self.reader.next_payload(true)? {
                Next::Frame { payload, .. } => keys.extend(decode::keys(payload)),
                Next::Damage { .. } => {}
                Next::Pending | Next::End => break,
            }
        }
        Ok(keys)
    }
}

/// What is in the folder of a run.
pub(super) fn list(dir: &RunDir) -> Result<Listing, LogError> {
    dir.list().or_else(|source| match source.kind() {
        // A run that has not begun yet, or was deleted: nothing to read.
        io::ErrorKind::NotFound => Ok(Listing::default()),
        _ => Err(LogError::Io {
            path: dir.path().to_owned(),
            source,
        }),
    })
}
