//! Where log calls leave their values for the writer's thread: bounded, and emptied all at once.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use cresset_record::{Key, KeyId, Record, Timestamp};

use crate::options::Overflow;
use crate::sync::{Condvar, Mutex, MutexGuard, lock};

/// Most scalars that wait at a time; at 5 M points a second the writer comes by ten times before that.
const MAX_POINTS: usize = 48 << 10;
/// Most bytes of other records that wait at a time.
const MAX_RECORD_BYTES: usize = 8 << 20;
/// Calls for the same step within this time share a row and its wall time.
const SAME_ROW_US: i64 = 1_000;
/// After values, the writer looks by itself for more after this time, so that a loop that logs steadily need not wake it: that
/// costs a call some ten times what all the rest does. Values wait so long at most, which a kill would lose.
const ROUND: Duration = Duration::from_millis(3);

/// The values that wait.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) keys: Vec<(KeyId, Key)>,
    pub(crate) rows: Vec<RowHead>,
    /// The points of all rows, one row after another.
    pub(crate) points: Vec<(KeyId, f64)>,
    pub(crate) records: Vec<Record>,
    record_bytes: usize,
}

/// One row of a [`Batch`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowHead {
    pub(crate) step: u64,
    pub(crate) time: Timestamp,
    pub(crate) len: u32,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.records.is_empty() && self.keys.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.rows.clear();
        self.points.clear();
        self.records.clear();
        self.record_bytes = 0;
    }

    /// The rows with their points.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (RowHead, &[(KeyId, f64)])> {
        let mut rest = &self.points[..];
        self.rows.iter().map(move |&row| {
            let (points, after) = rest.split_at(row.len as usize);
            rest = after;
            (row, points)
        })
    }

    fn push_row(&mut self, step: u64, time: Timestamp, points: &[(KeyId, f64)]) {
        self.points.extend_from_slice(points);
        let len = points.len() as u32;
        match self.rows.last_mut() {
            Some(row) if row.step == step && time.0 - row.time.0 <= SAME_ROW_US => row.len += len,
            _ => self.rows.push(RowHead { step, time, len }),
        }
    }
}

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// It waits for the writer, who will come by.
    Waits,
    /// There was no room for it.
    NoRoom,
    /// The writer has been by for the last time.
    TooLate,
}

/// What the writer finds when it comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Values wait.
    Values,
    /// The run is to end; values may still wait.
    Closing,
    /// Nothing came within the time allowed.
    Nothing,
}

/// How often it was asked that all which came before be on the disk. Each is the number of the last of them, so that one answer does for all who
/// asked before the writer came by.
#[derive(Debug, Default)]
struct Flushes {
    asked: u64,
    /// The writer has what came before it.
    taken: u64,
    /// The writer is done with it.
    settled: u64,
    /// Whether the disk had all, the last time.
    is_safe: bool,
}

#[derive(Debug, Default)]
struct State {
    batch: Batch,
    flushes: Flushes,
    /// The writer sleeps until somebody says otherwise.
    writer_sleeps: bool,
    /// There were values when the writer last looked, and there may soon be more.
    expects_more: bool,
    closing: bool,
    /// The writer comes no more.
    closed: bool,
}

impl State {
    fn is_hurried(&self) -> bool {
        self.closing || self.flushes.asked > self.flushes.taken
    }

    fn take(&mut self, spare: &mut Batch) -> bool {
        debug_assert!(spare.is_empty());
        std::mem::swap(&mut self.batch, spare);
        self.flushes.taken = self.flushes.asked;
        self.flushes.taken > self.flushes.settled
    }

    fn found(&self) -> Wake {
        match self.closing {
            true => Wake::Closing,
            false => Wake::Values,
        }
    }
}

/// The one place where threads that log and the thread that writes meet.
///
/// Every critical section is short and without I/O or allocation beyond the growth of the buffers, so a log call waits
/// for microseconds at most.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    /// The writer waits here.
    arrived: Condvar,
    /// Calls under [`Overflow::Wait`] wait here.
    emptied: Condvar,
    /// Who asked for a flush waits here.
    settled: Condvar,
}

impl Inbox {
    /// Leaves a row.
    pub(crate) fn push_row(
        &self,
        step: u64,
        time: Timestamp,
        points: &[(KeyId, f64)],
        overflow: Overflow,
    ) -> Left {
        let mut state = lock(&self.state);
        let full =
            |state: &State| !state.closed && state.batch.points.len() + points.len() > MAX_POINTS;
        if full(&state)
            && let Overflow::Wait(patience) = overflow
        {
            let waited = self
                .emptied
                .wait_timeout_while(state, patience, |s| full(s));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.closed {
            return Left::TooLate;
        }
        if full(&state) {
            return Left::NoRoom;
        }
        state.batch.push_row(step, time, points);
        let crowded = state.batch.points.len() > MAX_POINTS / 2;
        self.call_writer(&mut state, crowded);
        Left::Waits
    }

    /// Leaves a record that takes about `bytes`.
    pub(crate) fn push_record(&self, record: Record, bytes: usize) -> Left {
        let mut state = lock(&self.state);
        if state.closed {
            return Left::TooLate;
        }
        // A single large record is taken when nothing else waits: it may be larger than the bound.
        if state.batch.record_bytes > 0 && state.batch.record_bytes + bytes > MAX_RECORD_BYTES {
            return Left::NoRoom;
        }
        state.batch.record_bytes += bytes;
        state.batch.records.push(record);
        self.call_writer(&mut state, false);
        Left::Waits
    }

    /// Leaves a declaration. There is always room: keys are bounded by themselves.
    pub(crate) fn push_key(&self, id: KeyId, key: Key) {
        lock(&self.state).batch.keys.push((id, key));
    }

    /// Tells the writer to write what is there and then to end.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.closing = true;
        self.call_writer(&mut state, true);
    }

    fn call_writer(&self, state: &mut State, at_once: bool) {
        if state.writer_sleeps || at_once {
            state.writer_sleeps = false;
            self.arrived.notify_one();
        }
    }

    /// Sleeps until something comes, for `patience` at most (`None`: for ever); then lingers a moment, so that what
    /// comes together is written together. After values, looks once more of itself before it sleeps.
    pub(crate) fn wait(&self, patience: Option<Duration>, linger: Duration) -> Wake {
        let mut state = lock(&self.state);
        if state.expects_more {
            state = self.pause(state, ROUND);
            state.expects_more = !state.batch.is_empty();
            if state.expects_more || state.is_hurried() {
                return state.found();
            }
        }
        let deadline = patience.map(|p| Instant::now() + p);
        while state.batch.is_empty() && !state.is_hurried() {
            state.writer_sleeps = true;
            let left = deadline.map_or(Duration::from_secs(3600), |d| {
                d.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                state.writer_sleeps = false;
                return Wake::Nothing;
            }
            state = self
                .arrived
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.writer_sleeps = false;
        state = self.pause(state, linger);
        state.expects_more = true;
        state.found()
    }

    /// Lets values gather, unless they become many or somebody waits for the writer.
    fn pause<'a>(&self, state: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
        let has_room = |s: &mut State| !s.is_hurried() && s.batch.points.len() <= MAX_POINTS / 2;
        let waited = self.arrived.wait_timeout_while(state, time, has_room);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Takes everything that waits and leaves the empty `spare` instead; whether somebody waits until it is on the disk.
    pub(crate) fn swap(&self, spare: &mut Batch) -> bool {
        let waited_for = lock(&self.state).take(spare);
        self.emptied.notify_all();
        waited_for
    }

    /// As [`Self::swap`], for the last time: what comes after it is too late.
    pub(crate) fn swap_last(&self, spare: &mut Batch) -> bool {
        let mut state = lock(&self.state);
        state.closed = true;
        let waited_for = state.take(spare);
        self.emptied.notify_all();
        waited_for
    }

    /// Says that the writer is done with what it took last, and whether the disk has all of it.
    pub(crate) fn settle(&self, is_safe: bool) {
        let mut state = lock(&self.state);
        self.answer(&mut state.flushes, is_safe);
    }

    /// Says to who waits for the disk that the log cannot be written now.
    pub(crate) fn refuse(&self) {
        let mut state = lock(&self.state);
        state.flushes.taken = state.flushes.asked;
        self.answer(&mut state.flushes, false);
    }

    /// Tells those who asked before the writer took what it took, if any.
    fn answer(&self, flushes: &mut Flushes, is_safe: bool) {
        if flushes.taken > flushes.settled {
            flushes.settled = flushes.taken;
            flushes.is_safe = is_safe;
            self.settled.notify_all();
        }
    }

    /// Waits until the disk has what came before, until `deadline` or until the log cannot be written; whether it has. `None`: the writer comes
    /// no more.
    pub(crate) fn flush(&self, deadline: Instant) -> Option<bool> {
        let mut state = lock(&self.state);
        if state.closed {
            return None;
        }
        state.flushes.asked += 1;
        let mine = state.flushes.asked;
        self.call_writer(&mut state, true);
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self
            .settled
            .wait_timeout_while(state, left, |s| s.flushes.settled < mine);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        Some(state.flushes.settled >= mine && state.flushes.is_safe)
    }
}
