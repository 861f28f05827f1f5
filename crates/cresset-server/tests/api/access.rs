//! Keys: who may see and change what.

use cresset_record::{Project, Root};
use cresset_server::{Access, BindError, Options, Server};
use cresset_store::{KeyScope, NewKey, Role, Store};
use serde_json::{Value as Json, json};

use crate::client::{Answer, Serving};
use crate::document::{Operation, operations};
use crate::recorded::Folder;

/// Keys by name, and a server that demands them.
struct Keyed {
    serving: Serving,
    store: Store,
    reader: String,
    writer: String,
    admin: String,
    /// Write, for `other things/ö` only.
    other: String,
}

impl Keyed {
    fn new(root: &Root) -> Self {
        let store = Store::open(root.clone()).unwrap();
        let key = |name: &str, role, scope| {
            let new = NewKey::new(name, role, scope);
            store.create_key(new).unwrap().1
        };
        let other = Project::try_from("other things/ö".to_owned()).unwrap();
        let [reader, writer, admin, other] = [
            key("reader", Role::Read, KeyScope::All),
            key("writer", Role::Write, KeyScope::All),
            key("admin", Role::Admin, KeyScope::All),
            key("other", Role::Write, KeyScope::Project(other)),
        ];
        let options = Options {
            access: Access::Keys,
            ..Options::default()
        };
        Self {
            serving: Serving::with(root, options),
            store,
            reader,
            writer,
            admin,
            other,
        }
    }

    fn send(&self, key: &str, method: &str, path: &str, body: &Json) -> Answer {
        self.serving.ask(key, method, path, body)
    }

    fn get(&self, key: &str, path: &str) -> Answer {
        self.send(key, "GET", &format!("/api/v1{path}"), &json!(null))
    }
}

#[test]
fn every_address_needs_the_role_that_it_says() {
    let folder = Folder::recorded();
    let keyed = Keyed::new(&folder.root());
    for Operation {
        method, path, role, ..
    } in operations()
    {
        let path = path
            .replace("{project}", "nothing")
            .replace("{run}", "nothing")
            .replace("{digest}", &"0".repeat(64))
            .replace("{name}", "nothing");
        let path = if path.ends_with("/filter") {
            path + "?project=nothing"
        } else {
            path
        };
        let status = |key: &str| {
            keyed
                .serving
                .request(&method, &path)
                .key(key)
                .header("x-cresset", "1")
                .json(&json!({}))
                .open()
                .status
        };
        let Some(role) = role else {
            assert_ne!(status("none"), 403, "{method} {path}");
            continue;
        };
        let none = keyed
            .serving
            .request(&method, &path)
            .header("x-cresset", "1");
        assert_eq!(none.open().status, 401, "{method} {path} without a key");
        assert_ne!(status(&keyed.admin), 403, "{method} {path}");
        let refused = [("reader", &keyed.reader, 0), ("writer", &keyed.writer, 1)];
        let needed = ["read", "write", "admin"]
            .iter()
            .position(|r| *r == role)
            .unwrap();
        for (name, key, reach) in refused {
            let is_refused = status(key) == 403;
            assert_eq!(is_refused, reach < needed, "{method} {path} for the {name}");
        }
    }
    assert_eq!(keyed.serving.get("/metrics").error().0, 401);
    // The page itself holds nothing, and is where one logs in.
    assert_eq!(keyed.serving.get("/").status, 200);
    assert_eq!(keyed.serving.get("/healthz").status, 200);
}

#[test]
fn a_key_for_one_project_sees_nothing_else() {
    let folder = Folder::recorded();
    let keyed = Keyed::new(&folder.root());
    let get = |path: &str| keyed.get(&keyed.other, path);
    let projects = get("/projects").json();
    assert_eq!(projects.as_array().unwrap().len(), 1);
    assert_eq!(projects[0]["name"], "other things/ö");
    for path in [
        "/projects/solder/runs",
        "/projects/solder/runs/first",
        "/projects/solder/alerts",
        "/projects/nothing/runs",
        "/filter?project=solder&filter=",
        "/events?project=solder",
    ] {
        let answer = get(path);
        assert_eq!(answer.error(), (403, "forbidden".into()), "{path}");
        assert!(!answer.text().contains("first"));
    }
    assert_eq!(get("/projects/other%20things%2F%C3%B6/runs").status, 200);
    let metrics = keyed.send(&keyed.other, "GET", "/metrics", &json!(null));
    assert_eq!(metrics.error().0, 403);
    // Nor does it learn of what others throw away.
    let delete = json!({"runs": ["first"], "action": "delete"});
    let deleted = keyed.send(
        &keyed.admin,
        "POST",
        "/api/v1/projects/solder/runs/actions",
        &delete,
    );
    assert_eq!(deleted.status, 200);
    assert_eq!(get("/trash").json(), json!([]));
    assert_eq!(keyed.get(&keyed.reader, "/trash").json()[0]["run"], "first");
}

#[test]
fn a_server_with_keys_keeps_its_folder_to_itself() {
    let folder = Folder::recorded();
    let keyed = Keyed::new(&folder.root());
    let info = keyed.get(&keyed.reader, "/server").json();
    assert_eq!(
        (&info["root"], &info["key"]),
        (&json!(null), &json!("reader"))
    );
    assert_eq!(info["role"], "read");
    let run = keyed
        .get(&keyed.reader, "/projects/solder/runs/first")
        .json();
    assert_eq!(run["path"], json!(null));
}

#[test]
fn a_browser_logs_in_and_out() {
    let folder = Folder::recorded();
    let keyed = Keyed::new(&folder.root());
    let login = |key: &str| {
        let request = keyed.serving.request("POST", "/api/v1/login");
        request.header("x-cresset", "1").json(&json!({"key": key}))
    };
    let answer = login(&keyed.reader).send();
    assert_eq!(answer.status, 204, "{}", answer.text());
    let cookie = answer.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"));
    // Anybody can say that.
    let said = login(&keyed.reader)
        .header("x-forwarded-proto", "https")
        .send();
    assert!(!said.header("set-cookie").contains("; Secure"));
    let value = cookie.split(';').next().unwrap();
    let with = |cookie: &str| {
        let request = keyed.serving.request("GET", "/api/v1/projects");
        request.header("cookie", cookie).send().status
    };
    assert_eq!(with(&format!("a=b; {value}")), 200);
    assert_eq!(with("cresset_key=wrong"), 401);
    assert_eq!(with("cresset_key="), 401);
    let out = keyed
        .serving
        .request("POST", "/api/v1/logout")
        .header("x-cresset", "1")
        .send();
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").starts_with("cresset_key=;"));
    let forged = keyed
        .serving
        .request("POST", "/api/v1/login")
        .json(&json!({"key": keyed.reader}));
    assert_eq!(forged.send().error(), (403, "csrf".into()));
    assert_eq!(login("wrong").send().error(), (401, "key_needed".into()));
}

#[test]
fn a_key_that_was_taken_back_opens_nothing() {
    let folder = Folder::recorded();
    let keyed = Keyed::new(&folder.root());
    assert_eq!(keyed.get(&keyed.reader, "/projects").status, 200);
    keyed.store.revoke_key("reader").unwrap();
    let refused = keyed.get(&keyed.reader, "/projects");
    assert_eq!(refused.error(), (401, "key_needed".into()));
    assert!(refused.header("www-authenticate").starts_with("Bearer"));
}

#[test]
fn guessing_is_slow() {
    let folder = Folder::recorded();
    let keyed = Keyed::new(&folder.root());
    assert_eq!(keyed.get(&keyed.reader, "/projects").status, 200);
    let mut statuses: Vec<u16> = (0..12)
        .map(|i| keyed.get(&format!("guess-{i}"), "/projects").status)
        .collect();
    assert_eq!(statuses.pop(), Some(429));
    assert_eq!(statuses[0], 401);
    let late = keyed.get("guess", "/projects");
    assert_eq!(late.error(), (429, "rate_limited".into()));
    assert!(
        late.header("retry-after")
            .parse::<u64>()
            .is_ok_and(|s| s <= 61)
    );
    // Who was let in before is not locked out by others.
    assert_eq!(keyed.get(&keyed.reader, "/projects").status, 200);
}

#[test]
fn others_are_not_let_in_without_a_key() {
    let folder = Folder::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let store = Store::open(folder.root()).unwrap();
    let bind = |address: &str, access| {
        let options = Options {
            address: address.parse().unwrap(),
            access,
            ..Options::default()
        };
        runtime
            .block_on(Server::bind(store.clone(), options))
            .map(drop)
    };
    for access in [Access::Open, Access::Keys] {
        let refused = bind("0.0.0.0:0", access).unwrap_err();
        assert!(matches!(refused, BindError::NoKeys { .. }));
        assert!(
            refused.to_string().contains("cresset key create"),
            "{refused}"
        );
    }
    store
        .create_key(NewKey::new("a", Role::Read, KeyScope::All))
        .unwrap();
    assert!(bind("0.0.0.0:0", Access::Open).is_err());
    bind("0.0.0.0:0", Access::Keys).unwrap();
    bind("127.0.0.1:0", Access::Open).unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert!(matches!(
        bind(&address, Access::Open),
        Err(BindError::Taken { .. })
    ));
}

#[test]
fn a_server_without_keys_needs_one_as_soon_as_there_is_one() {
    let folder = Folder::recorded();
    let store = Store::open(folder.root()).unwrap();
    let options = Options {
        access: Access::UntilKeys,
        ..Options::default()
    };
    let server = Serving::with(&folder.root(), options);
    assert_eq!(server.get("/api/v1/projects").status, 200);
    let mut stream = server.request("GET", "/api/v1/events").open();
    assert_eq!(stream.status, 200);
    let new = NewKey::new("first", Role::Read, KeyScope::All);
    let (_, secret) = store.create_key(new).unwrap();
    assert_eq!(server.get("/api/v1/projects").status, 401);
    let keyed = server.request("GET", "/api/v1/projects").key(&secret);
    assert_eq!(keyed.send().status, 200);
    // Who was looking before is asked again, too.
    while stream.chunk().is_some() {}
    // Taking the last one back opens nothing.
    store.revoke_key("first").unwrap();
    assert_eq!(server.get("/api/v1/projects").status, 401);
}
