//! Says that a run lives while it has nothing to say.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::api::{Api, Place};

/// After so long without a word W&B's client speaks up; its server calls a run crashed after five minutes.
const PAUSE: Duration = Duration::from_secs(30);

/// A thread that sends heartbeats until it is dropped.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    spoken: Sender<()>,
}

impl Heartbeat {
    /// Begins; `stop` is set when the server answers that somebody wants the run to stop. Without a thread there are no
    /// heartbeats, and all else goes on.
    pub(crate) fn start(api: Api, place: Place, stop: Arc<AtomicBool>) -> Self {
        let (spoken, heard) = mpsc::channel();
        let beat = move || loop {
            match heard.recv_timeout(PAUSE) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    // One that does not come through is followed by another.
                    if let Ok(answer) = api.stream(&place, &json!({})) {
                        stop.fetch_or(answer["stopped"] == true, Ordering::Relaxed);
                    }
                }
            }
        };
        let named = thread::Builder::new().name("cresset-wandb".to_owned());
        // The channel's other end goes with the closure where no thread can be had.
        drop(named.spawn(beat));
        Self { spoken }
    }

    /// Something else was sent just now.
    pub(crate) fn spoke(&self) {
        // Nobody listens where no thread could be had.
        let _ = self.spoken.send(());
    }
}
