//! Every address of the document, so that new ones are included by themselves: with keys that should not open it, with
//! names that lead elsewhere, and with more than it takes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use cresset_record::{Project, Root};
use cresset_server::{Access, Options};
use cresset_store::{KeyScope, NewKey, Role, Store};
use serde_json::json;

use crate::client::{Request, Serving};
use crate::document::{Operation, operations};
use crate::recorded::Folder;

/// Every role and reach, on a server behind a proxy, so that wrong keys can come from everywhere.
struct Keys {
    serving: Serving,
    reader: String,
    writer: String,
    admin: String,
    /// Everything, for `other things/ö` only.
    elsewhere: String,
    revoked: String,
}

impl Keys {
    fn new(root: &Root) -> Self {
        let store = Store::open(root.clone()).unwrap();
        let key =
            |name: &str, role, scope| store.create_key(NewKey::new(name, role, scope)).unwrap().1;
        let other = Project::try_from("other things/ö".to_owned()).unwrap();
        let options = Options {
            access: Access::Keys,
            trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
            ..Options::default()
        };
        let keys = Self {
            reader: key("reader", Role::Read, KeyScope::All),
            writer: key("writer", Role::Write, KeyScope::All),
            admin: key("admin", Role::Admin, KeyScope::All),
            elsewhere: key("elsewhere", Role::Admin, KeyScope::Project(other)),
            revoked: key("revoked", Role::Admin, KeyScope::All),
            serving: Serving::with(root, options),
        };
        // Once good, then taken back.
        let was_good = keys.request("GET", "/api/v1/projects").key(&keys.revoked);
        assert_eq!(was_good.send().status, 200);
        store.revoke_key("revoked").unwrap();
        keys
    }

    /// A request of a client that nobody has heard of before.
    fn request(&self, method: &str, path: &str) -> Request {
        static CLIENTS: AtomicU32 = AtomicU32::new(0x0b00_0000);
        let client = CLIENTS.fetch_add(1, Ordering::Relaxed);
        self.serving
            .request(method, path)
            .header("x-cresset", "1")
            .header(
                "x-forwarded-for",
                &std::net::Ipv4Addr::from(client).to_string(),
            )
    }

    fn of_admin(&self, method: &str, path: &str) -> Request {
        let request = self.request(method, path);
        request.key(&self.admin)
    }
}

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

/// The address with these names in it, and what else it needs.
fn address(operation: &Operation, name: impl Fn(&str) -> String) -> String {
    let mut path = String::new();
    for (i, part) in operation.path.split('/').enumerate() {
        if i > 0 {
            path.push('/');
        }
        match part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'))
        {
            Some(variable) => path += &name(variable),
            None => path += part,
        }
    }
    match path.ends_with("/filter") {
        true => path + "?project=solder",
        false => path,
    }
}

/// Names of what is there.
fn known(variable: &str) -> String {
    match variable {
        "project" => "solder".to_owned(),
        "run" => "first".to_owned(),
        "digest" => "0".repeat(64),
        "rank" | "index" => "0".to_owned(),
        _ => "something".to_owned(),
    }
}

fn variables(operation: &Operation) -> Vec<String> {
    let parts = operation.path.split('/');
    let variables = parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    variables.map(str::to_owned).collect()
}

#[test]
fn no_address_is_opened_by_a_key_that_should_not() {
    let folder = Folder::recorded();
    let keys = Keys::new(&folder.root());
    for operation in operations() {
        let Operation { method, path, .. } = &operation;
        let Some(role) = &operation.role else {
            // Those that let people in, and nothing else.
            assert!(
                path.ends_with("/login") || path.ends_with("/logout"),
                "{path} says no role"
            );
            continue;
        };
        let address = address(&operation, known);
        let status = |header: &str, value: &str| {
            let request = keys.request(method, &address).header(header, value);
            request.json(&json!({})).open().status
        };
        for (header, value) in [
            ("x-nothing", String::new()),
            ("authorization", bearer("wrong")),
            ("authorization", bearer("")),
            ("authorization", bearer(&keys.revoked)),
            ("authorization", format!("Basic {}", keys.admin)),
            ("authorization", keys.admin.clone()),
            ("cookie", "cresset_key=wrong".to_owned()),
            ("cookie", format!("cresset_key={}", keys.revoked)),
            // Its name is another.
            ("cookie", format!("key={}", keys.admin)),
        ] {
            assert_eq!(
                status(header, &value),
                401,
                "{method} {path} with {header}: {value}"
            );
        }
        // Before anything is read of what it sends.
        let promised = keys
            .request(method, &address)
            .header("content-length", "1000");
        assert_eq!(promised.open().status, 401, "{method} {path}");
        if path.contains("{project}") {
            let found = status("authorization", &bearer(&keys.elsewhere));
            assert_eq!(found, 403, "{method} {path} of another project");
        }
        if role != "read" {
            let found = status("authorization", &bearer(&keys.reader));
            assert_eq!(found, 403, "{method} {path} for a reader");
        }
        if role == "admin" {
            let found = status("authorization", &bearer(&keys.writer));
            assert_eq!(found, 403, "{method} {path} for a writer");
        }
    }
}

#[test]
fn what_a_body_names_is_no_way_around() {
    let folder = Folder::recorded();
    let keys = Keys::new(&folder.root());
    let delete = json!({"runs": ["second"], "action": "delete"});
    let path = "/api/v1/projects/solder/runs/actions";
    assert_eq!(keys.of_admin("POST", path).json(&delete).send().status, 200);
    let empty = |body| {
        let request = keys.request("POST", "/api/v1/trash/empty");
        request.key(&keys.elsewhere).json(&body).send()
    };
    // The run of another project stays where it is, whether it is named or not.
    empty(json!({"runs": [{"project": "solder", "run": "second"}]}));
    empty(json!({}));
    let trash = keys.of_admin("GET", "/api/v1/trash").send();
    assert_eq!(trash.json()[0]["run"], "second", "{}", trash.text());
    for path in [
        "/api/v1/filter?project=solder",
        "/api/v1/events?project=solder",
    ] {
        let asked = keys.request("GET", path).key(&keys.elsewhere);
        assert_eq!(asked.send().status, 403, "{path}");
    }
}

/// All that is in a folder, by its path in it.
fn all_in(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path.clone());
            }
            found.insert(path.strip_prefix(folder).unwrap().to_owned());
        }
    }
    found
}

#[test]
fn no_name_leads_out_of_the_folder() {
    let outside = tempfile::tempdir().unwrap();
    let dir = outside.path().join("a/b/c");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(outside.path().join("secret"), "the secret").unwrap();
    std::fs::write(dir.join("secret"), "the secret").unwrap();
    let root = Root::new(dir.join(".cresset"));
    let recorded = Folder::recorded();
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(recorded.path())
        .arg(root.path())
        .status();
    assert!(copied.unwrap().success());
    let log = root.path().join("solder/first/rank-0.000000.log");
    let log = std::fs::read(log).unwrap();
    let keys = Keys::new(&root);
    let before = all_in(outside.path());
    for operation in operations() {
        let all = variables(&operation);
        for variable in &all {
            for value in [
                "..",
                ".",
                "%2e%2e",
                "..%2f..%2fsecret",
                "..%2F..%2F..%2Fsecret",
                "%2e%2e%2f%2e%2e%2fsecret",
                "..%5c..%5csecret",
                "%2fetc%2fpasswd",
                "%252e%252e%252fsecret",
                "....%2f%2fsecret",
                "..%00",
                "%00",
                "solder%2f..%2f..%2f..%2fsecret",
                "-1",
                "4294967296",
                "0x0",
                "%20",
                "~",
                "%0d%0aset-cookie:%20a=b",
            ] {
                let path = address(&operation, |name| match name == variable {
                    true => value.to_owned(),
                    false => known(name),
                });
                let request = keys.of_admin(&operation.method, &path);
                // What would be taken, if the name were.
                let request = match operation.path.contains("/intake/{rank}/{index}") {
                    true => request.body(log.clone()),
                    false if operation.path.contains("{digest}") && operation.method == "PUT" => {
                        request.body("bytes")
                    }
                    false => request.json(&json!({})),
                };
                let answer = request.send();
                let said = answer.text();
                assert!(answer.status < 500, "{} {path}: {said}", operation.method);
                assert!(
                    !said.contains("the secret") && !said.contains("root:x:"),
                    "{} {path}: {said}",
                    operation.method
                );
                assert_eq!(answer.header("set-cookie"), "", "{path}");
            }
        }
    }
    // Whatever was taken is a run of a project: a folder in a folder, with plain names.
    let inside = Path::new("a/b/c/.cresset");
    for new in all_in(outside.path()).difference(&before) {
        let within = new.strip_prefix(inside);
        let within = within.unwrap_or_else(|_| panic!("{} is outside", new.display()));
        for part in within {
            let part = part.to_str().expect("a plain name");
            assert!(
                !part.starts_with("..") && part.is_ascii(),
                "{}",
                new.display()
            );
        }
    }
    assert_eq!(keys.serving.get("/healthz").status, 200);
}

#[test]
fn no_address_takes_more_than_it_should() {
    let folder = Folder::recorded();
    let keys = Keys::new(&folder.root());
    for operation in operations() {
        let Operation { method, path, .. } = &operation;
        let address = address(&operation, known);
        let huge = keys
            .of_admin(method, &address)
            .header("content-length", "999999999999");
        assert_eq!(huge.open().status, 413, "{method} {path}");
        let query = format!(
            "{}{}",
            if address.contains('?') { "&" } else { "?" },
            "x".repeat(62_000)
        );
        let long = keys.of_admin(method, &format!("{address}{query}")).open();
        assert_eq!(long.status, 414, "{method} {path}");
        let long = keys
            .of_admin(method, &address)
            // The head is measured between reads, each of which may be as long as the bound.
            .header("x-long", &"x".repeat(300_000))
            .open();
        assert_eq!(long.status, 431, "{method} {path}");
        let forged = keys.serving.request(method, &address).key(&keys.admin);
        if method != "GET" {
            assert_eq!(
                forged.open().status,
                403,
                "{method} {path} without x-cresset"
            );
        }
        let from_elsewhere = keys
            .of_admin(method, &address)
            .header("sec-fetch-site", "same-site");
        assert_eq!(from_elsewhere.open().status, 403, "{method} {path}");
        // What comes in chunks is counted as it comes.
        let (most, kind) = match operation.body.as_deref() {
            Some("application/json") => (1 << 20, "application/json"),
            Some(kind) if path.contains("/intake/") => (12 << 20, kind),
            _ => continue,
        };
        let mut body = Vec::new();
        for _ in 0..=most / (1 << 16) {
            body.extend_from_slice(b"10000\r\n");
            body.resize(body.len() + (1 << 16), b' ');
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"0\r\n\r\n");
        let chunked = keys.of_admin(method, &address).header("content-type", kind);
        let chunked = chunked
            .header("transfer-encoding", "chunked")
            .chunks(body)
            .open();
        assert_eq!(chunked.status, 413, "{method} {path} in chunks");
        if kind == "application/json" {
            let text = keys
                .of_admin(method, &address)
                .header("content-type", "text/plain");
            assert_eq!(text.body("{}").open().status, 415, "{method} {path}");
        }
    }
    assert_eq!(keys.serving.get("/healthz").status, 200);
}
