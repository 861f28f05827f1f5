//! Listens, answers, and ends in order.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use cresset_store::{Store, StoreError};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::access::Peer;
use crate::app::App;
use crate::options::{Access, Options};
use crate::router::router;

/// Connections that are open at once; more wait in the system's queue.
const MAX_CONNECTIONS: usize = 1024;
/// Largest head of a request, in bytes.
const MAX_HEAD: usize = 128 << 10;
/// How long a connection may take for the head of its next request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long answers that are under way may take when the server ends.
const DRAIN: Duration = Duration::from_secs(5);
/// A writer elsewhere that says nothing for so long is not running, as far as is known here. Senders say something every ten seconds.
const LEASE: Duration = Duration::from_secs(30);

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    app: App,
    listener: TcpListener,
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
        "{address} can be reached by others, and no key exists yet: make one with \
         `cresset key create NAME --role admin`, or bind to 127.0.0.1"
    )]
    NoKeys {
        /// Where.
        address: SocketAddr,
    },
    /// The index cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// If the address cannot be listened on, or others could reach it without a key.
    pub async fn bind(store: Store, options: Options) -> Result<Self, BindError> {
        let address = options.address;
        // Keys are looked for even where they are demanded: a server that nobody can use is a mistake too.
        let needs_keys = !address.ip().is_loopback() || options.access == Access::Keys;
        if needs_keys {
            let store = store.clone();
            let keys = tokio::task::spawn_blocking(move || store.keys()).await;
            let keys = keys.map_err(|e| StoreError::Engine(e.to_string()))??;
            if keys.is_empty() || options.access == Access::Open {
                return Err(BindError::NoKeys { address });
            }
        }
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
        let Self { app, listener, .. } = self;
        let hub = app.clone();
        let indexer = app
            .store()
            .index_in_background(move |changes| hub.hub().send(changes))?;
        let reaper = tokio::spawn(let_go_of_silent(app.clone()));
        let graceful = GracefulShutdown::new();
        accept(&app, &listener, &graceful, shutdown).await;
        drop(listener);
        app.close();
        if tokio::time::timeout(DRAIN, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("some answers were not done within {DRAIN:?} and are cut off");
        }
        reaper.abort();
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
    app: &App,
    listener: &TcpListener,
    graceful: &GracefulShutdown,
    shutdown: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let router = router(app.clone());
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
                let connection = connection(stream, peer, router.clone());
                let connection = graceful.watch(connection);
                tokio::spawn(async move {
                    // Clients hang up as they like.
                    if let Err(error) = connection.await {
                        tracing::debug!(%peer, %error, "a connection ended");
                    }
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

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    // Without it small answers may wait for an acknowledgement; where it cannot be set they do.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        tower_service::Service::call(&mut router.clone(), request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
}
