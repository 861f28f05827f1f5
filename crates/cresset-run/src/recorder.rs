//! What all handles of a run share: the way of a value from a log call to the log.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use cresset_record::{BlobFolder, KeyId, LossReason, Outcome, Record, RunDir, Timestamp};

use crate::clock::Clock;
use crate::companion::{Companion, Progress};
use crate::inbox::{Batch, Inbox, Wake};
use crate::keys::Keys;
use crate::losses::Losses;
use crate::media::Redaction;
use crate::not_finite::Told;
use crate::options::{Durability, Overflow};
use crate::stop::{StopSignal, StopWatch};
use crate::storage::Storage;
use crate::sync::lock;
use crate::worker::Worker;

/// The writer waits so long for more before it writes. With the write itself this stays far below the 5 ms promised.
const LINGER: Duration = Duration::from_millis(1);

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
    writer_done: (Mutex<bool>, Condvar),
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
            writer_done: (Mutex::new(false), Condvar::new()),
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
            if !self.inbox.push_row(step, time, points, self.overflow) {
                self.losses.points(self.overflow_reason(), n);
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
            if !self.inbox.push_record(record, bytes + 64) {
                self.losses.values(self.overflow_reason(), 1);
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

    fn overflow_reason(&self) -> LossReason {
        if self.storage_down.load(Ordering::Relaxed) {
            LossReason::Storage
        } else {
            LossReason::Overflow
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
        let mut batch = Batch::default();
        loop {
            let next_look = lock(&self.stop_watch).look(&self.stop);
            let next_try = lock(&self.storage).pause();
            let patience = next_try.into_iter().chain(next_look).min();
            let wake = self.inbox.wait(patience, LINGER);
            let mut storage = lock(&self.storage);
            if wake == Wake::Closing {
                storage.try_now();
            }
            if !storage.is_ready() && wake != Wake::Closing {
                let pause = storage.pause().unwrap_or(LINGER);
                drop(storage);
                // Values wait in the inbox, as many as fit, until the log can be written again.
                std::thread::sleep(pause.clamp(LINGER, Duration::from_millis(50)));
                continue;
            }
            self.inbox.swap(&mut batch);
            storage.write(&mut batch);
            if wake == Wake::Closing {
                self.phase.store(CLOSED, Ordering::Release);
                // A call that saw the run open may have come in after the swap.
                self.inbox.swap(&mut batch);
                storage.write(&mut batch);
                let outcome = lock(&self.outcome).take().unwrap_or(Outcome::Finished);
                let is_whole = storage.end(outcome);
                self.is_whole.store(is_whole, Ordering::Release);
                break;
            }
        }
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
        let left = deadline.saturating_duration_since(Instant::now());
        let done = self
            .writer_done
            .1
            .wait_timeout_while(lock(&self.writer_done.0), left, |done| !*done);
        *done.unwrap_or_else(std::sync::PoisonError::into_inner).0
            && self.is_whole.load(Ordering::Acquire)
    }
}

/// Says, when dropped, that the writer's thread is done.
struct WriterDone<'a>(&'a Recorder);

impl Drop for WriterDone<'_> {
    fn drop(&mut self) {
        self.0.phase.store(CLOSED, Ordering::Release);
        *lock(&self.0.writer_done.0) = true;
        self.0.writer_done.1.notify_all();
    }
}
