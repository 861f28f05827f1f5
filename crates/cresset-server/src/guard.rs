//! Turns away what no page of ours and no program of the user sends, before anything else looks at it.
//!
//! - *DNS rebinding*: a page of somebody else makes its own name point to this machine and then reads as if it were of the
//!   same origin. Its requests name its own host, so only known hosts are answered.
//! - *Cross-origin reads and writes*: browsers say where a request comes from in `Sec-Fetch-Site` and `Origin`
//!   (<https://www.w3.org/TR/fetch-metadata/>); another port of this machine counts as elsewhere.
//! - *Forged requests*: what changes something must carry `x-cresset`, which a page elsewhere cannot set without a
//!   permission that is never given.
//!
//! An issuer of OpenID Connect sends browsers back to the one address that is asked for from elsewhere and changes something; `oidc.rs` says
//! what stands in for the guard there.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::api::intake;
use crate::app::App;
use crate::connection::Via;
use crate::error::Failure;
use crate::oidc;
use crate::options::Options;

/// The header that says that a request is meant.
pub(crate) const MEANT: HeaderName = HeaderName::from_static("x-cresset");
/// Largest body, in bytes.
pub(crate) const MAX_BODY: usize = 1 << 20;
/// Longest query, in bytes.
const MAX_QUERY: usize = 60_000;

/// The host that a request is for, which is one of ours.
#[derive(Clone, Debug)]
pub(crate) struct Host(pub(crate) String);

/// Lets a request pass or answers it.
pub(crate) async fn check(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let host = host(&request, app.options())?;
    let path = request.uri().path();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    // The pages themselves hold nothing of the user's, and links to them from elsewhere are welcome.
    let guarded = !reads || path.starts_with("/api/") || matches!(path, "/metrics" | oidc::BEGIN);
    if guarded && is_from_elsewhere(request.headers(), &host) {
        return Err(Failure::forbidden(
            "a page of another origin asks, and only the dashboard itself and programs may",
        ));
    }
    if !reads && *request.method() != Method::OPTIONS {
        let meant = request.headers().get(MEANT);
        if meant.is_none_or(|value| value.as_bytes() != b"1") {
            let message = "what changes something needs the header `x-cresset: 1`";
            return Err(Failure::new(StatusCode::FORBIDDEN, "csrf", message));
        }
    }
    if request.uri().query().is_some_and(|q| q.len() > MAX_QUERY) {
        let message = format!("the query has more than {MAX_QUERY} bytes; ask for less at once");
        return Err(Failure::new(StatusCode::URI_TOO_LONG, "too_long", message));
    }
    let most = most_bytes(request.method(), path);
    if announced_bytes(request.headers()).is_some_and(|bytes| bytes > most) {
        let message = format!("the body is larger than {most} bytes");
        return Err(Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            message,
        ));
    }
    request.extensions_mut().insert(Host(host));
    Ok(next.run(request).await)
}

/// How long a body may be: what is sent of runs is longer than what people say of them.
fn most_bytes(method: &Method, path: &str) -> u64 {
    match *method {
        Method::PUT if path.contains("/blobs/") => intake::MAX_BLOB,
        Method::POST if path.contains("/intake/") => intake::MAX_PIECE as u64,
        _ => MAX_BODY as u64,
    }
}

/// How long the body is to be, by its head: what is too long need not be waited for.
fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// The host that the request is for, if it is one of ours.
fn host(request: &Request, options: &Options) -> Result<String, Failure> {
    let in_header = request.headers().get(header::HOST);
    let named = in_header.and_then(|value| value.to_str().ok());
    // A request may name its host in its first line too, and then that is the one that counts.
    let in_line = request.uri().authority().map(Authority::as_str);
    let wrong = |what: &str| {
        let message = format!(
            "this server does not go by the name {what}; ask for localhost, or start it with `--host-name NAME`"
        );
        Failure::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", message)
    };
    // What a trusted proxy was asked for is what the browser sees. It is no reason to pass over the others: a page elsewhere
    // that runs beside the proxy could send it too.
    let via = request.extensions().get::<Via>();
    let forwarded = via.and_then(|via| via.host.as_deref());
    let Some(host) = forwarded.or(in_line).or(named) else {
        return Err(wrong("that the request gives (it gives none)"));
    };
    for name in [forwarded, in_line, named].into_iter().flatten() {
        if !is_ours(name, options) {
            let shown: String = name.chars().take(80).collect();
            return Err(wrong(&format!("`{shown}`")));
        }
    }
    Ok(host.to_ascii_lowercase())
}

fn is_ours(host: &str, options: &Options) -> bool {
    // Without user names, and with an IP address read as one.
    if host.contains('@') {
        return false;
    }
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host().trim_end_matches('.').to_ascii_lowercase();
    let address = name
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    match address {
        // No name can be made to point elsewhere where there is no name.
        Ok(address) => address.is_loopback() || !options.address.ip().is_loopback(),
        Err(_) => {
            name == "localhost"
                || options
                    .host_names
                    .iter()
                    .any(|own| own.eq_ignore_ascii_case(&name))
        }
    }
}

fn is_from_elsewhere(headers: &HeaderMap, host: &str) -> bool {
    if let Some(site) = headers.get("sec-fetch-site")
        && !matches!(site.as_bytes(), b"same-origin" | b"none")
    {
        return true;
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return false;
    };
    let own = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .is_some_and(|(scheme, origin)| {
            matches!(scheme, "http" | "https") && origin.eq_ignore_ascii_case(host)
        });
    !own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(address: &str, names: &[&str]) -> Options {
        Options {
            address: address.parse().unwrap(),
            host_names: names.iter().map(ToString::to_string).collect(),
            ..Options::default()
        }
    }

    #[test]
    fn hosts() {
        let here = options("127.0.0.1:7878", &[]);
        let there = options("0.0.0.0:7878", &["runs.example"]);
        for (host, ours_here, ours_there) in [
            ("localhost", true, true),
            ("LOCALHOST:7878", true, true),
            ("localhost.:1", true, true),
            ("127.0.0.1:9000", true, true),
            ("127.9.9.9", true, true),
            ("[::1]:7878", true, true),
            ("192.168.1.7:7878", false, true),
            ("[fe80::1]", false, true),
            ("runs.example", false, true),
            ("runs.example:443", false, true),
            ("evil.example", false, false),
            ("localhost.evil.example", false, false),
            ("evil.example#localhost", false, false),
            ("localhost@evil.example", false, false),
            ("evil.example@localhost", false, false),
            ("", false, false),
            ("a b", false, false),
        ] {
            assert_eq!(is_ours(host, &here), ours_here, "{host}");
            assert_eq!(is_ours(host, &there), ours_there, "{host}");
        }
    }

    #[test]
    fn origins() {
        let headers = |pairs: &[(&'static str, &'static str)]| -> HeaderMap {
            let pair = |(name, value): &(&'static str, &'static str)| {
                (HeaderName::from_static(name), value.parse().unwrap())
            };
            pairs.iter().map(pair).collect()
        };
        for (pairs, elsewhere) in [
            (&[][..], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("origin", "http://localhost:7878")], false),
            (&[("origin", "https://localhost:7878")], false),
            (&[("origin", "http://localhost:3000")], true),
            (&[("origin", "http://evil.example")], true),
            (&[("origin", "null")], true),
        ] {
            assert_eq!(
                is_from_elsewhere(&headers(pairs), "localhost:7878"),
                elsewhere,
                "{pairs:?}"
            );
        }
    }
}
