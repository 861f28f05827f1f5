//! What a proxy says of a request: who sent it, over what, and for which host. It is believed of proxies that whoever
//! started the server named, and of nobody else, because anybody can send such headers.
//!
//! Each proxy adds to what was there, so only the end of a list was written by one that is trusted: it is read from there,
//! and as long as the address that it names is a trusted proxy itself. `X-Forwarded-For`, `-Proto` and `-Host` are read,
//! and `Forwarded` of RFC 7239.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Once;

use axum::http::{HeaderMap, header};
use ipnet::IpNet;

/// Addresses of proxies that are believed: one, or a network such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

/// Why a text is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address and no network; give one such as 10.0.0.7 or 10.0.0.0/8")]
pub struct NetworkError(String);

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let one = text.parse::<IpAddr>().map(|one| one.to_canonical().into());
        one.or_else(|_| text.parse())
            .map(Self)
            .map_err(|_| NetworkError(text.to_owned()))
    }
}

/// Where a request comes from, as far as that can be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) client: IpAddr,
    /// Whether the client spoke HTTPS; `None` where only the connection tells.
    pub(crate) https: Option<bool>,
    /// The host that the client asked for, if it is not the one of the request itself.
    pub(crate) host: Option<String>,
}

impl Source {
    /// Of a request that came from `peer`.
    pub(crate) fn of(headers: &HeaderMap, peer: IpAddr, trusted: &[Network]) -> Self {
        let peer = peer.to_canonical();
        let itself = Self {
            client: peer,
            https: None,
            host: None,
        };
        let standard = standard(headers);
        let usual = usual(headers);
        if standard.is_none() && usual.is_none() {
            return itself;
        }
        let is_trusted = |address| trusted.iter().any(|network| network.contains(address));
        if !is_trusted(peer) {
            static TOLD: Once = Once::new();
            TOLD.call_once(|| {
                tracing::info!(
                    %peer,
                    "a request says that it was forwarded, which is not believed; if that is your proxy, \
                     start `cresset serve` with `--trust-proxy {peer}`"
                );
            });
            return itself;
        }
        let follow = |hops: Vec<Hop>| itself.clone().through(hops, is_trusted);
        match (standard.map(follow), usual.map(follow)) {
            (Some(source), None) | (None, Some(source)) => source,
            (Some(standard), Some(usual)) if standard == usual => usual,
            // A proxy that writes one passes the other on as the client sent it, and nobody can tell which that is.
            _ => {
                tracing::debug!(%peer, "`Forwarded` and `X-Forwarded-…` do not say the same, so neither is believed");
                itself
            }
        }
    }

    /// Goes back along the proxies; the last hop is the one that the peer wrote.
    fn through(mut self, hops: Vec<Hop>, is_trusted: impl Fn(IpAddr) -> bool) -> Self {
        for hop in hops.into_iter().rev() {
            self.https = hop.https.or(self.https);
            self.host = hop.host.or(self.host);
            let Some(client) = hop.client else {
                break;
            };
            self.client = client;
            if !is_trusted(client) {
                break;
            }
        }
        self
    }
}

/// What one proxy said of who asked it.
#[derive(Debug, Default)]
struct Hop {
    /// `None` if it said nothing that is an address.
    client: Option<IpAddr>,
    https: Option<bool>,
    host: Option<String>,
}

/// `Forwarded`, nearest proxy last; `None` if it is not there.
fn standard(headers: &HeaderMap) -> Option<Vec<Hop>> {
    let elements = list(headers, header::FORWARDED.as_str())?;
    let hop = |element: &String| {
        let mut hop = Hop::default();
        for pair in split(element, ';') {
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let value = unquoted(value.trim());
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => hop.client = address(&value),
                "proto" => hop.https = Some(value.eq_ignore_ascii_case("https")),
                "host" => hop.host = Some(value),
                _ => {}
            }
        }
        hop
    };
    Some(elements.iter().map(hop).collect())
}

/// `X-Forwarded-For`, `-Proto` and `-Host`, nearest proxy last; `None` if none of them is there.
fn usual(headers: &HeaderMap) -> Option<Vec<Hop>> {
    let [clients, protos, hosts] = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"]
        .map(|name| list(headers, name));
    if clients.is_none() && protos.is_none() && hosts.is_none() {
        return None;
    }
    let [clients, protos, hosts] = [clients, protos, hosts].map(Option::unwrap_or_default);
    // Not every proxy adds to every list, and each adds at the end.
    let length = clients.len().max(1);
    let from_end = |list: &[String], back: usize| list.iter().rev().nth(back).cloned();
    let hop = |back: usize| Hop {
        client: from_end(&clients, back).and_then(|text| address(&text)),
        https: from_end(&protos, back).map(|proto| proto.eq_ignore_ascii_case("https")),
        host: from_end(&hosts, back),
    };
    Some((0..length).rev().map(hop).collect())
}

/// The elements of a header that is a list, over all its lines; `None` if it is not there.
fn list(headers: &HeaderMap, name: &str) -> Option<Vec<String>> {
    let lines = headers.get_all(name);
    lines.iter().next()?;
    // What is no text is kept as an element that means nothing, so that those after it stay where they are.
    let texts = lines.iter().map(|line| line.to_str().unwrap_or("?"));
    let elements = texts.flat_map(|line| split(line, ','));
    Some(elements.map(str::to_owned).collect())
}

/// The parts of a text between separators that do not stand in quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(move |c: char| {
        let separates = !quoted && c == separator;
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && c == '\\' && !escaped;
        separates
    });
    parts.map(str::trim)
}

fn unquoted(text: &str) -> String {
    let inside = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    let Some(inside) = inside else {
        return text.to_owned();
    };
    let mut plain = String::new();
    let mut characters = inside.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => plain.extend(characters.next()),
            c => plain.push(c),
        }
    }
    plain
}

/// An address, with or without brackets and a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    Some(address.or_else(with_port)?.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn source(
        peer: &str,
        lines: &[(&'static str, &'static str)],
    ) -> (String, Option<bool>, String) {
        let trusted: Vec<Network> = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        let found = Source::of(&headers, peer.parse().unwrap(), &trusted);
        let host = found.host.unwrap_or_default();
        (found.client.to_string(), found.https, host)
    }

    fn client(peer: &str, lines: &[(&'static str, &'static str)]) -> String {
        source(peer, lines).0
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        let lines = [
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "runs.example"),
        ];
        let believed = ("1.2.3.4".to_owned(), Some(true), "runs.example".to_owned());
        for peer in ["127.0.0.1", "10.9.9.9", "fd00::1", "::ffff:127.0.0.1"] {
            assert_eq!(source(peer, &lines), believed, "{peer}");
        }
        let standard = [("forwarded", "for=1.2.3.4;proto=https;host=runs.example")];
        assert_eq!(source("127.0.0.1", &standard), believed);
        for lines in [&lines[..], &standard[..]] {
            for peer in ["127.0.0.2", "192.168.0.1", "2001:db8::1", "11.0.0.1"] {
                let itself = (peer.to_owned(), None, String::new());
                assert_eq!(source(peer, lines), itself, "{peer}");
            }
        }
        assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn what_the_client_wrote_itself_is_not_read() {
        for (sent, expected) in [
            // The client's own words come first, what the proxy knows of it last.
            ("6.6.6.6, 1.2.3.4", "1.2.3.4"),
            ("127.0.0.1, 1.2.3.4", "1.2.3.4"),
            ("6.6.6.6, 10.0.0.1, 1.2.3.4", "1.2.3.4"),
            // Over two proxies of ours.
            ("6.6.6.6, 1.2.3.4, 10.0.0.1", "1.2.3.4"),
            ("1.2.3.4, 10.0.0.1, 10.0.0.2", "1.2.3.4"),
            // One of our own machines asks.
            ("10.0.0.3, 10.0.0.1", "10.0.0.3"),
            // What is no address ends it where it is still known who said so.
            ("1.2.3.4, unknown", "127.0.0.1"),
            ("1.2.3.4, unknown, 10.0.0.1", "10.0.0.1"),
            ("", "127.0.0.1"),
            (",", "127.0.0.1"),
            // Ports.
            ("1.2.3.4:5678", "1.2.3.4"),
            ("[2001:db8::1]:5678", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
        ] {
            assert_eq!(
                client("127.0.0.1", &[("x-forwarded-for", sent)]),
                expected,
                "{sent}"
            );
        }
        let lines = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "1.2.3.4"),
        ];
        assert_eq!(client("127.0.0.1", &lines), "1.2.3.4");
        // A header of one kind, which the proxy passes on, and one of the other, which it writes.
        let lines = [("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "1.2.3.4")];
        assert_eq!(client("127.0.0.1", &lines), "127.0.0.1");
        let lines = [("forwarded", "for=1.2.3.4"), ("x-forwarded-for", "1.2.3.4")];
        assert_eq!(client("127.0.0.1", &lines), "1.2.3.4");
    }

    #[test]
    fn the_farthest_proxy_of_ours_says_what_the_client_spoke() {
        for (clients, protos, hosts, https, host) in [
            ("1.2.3.4", "https", "a.example", Some(true), "a.example"),
            ("1.2.3.4", "http", "a.example", Some(false), "a.example"),
            // The client wrote the first ones.
            (
                "6.6.6.6, 1.2.3.4",
                "https, http",
                "b.example, a.example",
                Some(false),
                "a.example",
            ),
            // The outer proxy speaks HTTPS, the inner one does not.
            (
                "1.2.3.4, 10.0.0.1",
                "https, http",
                "a.example, inner",
                Some(true),
                "a.example",
            ),
            // The inner one passes on what the outer one said.
            (
                "1.2.3.4, 10.0.0.1",
                "https",
                "a.example",
                Some(true),
                "a.example",
            ),
        ] {
            let lines = [
                ("x-forwarded-for", clients),
                ("x-forwarded-proto", protos),
                ("x-forwarded-host", hosts),
            ];
            let found = source("127.0.0.1", &lines);
            assert_eq!((found.1, found.2.as_str()), (https, host), "{lines:?}");
        }
        let alone = source("127.0.0.1", &[("x-forwarded-proto", "https")]);
        assert_eq!(alone, ("127.0.0.1".to_owned(), Some(true), String::new()));
    }

    #[test]
    fn the_standard_header_is_read_with_its_quotes() {
        for (sent, expected) in [
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=6.6.6.6, for=192.0.2.43", "192.0.2.43"),
            ("for=192.0.2.43, for=10.0.0.1", "192.0.2.43"),
            ("for=\"6.6.6.6, for=7.7.7.7\", for=192.0.2.43", "192.0.2.43"),
            ("for=\"a\\\", for=6.6.6.6, for=\\\"b\"", "127.0.0.1"),
            ("for=_hidden, for=unknown", "127.0.0.1"),
            ("proto=https", "127.0.0.1"),
            ("for", "127.0.0.1"),
            ("for=\"1.2.3.4", "127.0.0.1"),
            (";;,;=;", "127.0.0.1"),
        ] {
            assert_eq!(
                client("127.0.0.1", &[("forwarded", sent)]),
                expected,
                "{sent}"
            );
        }
    }

    #[test]
    fn networks() {
        for right in ["10.0.0.7", "10.0.0.0/8", "::1", "fd00::/8"] {
            assert!(right.parse::<Network>().is_ok(), "{right}");
        }
        for wrong in ["", "localhost", "10.0.0.0/33", "10.0.0", "10.0.0.7:80", "*"] {
            let error = wrong.parse::<Network>().unwrap_err().to_string();
            assert!(error.contains("10.0.0.0/8"), "{error}");
        }
    }
}
