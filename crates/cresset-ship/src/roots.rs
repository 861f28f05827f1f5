//! Which authorities are trusted to name servers, and what to say when none of them did.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustls::CertificateError;
use rustls::Error as TlsError;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::error::ShipError;

/// Names a file with certificates of authorities of one's own, in PEM form.
const OWN: &str = "CRESSET_CA_FILE";
/// The same for all programs that use OpenSSL.
const COMMON: &str = "SSL_CERT_FILE";

/// Trusts those that browsers do, and those in the files that the environment names. The files are read once.
///
/// # Errors
/// If `CRESSET_CA_FILE` names a file without a certificate.
pub fn trusted_authorities() -> Result<TlsConfig, ShipError> {
    static FURTHER: OnceLock<Result<Vec<Certificate<'static>>, String>> = OnceLock::new();
    let further = FURTHER.get_or_init(|| {
        let mut further = match named(OWN) {
            Some(path) => read(&path).map_err(|why| format!("{OWN}: {why}"))?,
            None => Vec::new(),
        };
        // It was set for others, who may read more than we do: what cannot be read is as if it were not there.
        further.extend(
            named(COMMON)
                .and_then(|path| read(&path).ok())
                .into_iter()
                .flatten(),
        );
        Ok(further)
    });
    let further = further
        .as_ref()
        .map_err(|why| ShipError::Refused(why.clone()))?;
    if further.is_empty() {
        return Ok(TlsConfig::default());
    }
    let known = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    let known = known.map(|der| Certificate::from_der(der).to_owned());
    let all: Vec<_> = known.chain(further.iter().cloned()).collect();
    let roots = RootCerts::new_with_certs(&all);
    Ok(TlsConfig::builder().root_certs(roots).build())
}

fn named(variable: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).filter(|path| !path.is_empty())?;
    Some(path.into())
}

fn read(path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&bytes) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(format!("{shown} is damaged: {error}")),
        }
    }
    if certificates.is_empty() {
        let what = "has no certificate in it; `-----BEGIN CERTIFICATE-----` begins one";
        return Err(format!("{shown} {what}"));
    }
    Ok(certificates)
}

/// What a failed handshake means for people; `None` if the failure is of another kind.
pub(crate) fn explain(error: &ureq::Error) -> Option<String> {
    let error = match error {
        ureq::Error::Rustls(error) => error,
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref::<TlsError>()?,
        _ => return None,
    };
    Some(match error {
        // An authority of the same name with another key signs otherwise.
        TlsError::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => match named(OWN) {
            None => format!(
                "the server's certificate is of no authority that is known here; if it is one of your own, \
                 let {OWN} name a file with that authority's certificate"
            ),
            Some(path) => format!(
                "the server's certificate is of no authority that is known here, nor of one in {OWN} ({})",
                path.display()
            ),
        },
        TlsError::InvalidCertificate(CertificateError::Other(other))
            if other.to_string().contains("CaUsedAsEndEntity") =>
        {
            "the server shows the certificate of an authority, which is not one for a server; \
             it needs one that an authority signed, or that says `basicConstraints=CA:FALSE`"
                .to_owned()
        }
        TlsError::InvalidMessage(_) => {
            "the server does not speak HTTPS there; begin its address with http://".to_owned()
        }
        error => error.to_string(),
    })
}
