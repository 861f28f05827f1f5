//! Follows the logs of a run, live or ended, from a cursor.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::damage::Damage;
use super::segment::LogError;
use super::tail::{Tail, list};
use crate::ids::Rank;
use crate::layout::RunDir;
use crate::lock::is_live;
use crate::record::Record;

/// Frames taken of one writer before the next has its turn: enough to make looking at the others cheap.
const TURN: u32 = 256;

/// How far a follower has read: for each writer, the first byte that it has not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(pub BTreeMap<Rank, Position>);

/// A place in one writer's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The segment.
    pub segment: u32,
    /// The random number in the segment's head, 0 while it is not known: tells a log from one that took its place.
    #[serde(default)]
    pub identity: u64,
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

/// Reads the logs of a run frame by frame, from all its writers, and tells *nothing yet* from *nothing more*.
///
/// Frames of one writer come in order. Between writers there is no order; they take turns.
#[derive(Debug)]
pub struct Follower {
    dir: RunDir,
    tails: BTreeMap<Rank, Tail>,
    /// Keys declared before the cursor, to be given first.
    replays: VecDeque<Batch>,
    damage: Vec<Damage>,
    round: Option<Round>,
    /// Writers that hold their lock and have no log yet.
    beginning: BTreeSet<Rank>,
}

/// One visit to each writer.
#[derive(Debug)]
struct Round {
    /// The segments at its beginning.
    listed: Vec<(Rank, u32)>,
    waiting: VecDeque<Rank>,
    /// Frames that the first of them may still give in this round.
    left: u32,
    /// Whether any gave one.
    news: bool,
}

impl Follower {
    /// Follows a run from its beginning.
    #[must_use]
    pub fn new(dir: RunDir) -> Self {
        Self {
            dir,
            tails: BTreeMap::new(),
            replays: VecDeque::new(),
            damage: Vec::new(),
            round: None,
            beginning: BTreeSet::new(),
        }
    }

    /// Follows a run from where an earlier follower was. The first batch of each writer in the cursor gives the keys
    /// that were declared before it.
    ///
    /// # Errors
    /// If a segment of the cursor cannot be read, or is another one than it was.
    pub fn resume(dir: RunDir, cursor: &Cursor) -> Result<Self, LogError> {
        let mut follower = Self::new(dir);
        for (&rank, position) in &cursor.0 {
            let (tail, records) = Tail::resume(&follower.dir, rank, position)?;
            follower.tails.insert(rank, tail);
            follower.replays.push_back(Batch {
                rank,
                sequence: position.sequence,
                records,
                replayed: true,
            });
        }
        Ok(follower)
    }

    /// The next frame of any writer; `None` when there is none now. Ask [`Self::is_live`] then whether more may come.
    ///
    /// # Errors
    /// If a file cannot be read or is of a newer format.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, LogError> {
        if let Some(batch) = self.replays.pop_front() {
            return Ok(Some(batch));
        }
        loop {
            let mut round = match self.round.take() {
                Some(round) => round,
                None => self.begin_round()?,
            };
            if let Some(batch) = self.visit(&mut round)? {
                self.round = Some(round);
                return Ok(Some(batch));
            }
            if !round.news {
                return Ok(None);
            }
        }
    }

    fn begin_round(&mut self) -> Result<Round, LogError> {
        let listing = list(&self.dir)?;
        let mut listed = listing.segments;
        let mut silent: BTreeSet<Rank> = listing.locks.into_iter().collect();
        silent.retain(|rank| !listed.iter().any(|(r, _)| r == rank));
        if !silent.is_empty() {
            // A writer takes its lock first: once that was looked at, a log may be there after all.
            silent.retain(|rank| is_live(&self.dir, *rank));
            listed = list(&self.dir)?.segments;
            silent.retain(|rank| !listed.iter().any(|(r, _)| r == rank));
        }
        self.beginning = silent;
        for &(rank, segment) in &listed {
            if !self.tails.contains_key(&rank) {
                let tail = Tail::open(&self.dir, rank, segment)?;
                self.tails.insert(rank, tail);
            }
        }
        Ok(Round {
            listed,
            waiting: self.tails.keys().copied().collect(),
            left: TURN,
            news: false,
        })
    }

    /// The next frame of the round.
    fn visit(&mut self, round: &mut Round) -> Result<Option<Batch>, LogError> {
        while let Some(&rank) = round.waiting.front() {
            if round.left > 0
                && let Some(tail) = self.tails.get_mut(&rank)
                && let Some(frame) =
                    tail.next_frame(&self.dir, &mut round.listed, &mut self.damage)?
            {
                round.left -= 1;
                round.news = true;
                return Ok(Some(Batch {
                    rank,
                    sequence: frame.sequence,
                    records: frame.records,
                    replayed: false,
                }));
            }
            round.waiting.pop_front();
            round.left = TURN;
        }
        Ok(None)
    }

    /// Whether any writer held its lock when its log was last seen to have nothing new.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.beginning.is_empty() || self.tails.values().any(Tail::is_live)
    }

    /// Whether this writer did.
    #[must_use]
    pub fn is_writer_live(&self, rank: Rank) -> bool {
        self.beginning.contains(&rank) || self.tails.get(&rank).is_some_and(Tail::is_live)
    }

    /// What was found damaged so far.
    #[must_use]
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// Where the follower is.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        let positions = self.tails.iter();
        Cursor(
            positions
                .map(|(&rank, tail)| (rank, tail.position()))
                .collect(),
        )
    }
}
