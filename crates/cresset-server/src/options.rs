//! How a server is set up.

use std::net::{Ipv4Addr, SocketAddr};

use crate::base_path::BasePath;
use crate::forwarded::Network;
use crate::oidc::OidcOptions;
use crate::tls::TlsFiles;

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes any free one.
    pub address: SocketAddr,
    /// Who may ask.
    pub access: Access,
    /// Names under which browsers reach the server, beside the loopback names and, where the address is no loopback
    /// address, IP addresses. A request for any other name is refused: it would be a page of somebody else that made its
    /// own name point here.
    pub host_names: Vec<String>,
    /// Whether the login cookie is only sent over HTTPS. It is so too with a certificate, and for a request of which a
    /// trusted proxy says that it came over HTTPS.
    pub secure_cookie: bool,
    /// The certificate to speak HTTPS with; without one the connection is not encrypted.
    pub tls: Option<TlsFiles>,
    /// The beginning of all addresses, behind a proxy that has other things beside this.
    pub base_path: BasePath,
    /// Proxies whose `X-Forwarded-…` and `Forwarded` headers are believed; those of others are not read. Where there are
    /// any, keys are needed: requests that come through them are of others.
    pub trusted_proxies: Vec<Network>,
    /// Who vouches for people, so that they log in without a key of theirs. Where somebody does, the server is open to nobody else.
    pub oidc: Option<OidcOptions>,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody who can reach the address, which must be a loopback address.
    Open,
    /// The same until the store has a key; from then on, who has one, even if all are taken back.
    UntilKeys,
    /// Who has one of the store's keys, or logged in.
    Keys,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            access: Access::Open,
            host_names: Vec::new(),
            secure_cookie: false,
            tls: None,
            base_path: BasePath::default(),
            trusted_proxies: Vec::new(),
            oidc: None,
        }
    }
}
