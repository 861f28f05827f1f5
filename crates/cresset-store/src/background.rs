//! The thread that keeps a store up to date.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::documents::Watcher;
use crate::error::StoreError;
use crate::store::{Change, Store};

/// Between two looks at the logs.
const PAUSE: Duration = Duration::from_millis(100);
/// A look that took long is followed by a pause so many times as long, so that indexing leaves most of a core to others.
const REST: u32 = 2;
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// How often the trash is looked through.
const PURGE: Duration = Duration::from_mins(1);
/// How often the rules of projects are followed.
const RETENTION: Duration = Duration::from_hours(1);
/// While a folder is indexed for the first time, changes are told so often.
const TELL: Duration = Duration::from_millis(250);

/// A thread that keeps the store up to date; it ends when this is dropped.
#[derive(Debug)]
pub struct Indexer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Indexer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It ends after the pass that it is in; what it had to tell was told.
            let _ = thread.join();
        }
    }
}

pub(crate) fn start(
    store: Store,
    on_change: impl Fn(&[Change]) + Send + 'static,
) -> Result<Indexer, StoreError> {
    let (stop, stopped) = mpsc::channel::<()>();
    let mut watcher = store.engine().read(|tx| Watcher::new(tx))?;
    let spawned = thread::Builder::new()
        .name("cresset-indexer".into())
        .spawn(move || {
            let mut pause = Duration::ZERO;
            let mut purged = Instant::now();
            let mut thinned = None;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(pause) {
                let begun = Instant::now();
                let mut told = Instant::now();
                let tell = |watcher: &mut Watcher| {
                    // An error here is met again, and said, by whoever asks the store next.
                    let changes = store
                        .engine()
                        .read(|tx| watcher.changes(tx))
                        .unwrap_or_default();
                    if !changes.is_empty() {
                        on_change(&changes);
                    }
                };
                let looked = store.lead().look(&store, &mut || {
                    if told.elapsed() > TELL {
                        told = Instant::now();
                        tell(&mut watcher);
                    }
                });
                tell(&mut watcher);
                let rest = begun.elapsed() * REST;
                if matches!(looked, Ok(Some(_))) && purged.elapsed() > PURGE {
                    purged = Instant::now();
                    // What cannot be removed now is tried again in a minute.
                    let _ = store.purge_expired();
                    tell(&mut watcher);
                }
                let thin = thinned.is_none_or(|at: Instant| at.elapsed() > RETENTION);
                if matches!(looked, Ok(Some(_))) && thin {
                    thinned = Some(Instant::now());
                    // What cannot be removed now is tried again in an hour.
                    let _ = store.follow_retention();
                }
                pause = match looked {
                    Ok(_) => PAUSE.max(rest).min(MAX_PAUSE),
                    Err(_) => MAX_PAUSE,
                };
            }
            store.lead().resign();
        });
    match spawned {
        Ok(thread) => Ok(Indexer {
            stop: Some(stop),
            thread: Some(thread),
        }),
        Err(e) => Err(StoreError::Engine(format!(
            "the thread that indexes cannot be started: {e}"
        ))),
    }
}
