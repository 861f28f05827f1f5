//! The server's certificate and its key: read from files, and read again when they change, as they do when a certificate
//! is renewed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cresset_record::Digest;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::readers;

/// How often the files are looked at. They are small.
const RENEW: Duration = Duration::from_secs(5);

/// Where the certificate and its key are, in PEM form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and behind it those that lead to an authority that clients know.
    pub certificate: PathBuf,
    /// The private key of the first certificate: PKCS#8, PKCS#1 or SEC1, not encrypted.
    pub key: PathBuf,
}

/// Why a server cannot speak HTTPS with these files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{} {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Both files are good, but not together.
    #[error(
        "the key in {} is not that of the first certificate in {}; the server's own certificate comes before those of authorities",
        files.key.display(), files.certificate.display()
    )]
    Mismatch {
        /// The files.
        files: TlsFiles,
    },
}

/// What the server encrypts with now.
#[derive(Debug)]
pub(crate) struct Tls {
    files: TlsFiles,
    /// Replaced as a whole, so a panic elsewhere leaves it valid.
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    /// Of what the files held.
    mark: Digest,
}

impl Tls {
    /// Reads the files. Blocks.
    ///
    /// # Errors
    /// If they are missing, hold something else, or do not belong together.
    pub(crate) fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let contents = Contents::read(&files)?;
        let current = Mutex::new(Current {
            config: contents.config(&files)?,
            mark: contents.mark(),
        });
        readers::warn_of(&files.key);
        Ok(Self { files, current })
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current.config))
    }

    /// Looks at the files again and takes what is new in them, if it is good. Blocks.
    fn renew(&self) -> Result<(), TlsError> {
        let contents = Contents::read(&self.files)?;
        let mark = contents.mark();
        let is_new = |current: &Current| current.mark != mark;
        if !is_new(&self.current.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        let config = contents.config(&self.files)?;
        readers::warn_of(&self.files.key);
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Current { config, mark };
        tracing::info!(file = %self.files.certificate.display(), "the certificate is a new one");
        Ok(())
    }
}

/// Follows the files for as long as the server runs.
pub(crate) async fn follow(tls: Arc<Tls>) {
    let mut turns = tokio::time::interval(RENEW);
    let mut doubts = Doubts::default();
    loop {
        turns.tick().await;
        let tls = Arc::clone(&tls);
        // The next turn tries again.
        let Ok(renewed) = tokio::task::spawn_blocking(move || tls.renew()).await else {
            continue;
        };
        let error = renewed.err().map(|error| error.to_string());
        if let Some(error) = doubts.note(error) {
            tracing::warn!(%error, "the certificate that was there before stays in use");
        }
    }
}

/// What the last looks found wrong. Two files are never replaced in one instant, so the first look that finds them at odds
/// is no reason to alarm anybody.
#[derive(Debug, Default)]
struct Doubts {
    error: Option<String>,
    looks: u32,
}

impl Doubts {
    /// The error, if it is time to tell of it.
    fn note(&mut self, error: Option<String>) -> Option<String> {
        if self.error != error {
            self.error = error;
            self.looks = 0;
        }
        self.looks = self.looks.saturating_add(1);
        (self.looks == 2).then(|| self.error.clone()).flatten()
    }
}

/// What the two files hold.
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Contents {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|source| TlsError::Read {
                path: path.to_owned(),
                source,
            })
        };
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?,
        })
    }

    /// Tells contents apart, without keeping a key in memory for that.
    fn mark(&self) -> Digest {
        let both = [&self.certificate, &self.key].map(|bytes| Digest::of(bytes).to_string());
        Digest::of(both.concat().as_bytes())
    }

    fn config(&self, files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
        let wrong = |path: &Path, what: String| TlsError::Content {
            path: path.to_owned(),
            what,
        };
        let chain =
            CertificateDer::pem_slice_iter(&self.certificate).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|e| wrong(&files.certificate, format!("is damaged: {e}")))?;
        if chain.is_empty() {
            let what = "has no certificate in it; `-----BEGIN CERTIFICATE-----` begins one";
            return Err(wrong(&files.certificate, what.to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| {
            let encrypted = self.key.windows(9).any(|part| part == b"ENCRYPTED");
            let what = match (error, encrypted) {
                (_, true) => "has a key that is encrypted, and nobody is there to type its password; `openssl pkey` decrypts it".to_owned(),
                (rustls::pki_types::pem::Error::NoItemsFound, _) => {
                    "has no private key in it; `-----BEGIN PRIVATE KEY-----` begins one".to_owned()
                }
                (error, _) => format!("is damaged: {error}"),
            };
            wrong(&files.key, what)
        })?;
        let signs = ring::sign::any_supported_type(&key);
        signs.map_err(|e| wrong(&files.key, format!("has a key that cannot be used: {e}")))?;
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
        let mut config = config.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::Mismatch {
                files: files.clone(),
            },
            error => wrong(&files.certificate, format!("cannot be used: {error}")),
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
    use tempfile::TempDir;

    use super::*;

    /// A certificate and its key.
    fn made() -> (String, String) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    }

    fn files(dir: &TempDir, certificate: &str, key: &str) -> TlsFiles {
        let files = TlsFiles {
            certificate: dir.path().join("cert.pem"),
            key: dir.path().join("key.pem"),
        };
        std::fs::write(&files.certificate, certificate).unwrap();
        std::fs::write(&files.key, key).unwrap();
        files
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let dir = TempDir::new().unwrap();
        let (certificate, key) = made();
        let other = KeyPair::generate().unwrap().serialize_pem();
        let encrypted =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMA==\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let cut = &certificate[..certificate.len() / 2];
        let no_key = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
        let no_certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        for (certificate, key, said) in [
            (
                certificate.as_str(),
                other.as_str(),
                "is not that of the first certificate",
            ),
            (&key, &certificate, "cert.pem has no certificate in it"),
            (
                &certificate,
                &certificate,
                "key.pem has no private key in it",
            ),
            (
                &certificate,
                encrypted,
                "key.pem has a key that is encrypted",
            ),
            (
                &certificate,
                no_key,
                "key.pem has a key that cannot be used",
            ),
            (cut, &key, "cert.pem is damaged"),
            (no_certificate, &key, "cert.pem cannot be used"),
            ("", "", "cert.pem has no certificate in it"),
        ] {
            let error = Tls::load(files(&dir, certificate, key)).unwrap_err();
            assert!(error.to_string().contains(said), "{said}: {error}");
        }
        let mut missing = files(&dir, &certificate, &key);
        Tls::load(missing.clone()).unwrap();
        missing.key = dir.path().join("nowhere.pem");
        let error = Tls::load(missing).unwrap_err().to_string();
        assert!(error.contains("nowhere.pem cannot be read"), "{error}");
    }

    #[test]
    fn new_files_are_taken_when_they_are_good() {
        let dir = TempDir::new().unwrap();
        let (certificate, key) = made();
        let tls = Tls::load(files(&dir, &certificate, &key)).unwrap();
        let config = || Arc::clone(tls.acceptor().config());
        let first = config();
        tls.renew().unwrap();
        assert!(Arc::ptr_eq(&first, &config()));
        let (certificate, key) = made();
        // One file after the other, as every program writes them.
        files(&dir, &certificate, "");
        tls.renew().unwrap_err();
        assert!(Arc::ptr_eq(&first, &config()));
        files(&dir, &certificate, &key);
        tls.renew().unwrap();
        let second = config();
        assert!(!Arc::ptr_eq(&first, &second));
        std::fs::remove_file(dir.path().join("key.pem")).unwrap();
        tls.renew().unwrap_err();
        assert!(Arc::ptr_eq(&second, &config()));
    }

    #[test]
    fn people_are_told_once_of_what_stays_wrong() {
        let mut doubts = Doubts::default();
        let [a, b] = ["a", "b"].map(|text| Some(text.to_owned()));
        for (error, told) in [
            (&None, false),
            (&None, false),
            (&a, false),
            (&None, false),
            (&a, false),
            (&b, false),
            (&b, true),
            (&b, false),
            (&None, false),
            (&b, false),
            (&b, true),
        ] {
            assert_eq!(doubts.note(error.clone()).is_some(), told);
        }
    }
}
