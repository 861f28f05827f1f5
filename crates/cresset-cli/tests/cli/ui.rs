//! `ui`, `serve` and `key`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use cresset_record::Outcome;
use serde_json::{Value as Json, json};

use crate::command::Project;
use crate::fixture::{Log, start};

/// A server in a process of its own, killed with this.
struct Serving {
    child: Child,
    /// What it printed: one line.
    line: String,
}

impl Serving {
    fn start(project: &Project, arguments: &[&str]) -> Self {
        let mut child = project
            .command(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        Self { child, line }
    }

    /// Where it listens.
    fn address(&self) -> &str {
        let url = self.line.split(' ').next().unwrap();
        url.strip_prefix("http://").unwrap()
    }

    fn port(&self) -> &str {
        self.address().rsplit_once(':').unwrap().1
    }

    /// The status and body of an answer.
    fn get(&self, path: &str, key: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port().parse().unwrap())).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (
            head.split(' ').nth(1).unwrap().parse().unwrap(),
            body.to_owned(),
        )
    }

    fn json(&self, path: &str) -> Json {
        let (status, body) = self.get(path, "none");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Asks it to end, and gives its exit code.
    #[cfg(unix)]
    fn end(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn recorded() -> Project {
    let project = Project::new();
    let mut log = Log::begin(&project.root(), start("first", "calm-reef-1"));
    log.step(7, &[("train/loss", 0.5)]);
    log.end(7.0, Outcome::Finished);
    project
}

#[test]
fn help_texts() {
    let project = Project::new();
    for (name, arguments) in [
        ("ui", &["ui"][..]),
        ("serve", &["serve"]),
        ("key", &["key"]),
        ("key_create", &["key", "create"]),
        ("key_revoke", &["key", "revoke"]),
        ("key_list", &["key", "list"]),
    ] {
        let text = project
            .cresset(&[arguments, &["--help"]].concat())
            .printed();
        insta::assert_snapshot!(format!("help_{name}"), text);
    }
}

#[test]
fn the_dashboard_of_a_folder_is_opened_once() {
    let project = recorded();
    let first = Serving::start(&project, &["ui", "--no-open", "--port", "0"]);
    let root = project.root().canonicalize().unwrap();
    assert_eq!(
        first.line,
        format!("http://{} shows {}\n", first.address(), root.display())
    );
    assert!(first.address().starts_with("127.0.0.1:"));
    assert_eq!(first.json("/api/v1/server")["root"].as_str(), root.to_str());
    let (status, page) = first.get("/", "none");
    assert!(status == 200 && page.contains("<html"), "{page}");
    // Indexing goes on behind it.
    while first.json("/api/v1/projects") == json!([]) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }

    let again = project.cresset(&["ui", "--no-open", "--port", first.port()]);
    let expected = format!("http://{} shows HERE/.cresset already\n", first.address());
    assert_eq!(again.printed(), expected);
    let inside = root.to_str().unwrap();
    let again = project.cresset(&["ui", inside, "--no-open", "--port", first.port()]);
    assert_eq!(again.printed(), expected);

    let other = recorded();
    let second = Serving::start(&other, &["ui", "--no-open", "--port", first.port()]);
    assert_ne!(second.port(), first.port());
    #[cfg(unix)]
    assert_eq!((first.end(), second.end()), (Some(0), Some(0)));
}

#[test]
fn a_folder_without_runs_is_shown_too() {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::new();
    let given = folder.path().to_str().unwrap();
    let serving = Serving::start(&project, &["ui", given, "--no-open", "--port", "0"]);
    assert!(folder.path().join(".cresset").is_dir());
    assert_eq!(serving.json("/api/v1/projects"), json!([]));
    let nowhere = project.cresset(&["ui", "nowhere", "--no-open"]);
    assert_eq!(
        (nowhere.code, nowhere.stdout.as_str()),
        (3, ""),
        "{nowhere:?}"
    );
}

#[test]
fn others_need_a_key() {
    let project = recorded();
    let refused = project.cresset(&["serve", "--bind", "0.0.0.0:0"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("cresset key create"), "{refused:?}");
    assert_eq!(
        project.cresset(&["key", "list"]).printed(),
        "no keys; `cresset key create NAME --role read` makes one\n"
    );
    let made = project.cresset(&[
        "key",
        "create",
        "ci",
        "--role",
        "read",
        "--project",
        "solder",
    ]);
    assert_eq!(made.code, 0, "{made:?}");
    let secret = made.stdout.trim();
    assert!(
        secret.len() > 20 && !secret.contains(char::is_whitespace),
        "{made:?}"
    );
    assert!(made.stderr.contains("`ci` (read in solder)"), "{made:?}");
    let twice = project.cresset(&["key", "create", "ci", "--role", "read"]);
    assert_eq!((twice.code, twice.stdout.as_str()), (1, ""), "{twice:?}");
    let listed = project.cresset(&["key", "list"]).printed();
    assert!(
        listed.starts_with("key  may             created ")
            && listed.contains("\nci   read in solder  2")
            && listed.contains("  never"),
        "{listed}"
    );
    assert!(!listed.contains(secret));

    let serving = Serving::start(
        &project,
        &["serve", "--bind", "0.0.0.0:0", "--log", "error"],
    );
    assert!(
        serving.line.ends_with(" to the holder of 1 key\n"),
        "{}",
        serving.line
    );
    assert_eq!(serving.get("/api/v1/server", "wrong").0, 401);
    let (status, info) = serving.get("/api/v1/server", secret);
    assert!(status == 200 && info.contains("\"key\":\"ci\""), "{info}");
    assert!(!info.contains(".cresset"), "{info}");
    assert!(
        project
            .cresset(&["key", "list"])
            .printed()
            .contains(" UTC  2")
    );
    project.cresset(&["key", "revoke", "ci"]).printed();
    assert_eq!(serving.get("/api/v1/server", secret).0, 401);
    let unknown = project.cresset(&["key", "revoke", "ci"]);
    assert_eq!(unknown.code, 1, "{unknown:?}");
    let role = project.cresset(&["key", "create", "x", "--role", "owner"]);
    assert_eq!(role.code, 2);
}

#[test]
fn with_an_issuer_nobody_needs_a_key_and_nothing_is_open() {
    let project = recorded();
    let secret = project.path().join("oidc.secret");
    for (arguments, said) in [
        (
            &["--oidc-issuer", "https://idp.example"][..],
            "--oidc-client-id",
        ),
        (&["--oidc-client-id", "a"], "--oidc-issuer"),
        (
            &[
                "--oidc-issuer",
                "http://idp.example",
                "--oidc-client-id",
                "a",
            ],
            "is not encrypted",
        ),
        (
            &[
                "--oidc-issuer",
                "https://idp.example",
                "--oidc-client-id",
                "a",
                "--oidc-client-secret-file",
                secret.to_str().unwrap(),
            ],
            "oidc.secret cannot be read",
        ),
    ] {
        let refused = project.cresset(&[&["serve", "--bind", "127.0.0.1:0"], arguments].concat());
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains(said), "{said}: {refused:?}");
    }
    // Where nobody is, and nobody has a key: the server is there, and lets nobody in.
    let arguments = [
        "--oidc-issuer",
        "http://127.0.0.1:9",
        "--oidc-client-id",
        "a",
    ];
    let serve = ["serve", "--bind", "0.0.0.0:0", "--log", "error"];
    let serving = Serving::start(&project, &[&serve[..], &arguments].concat());
    assert!(
        serving.line.ends_with(" to users who log in\n"),
        "{}",
        serving.line
    );
    assert_eq!(serving.get("/api/v1/projects", "none").0, 401);
    let (_, ways) = serving.get("/api/v1/login", "none");
    assert!(ways.contains("\"name\":\"127.0.0.1\""), "{ways}");
}
