//! HTTPS, with a certificate of an authority that only the test knows.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use cresset_server::{Access, BindError, Options, Server, TlsFiles};
use cresset_store::{Role, Store};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    self, ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use crate::client::{Serving, open, wait_for};
use crate::recorded::Folder;

/// An authority, and the files of a server that it signed for.
struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    dir: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let authority = Self {
            certificate: certificate.der().clone(),
            issuer: Issuer::new(params, key),
            dir: TempDir::new().unwrap(),
        };
        authority.sign("localhost");
        authority
    }

    /// Writes a certificate for a server of this name.
    fn sign(&self, name: &str) {
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.files().certificate, certificate.pem()).unwrap();
        std::fs::write(self.files().key, key.serialize_pem()).unwrap();
    }

    fn files(&self) -> TlsFiles {
        let file = |name: &str| -> PathBuf { self.dir.path().join(name) };
        TlsFiles {
            certificate: file("cert.pem"),
            key: file("key.pem"),
        }
    }

    fn options(&self) -> Options {
        Options {
            tls: Some(self.files()),
            ..Options::default()
        }
    }

    /// Connects as somebody who trusts the authority and asks for `name`.
    fn connect(&self, server: &Serving, name: &str, with: Client) -> Result<Stream, String> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(with.versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = with.alpn.iter().map(|name| name.to_vec()).collect();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = TcpStream::connect(server.address).unwrap();
        while connection.is_handshaking() {
            connection
                .complete_io(&mut stream)
                .map_err(|error| error.to_string())?;
        }
        Ok(StreamOwned::new(connection, stream))
    }
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// What a client speaks.
struct Client {
    versions: &'static [&'static SupportedProtocolVersion],
    alpn: &'static [&'static [u8]],
}

const ONLY_12: &[&SupportedProtocolVersion] = &[&TLS12];
const ONLY_13: &[&SupportedProtocolVersion] = &[&TLS13];
const USUAL: Client = Client {
    versions: rustls::ALL_VERSIONS,
    alpn: &[b"h2", b"http/1.1"],
};

/// The answer to one request, as it comes.
fn ask(mut stream: Stream, method: &str, path: &str, body: &str) -> String {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-cresset: 1\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_speaks_https() {
    let folder = Folder::recorded();
    let authority = Authority::new();
    let server = Serving::with(&folder.root(), authority.options());
    for versions in [ONLY_12, ONLY_13, rustls::ALL_VERSIONS] {
        let with = Client { versions, ..USUAL };
        let stream = authority.connect(&server, "localhost", with).unwrap();
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
        let answer = ask(stream, "GET", "/api/v1/projects", "");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("\"solder\""), "{answer}");
    }
    // Browsers that once saw such a header refuse plain connections to the name for good: whoever runs it decides that.
    let stream = authority.connect(&server, "localhost", USUAL).unwrap();
    let page = ask(stream, "GET", "/", "").to_lowercase();
    assert!(!page.contains("strict-transport-security"), "{page}");
    // A client that speaks something else only is told so in the handshake.
    let other = Client {
        alpn: &[b"h2"],
        ..USUAL
    };
    let refused = authority.connect(&server, "localhost", other).unwrap_err();
    assert!(refused.contains("ApplicationProtocol"), "{refused}");
    let refused = authority.connect(&server, "other.example", USUAL);
    assert!(refused.is_err());
}

#[test]
fn the_cookie_is_for_https_by_itself() {
    let folder = Folder::recorded();
    let key = folder.key(Role::Read);
    let authority = Authority::new();
    let options = Options {
        access: Access::Keys,
        ..authority.options()
    };
    let server = Serving::with(&folder.root(), options);
    let stream = authority.connect(&server, "localhost", USUAL).unwrap();
    let answer = ask(
        stream,
        "POST",
        "/api/v1/login",
        &json!({"key": key}).to_string(),
    );
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert!(answer.contains("SameSite=Strict; Secure"), "{answer}");
}

#[test]
fn who_does_not_encrypt_is_told_to() {
    let folder = Folder::new();
    let authority = Authority::new();
    let server = Serving::with(&folder.root(), authority.options());
    let answer = server.get("/api/v1/projects");
    assert_eq!(answer.error(), (400, "https_needed".into()));
    assert!(answer.text().contains("https://"), "{}", answer.text());
    // However much it sends.
    let large = server.change(
        "PUT",
        "/projects/p/views/v",
        &json!({"body": "x".repeat(50_000)}),
    );
    assert_eq!(large.error().0, 400);
    for bytes in [&b"\0"[..], b"\x15\x03\x01\0\x02", b"SSH-2.0-x\r\n"] {
        assert_eq!(open(server.address, bytes).status, 400);
    }
}

#[test]
fn who_says_nothing_holds_nobody_up() {
    let folder = Folder::recorded();
    let authority = Authority::new();
    let mut server = Serving::with(&folder.root(), authority.options());
    let hold = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    // Nothing, the beginning of a handshake, and one that promises more than comes.
    let silent: Vec<TcpStream> = (0..60)
        .flat_map(|_| {
            [
                hold(b""),
                hold(&[22]),
                hold(b"\x16\x03\x01\x40\x00\x01\x00\x3f"),
            ]
        })
        .collect();
    for _ in 0..3 {
        let stream = authority.connect(&server, "localhost", USUAL).unwrap();
        let answer = ask(stream, "GET", "/api/v1/projects", "");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    // Nor does the server wait for them when it ends.
    server.end();
    drop(silent);
}

#[test]
fn a_renewed_certificate_is_taken_and_a_bad_one_is_not() {
    let folder = Folder::new();
    let authority = Authority::new();
    let server = Serving::with(&folder.root(), authority.options());
    let shown = || {
        let stream = authority.connect(&server, "localhost", USUAL);
        let stream = stream.map_err(|error| error.to_string())?;
        Ok::<_, String>(stream.conn.peer_certificates().unwrap()[0].clone())
    };
    let first = shown().unwrap();
    // Its key has not come yet.
    let old_key = std::fs::read(authority.files().key).unwrap();
    authority.sign("localhost");
    let new_key = std::fs::read(authority.files().key).unwrap();
    std::fs::write(authority.files().key, old_key).unwrap();
    assert_eq!(shown().unwrap(), first);
    std::fs::write(authority.files().key, new_key).unwrap();
    let second = wait_for("the new certificate", || {
        let now = shown().unwrap();
        (now != first).then_some(now)
    });
    std::fs::write(authority.files().certificate, "").unwrap();
    assert_eq!(shown().unwrap(), second);
    std::fs::remove_file(authority.files().certificate).unwrap();
    assert_eq!(shown().unwrap(), second);
}

#[test]
fn it_does_not_start_without_what_it_needs() {
    let folder = Folder::new();
    let authority = Authority::new();
    std::fs::remove_file(authority.files().key).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let store = Store::open(folder.root()).unwrap();
    let bound = runtime.block_on(Server::bind(store, authority.options()));
    let error = bound.unwrap_err();
    assert!(matches!(error, BindError::Tls(_)));
    assert!(
        error.to_string().contains("key.pem cannot be read"),
        "{error}"
    );
}
