//! The API `/api/v1` and the dashboard over HTTP.
//!
//! [`Server::bind`] takes a [`cresset_store::Store`] and listens; [`Server::serve`] answers until it is told to stop. The
//! server keeps nothing of its own: what it shows is in the store, and another process on the same folder shows the same.
//! `cresset ui` and `cresset serve` are this with a command line; a program of your own can serve its runs too:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::{SocketAddr, TcpStream};
//!
//! use cresset_record::Root;
//! use cresset_server::{Options, Server};
//! use cresset_store::Store;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #   let place = tempfile::tempdir()?;
//! #   let folder = place.path();
//! #   cresset_run::init("solder").dir(folder).name("amber-harbor-7").start()?.finish();
//!     let store = Store::open(Root::new(folder))?;
//!     store.refresh()?;
//!     let server = Server::bind(store, Options::default()).await?; // a free port of 127.0.0.1, without keys
//!     let address = server.local_addr();
//!     let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
//!     let asked = async {
//!         let answer = tokio::task::spawn_blocking(move || get(address, "/api/v1/projects/solder/runs")).await;
//!         let _ = stop.send(()); // answers that are under way are done first
//!         answer
//!     };
//!     let served = server.serve(async {
//!         let _ = stopped.await;
//!     });
//!     let (served, answer) = tokio::join!(served, asked);
//!     served?;
//!     let answer = answer??;
//!     assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("amber-harbor-7"));
//!     Ok(())
//! }
//!
//! fn get(address: SocketAddr, path: &str) -> std::io::Result<String> {
//!     let mut connection = TcpStream::connect(address)?;
//!     write!(connection, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
//!     let mut answer = String::new();
//!     connection.read_to_string(&mut answer)?;
//!     Ok(answer)
//! }
//! ```
//!
//! `connection.rs` takes requests from connections, encrypted by `tls.rs`, and finds out what `base_path.rs` and
//! `forwarded.rs` say of a proxy before it. `router.rs` puts the parts together: `guard.rs` turns away what no page of ours sends, `access.rs` says
//! who asks and what they may, `oidc.rs` lets people in whom an issuer of OpenID Connect vouches for, `api/` has one file for each kind of
//! question, `hub.rs` tells browsers of changes, `assets.rs` has the
//! dashboard, `metrics.rs` and `observe.rs` what the server says of itself. The wire forms are types of their own in
//! `api/`, made from the store's by named conversions; the OpenAPI document is generated from them.

mod access;
mod api;
mod app;
mod assets;
mod base_path;
mod connection;
mod cookie;
mod error;
mod extract;
mod forwarded;
mod guard;
mod hub;
mod metrics;
mod observe;
mod oidc;
mod options;
mod readers;
mod router;
mod server;
mod throttle;
mod tls;

pub use api::openapi_json;
pub use base_path::{BasePath, BasePathError};
pub use forwarded::{Network, NetworkError};
pub use oidc::{ClientSecret, ClientSecretError, Issuer, IssuerError, OidcOptions};
pub use options::{Access, Options};
pub use server::{BindError, Server};
pub use tls::{TlsError, TlsFiles};
