//! What the indexing process knows of the folder: which runs there are, and how far each was read.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use cresset_record::{Cursor, LogError, Rank, Root, RunDir, is_live};

use super::commit::commit;
use super::remove::remove_derived;
use super::run::{Piece, Tracked};
use super::scan::{Scanner, dir_of, is_settled, stamp};
use super::stored::from_json;
use super::{forget, place, run_key};
use crate::document::RunKey;
use crate::engine::Engine;
use crate::engine::chunks::Chunks;
use crate::error::StoreError;

/// Runs whose logs are kept open between looks: each holds a file.
const MAX_OPEN: usize = 256;
/// How often the folder is searched for new runs.
const SCAN: Duration = Duration::from_millis(500);
/// How often it is looked whether a writer still holds its lock.
const LIVENESS: Duration = Duration::from_secs(1);
/// The folders of all runs that are not written are looked at within so many passes.
const SWEEP_PASSES: usize = 20;
/// Bytes in memory and runs that are committed together, and for how long they may wait for each other.
const GROUP_BYTES: usize = 8 << 20;
const GROUP_RUNS: usize = 64;
const GROUP_TIME: Duration = Duration::from_millis(100);
/// How long a run that could not be read is left alone.
const RETRY: Duration = Duration::from_secs(5);

/// What a pass found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Scalars that were read.
    pub(crate) points: u64,
    /// Whether anything was committed.
    pub(crate) news: bool,
}

/// Where things are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    pub(crate) root: &'a Root,
    pub(crate) engine: &'a dyn Engine,
    pub(crate) chunks: &'a dyn Chunks,
}

/// Lives as long as this process is the one that indexes.
#[derive(Debug, Default)]
pub(crate) struct State {
    scanner: Scanner,
    scanned: Option<Instant>,
    entries: HashMap<RunKey, Entry>,
    /// In the order in which the sweep goes.
    sweep: VecDeque<RunKey>,
    open: HashMap<RunKey, Tracked>,
    /// Runs that cannot be read, and why.
    refused: BTreeMap<String, String>,
    /// The same for folders that are no runs.
    refused_folders: Vec<(String, String)>,
}

/// What is known of a run without reading it.
#[derive(Debug)]
struct Entry {
    /// When its folder changed as of the last look; 0 where a later change might have the same time.
    stamp: i64,
    /// Writers that may go on.
    live: Vec<Rank>,
    /// How far the log of each writer was read.
    ends: Vec<(Rank, u32, u64)>,
    looked: Instant,
    /// Not before this.
    retry: Option<Instant>,
}

impl Entry {
    fn unread() -> Self {
        Self {
            stamp: 0,
            live: Vec::new(),
            ends: Vec::new(),
            looked: Instant::now(),
            retry: None,
        }
    }

    /// Whether the logs have anything that was not read.
    fn is_behind(&self, dir: &RunDir) -> bool {
        let Ok(segments) = dir.segments() else {
            return true;
        };
        let mut lasts: BTreeMap<Rank, u32> = BTreeMap::new();
        lasts.extend(segments);
        lasts.len() != self.ends.len()
            || self
                .ends
                .iter()
                .any(|(rank, segment, _)| lasts.get(rank) != Some(segment))
            || self.has_grown(dir)
    }

    fn has_grown(&self, dir: &RunDir) -> bool {
        self.ends.iter().any(|&(rank, segment, offset)| {
            // A file that is gone is for the sweep to find out.
            std::fs::metadata(dir.segment(rank, segment)).is_ok_and(|m| m.len() != offset)
        })
    }

    /// Whether a live run needs to be read.
    fn is_due(&mut self, dir: &RunDir, now: Instant) -> bool {
        if self.has_grown(dir) {
            return true;
        }
        let changed = stamp(dir.path()) != self.stamp || self.stamp == 0;
        if now - self.looked < LIVENESS {
            return changed && self.is_behind(dir);
        }
        self.looked = now;
        self.live.iter().any(|&rank| !is_live(dir, rank)) || (changed && self.is_behind(dir))
    }

    /// Whether a run that nobody writes needs to be read.
    fn is_news(&mut self, dir: &RunDir) -> bool {
        let now = stamp(dir.path());
        if now == self.stamp && now != 0 {
            return false;
        }
        // One that was not heard of from elsewhere, and is now, has nothing new in its log for that.
        let is_back = || self.ends.iter().any(|&(rank, ..)| is_live(dir, rank));
        if self.is_behind(dir) || is_back() {
            return true;
        }
        self.stamp = if is_settled(now) { now } else { 0 };
        false
    }
}

impl State {
    /// Reads what the database knows of all runs; what this process knew is forgotten.
    pub(crate) fn load(&mut self, places: Places<'_>) -> Result<(), StoreError> {
        *self = Self::default();
        let rows = places.engine.read(|tx| {
            tx.all(
                "SELECT project, run, stamp, live, cursor FROM runs",
                &[],
                |row| {
                    let cursor: Cursor = match row.text(4)? {
                        "{}" => Cursor::default(),
                        text => from_json(text, "a cursor")?,
                    };
                    Ok((
                        run_key(row.text(0)?, row.text(1)?)?,
                        row.integer(2)?,
                        row.integer(3)? != 0,
                        cursor,
                    ))
                },
            )
        })?;
        for (key, stamp, live, cursor) in rows {
            let ranks = cursor.0.keys().copied().filter(|_| live);
            let entry = Entry {
                stamp,
                live: ranks.collect(),
                ends: ends(&cursor),
                // A run that was live is looked at first.
                looked: Instant::now()
                    .checked_sub(LIVENESS)
                    .unwrap_or_else(Instant::now),
                retry: None,
            };
            self.sweep.push_back(key.clone());
            self.entries.insert(key, entry);
        }
        Ok(())
    }

    /// Reads on in all runs that have news. With `full`, the whole folder is looked at; else what is due.
    ///
    /// `committed` is called after each commit.
    pub(crate) fn pass(
        &mut self,
        places: Places<'_>,
        full: bool,
        committed: &mut dyn FnMut(),
    ) -> Result<Found, StoreError> {
        let mut found = Found::default();
        if full || self.scanned.is_none_or(|at| at.elapsed() >= SCAN) {
            self.scan(places, &mut found)?;
        }
        let queue = self.due(places.root, full);
        self.read_all(places, queue, &mut found, committed)?;
        self.close_some();
        Ok(found)
    }

    fn scan(&mut self, places: Places<'_>, found: &mut Found) -> Result<(), StoreError> {
        let scan = self.scanner.scan(places.root);
        self.scanned = Some(Instant::now());
        self.refused_folders = scan.refused;
        let mut new: Vec<RunKey> = scan
            .new
            .into_iter()
            .filter(|key| !self.entries.contains_key(key))
            .collect();
        if !new.is_empty() {
            // Places are given in the order in which runs began, whichever is read first.
            new.sort_unstable_by(|a, b| a.run.cmp(&b.run));
            places.engine.write(|tx| {
                for key in &new {
                    place(tx, key)?;
                }
                Ok(())
            })?;
        }
        for key in new {
            self.sweep.push_back(key.clone());
            self.entries.insert(key, Entry::unread());
        }
        for key in scan.gone {
            self.remove(places, &key)?;
            found.news = true;
        }
        Ok(())
    }

    /// A run's folder is not there any more.
    fn remove(&mut self, places: Places<'_>, key: &RunKey) -> Result<(), StoreError> {
        self.open.remove(key);
        self.entries.remove(key);
        self.refused.remove(&name(places.root, key));
        places.engine.write(|tx| forget(tx, places.chunks, key))
    }

    /// Runs to be read: live ones first, then the newest.
    fn due(&mut self, root: &Root, full: bool) -> VecDeque<RunKey> {
        let now = Instant::now();
        let mut due = Vec::new();
        let share = if full {
            usize::MAX
        } else {
            (self.sweep.len() / SWEEP_PASSES).max(64)
        };
        for _ in 0..share.min(self.sweep.len()) {
            let Some(key) = self.sweep.pop_front() else {
                break;
            };
            let Some(entry) = self.entries.get_mut(&key) else {
                continue;
            };
            let dir = dir_of(root, &key);
            let retry = entry.retry.is_none_or(|at| full || now >= at);
            if retry && entry.live.is_empty() && (entry.ends.is_empty() || entry.is_news(&dir)) {
                due.push((false, key.clone()));
            }
            self.sweep.push_back(key);
        }
        for (key, entry) in &mut self.entries {
            let retry = entry.retry.is_none_or(|at| full || now >= at);
            if retry && !entry.live.is_empty() && (full || entry.is_due(&dir_of(root, key), now)) {
                due.push((true, key.clone()));
            }
        }
        due.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| b.1.run.cmp(&a.1.run)));
        due.into_iter().map(|(_, key)| key).collect()
    }

    fn read_all(
        &mut self,
        places: Places<'_>,
        mut queue: VecDeque<RunKey>,
        found: &mut Found,
        committed: &mut dyn FnMut(),
    ) -> Result<(), StoreError> {
        let mut group: Vec<(Tracked, Piece)> = Vec::new();
        let mut begun = Instant::now();
        loop {
            if group.is_empty() {
                begun = Instant::now();
            }
            let next = queue.pop_front();
            if let Some(key) = &next
                && let Some(read) = self.read(places, key, &mut queue)?
            {
                group.push(read);
            }
            let weight: usize = group.iter().map(|(run, _)| run.fold.pending.weight).sum();
            let is_full =
                weight > GROUP_BYTES || group.len() >= GROUP_RUNS || begun.elapsed() > GROUP_TIME;
            if is_full || queue.is_empty() {
                // A run of which there is more goes back to the end of the queue, so that others have their turn.
                self.store(places, &mut group, found, &mut queue, committed)?;
            }
            if next.is_none() && queue.is_empty() {
                return Ok(());
            }
        }
    }

    /// Runs and folders that cannot be read, and why.
    pub(crate) fn refused(&self) -> Vec<(String, String)> {
        let runs = self.refused.iter().map(|(k, v)| (k.clone(), v.clone()));
        self.refused_folders.iter().cloned().chain(runs).collect()
    }

    /// Reads a piece of a run; `None` if there is nothing to store.
    fn read(
        &mut self,
        places: Places<'_>,
        key: &RunKey,
        queue: &mut VecDeque<RunKey>,
    ) -> Result<Option<(Tracked, Piece)>, StoreError> {
        let dir = dir_of(places.root, key);
        let seen = stamp(dir.path());
        let mut run = match self.track(places, key, &dir)? {
            Ok(run) => run,
            Err(e) => return self.refuse(places, key, &e, queue).map(|()| None),
        };
        run.stamp = if is_settled(seen) { seen } else { 0 };
        let piece = match run.read() {
            Ok(piece) => {
                self.refused.remove(&name(places.root, key));
                piece
            }
            Err(e) => {
                self.refuse(places, key, &e, queue)?;
                // What could be read before it counts; with nothing of it there is no run to show.
                let pending = run.fold.pending.weight > 0 || run.fold.head.start.is_some();
                if !pending || !self.entries.contains_key(key) {
                    return Ok(None);
                }
                Piece {
                    news: run.fold.pending.weight > 0,
                    ..Piece::default()
                }
            }
        };
        if piece.news || run.id == 0 {
            return Ok(Some((run, piece)));
        }
        self.note(&run);
        self.open.insert(key.clone(), run);
        Ok(None)
    }

    /// The open run, one that goes on where the database left off, or a new one.
    fn track(
        &mut self,
        places: Places<'_>,
        key: &RunKey,
        dir: &RunDir,
    ) -> Result<Result<Tracked, LogError>, StoreError> {
        if let Some(run) = self.open.remove(key) {
            return Ok(Ok(run));
        }
        let loaded = places.engine.read(|tx| Tracked::load(tx, key, dir))?;
        Ok(match loaded {
            None => Ok(Tracked::new(key.clone(), dir.clone())),
            Some(loaded) => loaded.open(),
        })
    }

    fn refuse(
        &mut self,
        places: Places<'_>,
        key: &RunKey,
        error: &LogError,
        queue: &mut VecDeque<RunKey>,
    ) -> Result<(), StoreError> {
        let dir = dir_of(places.root, key);
        let missing = matches!(error, LogError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound);
        if matches!(error, LogError::Replaced { .. }) || (missing && dir.path().is_dir()) {
            // The run was deleted and begun anew: what is known of it is of another.
            let known = places
                .engine
                .write(|tx| remove_derived(tx, places.chunks, key))?;
            if known {
                if let Some(entry) = self.entries.get_mut(key) {
                    *entry = Entry::unread();
                }
                queue.push_back(key.clone());
                return Ok(());
            }
        }
        if missing && !dir.path().exists() {
            self.scanner.forget_run(places.root, key);
            return self.remove(places, key);
        }
        self.refused
            .insert(name(places.root, key), error.to_string());
        if let Some(entry) = self.entries.get_mut(key) {
            entry.retry = Some(Instant::now() + RETRY);
        }
        Ok(())
    }

    /// Commits what was read.
    fn store(
        &mut self,
        places: Places<'_>,
        group: &mut Vec<(Tracked, Piece)>,
        found: &mut Found,
        queue: &mut VecDeque<RunKey>,
        committed: &mut dyn FnMut(),
    ) -> Result<(), StoreError> {
        if group.is_empty() {
            return Ok(());
        }
        let mut runs = std::mem::take(group);
        let stored = places.engine.write(|tx| {
            for (run, piece) in &mut runs {
                let cursor = run.cursor();
                let seal = !piece.more && !run.is_live();
                commit(tx, places.chunks, run, &cursor, seal)?;
            }
            Ok(())
        });
        if let Err(e) = stored {
            // What is in memory does not fit the database any more: read again from there.
            self.open.clear();
            if matches!(e, StoreError::Conflict(_)) {
                self.load(places)?;
                return Ok(());
            }
            self.scanned = None;
            return Err(e);
        }
        for (run, piece) in runs {
            found.points += piece.points;
            self.note(&run);
            if piece.more {
                queue.push_back(run.key.clone());
            }
            if piece.more || run.is_live() {
                self.open.insert(run.key.clone(), run);
            }
        }
        found.news = true;
        committed();
        Ok(())
    }

    /// Remembers how far a run was read.
    fn note(&mut self, run: &Tracked) {
        let Some(entry) = self.entries.get_mut(&run.key) else {
            return;
        };
        let cursor = run.cursor();
        let writers = &run.fold.head.writers;
        entry.ends = ends(&cursor);
        entry.live = writers
            .iter()
            .filter(|(_, w)| w.live)
            .map(|(&rank, _)| rank)
            .collect();
        if entry.live.is_empty() && run.is_live() {
            entry.live = cursor.0.keys().copied().collect();
        }
        entry.stamp = run.stamp;
        entry.looked = Instant::now();
        entry.retry = entry.retry.filter(|at| *at > Instant::now());
    }

    /// Closes the logs of runs that need not be open.
    fn close_some(&mut self) {
        self.open.retain(|_, run| run.is_live());
        if self.open.len() <= MAX_OPEN {
            return;
        }
        let mut by_look: Vec<(Instant, RunKey)> = self
            .open
            .keys()
            .filter_map(|key| Some((self.entries.get(key)?.looked, key.clone())))
            .collect();
        by_look.sort_unstable();
        let surplus = by_look.len() - MAX_OPEN;
        for (_, key) in by_look.into_iter().take(surplus) {
            self.open.remove(&key);
        }
    }

    /// Everything is to be read from the beginning.
    pub(crate) fn restart(&mut self) {
        *self = Self::default();
        self.scanner.forget();
    }
}

fn ends(cursor: &Cursor) -> Vec<(Rank, u32, u64)> {
    cursor
        .0
        .iter()
        .map(|(&rank, p)| (rank, p.segment, p.offset))
        .collect()
}

fn name(root: &Root, key: &RunKey) -> String {
    dir_of(root, key).path().display().to_string()
}
