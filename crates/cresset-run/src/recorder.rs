//! What all handles of a run share: the way of a value from a log call to the log.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

use cresset_record::{BlobFolder, KeyId, LossReason, Outcome, Record, RunDir, Timestamp};

use crate::clock::Clock;
use crate::companion::{Companion, Progress};
use crate::drain::{Done, Sink, drain};
use crate::inbox::{Batch, Inbox, Left};
use crate::keys::Keys;
use crate::losses::Losses;
use crate::media::Redaction;
use crate::not_finite::Told;
use crate::options::{Durability, Overflow};
use crate::stop::{StopSignal, StopWatch};
use crate::storage::Storage;
use crate::sync::{Mutex, lock};
use crate::worker::Worker;

const OPEN: u8 = 0;
const CLOSING: u8 = 1;
const CLOSED: u8 = 2;

/// One run being recorded.
///
/// Locks are taken in this order: `storage`, then the inbox's; log calls under [`Durability::Buffered`] take the inbox's
/// only. No lock is held while user code runs.
pub(crate) struct Recorder {
    pub(crate) clock: Arc<Clock>,
    pub(crate) losses: Arc<Losses>,
    pub(crate) told: Arc<Told>,
    pub(crate) worker: Worker,
    pub(crate) dir: RunDir,
    pub(crate) redactions: Vec<Redaction>,
    /// Where the training loop is.
    pub(crate) progress: Progress,
    /// What the parts of a callback crate share, one of each type.
    pub(crate) shared: Mutex<Vec<Arc<dyn Any + Send + Sync>>>,
    /// Somebody asked the run to stop.
    pub(crate) stop: StopSignal,
    /// The writer's own.
    stop_watch: Mutex<StopWatch>,
    /// Told when the run ends; no lock is held meanwhile.
    companion: Mutex<Option<Box<dyn Companion>>>,
    keys: Keys,
    inbox: Inbox,
    storage: Mutex<Storage>,
    storage_down: Arc<AtomicBool>,
    durability: Durability,
    overflow: Overflow,
    phase: AtomicU8,
    outcome: Mutex<Option<Outcome>>,
    writer_done: Done,
    /// The disk has the run, its end included.
    is_whole: AtomicBool,
    warned: AtomicBool,
}

/// What a recorder is made from.
pub(crate) struct Parts {
    pub(crate) storage: Storage,
    pub(crate) clock: Arc<Clock>,
    pub(crate) losses: Arc<Losses>,
    pub(crate) told: Arc<Told>,
    pub(crate) storage_down: Arc<AtomicBool>,
    pub(crate) dir: RunDir,
    pub(crate) redactions: Vec<Redaction>,
    pub(crate) stop_watch: StopWatch,
    pub(crate) progress: Progress,
    pub(crate) durability: Durability,
    pub(crate) overflow: Overflow,
}

impl Recorder {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            clock: parts.clock,
            losses: parts.losses,
            told: parts.told,
            worker: Worker::default(),
            dir: parts.dir,
            redactions: parts.redactions,
            progress: parts.progress,
            shared: Mutex::default(),
            stop: StopSignal::default(),
            stop_watch: Mutex::new(parts.stop_watch),
            companion: Mutex::new(None),
            keys: Keys::default(),
            inbox: Inbox::default(),
            storage: Mutex::new(parts.storage),
            storage_down: parts.storage_down,
            durability: parts.durability,
            overflow: parts.overflow,
            phase: AtomicU8::new(OPEN),
            outcome: Mutex::new(None),
            writer_done: Done::default(),
            is_whole: AtomicBool::new(false),
            warned: AtomicBool::new(false),
        }
    }

    pub(crate) fn blobs(&self) -> BlobFolder {
        self.dir.blobs()
    }

    /// The number of a key; counts the loss of one value where there is none.
    pub(crate) fn intern(&self, name: &str) -> Option<KeyId> {
        if name.starts_with("cresset/") {
            return None;
        }
        self.keys.intern(name, |id, key| {
            if self.durability == Durability::Buffered {
                self.inbox.push_key(id, key);
            } else {
                lock(&self.storage).declare(id, key);
            }
        })
    }

    /// Takes a row of scalars.
    pub(crate) fn row(&self, step: u64, points: &[(KeyId, f64)]) {
        if points.is_empty() {
            return;
        }
        let n = points.len() as u64;
        if self.is_closed() {
            return self.losses.points(LossReason::Finished, n);
        }
        self.progress.see(step, points);
        let time = self.clock.now();
        if self.durability == Durability::Buffered {
            let left = self.inbox.push_row(step, time, points, self.overflow);
            if let Some(reason) = self.loss_of(left) {
                self.losses.points(reason, n);
            }
            return;
        }
        if !self.write_through(|storage| storage.row(step, time, points)) {
            self.losses.points(LossReason::Storage, n);
        }
    }

    /// Takes any other record, which has about `bytes`.
    pub(crate) fn record(&self, record: Record, bytes: usize) {
        if self.is_closed() {
            return self.losses.values(LossReason::Finished, 1);
        }
        if self.durability == Durability::Buffered {
            let left = self.inbox.push_record(record, bytes + 64);
            if let Some(reason) = self.loss_of(left) {
                self.losses.values(reason, 1);
            }
        } else if !self.write_through(|storage| storage.record(&record)) {
            self.losses.values(LossReason::Storage, 1);
        }
    }

    fn write_through(&self, put: impl FnOnce(&mut Storage)) -> bool {
        let mut storage = lock(&self.storage);
        if !storage.is_ready() {
            return false;
        }
        put(&mut storage);
        storage.flush();
        if self.durability == Durability::Synced {
            storage.sync();
        }
        true
    }

    /// Why a value that was left like this is lost, if it is.
    fn loss_of(&self, left: Left) -> Option<LossReason> {
        match left {
            Left::Waits => None,
            Left::TooLate => Some(LossReason::Finished),
            Left::NoRoom if self.storage_down.load(Ordering::Relaxed) => Some(LossReason::Storage),
            Left::NoRoom => Some(LossReason::Overflow),
        }
    }

    /// Tells the user of the first value that could not be encoded; all of them are counted. Not for the training thread.
    pub(crate) fn warn_once(&self, message: &str) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            eprintln!("cresset: warning: {message} (further ones are only counted)");
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.phase.load(Ordering::Acquire) == CLOSED
    }

    /// Tells `companion` when the run ends.
    pub(crate) fn accompany(&self, companion: Box<dyn Companion>) {
        *lock(&self.companion) = Some(companion);
    }

    /// Sets how the run ends; the first call counts.
    pub(crate) fn set_outcome(&self, outcome: Outcome) {
        lock(&self.outcome).get_or_insert(outcome);
    }

    /// The writer's thread: writes what comes until the run is closed.
    pub(crate) fn write_until_closed(&self) {
        // Even if this thread should panic, nobody may wait for it.
        let _done = WriterDone(self);
        let batch = Batch::default();
        drain(
            &self.inbox,
            &mut Writer {
                recorder: self,
                batch,
            },
        );
    }

    /// Lets everything that was logged before reach the disk; `false` if the disk did not take all of it, or if the deadline came first.
    pub(crate) fn flush(&self, deadline: Instant) -> bool {
        let is_idle = self.worker.wait(deadline);
        let flushed = self.inbox.flush(deadline);
        is_idle && flushed.unwrap_or_else(|| self.wait_for_writer(deadline))
    }

    /// Lets everything that was logged reach the disk and ends the run; `false` if the disk did not take all of it, or if the
    /// deadline came first. The rest is then left to the threads, for as long as the process lives.
    pub(crate) fn close(&self, deadline: Instant) -> bool {
        if self
            .phase
            .compare_exchange(OPEN, CLOSING, Ordering::AcqRel, Ordering::Acquire)
            .is_err()
        {
            return self.wait_for_writer(deadline);
        }
        let companion = lock(&self.companion).take();
        if let Some(mut companion) = companion {
            companion.end(deadline);
        }
        let abandoned = self.worker.close(deadline);
        self.losses.values(LossReason::Overflow, abandoned);
        self.inbox.close();
        self.wait_for_writer(deadline) && abandoned == 0
    }

    fn wait_for_writer(&self, deadline: Instant) -> bool {
        self.writer_done.wait(deadline) && self.is_whole.load(Ordering::Acquire)
    }
}

/// Writes batches into the storage.
struct Writer<'a> {
    recorder: &'a Recorder,
    batch: Batch,
}

impl Sink for Writer<'_> {
    fn patience(&mut self) -> Option<Duration> {
        let next_look = lock(&self.recorder.stop_watch).look(&self.recorder.stop);
        let next_try = lock(&self.recorder.storage).pause();
        next_try.into_iter().chain(next_look).min()
    }

    fn write(
        &mut self,
        ends: bool,
        take: impl FnOnce(&mut Batch) -> bool,
    ) -> Result<bool, Duration> {
        let mut storage = lock(&self.recorder.storage);
        if ends {
            storage.try_now();
        }
        if !storage.is_ready() && !ends {
            return Err(storage.pause().unwrap_or_default());
        }
        let is_waited_for = take(&mut self.batch);
        storage.write(&mut self.batch);
        if ends {
            self.recorder.phase.store(CLOSED, Ordering::Release);
            let outcome = lock(&self.recorder.outcome).take();
            let is_whole = storage.end(outcome.unwrap_or(Outcome::Finished));
            self.recorder.is_whole.store(is_whole, Ordering::Release);
            return Ok(is_whole);
        }
        Ok(is_waited_for && storage.sync())
    }
}

/// Says, when dropped, that the writer's thread is done.
struct WriterDone<'a>(&'a Recorder);

impl Drop for WriterDone<'_> {
    fn drop(&mut self) {
        self.0.phase.store(CLOSED, Ordering::Release);
        self.0.writer_done.say();
    }
}
