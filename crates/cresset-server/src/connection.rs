//! One connection: its encryption, if there is one, and the requests that come over it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;

use crate::access::Peer;
use crate::app::App;
use crate::forwarded::Source;
use crate::tls::Tls;

/// Largest head of a request, in bytes.
const MAX_HEAD: usize = 128 << 10;
/// How long a connection may take for the head of its next request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take to agree on a key.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// A client that takes nothing of its answer for so long is given up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// The first byte of a handshake (<https://www.rfc-editor.org/rfc/rfc8446#section-5.1>).
const HANDSHAKE: u8 = 22;

/// What all connections share.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    pub(crate) app: App,
    pub(crate) router: Router,
    pub(crate) tls: Option<Arc<Tls>>,
}

/// What else is known of how a request came, beside its [`Peer`].
#[derive(Clone, Debug)]
pub(crate) struct Via {
    /// Whether the client spoke HTTPS.
    pub(crate) https: bool,
    /// The host that a trusted proxy was asked for.
    pub(crate) host: Option<String>,
}

impl Connections {
    /// Answers what comes over a connection, until it ends.
    pub(crate) async fn answer(self, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        // Without it small answers may wait for an acknowledgement; where it cannot be set they do.
        let _ = stream.set_nodelay(true);
        let Some(tls) = self.tls.clone() else {
            return self.serve(patient(stream), peer, false, watcher).await;
        };
        let mut closing = self.app.closing();
        let secured = tokio::select! {
            secured = timeout(HANDSHAKE_TIMEOUT, secure(&tls, stream)) => secured,
            // What is not there yet has nothing to finish.
            _ = closing.wait_for(|closing| *closing) => return,
        };
        match secured {
            Ok(Some(stream)) => self.serve(stream, peer, true, watcher).await,
            Ok(None) => {}
            Err(_) => tracing::debug!(%peer, "a client did not finish its handshake"),
        }
    }

    async fn serve<S>(self, stream: S, peer: SocketAddr, tls: bool, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { app, router, .. } = self;
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(Body::new);
            let options = app.options();
            let trusted = &options.trusted_proxies;
            let Source {
                client,
                https,
                host,
            } = Source::of(request.headers(), peer.ip(), trusted);
            let https = https.unwrap_or(tls);
            request.extensions_mut().insert(Peer(client));
            request.extensions_mut().insert(Via { https, host });
            if let Some(inside) = options.base_path.strip(request.uri()) {
                *request.uri_mut() = inside;
            }
            tower_service::Service::call(&mut router.clone(), request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        // Clients hang up as they like.
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%peer, %error, "a connection ended");
        }
    }
}

/// The stream, which fails when its other end reads nothing for a while.
fn patient(stream: TcpStream) -> Pin<Box<TimeoutStream<TcpStream>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    Box::pin(stream)
}

type Secured = tokio_rustls::server::TlsStream<Pin<Box<TimeoutStream<TcpStream>>>>;

/// Agrees on a key with the client; `None` if it does not want to or cannot.
async fn secure(tls: &Tls, stream: TcpStream) -> Option<Secured> {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) if first[0] == HANDSHAKE => {}
        Ok(1) => {
            // Nothing can be done for who does not listen either.
            let _ = refuse_plain(&stream).await;
            return None;
        }
        _ => return None,
    }
    let accepted = tls.acceptor().accept(patient(stream)).await;
    accepted
        .inspect_err(|error| tracing::debug!(%error, "no handshake"))
        .ok()
}

/// Tells a client that does not encrypt what to do.
async fn refuse_plain(stream: &TcpStream) -> io::Result<()> {
    const BODY: &str = r#"{"error":{"code":"https_needed","message":"this server speaks HTTPS here; begin the address with https://"}}"#;
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    stream.writable().await?;
    // Nothing was sent before, so there is room for it.
    stream.try_write(answer.as_bytes())?;
    // What it still sends is read, or the system would take the answer back from it.
    let mut rest = [0; 4096];
    let mut left = MAX_HEAD;
    while left > 0
        && timeout(Duration::from_secs(1), stream.readable())
            .await
            .is_ok()
    {
        match stream.try_read(&mut rest) {
            Ok(0) => break,
            Ok(read) => left = left.saturating_sub(read),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
