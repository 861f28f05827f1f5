//! What whoever starts the server says of the issuer.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use axum::http::Uri;
use ureq::tls::TlsConfig;

use crate::readers;

/// How people log in by OpenID Connect.
#[derive(Clone, Debug)]
pub struct OidcOptions {
    /// Who vouches for people.
    pub issuer: Issuer,
    /// What the issuer calls this server.
    pub client_id: String,
    /// What the issuer knows this server by; a public client has none.
    pub client_secret: Option<ClientSecret>,
    /// The claim that has a user's name. `email` counts only where the issuer says that it is verified.
    pub user_claim: String,
    /// What the login page calls the issuer; its host by default.
    pub name: Option<String>,
    /// How long somebody stays logged in.
    pub life: Duration,
    /// Which authorities are trusted to name the issuer's server.
    pub tls: TlsConfig,
}

impl OidcOptions {
    /// What people know the issuer by.
    pub(crate) fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| self.issuer.host())
    }
}

/// The address of an issuer, such as `https://idp.example/realms/team`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Without a slash at its end: some issuers have one in their name, and people write it or do not.
    address: String,
    host: String,
}

/// Why a text is no address of an issuer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{address}` {why}; give the issuer as its discovery document does, such as https://idp.example/realms/team"
)]
pub struct IssuerError {
    address: String,
    why: &'static str,
}

impl Issuer {
    /// Without a slash at its end.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether this is what the issuer calls itself.
    pub(super) fn is(&self, name: &str) -> bool {
        name.strip_suffix('/').unwrap_or(name) == self.address
    }

    /// Whether secrets may go to an address that the issuer names: only encrypted, unless the issuer itself is on this machine.
    pub(super) fn may_name(&self, address: &str) -> bool {
        let Ok(uri) = address.parse::<Uri>() else {
            return false;
        };
        match (uri.scheme_str(), uri.host()) {
            (Some("https"), Some(_)) => true,
            (Some("http"), Some(host)) => self.address.starts_with("http:") && is_loopback(host),
            _ => false,
        }
    }
}

impl FromStr for Issuer {
    type Err = IssuerError;

    /// # Errors
    /// If it is no address, or not of HTTPS and not of this machine.
    fn from_str(text: &str) -> Result<Self, IssuerError> {
        let wrong = |why| IssuerError {
            address: text.to_owned(),
            why,
        };
        let uri: Uri = text.parse().map_err(|_| wrong("is no address"))?;
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| wrong("names no host"))?;
        let plain = uri.query().is_none() && !text.contains(['#', '@']);
        if !plain {
            return Err(wrong("has more than a host and a path"));
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback(host) => {}
            Some("http") => {
                return Err(wrong(
                    "is not encrypted, and begins with https:// elsewhere than on this machine",
                ));
            }
            _ => return Err(wrong("does not begin with https://")),
        }
        Ok(Self {
            address: text.strip_suffix('/').unwrap_or(text).to_owned(),
            host: host.to_owned(),
        })
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    host == "localhost" || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

/// What the issuer knows this server by. Nothing shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(String);

/// Why there is no secret in a file.
#[derive(Debug, thiserror::Error)]
pub enum ClientSecretError {
    /// It cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{} has no client secret in it: one line of text, as the issuer showed it", path.display())]
    Content {
        /// The file.
        path: PathBuf,
    },
}

impl ClientSecret {
    /// Takes a text, without space around it; `None` if nothing is left that is one line.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_line = !text.is_empty() && !text.contains(char::is_control);
        is_line.then(|| Self(text.to_owned()))
    }

    /// Reads a file, and says so if others can read it as well.
    ///
    /// # Errors
    /// If it cannot be read, or holds no line of text.
    pub fn read(path: &Path) -> Result<Self, ClientSecretError> {
        let text = std::fs::read_to_string(path).map_err(|source| ClientSecretError::Read {
            path: path.to_owned(),
            source,
        })?;
        readers::warn_of(path);
        Self::new(&text).ok_or_else(|| ClientSecretError::Content {
            path: path.to_owned(),
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_encrypted_or_on_this_machine() {
        for (text, host) in [
            ("https://idp.example", "idp.example"),
            ("https://idp.example/", "idp.example"),
            ("https://idp.example:8443/realms/team", "idp.example"),
            ("http://localhost:9000", "localhost"),
            ("http://127.0.0.1:9000", "127.0.0.1"),
            ("http://[::1]:9000", "[::1]"),
        ] {
            let issuer: Issuer = text.parse().unwrap();
            assert_eq!(issuer.host(), host);
            assert!(issuer.is(text) && issuer.is(text.trim_end_matches('/')));
            assert!(!issuer.is(&format!("{text}//")) && !issuer.is("https://other.example"));
        }
        for wrong in [
            "",
            "idp.example",
            "http://idp.example",
            "http://127.0.0.1.evil.example",
            "ftp://idp.example",
            "https://",
            "https://idp.example?a=1",
            "https://idp.example#a",
            "https://user@idp.example",
        ] {
            assert!(wrong.parse::<Issuer>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_issuer_elsewhere_sends_no_secret_to_this_machine_or_in_the_clear() {
        let far: Issuer = "https://idp.example".parse().unwrap();
        let near: Issuer = "http://127.0.0.1:9000".parse().unwrap();
        for (address, of_far, of_near) in [
            ("https://login.example/token", true, true),
            ("http://login.example/token", false, false),
            ("http://localhost/token", false, true),
            ("/token", false, false),
            ("file:///etc/passwd", false, false),
            ("", false, false),
        ] {
            assert_eq!(far.may_name(address), of_far, "{address}");
            assert_eq!(near.may_name(address), of_near, "{address}");
        }
    }

    #[test]
    fn a_secret_is_a_line_that_nothing_shows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, "  s3cret\n").unwrap();
        let secret = ClientSecret::read(&path).unwrap();
        assert_eq!(secret.as_str(), "s3cret");
        assert!(!format!("{secret:?}").contains("s3cret"));
        for wrong in ["", " \n", "two\nlines"] {
            std::fs::write(&path, wrong).unwrap();
            let error = ClientSecret::read(&path).unwrap_err().to_string();
            assert!(error.contains("has no client secret in it"), "{error}");
        }
        let error = ClientSecret::read(&dir.path().join("nowhere")).unwrap_err();
        assert!(error.to_string().contains("nowhere cannot be read"));
    }
}
