//! The API `/api/v1` and the dashboard over HTTP.
//!
//! [`Server::bind`] takes a [`cresset_store::Store`] and listens; [`Server::serve`] answers until it is told to stop. The
//! server keeps nothing of its own: what it shows is in the store, and another process on the same folder shows the same.
//!
//! `connection.rs` takes requests from connections, encrypted by `tls.rs`, and finds out what `base_path.rs` and
//! `forwarded.rs` say of a proxy before it. `router.rs` puts the parts together: `guard.rs` turns away what no page of ours sends, `access.rs` says who asks and
//! what they may, `oidc.rs` lets people in whom an issuer of OpenID Connect vouches for, `api/` has one file for each kind of question, `hub.rs` tells browsers of changes, `assets.rs` has the
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
