//! The run's log on disk, through good times and bad.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cresset_record::{
    FrameBuilder, Holder, Key, KeyId, LockError, LogWriter, LossReason, Lost, Outcome, Rank,
    Record, Root, RunDir, Start, Timestamp, WriterLock,
};

use crate::clock::Clock;
use crate::inbox::Batch;
use crate::losses::Losses;
use crate::not_finite::{Lookout, Told};
use crate::preamble::Preamble;

/// A frame is sealed when it has so many bytes.
const FRAME_BYTES: usize = 128 << 10;
/// Pause before the first try to write again; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often the end of the run is tried to be written.
const LAST_TRIES: u32 = 3;
/// How often to look whether the log is still where it was.
const CHECK_EVERY: Duration = Duration::from_millis(50);

/// How much is in a frame.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    points: u64,
    values: u64,
}

/// Where a run's log is and who writes it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) root: Root,
    pub(crate) dir: RunDir,
    pub(crate) rank: Rank,
    pub(crate) holder: Holder,
}

/// Writes frames; when it cannot, it says so once, counts what is lost, and tries again later.
pub(crate) struct Storage {
    place: Place,
    lock: Option<WriterLock>,
    log: Option<LogWriter>,
    frame: FrameBuilder,
    in_frame: Tally,
    /// Losses that the frame tells of.
    noted: Vec<Lost>,
    /// Written since the log was last seen in its place.
    unconfirmed: Tally,
    preamble: Preamble,
    /// The next segment or frame must repeat the preamble.
    preamble_due: bool,
    pause: Duration,
    next_try: Option<Instant>,
    /// When the log was last seen in its place.
    checked: Option<Instant>,
    clock: Arc<Clock>,
    losses: Arc<Losses>,
    /// Shared with log calls, which then name the right reason for what they drop.
    down: Arc<AtomicBool>,
    lookout: Lookout,
    warned: Vec<&'static str>,
}

impl Storage {
    /// Opens the log. Anything but another writer is survived: the run starts and tries again later.
    ///
    /// # Errors
    /// [`LockError::Held`] only.
    pub(crate) fn open(
        place: Place,
        start: Start,
        clock: Arc<Clock>,
        losses: Arc<Losses>,
        down: Arc<AtomicBool>,
        told: Arc<Told>,
    ) -> Result<Self, LockError> {
        let mut storage = Self {
            place,
            lock: None,
            log: None,
            frame: FrameBuilder::default(),
            in_frame: Tally::default(),
            noted: Vec::new(),
            unconfirmed: Tally::default(),
            preamble: Preamble::new(start),
            preamble_due: true,
            pause: FIRST_PAUSE,
            next_try: None,
            checked: None,
            clock,
            losses,
            down,
            lookout: Lookout::new(told),
            warned: Vec::new(),
        };
        match storage.begin() {
            Ok(()) => {}
            Err(held @ LockError::Held { .. }) => return Err(held),
            Err(LockError::Io(e)) => storage.fail(&e),
        }
        Ok(storage)
    }

    /// Makes the folder, takes the lock and begins a segment.
    fn begin(&mut self) -> Result<(), LockError> {
        fs::create_dir_all(self.place.dir.path())?;
        ignore_in_git(&self.place.root)?;
        self.lock = None;
        self.lock = Some(WriterLock::acquire(
            &self.place.dir,
            self.place.rank,
            &self.place.holder,
        )?);
        match &mut self.log {
            Some(log) => log.begin_again()?,
            None => self.log = Some(LogWriter::create(&self.place.dir, self.place.rank)?),
        }
        self.preamble_due = true;
        self.write_preamble()?;
        Ok(())
    }

    /// Whether the log can be written, as far as one can know; tries to mend it when that is due.
    pub(crate) fn is_ready(&mut self) -> bool {
        self.confirm();
        let Some(at) = self.next_try else { return true };
        if Instant::now() < at {
            return false;
        }
        let mended = match &self.log {
            Some(log) if !log.is_broken() => self.mend(),
            _ => self.begin().map_err(io::Error::other),
        };
        match mended {
            Ok(()) => {
                self.next_try = None;
                self.pause = FIRST_PAUSE;
                self.down.store(false, Ordering::Relaxed);
                eprintln!("cresset: the log can be written again; recording goes on");
                true
            }
            Err(e) => {
                self.fail(&e);
                false
            }
        }
    }

    /// What the disk refused is written anew before more is.
    fn mend(&mut self) -> io::Result<()> {
        if let Some(log) = self.log.as_mut().filter(|log| log.is_refused()) {
            log.sync()?;
        }
        self.write_preamble()
    }

    /// How long until [`Self::is_ready`] would try again; `None` when there is nothing to mend.
    pub(crate) fn pause(&self) -> Option<Duration> {
        self.next_try
            .map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Tries at the next call, whatever the pause.
    pub(crate) fn try_now(&mut self) {
        if self.next_try.is_some() {
            self.next_try = Some(Instant::now());
        }
    }

    /// Looks from time to time whether what was written can still be found.
    fn confirm(&mut self) {
        if self.next_try.is_some() || self.checked.is_some_and(|at| at.elapsed() < CHECK_EVERY) {
            return;
        }
        self.checked = Some(Instant::now());
        if self.log.as_ref().is_some_and(LogWriter::is_broken) {
            let gone = std::mem::take(&mut self.unconfirmed);
            self.lose(gone);
            self.fail(&io::Error::new(
                io::ErrorKind::NotFound,
                "the log file was deleted",
            ));
            self.try_now();
        } else {
            self.unconfirmed = Tally::default();
        }
    }

    /// Writes all of a batch.
    pub(crate) fn write(&mut self, batch: &mut Batch) {
        for (id, key) in batch.keys.drain(..) {
            self.declare(id, key);
        }
        for (row, points) in batch.rows() {
            self.row(row.step, row.time, points);
        }
        for record in batch.records.drain(..) {
            self.record(&record);
        }
        self.flush();
        batch.clear();
    }

    /// Puts a row into the frame.
    pub(crate) fn row(&mut self, step: u64, time: Timestamp, points: &[(KeyId, f64)]) {
        self.frame.push_row(step, time, points);
        self.in_frame.points += points.len() as u64;
        self.seal_if_large();
        let preamble = &self.preamble;
        let alerts = self.lookout.look(step, time, points, |id| preamble.key(id));
        for alert in alerts {
            self.record(&Record::Alert(alert));
        }
    }

    /// Puts a record into the frame.
    pub(crate) fn record(&mut self, record: &Record) {
        self.preamble.absorb(record);
        match self.frame.push(record) {
            Ok(()) => {
                self.in_frame.values += 1;
                self.seal_if_large();
            }
            Err(e) => {
                self.losses.values(LossReason::BadValue, 1);
                self.warn("value", &format!("a value could not be recorded: {e}"));
            }
        }
    }

    /// Says what a key's number stands for.
    pub(crate) fn declare(&mut self, id: KeyId, key: Key) {
        let record = Record::Key { id, key };
        // A declaration has no JSON and is far below the largest record: it cannot fail.
        let _ = self.frame.push(&record);
        self.preamble.absorb(&record);
        self.seal_if_large();
    }

    fn seal_if_large(&mut self) {
        if self.frame.len() >= FRAME_BYTES {
            self.flush();
        }
    }

    /// Writes the frame as it is, and what was lost since the last time.
    pub(crate) fn flush(&mut self) {
        if self.next_try.is_none() {
            self.note_losses();
        }
        if self.frame.is_empty() {
            return;
        }
        let tally = std::mem::take(&mut self.in_frame);
        let noted = std::mem::take(&mut self.noted);
        let result = match &mut self.log {
            Some(log) if self.next_try.is_none() => log.append(&mut self.frame),
            _ => {
                self.frame.seal(0, |_| ());
                Err(io::Error::other("the log is not open"))
            }
        };
        match result {
            Ok(()) => {
                self.unconfirmed.points += tally.points;
                self.unconfirmed.values += tally.values;
                self.rotate_if_full();
            }
            Err(e) => {
                self.lose(tally);
                noted.iter().for_each(|lost| self.losses.give_back(lost));
                self.preamble_due = true;
                if self.next_try.is_none() {
                    self.fail(&e);
                }
            }
        }
    }

    fn rotate_if_full(&mut self) {
        let Some(log) = &mut self.log else { return };
        if !log.is_full() {
            return;
        }
        self.preamble_due = true;
        if let Err(e) = log.rotate().and_then(|()| self.write_preamble()) {
            self.fail(&e);
        }
    }

    fn write_preamble(&mut self) -> io::Result<()> {
        let Some(log) = &mut self.log else {
            return Ok(());
        };
        if !self.preamble_due {
            return Ok(());
        }
        self.preamble.write(log)?;
        self.preamble_due = false;
        Ok(())
    }

    fn note_losses(&mut self) {
        for lost in self.losses.take(self.clock.now()) {
            self.warn(
                lost.reason.describe(),
                &format!(
                    "{} points and {} other values were not recorded: {}",
                    lost.points,
                    lost.values,
                    lost.reason.describe()
                ),
            );
            // Four numbers and a word: it cannot fail.
            let _ = self.frame.push(&Record::Lost(lost.clone()));
            self.noted.push(lost);
        }
    }

    fn lose(&self, tally: Tally) {
        self.losses.points(LossReason::Storage, tally.points);
        self.losses.values(LossReason::Storage, tally.values);
    }

    fn fail(&mut self, error: &io::Error) {
        self.warn(
            "storage",
            &format!(
                "cannot write {}: {error}; training goes on, what cannot be kept is counted, and writing is tried again",
                self.place.dir.path().display()
            ),
        );
        self.down.store(true, Ordering::Relaxed);
        self.next_try = Some(Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// Tells the user once of each kind of trouble.
    fn warn(&mut self, kind: &'static str, message: &str) {
        if !self.warned.contains(&kind) {
            self.warned.push(kind);
            eprintln!("cresset: warning: {message}");
        }
    }

    /// Waits until everything written would survive a loss of power; `false` if it would not.
    pub(crate) fn sync(&mut self) -> bool {
        let Some(log) = self.log.as_mut().filter(|_| self.next_try.is_none()) else {
            return false;
        };
        let Err(mut error) = log.sync() else {
            return log.is_intact();
        };
        if log.is_refused() {
            // At once: what is logged during a pause would be lost.
            match log.sync() {
                Ok(()) => {
                    let is_intact = log.is_intact();
                    self.warn(
                        "disk",
                        &format!("the disk refused the log, and took it when it was written anew: {error}"),
                    );
                    return is_intact;
                }
                Err(again) => error = again,
            }
        }
        self.fail(&error);
        false
    }

    /// Writes the end of the run, on the disk, and lets the lock go; `false` if the disk has not all of it. A run that lost its end
    /// would look crashed for ever: it is worth more than one try.
    pub(crate) fn end(&mut self, outcome: Outcome) -> bool {
        let end = Record::End(cresset_record::End {
            time: self.clock.now(),
            outcome,
        });
        let mut is_written = false;
        for attempt in 0..LAST_TRIES {
            if attempt > 0 {
                std::thread::sleep(FIRST_PAUSE);
            }
            self.try_now();
            self.checked = None;
            if !self.is_ready() {
                continue;
            }
            self.flush();
            if !is_written && self.next_try.is_none() {
                self.record(&end);
                // A run without an end shows that by itself.
                self.in_frame.values = self.in_frame.values.saturating_sub(1);
                self.flush();
                is_written = self.next_try.is_none();
            }
            if is_written && self.sync() {
                break;
            }
        }
        let is_intact = self.log.as_ref().is_some_and(LogWriter::is_intact);
        let is_whole = is_written && self.next_try.is_none() && is_intact;
        self.log = None;
        self.lock = None;
        is_whole
    }
}

/// Keeps recorded runs out of the user's repository without touching any file of theirs.
fn ignore_in_git(root: &Root) -> io::Result<()> {
    let path = root.path().join(".gitignore");
    match fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
    {
        Ok(mut file) => io::Write::write_all(&mut file, b"*\n"),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
    }
}
