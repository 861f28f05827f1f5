//! Who writes a run: an advisory lock that the system lets go when the process dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::ids::Rank;
use crate::layout::RunDir;
use crate::time::Timestamp;

/// Readers look whether the lock is free by holding it; a writer waits that out.
const PATIENCE: Duration = Duration::from_millis(100);

/// Locks a file, and waits so long for whoever has it: readers do for microseconds, and a program that is being started has for a moment
/// what was open in the process that starts it.
///
/// # Errors
/// `WouldBlock` if somebody still has it then; `Error` if it cannot be locked.
pub fn lock_within(file: &File, patience: Duration) -> Result<(), TryLockError> {
    let since = Instant::now();
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if since.elapsed() < patience => {
                thread::sleep(Duration::from_millis(2));
            }
            done => return done,
        }
    }
}

/// The process that holds a writer's lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id, on its own host.
    pub pid: u32,
    /// Its host.
    pub host: String,
    /// Since when.
    pub since: Timestamp,
}

/// The right to write one rank's log of a run; let go when dropped or when the process dies.
#[derive(Debug)]
pub struct WriterLock {
    _file: File,
}

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process, or another run of this one, has it.
    #[error("{} is already being written by {}; wait for it to end, choose another run id, or declare ranks", .run, describe(.holder.as_ref()))]
    Held {
        /// The run's id and rank.
        run: String,
        /// Who has it, where the lock file says so.
        holder: Option<Holder>,
    },
    /// The lock file could not be opened or locked.
    #[error("cannot lock the run for writing: {0}")]
    Io(#[from] io::Error),
}

fn describe(holder: Option<&Holder>) -> String {
    holder.map_or_else(
        || "another process".into(),
        |h| format!("process {} on {}", h.pid, h.host),
    )
}

impl WriterLock {
    /// Takes the lock and writes `holder` into it.
    ///
    /// # Errors
    /// [`LockError::Held`] if somebody has it; [`LockError::Io`] if the file cannot be made or locked, as where the run has no folder yet.
    pub fn acquire(dir: &RunDir, rank: Rank, holder: &Holder) -> Result<Self, LockError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.lock(rank))?;
        match lock_within(&file, PATIENCE) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let holder = file
                    .read_to_string(&mut text)
                    .ok()
                    .and_then(|_| serde_json::from_str(&text).ok());
                return Err(LockError::Held {
                    run: format!("run {} ({rank})", dir.id_text()),
                    holder,
                });
            }
            Err(TryLockError::Error(e)) => return Err(e.into()),
        }
        // The text only serves the error message of a second process: a full disk is no reason to go without the lock.
        let _ = sign(&mut file, holder);
        Ok(Self { _file: file })
    }
}

fn sign(file: &mut File, holder: &Holder) -> io::Result<()> {
    let text = serde_json::to_string(holder)?;
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())
}

/// Whether a living process holds the lock of this writer.
#[must_use]
pub fn is_live(dir: &RunDir, rank: Rank) -> bool {
    // No lock file, or none that may be read: nobody here can be writing.
    let Ok(file) = File::open(dir.lock(rank)) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}
