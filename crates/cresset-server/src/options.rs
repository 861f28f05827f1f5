//! How a server is set up.

use std::net::{Ipv4Addr, SocketAddr};

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
    /// Whether the login cookie is only sent over HTTPS, as behind a proxy that speaks it. It is so too for a request
    /// whose `X-Forwarded-Proto` says `https`.
    pub secure_cookie: bool,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody who can reach the address, which must be a loopback address.
    Open,
    /// Who has one of the store's keys.
    Keys,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            access: Access::Open,
            host_names: Vec::new(),
            secure_cookie: false,
        }
    }
}
