//! Where behind a proxy everything is: `https://example.org/cresset` instead of a name of its own.

use std::fmt;
use std::str::FromStr;

use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// First parts of addresses that the server has itself.
const TAKEN: [&str; 7] = ["api", "assets", "p", "trash", "login", "metrics", "healthz"];

/// The beginning of all addresses, such as `/cresset`; by default there is none.
///
/// Proxies differ in whether they pass it on. Addresses with it and without it mean the same here, so both kinds work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

/// Why a text is no base path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BasePathError(String);

impl BasePath {
    /// With a slash before and none behind it; empty where there is none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address without it, if it is there.
    pub(crate) fn strip(&self, address: &Uri) -> Option<Uri> {
        if self.0.is_empty() {
            return None;
        }
        let whole = address.path_and_query()?.as_str();
        let rest = whole.strip_prefix(self.as_str())?;
        let rest = match rest.as_bytes().first() {
            Some(b'/') => rest.to_owned(),
            None | Some(b'?') => format!("/{rest}"),
            // `/cresset-old` is something else.
            Some(_) => return None,
        };
        let mut parts = address.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::from_maybe_shared(rest).ok()?);
        Uri::from_parts(parts).ok()
    }
}

impl FromStr for BasePath {
    type Err = BasePathError;

    /// # Errors
    /// If it could not stand in an address as it is, or the server has addresses of its own that begin so.
    fn from_str(text: &str) -> Result<Self, BasePathError> {
        let inside = text.trim_matches('/');
        if inside.is_empty() {
            return Ok(Self::default());
        }
        let wrong = |why: &str| Err(BasePathError(format!("`{text}` {why}")));
        if !text.starts_with('/') {
            return wrong("does not begin with a slash; write it as /cresset");
        }
        // Nothing that would have to be escaped, in an address or in a page.
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
        for part in inside.split('/') {
            if part.is_empty() || part.starts_with('.') || !part.chars().all(plain) {
                return wrong("has a part that is no plain name; take letters, digits, - and _");
            }
        }
        let first = inside.split('/').next().unwrap_or_default();
        if TAKEN.contains(&first) {
            return wrong("begins as addresses of the server itself do; take another name");
        }
        Ok(Self(format!("/{inside}")))
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_taken_from_addresses_that_have_it() {
        let base: BasePath = "/team/cresset/".parse().unwrap();
        assert_eq!(base.as_str(), "/team/cresset");
        for (whole, rest) in [
            ("/team/cresset", Some("/")),
            ("/team/cresset?a=1", Some("/?a=1")),
            ("/team/cresset/", Some("/")),
            ("/team/cresset/p/x?a=/b", Some("/p/x?a=/b")),
            ("/team/cresset/p/%2e%2e", Some("/p/%2e%2e")),
            ("/team/cresset//etc/passwd", Some("//etc/passwd")),
            (
                "http://localhost/team/cresset/p/x",
                Some("http://localhost/p/x"),
            ),
            ("/team/cresset-old/p/x", None),
            ("/team", None),
            ("/p/x", None),
            ("/p/team/cresset/x", None),
        ] {
            let stripped = base.strip(&whole.parse().unwrap());
            let stripped = stripped.map(|uri| uri.to_string());
            assert_eq!(stripped.as_deref(), rest, "{whole}");
        }
        let none = BasePath::default();
        assert_eq!(none.strip(&"/p/x".parse().unwrap()), None);
    }

    #[test]
    fn what_could_be_misread_is_refused() {
        for none in ["", "/"] {
            assert_eq!(none.parse(), Ok(BasePath::default()));
        }
        for wrong in [
            "cresset",
            "/a//b",
            "/..",
            "/a/../b",
            "/a b",
            "/a\"><script>",
            "/a%2fb",
            "/ä",
            "/a?b",
            "/api",
            "/p/x",
            "/assets",
        ] {
            assert!(wrong.parse::<BasePath>().is_err(), "{wrong}");
        }
    }
}
