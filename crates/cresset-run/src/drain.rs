//! The writer's side of the inbox: what comes is written, until the run is to end and all that came is.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::inbox::{Batch, Inbox, Wake};
use crate::sync::{Condvar, Mutex, lock};

/// The writer waits so long for more before it writes. With the write itself this stays far below the 5 ms promised.
const LINGER: Duration = Duration::from_millis(1);
/// Longest pause of a writer whose values have to wait.
const LONGEST: Duration = Duration::from_millis(50);

/// Where batches go.
pub(crate) trait Sink {
    /// How long the writer may sleep when nothing comes; `None`: for ever.
    fn patience(&mut self) -> Option<Duration>;

    /// Writes what `take` gives, and to the disk if `take` says that somebody waits for that; whether it is there. If the run `ends`, it is the last
    /// that comes, and what cannot be written is counted.
    ///
    /// # Errors
    /// How long values have to wait in the inbox first; `take` is not called then.
    fn write(
        &mut self,
        ends: bool,
        take: impl FnOnce(&mut Batch) -> bool,
    ) -> Result<bool, Duration>;
}

/// Writes what comes, until the inbox is closed; then all that came before it said so to whoever came later.
pub(crate) fn drain(inbox: &Inbox, sink: &mut impl Sink) {
    loop {
        let wake = inbox.wait(sink.patience(), LINGER);
        let ends = wake == Wake::Closing;
        let written = sink.write(ends, |batch| match ends {
            true => inbox.swap_last(batch),
            false => inbox.swap(batch),
        });
        match written {
            Ok(is_safe) => inbox.settle(is_safe),
            // Values wait in the inbox, as many as fit, until the log can be written again; nobody waits with them.
            Err(pause) => {
                inbox.refuse();
                std::thread::sleep(pause.clamp(LINGER, LONGEST));
            }
        }
        if ends {
            return;
        }
    }
}

/// Whether something is done, for those who wait for it.
#[derive(Debug, Default)]
pub(crate) struct Done {
    is_done: Mutex<bool>,
    said: Condvar,
}

impl Done {
    /// Says so.
    pub(crate) fn say(&self) {
        *lock(&self.is_done) = true;
        self.said.notify_all();
    }

    /// Waits for it, until `deadline`; whether it is.
    pub(crate) fn wait(&self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self
            .said
            .wait_timeout_while(lock(&self.is_done), left, |done| !*done);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
