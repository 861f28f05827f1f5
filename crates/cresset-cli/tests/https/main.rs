//! `cresset serve` over HTTPS and behind a proxy, and `cresset login` and `cresset sync` that come to it, as processes.

mod authority;
mod nginx;
mod serving;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use authority::Authority;
use cresset_record::Root;
use cresset_run::{Image, init};
use serving::{CRESSET, Serving, said};
use tempfile::TempDir;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with a run in it that has a blob.
fn recorded() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let run = init("solder")
        .dir(dir.path().join(".cresset"))
        .id("first")
        .start()
        .unwrap();
    run.log(1, [("loss", 0.5)]);
    let pixels = Image::from_hwc_u8(vec![7; 3 * 64 * 64], 64, 64, 3).unwrap();
    run.log_value(1, "sample", pixels);
    assert!(run.finish().complete);
    dir
}

/// A command that sends from `dir`, with these variables set.
fn sends(dir: &Path, variables: &[(&str, &Path)], arguments: &[&str]) -> Command {
    let mut command = Command::new(CRESSET);
    command
        .arg("--dir")
        .arg(dir.join(".cresset"))
        .args(arguments);
    for name in [
        "CRESSET_TARGET",
        "CRESSET_API_KEY",
        "CRESSET_CA_FILE",
        "SSL_CERT_FILE",
    ] {
        command.env_remove(name);
    }
    command.env("XDG_CONFIG_HOME", dir.join("config"));
    command.envs(variables.iter().copied());
    command
}

fn login(dir: &Path, variables: &[(&str, &Path)], address: &str, key: &str) -> Output {
    let file = dir.join("key");
    fs::write(&file, key).unwrap();
    let mut login = sends(dir, variables, &["login", address]);
    login.stdin(fs::File::open(file).unwrap()).output().unwrap()
}

/// Whether the server has the run of [`recorded`], with its blob.
fn has_arrived(sent: &Path, server: &Serving) -> bool {
    let run = |root: &Path| -> Option<(u64, usize)> {
        let run = root.join("solder/first");
        let log = fs::metadata(run.join("rank-0.000000.log")).ok()?.len();
        let blobs = fs::read_dir(run.join("blobs")).ok()?.count();
        Some((log, blobs))
    };
    let here = run(&sent.join(".cresset"));
    here.is_some() && here == run(Root::new(server.dir.path()).path())
}

#[test]
fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    let authority = Authority::new();
    let server = Serving::start(&authority.arguments());
    assert!(
        server.url.starts_with("https://127.0.0.1:"),
        "{}",
        server.url
    );
    let here = recorded();
    let try_with =
        |variables: &[(&str, &Path)]| login(here.path(), variables, &server.url, &server.key);
    let other = Authority::new();
    let nowhere = here.path().join("nowhere.pem");
    let no_certificate = authority.key();
    for (variables, parts) in [
        (
            &[][..],
            &["no authority that is known here", "CRESSET_CA_FILE"][..],
        ),
        (
            &[("CRESSET_CA_FILE", other.ca().as_path())],
            &["nor of one in CRESSET_CA_FILE"],
        ),
        (
            &[("CRESSET_CA_FILE", nowhere.as_path())],
            &["CRESSET_CA_FILE", "nowhere.pem cannot be read"],
        ),
        (
            &[("CRESSET_CA_FILE", no_certificate.as_path())],
            &["has no certificate in it"],
        ),
        // It was set for other programs, and is no reason to fail.
        (
            &[("SSL_CERT_FILE", nowhere.as_path())],
            &["no authority that is known here"],
        ),
    ] {
        let refused = try_with(variables);
        let text = said(&refused);
        assert!(!refused.status.success(), "{text}");
        for part in parts {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    let ca = authority.ca();
    for variable in ["CRESSET_CA_FILE", "SSL_CERT_FILE"] {
        let welcome = try_with(&[(variable, &ca)]);
        assert!(welcome.status.success(), "{}", said(&welcome));
    }
    let sync = sends(
        here.path(),
        &[("CRESSET_CA_FILE", &ca)],
        &["sync", "--to", &server.url],
    )
    .output();
    let sync = sync.unwrap();
    assert!(sync.status.success(), "{}", said(&sync));
    assert!(has_arrived(here.path(), &server));
}

#[test]
fn an_issuer_is_trusted_as_other_servers_are() {
    let authority = Authority::new();
    // It is no issuer, which only who trusts it finds out.
    let issuer = Serving::start(&authority.arguments());
    let ca = authority.ca();
    let trusted = [("CRESSET_CA_FILE", ca.as_path())];
    for (variables, said) in [
        (&[][..], "let CRESSET_CA_FILE name a file"),
        (&trusted[..], "something else than the JSON"),
    ] {
        let arguments = ["--oidc-issuer", &issuer.url, "--oidc-client-id", "a"];
        let server = Serving::with(&arguments, variables);
        let begin = Instant::now();
        while !server.log().contains(said) {
            assert!(begin.elapsed() < PATIENCE, "{said}: {}", server.log());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn an_authority_that_poses_as_a_server_is_told_from_one() {
    let authority = Authority::itself();
    let server = Serving::start(&authority.arguments());
    let here = recorded();
    let ca = authority.ca();
    let variables = [("CRESSET_CA_FILE", ca.as_path())];
    let refused = login(here.path(), &variables, &server.url, &server.key);
    let text = said(&refused);
    assert!(text.contains("basicConstraints=CA:FALSE"), "{text}");
}

#[test]
fn the_wrong_scheme_is_named() {
    let here = recorded();
    let authority = Authority::new();
    let secured = Serving::start(&authority.arguments());
    let plain = Serving::start::<&str>(&[]);
    let http = secured.url.replacen("https", "http", 1);
    let https = plain.url.replacen("http", "https", 1);
    for (address, part) in [
        (http, "speaks HTTPS here"),
        (https, "begin its address with http://"),
    ] {
        let refused = login(
            here.path(),
            &[("CRESSET_CA_FILE", &authority.ca())],
            &address,
            "key",
        );
        let text = said(&refused);
        assert!(
            !refused.status.success() && text.contains(part),
            "{address}: {text}"
        );
    }
}

#[test]
fn what_the_server_cannot_use_it_does_not_start_with() {
    let authority = Authority::new();
    let other = Authority::new();
    let text = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    let (certificate, key) = (text(authority.certificate()), text(authority.key()));
    for (arguments, code, part) in [
        (&["--tls-cert", &certificate][..], 2, "--tls-key"),
        (&["--tls-key", &key], 2, "--tls-cert"),
        (
            &["--tls-cert", &certificate, "--tls-key", &text(other.key())],
            1,
            "is not that of the first certificate",
        ),
        (
            &["--tls-cert", "/nowhere.pem", "--tls-key", &key],
            1,
            "/nowhere.pem cannot be read",
        ),
        (&["--base-path", "/api"], 2, "take another name"),
        (&["--base-path", "cresset"], 2, "/cresset"),
        (&["--trust-proxy", "nginx"], 2, "10.0.0.0/8"),
        // Through a proxy others come, who need a key.
        (&["--trust-proxy", "127.0.0.1"], 2, "cresset key create"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut serve = Command::new(CRESSET);
        serve
            .arg("--dir")
            .arg(dir.path())
            .args(["serve", "--bind", "127.0.0.1:0"]);
        let refused = serve.args(arguments).output().unwrap();
        let text = said(&refused);
        assert_eq!(refused.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(part), "{arguments:?}: {text}");
    }
}

#[test]
#[cfg(unix)]
fn a_key_that_everybody_can_read_is_told_of() {
    use std::os::unix::fs::PermissionsExt;
    let authority = Authority::new();
    for (mode, is_told) in [(0o644, true), (0o640, false), (0o600, false)] {
        fs::set_permissions(authority.key(), fs::Permissions::from_mode(mode)).unwrap();
        let server = Serving::start(&authority.arguments());
        let told = server.log().contains("everybody on this machine can read");
        assert_eq!(told, is_told, "{mode:o}: {}", server.log());
    }
}
