//! Takes in logs that somebody sends from elsewhere: as files of this folder, which the index then follows like any others.
//!
//! A writer's frames are numbered, and a frame is kept once: how often and in whatever cut pieces come, also after either side was
//! killed, the log here has what the log there has. What a write left unfinished when this process died is cut off before the
//! next frame, and was never acknowledged. A piece that was taken in is on its way to the disk and no further: a sender says what it knows to
//! be here, so that what a loss of power took is noticed by both, and comes again; only what was let go is on the disk, and blobs
//! are. While pieces come, this process holds the writer's lock, so that the run is seen as running;
//! who sends nothing for a while loses it, and the run is seen as crashed, until more comes.

mod blobs;

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cresset_record::{
    Holder, LockError, LogError, Rank, RunDir, SegmentHead, StopRequest, Timestamp, WriterLock,
    check_piece, whole, write_anew,
};

use crate::document::RunKey;
use crate::error::StoreError;
use crate::people::{About, in_trash, note};
use crate::store::Store;
pub use blobs::{IncomingBlob, MissingBlob};

/// Most writers whose logs are open at once; above that, one that was not heard of for long makes room.
const MAX_WRITERS: usize = 20_000;

/// The writers that send.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    writers: Mutex<HashMap<(RunKey, Rank), Handle>>,
    blobs: blobs::Turns,
    /// Segments that the disk refused. It says so once: what it then claims to have of them it may not have.
    refused: Mutex<HashSet<PathBuf>>,
}

/// `None` until the log is opened and after it is let go.
type Handle = Arc<Mutex<Option<Incoming>>>;

/// One writer's log, open.
#[derive(Debug)]
struct Incoming {
    dir: RunDir,
    _lock: WriterLock,
    /// The number of the last frame that is here.
    last: Option<u64>,
    segment: Option<Segment>,
    heard: Instant,
}

#[derive(Debug)]
struct Segment {
    file: File,
    path: PathBuf,
    head: SegmentHead,
    bytes: u64,
}

/// What the sender is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The number of the last frame that is here; `None` if there is none.
    pub last: Option<u64>,
    /// Somebody asked the run to stop.
    pub stop: Option<StopRequest>,
}

impl Store {
    /// Takes in a piece of segment `index` of a writer's log: a head and whole frames, of which those that are here already are passed
    /// over. An empty piece says that the writer lives. `host` is where it does. If the last frame here is one before `known`, nothing is
    /// taken: the sender, which passes over frames up to that one, learns from the answer that it must not.
    ///
    /// # Errors
    /// `Invalid` if it is no such piece, and nothing of it is kept; `Conflict` if the run is in the trash, is written here, or is
    /// another run than the one that is here; `Io` if it cannot be kept, and then nothing of it is.
    pub fn take_in(
        &self,
        key: &RunKey,
        rank: Rank,
        index: u32,
        known: Option<u64>,
        piece: &[u8],
        host: &str,
    ) -> Result<Taken, StoreError> {
        if self.engine().read(|tx| in_trash(tx, key))? {
            return Err(StoreError::Conflict(format!(
                "run {} is in the trash here; restore it, or send it under another id",
                key.run
            )));
        }
        let dir = self.root().run(&key.project, &key.run);
        if piece.is_empty() && !dir.path().is_dir() {
            return Ok(Taken {
                last: None,
                stop: None,
            });
        }
        if !piece.is_empty() {
            // Before anything is made for whoever sends it.
            check_piece(piece, rank, index, None)
                .map_err(|error| StoreError::invalid(error.to_string()))?;
            if let Err(full) = self.take_room(&key.project, piece.len() as u64) {
                // Who sends what there is no room for lives all the same.
                self.intake().hear(key, rank);
                return Err(full);
            }
        }
        let is_new = !piece.is_empty() && !dir.path().is_dir();
        let writer = self.intake().writer(key, rank);
        let mut writer = lock(&writer);
        let incoming = match &mut *writer {
            Some(incoming) => incoming,
            None => writer.insert(Incoming::open(dir, rank, host)?),
        };
        incoming.heard = Instant::now();
        if !piece.is_empty() && incoming.last >= known {
            incoming.take_in(rank, index, piece, self.intake())?;
        }
        if is_new {
            let from = format!("from {host}");
            self.engine()
                .write(|tx| note(tx, self.actor(), "run.receive", About::run(key, &from)))?;
        }
        Ok(Taken {
            last: incoming.last,
            stop: StopRequest::read(&incoming.dir),
        })
    }

    /// The last frame that is here of each writer's log, by rank.
    ///
    /// # Errors
    /// If a log cannot be read.
    pub fn taken_in(&self, key: &RunKey) -> Result<Vec<(Rank, Option<u64>)>, StoreError> {
        let dir = self.root().run(&key.project, &key.run);
        let mut found: Vec<(Rank, Option<u64>)> = Vec::new();
        for (rank, _) in segments(&dir)? {
            if found.last().is_some_and(|(known, _)| *known == rank) {
                continue;
            }
            let open = self.intake().known(key, rank);
            let open = open.as_deref().map(lock);
            let last = match open.as_deref() {
                Some(Some(incoming)) => incoming.last,
                _ => last_frame(&dir, rank)?,
            };
            found.push((rank, last));
        }
        Ok(found)
    }

    /// The writer has come to its end, or the sender sends no more: lets the log go. What is here of it is on the disk then, also what
    /// an earlier process took in; whether that is all, [`Self::taken_in`] says.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn let_go(&self, key: &RunKey, rank: Rank) -> Result<(), StoreError> {
        let dir = self.root().run(&key.project, &key.run);
        let writer = self.intake().writer(key, rank);
        // Held until the end: nobody is to append to what is written anew.
        let mut writer = lock(&writer);
        drop(writer.take());
        // The place for blobs on their way, unless some still are.
        let _ = fs::remove_dir(dir.path().join("incoming"));
        let mut own = segments(&dir)?.into_iter().rev();
        let Some((_, last)) = own.find(|(r, _)| *r == rank) else {
            return Ok(());
        };
        // Those before it were on the disk when it was begun.
        self.intake().keep(&dir.segment(rank, last))?;
        dir.sync_names().map_err(StoreError::io(dir.path()))
    }

    /// Lets go of writers that were not heard of for so long; how many. Now and then also gives up blobs that were begun long ago.
    pub fn let_go_of_silent(&self, patience: Duration) -> usize {
        self.give_up_old_blobs();
        self.intake()
            .close_where(|incoming| incoming.heard.elapsed() >= patience)
    }
}

impl Intake {
    fn writer(&self, key: &RunKey, rank: Rank) -> Handle {
        if lock(&self.writers).len() >= MAX_WRITERS {
            self.close_where(|incoming| incoming.heard.elapsed() >= Duration::from_secs(1));
        }
        let mut writers = lock(&self.writers);
        Arc::clone(writers.entry((key.clone(), rank)).or_default())
    }

    fn known(&self, key: &RunKey, rank: Rank) -> Option<Handle> {
        lock(&self.writers).get(&(key.clone(), rank)).cloned()
    }

    /// Brings a segment to the disk; how many bytes of it are there. What the disk refused before is written anew before it is asked again, as
    /// far as it can be read back; the rest is cut off, so that its sender brings it again.
    fn keep(&self, path: &Path) -> Result<u64, StoreError> {
        let kept = match lock(&self.refused).contains(path) {
            true => keep_anew(path),
            false => {
                let file = OpenOptions::new().append(true).open(path);
                file.and_then(|file| {
                    file.sync_all()?;
                    Ok(file.metadata()?.len())
                })
                .map_err(StoreError::io(path))
            }
        };
        let mut refused = lock(&self.refused);
        match kept {
            Err(_) if path.exists() => refused.insert(path.to_owned()),
            _ => refused.remove(path),
        };
        kept
    }

    /// Somebody was heard of, if their log is taken in.
    fn hear(&self, key: &RunKey, rank: Rank) {
        if let Some(writer) = self.known(key, rank)
            && let Some(incoming) = &mut *lock(&writer)
        {
            incoming.heard = Instant::now();
        }
    }

    fn close_where(&self, is_over: impl Fn(&Incoming) -> bool) -> usize {
        let mut closed = 0;
        lock(&self.writers).retain(|_, writer| {
            // Handles are given out under this lock: of one that nobody else has, nobody is about to use the log.
            if Arc::strong_count(writer) > 1 {
                return true;
            }
            let mut incoming = lock(writer);
            if incoming.as_ref().is_some_and(|incoming| !is_over(incoming)) {
                return true;
            }
            closed += usize::from(incoming.take().is_some());
            false
        });
        closed
    }
}

impl Incoming {
    fn open(dir: RunDir, rank: Rank, host: &str) -> Result<Self, StoreError> {
        fs::create_dir_all(dir.path()).map_err(StoreError::io(dir.path()))?;
        let holder = Holder {
            pid: std::process::id(),
            host: host.to_owned(),
            since: Timestamp::now(),
        };
        let lock = WriterLock::acquire(&dir, rank, &holder).map_err(|error| match error {
            LockError::Held { .. } => StoreError::Conflict(error.to_string()),
            LockError::Io(source) => StoreError::io(dir.path())(source),
        })?;
        let mut incoming = Self {
            _lock: lock,
            last: None,
            segment: None,
            heard: Instant::now(),
            dir,
        };
        incoming.look(rank)?;
        if incoming.segment.is_some() {
            // For the index, which has taken the run for crashed and sees that the folder changes: the log may have no news.
            let mark = incoming.dir.path().join("back.new");
            let _ = File::create(&mark).and_then(|_| fs::remove_file(&mark));
        }
        Ok(incoming)
    }

    /// Goes on from what is here of the log.
    fn look(&mut self, rank: Rank) -> Result<(), StoreError> {
        (self.segment, self.last) = (None, None);
        let own = segments(&self.dir)?.into_iter().rev();
        for (_, index) in own.filter(|(r, _)| *r == rank) {
            // A segment without a whole head was begun when this process died.
            if let Some(segment) = Segment::reopen(&self.dir, rank, index)? {
                self.last = last_frame(&self.dir, rank)?;
                self.segment = Some(segment);
                break;
            }
        }
        Ok(())
    }

    fn take_in(
        &mut self,
        rank: Rank,
        index: u32,
        bytes: &[u8],
        intake: &Intake,
    ) -> Result<(), StoreError> {
        let piece = check_piece(bytes, rank, index, self.last)
            .map_err(|error| StoreError::invalid(error.to_string()))?;
        let (known, has_news) = (self.segment.as_ref(), !piece.frames.is_empty());
        match known.map(|segment| segment.head.index) {
            Some(current) if current == index => {
                if known.is_some_and(|known| known.head.identity != piece.head.identity) {
                    return Err(another(&self.dir));
                }
            }
            Some(current) if current > index => {
                if has_news {
                    return Err(StoreError::invalid(format!(
                        "segment {index} of {rank} has ended here, and {current} has begun; send segments in order"
                    )));
                }
            }
            _ => {
                if let Some(before) = &self.segment {
                    // Of a log only the last segment is looked at for what a loss of power took.
                    if intake.keep(&before.path)? < before.bytes {
                        let gone = io::Error::other("the disk let go of what it refused to keep");
                        let gone = StoreError::io(&before.path)(gone);
                        self.look(rank)?;
                        return Err(gone);
                    }
                    self.dir
                        .sync_names()
                        .map_err(StoreError::io(self.dir.path()))?;
                }
                let path = self.dir.segment(rank, index);
                self.segment = Some(Segment::begin(path, piece.head, &piece.head_bytes)?);
            }
        }
        if let Some(segment) = self.segment.as_mut().filter(|_| has_news) {
            segment.append(&piece.frames)?;
            self.last = piece.last.max(self.last);
        }
        Ok(())
    }
}

impl Segment {
    fn begin(path: PathBuf, head: SegmentHead, head_bytes: &[u8]) -> Result<Self, StoreError> {
        // Once readers see a segment they take the one before it as finished: it must appear whole or not at all.
        let temporary = path.with_extension("log.new");
        let begun = File::create(&temporary).and_then(|mut file| {
            file.write_all(head_bytes)?;
            fs::rename(&temporary, &path)?;
            Ok(file)
        });
        Ok(Self {
            file: begun.map_err(StoreError::io(&path))?,
            path,
            head,
            bytes: head_bytes.len() as u64,
        })
    }

    /// What is whole of a segment; `None` if not even its head is.
    fn reopen(dir: &RunDir, rank: Rank, index: u32) -> Result<Option<Self>, StoreError> {
        let path = dir.segment(rank, index);
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.map_err(StoreError::io(&path))?;
        let Some(found) = whole(&file, &path).map_err(unreadable)? else {
            return Ok(None);
        };
        file.set_len(found.bytes).map_err(StoreError::io(&path))?;
        Ok(Some(Self {
            file,
            path,
            head: found.head,
            bytes: found.bytes,
        }))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let place = self.file.seek(SeekFrom::Start(self.bytes));
        let written = place.and_then(|_| self.file.write_all(bytes));
        written.map_err(|source| {
            // What of it is there would stand before the next frame. If this fails too, it is cut off when the log is next opened.
            let _ = self.file.set_len(self.bytes);
            StoreError::io(&self.path)(source)
        })?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

/// Writes what is whole of a segment anew; how many bytes that is.
fn keep_anew(path: &Path) -> Result<u64, StoreError> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(StoreError::io(path))?;
    let found = whole(&file, path).map_err(unreadable)?;
    let bytes = found.map_or(0, |found| found.bytes);
    let cut = file.set_len(bytes);
    cut.and_then(|()| write_anew(path, 0))
        .map_err(StoreError::io(path))?;
    Ok(bytes)
}

/// The number of the last frame of a writer's log; the latest segment may have none yet.
fn last_frame(dir: &RunDir, rank: Rank) -> Result<Option<u64>, StoreError> {
    let own = segments(dir)?.into_iter().rev().filter(|(r, _)| *r == rank);
    for (_, index) in own {
        let path = dir.segment(rank, index);
        let file = File::open(&path).map_err(StoreError::io(&path))?;
        if let Some(last) = whole(file, &path).map_err(unreadable)?.and_then(|w| w.last) {
            return Ok(Some(last));
        }
    }
    Ok(None)
}

fn segments(dir: &RunDir) -> Result<Vec<(Rank, u32)>, StoreError> {
    dir.segments().or_else(|source| match source.kind() {
        io::ErrorKind::NotFound => Ok(Vec::new()),
        _ => Err(StoreError::io(dir.path())(source)),
    })
}

fn another(dir: &RunDir) -> StoreError {
    StoreError::Conflict(format!(
        "another run with the id {} is here already; send this one under another id",
        dir.id_text()
    ))
}

fn unreadable(error: LogError) -> StoreError {
    match error {
        LogError::Io { path, source } => StoreError::Io { path, source },
        other => StoreError::Conflict(other.to_string()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
