//! Which process indexes a folder: the one that holds the lock of `index.lock`.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cresset_record::Timestamp;

use crate::engine::schema;
use crate::error::StoreError;
use crate::index::{Found, Places, State};
use crate::store::{IndexStatus, Store};

/// How often the work of another process is looked at.
const POLL: Duration = Duration::from_millis(20);
/// How long another process may stand still before its work is taken as it is.
const STANDSTILL: Duration = Duration::from_secs(3);

/// The right to index, and what the process knows while it has it.
///
/// Locks, in this order: the state, which whoever indexes holds for a whole pass; the status, for moments.
#[derive(Debug)]
pub(crate) struct Lead {
    path: PathBuf,
    state: Mutex<Leading>,
    status: Mutex<IndexStatus>,
}

#[derive(Debug, Default)]
struct Leading {
    /// The locked file, while this process keeps the right between passes.
    kept: Option<File>,
    state: State,
    /// Who indexed last, as of the last time that this process did: if it was somebody else, the state is old.
    token: i64,
}

impl Lead {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            state: Mutex::default(),
            status: Mutex::default(),
        }
    }

    /// Reads everything that is in the logs now, or waits until another process has.
    pub(crate) fn refresh(
        &self,
        store: &Store,
    ) -> Result<(u64, Vec<(String, String)>), StoreError> {
        loop {
            let mut leading = lock(&self.state);
            if let Some(file) = self.take(&mut leading)? {
                let found = self.pass(store, &mut leading, true, &mut || {});
                let refused = leading.state.refused();
                drop(file);
                return Ok((found?.points, refused));
            }
            drop(leading);
            if self.wait_for_other(store)? {
                return Ok((0, Vec::new()));
            }
        }
    }

    /// Forgets what is derived and reads everything.
    pub(crate) fn rebuild(
        &self,
        store: &Store,
    ) -> Result<(u64, Vec<(String, String)>), StoreError> {
        let mut leading = lock(&self.state);
        let Some(file) = self.take(&mut leading)? else {
            return Err(StoreError::Conflict(
                "another process, such as a running `cresset ui`, keeps the index of this folder; end it first".into(),
            ));
        };
        store.engine().write(|tx| {
            schema::clear(tx)?;
            schema::raise(tx, "version", 1)?;
            schema::raise(tx, "indexer", 1).map(drop)
        })?;
        leading.token = 0;
        leading.state.restart();
        let found = self.pass(store, &mut leading, true, &mut || {});
        let refused = leading.state.refused();
        drop(file);
        Ok((found?.points, refused))
    }

    /// One look at what is due, if this process has the right to index or gets it; keeps it from then on. `None` where
    /// another process has it.
    pub(crate) fn look(
        &self,
        store: &Store,
        committed: &mut dyn FnMut(),
    ) -> Result<Option<Found>, StoreError> {
        let mut leading = lock(&self.state);
        if leading.kept.is_none() {
            leading.kept = self.try_lock()?;
        }
        if leading.kept.is_none() {
            return Ok(None);
        }
        self.pass(store, &mut leading, false, committed).map(Some)
    }

    /// Lets the right go.
    pub(crate) fn resign(&self) {
        lock(&self.state).kept = None;
    }

    pub(crate) fn status(&self) -> IndexStatus {
        lock(&self.status).clone()
    }

    fn pass(
        &self,
        store: &Store,
        leading: &mut Leading,
        full: bool,
        committed: &mut dyn FnMut(),
    ) -> Result<Found, StoreError> {
        let begun = Instant::now();
        let places = Places {
            root: store.root(),
            engine: store.engine(),
            chunks: store.chunks(),
        };
        let last = places.engine.read(|tx| schema::counter(tx, "indexer"))?;
        if leading.token == 0 || last != leading.token {
            leading.token = places.engine.write(|tx| schema::raise(tx, "indexer", 1))?;
            leading.state.load(places)?;
        }
        let found = leading.state.pass(places, full, committed);
        let mut status = lock(&self.status);
        status.last_refresh = Some(Timestamp::now());
        status.seconds = begun.elapsed().as_secs_f64();
        status.points += found.as_ref().map_or(0, |f| f.points);
        status.refused = leading.state.refused();
        found
    }

    /// A guard of the right for one pass; `None` where another process has it.
    fn take(&self, leading: &mut Leading) -> Result<Option<Option<File>>, StoreError> {
        if leading.kept.is_some() {
            return Ok(Some(None));
        }
        Ok(self.try_lock()?.map(Some))
    }

    fn try_lock(&self) -> Result<Option<File>, StoreError> {
        let io = |source| StoreError::Io {
            path: self.path.clone(),
            source,
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            // No locks on this file system: the generation of each run keeps two processes from doubling anything.
            Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => {
                Ok(Some(file))
            }
            Err(TryLockError::Error(e)) => Err(io(e)),
        }
    }

    /// Waits until another process has read what is in the logs now; `false` if it let the right go before.
    fn wait_for_other(&self, store: &Store) -> Result<bool, StoreError> {
        let target = crate::index::log_ends(store.root());
        let mut version = store.version()?;
        let mut moved = Instant::now();
        loop {
            if store
                .engine()
                .read(|tx| crate::index::has_reached(tx, &target))?
            {
                return Ok(true);
            }
            if self.try_lock()?.is_some() {
                return Ok(false);
            }
            let now = store.version()?;
            if now != version {
                version = now;
                moved = Instant::now();
            }
            if moved.elapsed() > STANDSTILL {
                return Ok(true);
            }
            thread::sleep(POLL);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // All state behind these locks is valid between any two statements; what a panic left half read is read again.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
