//! Listens, answers, and ends in order.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use cresset_store::{Store, StoreError};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::app::App;
use crate::connection::Connections;
use crate::oidc;
use crate::options::{Access, Options};
use crate::router::router;
use crate::tls::{self, Tls, TlsError};

/// Connections that are open at once; more wait in the system's queue.
const MAX_CONNECTIONS: usize = 1024;
/// How long answers that are under way may take when the server ends.
const DRAIN: Duration = Duration::from_secs(5);
/// A writer elsewhere that says nothing for so long is not running, as far as is known here. Senders say something every ten seconds.
const LEASE: Duration = Duration::from_secs(30);

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    app: App,
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    address: SocketAddr,
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program listens there.
    #[error("{address} is taken by another program; choose another port with --port or --bind")]
    Taken {
        /// Where.
        address: SocketAddr,
    },
    /// The address is not this machine's, or not this user's to take.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Others could reach it, and it has no keys.
    #[error(
        "others can reach {address}, from their machines or through a proxy, and no key exists yet: make one with \
         `cresset key create NAME --role admin`, or bind to 127.0.0.1 without a proxy"
    )]
    NoKeys {
        /// Where.
        address: SocketAddr,
    },
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The index cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// If the address cannot be listened on, others could reach it without a key, or the certificate cannot be used.
    pub async fn bind(store: Store, mut options: Options) -> Result<Self, BindError> {
        let address = options.address;
        // Whoever sets an issuer wants to know who comes.
        let has_issuer = options.oidc.is_some();
        if has_issuer {
            options.access = Access::Keys;
        }
        // Keys are looked for even where they are demanded: a server that nobody can use is a mistake too.
        let is_local = address.ip().is_loopback() && options.trusted_proxies.is_empty();
        let needs_keys = !is_local || options.access == Access::Keys;
        if needs_keys {
            let store = store.clone();
            let has_keys = tokio::task::spawn_blocking(move || store.has_keys()).await;
            let has_keys = has_keys.map_err(|e| StoreError::Engine(e.to_string()))??;
            let lets_in = has_keys || has_issuer;
            if !lets_in || options.access != Access::Keys {
                return Err(BindError::NoKeys { address });
            }
        }
        let tls = match options.tls.clone() {
            Some(files) => {
                let loaded = tokio::task::spawn_blocking(move || Tls::load(files)).await;
                let loaded = loaded.map_err(|e| StoreError::Engine(e.to_string()))??;
                Some(Arc::new(loaded))
            }
            None => None,
        };
        let listener = TcpListener::bind(address).await.map_err(|source| {
            if source.kind() == io::ErrorKind::AddrInUse {
                BindError::Taken { address }
            } else {
                BindError::Listen { address, source }
            }
        })?;
        let address = listener
            .local_addr()
            .map_err(|source| BindError::Listen { address, source })?;
        let options = Options { address, ..options };
        Ok(Self {
            app: App::new(store, options),
            listener,
            tls,
            address,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown`, and indexes what is new meanwhile. Then endless answers end, others have five seconds.
    ///
    /// # Errors
    /// If the index cannot be followed.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), StoreError> {
        let Self {
            app, listener, tls, ..
        } = self;
        let hub = app.clone();
        let indexer = app
            .store()
            .index_in_background(move |changes| hub.hub().send(changes))?;
        let reaper = tokio::spawn(let_go_of_silent(app.clone()));
        let issuer = tokio::spawn(oidc::follow(app.clone()));
        let renewal = tls
            .clone()
            .map(|certificate| tokio::spawn(tls::follow(certificate)));
        let graceful = GracefulShutdown::new();
        let connections = Connections {
            router: router(app.clone()),
            app: app.clone(),
            tls,
        };
        accept(&connections, &listener, &graceful, shutdown).await;
        drop(listener);
        app.close();
        if tokio::time::timeout(DRAIN, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("some answers were not done within {DRAIN:?} and are cut off");
        }
        reaper.abort();
        issuer.abort();
        if let Some(renewal) = renewal {
            renewal.abort();
        }
        // It waits for its thread.
        let ended = tokio::task::spawn_blocking(move || drop(indexer)).await;
        ended.map_err(|e| StoreError::Engine(format!("the indexer's end: {e}")))
    }
}

/// Writers that send from elsewhere and are not heard of lose their lock, so that their runs are seen as crashed.
async fn let_go_of_silent(app: App) {
    let mut turns = tokio::time::interval(LEASE / 6);
    loop {
        turns.tick().await;
        let store = app.store().clone();
        // The next turn tries again.
        let _ = tokio::task::spawn_blocking(move || store.let_go_of_silent(LEASE)).await;
    }
}

async fn accept(
    connections: &Connections,
    listener: &TcpListener,
    graceful: &GracefulShutdown,
    shutdown: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            next = next => next,
            () = &mut shutdown => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let answered = connections.clone().answer(stream, peer, graceful.watcher());
                tokio::spawn(async move {
                    answered.await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: others must end first.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
