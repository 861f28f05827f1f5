//! What all requests share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use cresset_store::Store;
use tokio::sync::{Semaphore, watch};

use crate::access;
use crate::error::Failure;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::oidc::Provider;
use crate::options::Options;
use crate::throttle::Throttle;

/// How long a question waits for its turn at the store before it is turned away.
const PATIENCE: Duration = Duration::from_secs(10);

/// What all requests share; clones are handles of the same.
#[derive(Clone, Debug)]
pub(crate) struct App {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    options: Options,
    hub: Hub,
    metrics: Metrics,
    throttle: Throttle,
    oidc: Option<Provider>,
    /// One permit for each question that may be at the store at once: it blocks on files and computes.
    turns: Arc<Semaphore>,
    /// Keys are needed from now on, though they were not at first.
    locked: AtomicBool,
    closing: watch::Sender<bool>,
}

impl App {
    pub(crate) fn new(store: Store, options: Options) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let oidc = options.oidc.clone().map(Provider::new);
        let inner = Inner {
            store,
            options,
            hub: Hub::default(),
            metrics: Metrics::default(),
            throttle: Throttle::default(),
            oidc,
            turns: Arc::new(Semaphore::new((2 * cores).clamp(4, 32))),
            locked: AtomicBool::new(false),
            closing: watch::Sender::new(false),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.inner.hub
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.inner.throttle
    }

    /// Who vouches for people, where somebody does.
    pub(crate) fn oidc(&self) -> Option<&Provider> {
        self.inner.oidc.as_ref()
    }

    /// From now on keys are needed.
    pub(crate) fn lock(&self) {
        self.inner.locked.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.inner.locked.load(Ordering::Relaxed)
    }

    /// Tells endless answers to end.
    pub(crate) fn close(&self) {
        self.inner.closing.send_replace(true);
    }

    /// Becomes true when the server ends.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.inner.closing.subscribe()
    }

    /// Asks the store, on a thread that may block.
    ///
    /// The turn belongs to the work and not to who waits for it: a request that was given up does not make room for
    /// another while its work goes on.
    pub(crate) async fn ask<T, F>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Store) -> Result<T, Failure> + Send + 'static,
    {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.inner.turns).acquire_owned());
        let Ok(Ok(turn)) = turn.await else {
            return Err(Failure::busy());
        };
        let mut store = self.inner.store.clone();
        if let Some(actor) = access::actor() {
            store = store.by(actor);
        }
        let span = tracing::Span::current();
        let work = move || {
            let _turn = turn;
            span.in_scope(|| work(&store))
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(answer) => answer,
            Err(error) => Err(Failure::internal(&error)),
        }
    }
}
