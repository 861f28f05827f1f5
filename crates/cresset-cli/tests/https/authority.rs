//! An authority that nobody knows, and a certificate of it for this machine.

use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

pub(crate) struct Authority {
    dir: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let server = CertificateParams::new(names).unwrap();
        let server_key = KeyPair::generate().unwrap();
        let certificate = server.signed_by(&server_key, &issuer).unwrap();
        let authority = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::write(authority.ca(), own.pem()).unwrap();
        fs::write(authority.certificate(), certificate.pem()).unwrap();
        fs::write(authority.key(), server_key.serialize_pem()).unwrap();
        authority
    }

    /// One whose server shows the authority's own certificate, as those do that sign themselves.
    pub(crate) fn itself() -> Self {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap();
        let authority = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        for file in [authority.ca(), authority.certificate()] {
            fs::write(file, own.pem()).unwrap();
        }
        fs::write(authority.key(), key.serialize_pem()).unwrap();
        authority
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.dir.path().join("cert.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.dir.path().join("key.pem")
    }

    /// For `cresset serve`.
    pub(crate) fn arguments(&self) -> [String; 4] {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let (certificate, key) = (text(self.certificate()), text(self.key()));
        [
            "--tls-cert".to_owned(),
            certificate,
            "--tls-key".to_owned(),
            key,
        ]
    }
}
