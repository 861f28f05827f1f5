//! Tells browsers of changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cresset_record::Project;
use cresset_store::Change;
use tokio::sync::broadcast;

use crate::api::change_json;

/// Batches that are kept for clients that are slow; who falls behind by more is told to ask anew.
const KEPT: usize = 256;

/// Tells browsers of changes. Never waits for one: what is sent is overwritten when the ring is full, and who had not
/// read it yet is told so.
#[derive(Debug)]
pub(crate) struct Hub {
    sender: broadcast::Sender<Batch>,
    clients: Arc<AtomicUsize>,
}

/// Changes that the index found at once.
pub(crate) type Batch = Arc<[Update]>;

/// One change as it is sent.
#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) project: Project,
    pub(crate) version: u64,
    pub(crate) json: String,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(KEPT),
            clients: Arc::default(),
        }
    }
}

impl Hub {
    /// Tells all that listen.
    pub(crate) fn send(&self, changes: &[Change]) {
        if changes.is_empty() || self.sender.receiver_count() == 0 {
            return;
        }
        let batch = changes.iter().map(|change| Update {
            project: change.key.project.clone(),
            version: change.version,
            json: change_json(change),
        });
        // It fails only if nobody listens any more.
        let _ = self.sender.send(batch.collect());
    }

    /// Listens from now on, unless there are `most` already.
    pub(crate) fn listen(&self, most: usize) -> Option<Listener> {
        let place = Place::take(&self.clients, most)?;
        Some(Listener {
            receiver: self.sender.subscribe(),
            _place: place,
        })
    }

    /// How many listen.
    pub(crate) fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }
}

/// One that listens.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) receiver: broadcast::Receiver<Batch>,
    _place: Place,
}

#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(clients: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let more = |n| (n < most).then_some(n + 1);
        clients
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()?;
        Some(Self(Arc::clone(clients)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
