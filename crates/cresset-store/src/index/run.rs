//! One run that is being followed.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use cresset_record::{Cursor, Follower, LogError, Rank, RunDir, is_live};
use serde_json::Map;

use super::fold::Fold;
use super::series::{SeriesState, Slot, kind_from_sql};
use super::stored::{StoredHead, from_json};
use crate::document::RunKey;
use crate::engine::Transaction;
use crate::error::StoreError;

/// About how many bytes of memory one piece of a log may take before it is stored.
const PIECE: usize = 6 << 20;
/// How long one piece may take to read: what is in it is not seen before.
const PATIENCE: Duration = Duration::from_millis(150);

/// A run with an open follower.
#[derive(Debug)]
pub(crate) struct Tracked {
    pub(crate) key: RunKey,
    pub(crate) dir: RunDir,
    /// In the database; 0 while it is not there.
    pub(crate) id: i64,
    /// Counts the commits of this run: another process's shows.
    pub(crate) generation: i64,
    /// When the run's folder last changed, nanoseconds since 1970, as seen before its logs were read.
    pub(crate) stamp: i64,
    pub(crate) fold: Fold,
    /// Rows of the tail, and the number of the last of them.
    pub(crate) tail_rows: u64,
    pub(crate) next_tail: i64,
    follower: Follower,
    damage_seen: usize,
    /// Bytes of segments that are finished.
    sizes: HashMap<(Rank, u32), u64>,
}

/// What was read of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Whether there was anything new, states of writers included.
    pub(crate) news: bool,
    /// Whether more is waiting.
    pub(crate) more: bool,
    /// Scalars.
    pub(crate) points: u64,
}

impl Tracked {
    /// A run that the database does not know.
    pub(crate) fn new(key: RunKey, dir: RunDir) -> Self {
        Self {
            key,
            follower: Follower::new(dir.clone()),
            dir,
            id: 0,
            generation: 0,
            stamp: 0,
            fold: Fold::default(),
            tail_rows: 0,
            next_tail: 0,
            damage_seen: 0,
            sizes: HashMap::new(),
        }
    }

    /// A run as the database has it; `None` if it has not.
    pub(crate) fn load(
        tx: &mut dyn Transaction,
        key: &RunKey,
        dir: &RunDir,
    ) -> Result<Option<Loaded>, StoreError> {
        let row = tx.first(
            "SELECT id, generation, stamp, cursor, head, environment FROM runs WHERE project = $1 AND run = $2",
            &[key.project.as_str().into(), key.run.as_str().into()],
            |row| {
                let cursor: Cursor = match row.text(3)? {
                    "{}" => Cursor::default(),
                    text => from_json(text, "a cursor")?,
                };
                let head: StoredHead = from_json(row.text(4)?, "a run's head")?;
                let environment: Map<String, _> = from_json(row.text(5)?, "a run's environment")?;
                Ok((row.integer(0)?, row.integer(1)?, row.integer(2)?, cursor, head, environment))
            },
        )?;
        let Some((id, generation, stamp, cursor, head, environment)) = row else {
            return Ok(None);
        };
        let slots = tx.all(
            "SELECT s.id, k.name, s.rank, s.kind, s.state FROM series s JOIN keys k ON k.id = s.name WHERE s.run = $1 ORDER BY s.id",
            &[id.into()],
            |row| {
                let key = cresset_record::Key::new(row.text(1)?).map_err(|_| crate::varint::damaged("a key"))?;
                let rank = u32::try_from(row.integer(2)?).map_err(|_| crate::varint::damaged("a series"))?;
                let mut slot = Slot::new(key, Rank(rank), kind_from_sql(row.integer(3)?)?);
                slot.id = row.integer(0)?;
                slot.state = SeriesState::decode(row.bytes(4)?)?;
                slot.changed = false;
                Ok(slot)
            },
        )?;
        let tail = tx.first(
            "SELECT COUNT(*), MAX(number) FROM tails WHERE run = $1",
            &[id.into()],
            |row| Ok((row.integer(0)?, row.optional_integer(1)?)),
        )?;
        let (tail_rows, next_tail) = tail.unwrap_or_default();
        Ok(Some(Loaded {
            cursor,
            run: Self {
                id,
                generation,
                stamp,
                fold: Fold::restore(head, environment, slots),
                tail_rows: tail_rows as u64,
                next_tail: next_tail.unwrap_or_default(),
                ..Self::new(key.clone(), dir.clone())
            },
        }))
    }

    /// Reads on, until there is nothing more now or enough for one commit.
    pub(crate) fn read(&mut self) -> Result<Piece, LogError> {
        let begun = Instant::now();
        let mut piece = Piece::default();
        loop {
            let Some(batch) = self.follower.next_batch()? else {
                break;
            };
            piece.news |= !batch.replayed;
            self.fold.apply(batch);
            let pending = &self.fold.pending;
            if pending.weight > PIECE || begun.elapsed() > PATIENCE {
                piece.more = true;
                break;
            }
        }
        piece.points = self.fold.pending.points as u64;
        self.look_at_writers(&mut piece);
        let damage = self.follower.damage();
        if let Some(new) = damage.get(self.damage_seen..).filter(|new| !new.is_empty()) {
            self.fold.head.note_damage(new);
            self.damage_seen = damage.len();
            piece.news = true;
        }
        if piece.news {
            self.fold.head.log_bytes = self.bytes();
        }
        Ok(piece)
    }

    /// Which writers hold their locks.
    fn look_at_writers(&mut self, piece: &mut Piece) {
        for (&rank, writer) in &mut self.fold.head.writers {
            let live = if writer.outcome.is_some() {
                false
            } else if piece.more {
                is_live(&self.dir, rank)
            } else {
                self.follower.is_writer_live(rank)
            };
            piece.news |= live != writer.live;
            writer.live = live;
        }
        let live = self.follower.is_live();
        piece.news |= live != self.fold.head.live && self.fold.head.writers.is_empty();
        self.fold.head.live = live;
    }

    /// Whether more may come: somebody holds a lock.
    pub(crate) fn is_live(&self) -> bool {
        self.fold.head.live || self.fold.head.writers.values().any(|w| w.live)
    }

    pub(crate) fn cursor(&self) -> Cursor {
        self.follower.cursor()
    }

    /// Bytes of all segments up to those that are being read.
    fn bytes(&mut self) -> u64 {
        let mut total = 0u64;
        for (rank, position) in self.follower.cursor().0 {
            for segment in 0..=position.segment {
                let known = self.sizes.get(&(rank, segment)).copied();
                let size = known.unwrap_or_else(|| {
                    std::fs::metadata(self.dir.segment(rank, segment)).map_or(0, |m| m.len())
                });
                if segment < position.segment {
                    self.sizes.insert((rank, segment), size);
                }
                total = total.saturating_add(size);
            }
        }
        total
    }
}

/// A run from the database whose logs are not opened yet.
#[derive(Debug)]
pub(crate) struct Loaded {
    run: Tracked,
    cursor: Cursor,
}

impl Loaded {
    /// Opens the logs where the cursor is.
    ///
    /// # Errors
    /// If they cannot be read, or others are in their place, such as what a loss of power left of them.
    pub(crate) fn open(self) -> Result<Tracked, LogError> {
        let mut run = self.run;
        for (&rank, position) in &self.cursor.0 {
            let path = run.dir.segment(rank, position.segment);
            if std::fs::metadata(&path).is_ok_and(|m| m.len() < position.offset) {
                return Err(LogError::Replaced { path });
            }
        }
        run.follower = Follower::resume(run.dir.clone(), &self.cursor)?;
        Ok(run)
    }
}
