//! Follows the logs of a run, live or ended, from a cursor.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};

use super::frame;
use super::segment::{LogError, Next, SegmentReader};
use crate::ids::Rank;
use crate::layout::RunDir;
use crate::lock::is_live;
use crate::record::Record;

/// How far a follower has read: for each writer, the first byte that it has not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(pub BTreeMap<Rank, Position>);

/// A place in one writer's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The segment.
    pub segment: u32,
    /// The byte within it.
    pub offset: u64,
    /// The sequence number of the frame expected there.
    pub sequence: u64,
}

/// The records of one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Whose log it is from.
    pub rank: Rank,
    /// The frame's number in that log.
    pub sequence: u64,
    /// The records, in order.
    pub records: Vec<Record>,
    /// Whether the records were read before the cursor: only the keys that later records use.
    pub replayed: bool,
}

/// A part of a log that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// Whose log.
    pub rank: Rank,
    /// Which segment.
    pub segment: u32,
    /// First bad byte.
    pub from: u64,
    /// First byte after the bad ones.
    pub to: u64,
    /// What is wrong there.
    pub kind: DamageKind,
}

/// What is wrong with a part of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum DamageKind {
    /// The last write was cut short, as a kill or a loss of power does.
    TornTail,
    /// The bytes are no frame or fail their checksum.
    Corrupt,
    /// Frames that were written are not there.
    MissingFrames {
        /// How many.
        frames: u64,
    },
    /// A frame is whole, but some of its records are not what their kind promises.
    Malformed {
        /// How many.
        records: u32,
    },
}

/// Reads the logs of a run frame by frame, from all its writers, and tells *nothing yet* from *nothing more*.
#[derive(Debug)]
pub struct Follower {
    dir: RunDir,
    tails: BTreeMap<Rank, Tail>,
    damage: Vec<Damage>,
}

#[derive(Debug)]
struct Tail {
    reader: SegmentReader,
    segment: u32,
    /// Sequence number of the next frame.
    expected: u64,
    /// Keys declared before the cursor, to be given first.
    replay: Option<Vec<Record>>,
    /// Whether the writer was seen to hold its lock at the last look.
    live: bool,
}

impl Follower {
    /// Follows a run from its beginning.
    #[must_use]
    pub fn new(dir: RunDir) -> Self {
        Self {
            dir,
            tails: BTreeMap::new(),
            damage: Vec::new(),
        }
    }

    /// Follows a run from where an earlier follower was.
    ///
    /// # Errors
    /// If a segment of the cursor cannot be read.
    pub fn resume(dir: RunDir, cursor: &Cursor) -> Result<Self, LogError> {
        let mut follower = Self::new(dir);
        for (&rank, position) in &cursor.0 {
            let mut tail = Tail::open(&follower.dir, rank, position.segment)?;
            tail.replay = Some(tail.read_keys(position.offset)?);
            tail.expected = position.sequence;
            follower.tails.insert(rank, tail);
        }
        Ok(follower)
    }

    /// The next frame of any writer; `None` when there is none now. Ask [`Self::is_live`] then whether more may come.
    ///
    /// # Errors
    /// If a file cannot be read or is of a newer format.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, LogError> {
        self.find_writers()?;
        for (&rank, tail) in &mut self.tails {
            if let Some(batch) = tail.next_batch(&self.dir, rank, &mut self.damage)? {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// Whether any writer held its lock when its log was last seen to have nothing new.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.tails.values().any(|tail| tail.live)
    }

    /// Whether this writer did.
    #[must_use]
    pub fn is_writer_live(&self, rank: Rank) -> bool {
        self.tails.get(&rank).is_some_and(|tail| tail.live)
    }

    /// What was found damaged so far.
    #[must_use]
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// Where the follower is.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        let position = |t: &Tail| Position {
            segment: t.segment,
            offset: t.reader.offset(),
            sequence: t.expected,
        };
        Cursor(
            self.tails
                .iter()
                .map(|(&rank, tail)| (rank, position(tail)))
                .collect(),
        )
    }

    fn find_writers(&mut self) -> Result<(), LogError> {
        for (rank, segment) in segments(&self.dir)? {
            if !self.tails.contains_key(&rank) {
                self.tails
                    .insert(rank, Tail::open(&self.dir, rank, segment)?);
            }
        }
        Ok(())
    }
}

impl Tail {
    fn open(dir: &RunDir, rank: Rank, segment: u32) -> Result<Self, LogError> {
        let path = dir.segment(rank, segment);
        let reader = SegmentReader::open(&path).map_err(|source| LogError::Io { path, source })?;
        Ok(Self {
            reader,
            segment,
            expected: 0,
            replay: None,
            live: false,
        })
    }

    fn next_batch(
        &mut self,
        dir: &RunDir,
        rank: Rank,
        damage: &mut Vec<Damage>,
    ) -> Result<Option<Batch>, LogError> {
        if let Some(records) = self.replay.take() {
            return Ok(Some(Batch {
                rank,
                sequence: self.expected,
                records,
                replayed: true,
            }));
        }
        let mut complete = false;
        loop {
            let from = self.reader.offset();
            let at = |from, to, kind| Damage {
                rank,
                segment: self.segment,
                from,
                to,
                kind,
            };
            match self.reader.next_payload(complete)? {
                Next::Frame { offset, payload } => {
                    let Some(frame) = frame::decode(payload) else {
                        damage.push(at(
                            offset,
                            offset + payload.len() as u64,
                            DamageKind::Malformed { records: 1 },
                        ));
                        continue;
                    };
                    if frame.sequence > self.expected {
                        let frames = frame.sequence - self.expected;
                        damage.push(at(offset, offset, DamageKind::MissingFrames { frames }));
                    }
                    if frame.malformed > 0 {
                        let end = self.reader.offset();
                        damage.push(at(
                            offset,
                            end,
                            DamageKind::Malformed {
                                records: frame.malformed,
                            },
                        ));
                    }
                    self.expected = frame.sequence.saturating_add(1);
                    return Ok(Some(Batch {
                        rank,
                        sequence: frame.sequence,
                        records: frame.records,
                        replayed: false,
                    }));
                }
                Next::Damage { to, at_end } => {
                    let kind = if at_end {
                        DamageKind::TornTail
                    } else {
                        DamageKind::Corrupt
                    };
                    damage.push(at(from, to, kind));
                }
                // Whether more may come is asked after nothing was found, and then the log is read once more:
                // what a writer appended before it let go is never missed.
                Next::Pending => {
                    let later = later_segment(dir, rank, self.segment)?;
                    self.live = later.is_none() && is_live(dir, rank);
                    if self.live {
                        return Ok(None);
                    }
                    complete = true;
                }
                Next::End => {
                    let Some(next) = later_segment(dir, rank, self.segment)? else {
                        return Ok(None);
                    };
                    let expected = self.expected;
                    *self = Self::open(dir, rank, next)?;
                    self.expected = expected;
                    complete = false;
                }
            }
        }
    }

    /// The key records before `end`, and goes there.
    fn read_keys(&mut self, end: u64) -> Result<Vec<Record>, LogError> {
        let mut keys = Vec::new();
        while self.reader.offset() < end {
            match self.reader.next_payload(true)? {
                Next::Frame { payload, .. } => {
                    let records = frame::decode(payload).map_or_else(Vec::new, |f| f.records);
                    keys.extend(
                        records
                            .into_iter()
                            .filter(|r| matches!(r, Record::Key { .. })),
                    );
                }
                Next::Damage { .. } => {}
                Next::Pending | Next::End => break,
            }
        }
        Ok(keys)
    }
}

fn later_segment(dir: &RunDir, rank: Rank, after: u32) -> Result<Option<u32>, LogError> {
    Ok(segments(dir)?
        .into_iter()
        .find(|(r, i)| *r == rank && *i > after)
        .map(|(_, i)| i))
}

fn segments(dir: &RunDir) -> Result<Vec<(Rank, u32)>, LogError> {
    dir.segments().or_else(|source| match source.kind() {
        // A run that has not begun yet, or was deleted: nothing to read.
        io::ErrorKind::NotFound => Ok(Vec::new()),
        _ => Err(LogError::Io {
            path: dir.path().to_owned(),
            source,
        }),
    })
}
