//! Behind a proxy: what it says of its clients, and a path that everything is under.

use cresset_server::{Access, BindError, Options, Server};
use cresset_store::{Role, Store};
use serde_json::json;

use crate::client::{Answer, Request, Serving};
use crate::recorded::Folder;

/// A server with a key for reading, behind proxies at these addresses.
fn behind(folder: &Folder, proxies: &[&str], host_names: &[&str]) -> (Serving, String) {
    let key = folder.key(Role::Read);
    let options = Options {
        access: Access::Keys,
        host_names: host_names.iter().map(ToString::to_string).collect(),
        trusted_proxies: proxies.iter().map(|text| text.parse().unwrap()).collect(),
        ..Options::default()
    };
    (Serving::with(&folder.root(), options), key)
}

fn with_key(server: &Serving, key: &str, path: &str) -> Request {
    let request = server.request("GET", path);
    request.key(key)
}

/// Statuses of wrong keys, each sent with these headers.
fn guesses(server: &Serving, headers: impl Fn(u32) -> (&'static str, String)) -> Vec<u16> {
    let guess = |i: u32| {
        let (name, value) = headers(i);
        let request = with_key(server, &format!("guess-{i}"), "/api/v1/projects");
        request.header(name, &value).send().status
    };
    (0..15).map(guess).collect()
}

#[test]
fn guessing_is_slow_for_each_client_of_a_trusted_proxy() {
    let folder = Folder::new();
    let (server, _) = behind(&folder, &["127.0.0.0/8"], &[]);
    let far = |i| ("x-forwarded-for", format!("10.0.0.{i}"));
    assert!(guesses(&server, far).iter().all(|status| *status == 401));
    // Addresses that the client makes up stand before the one that the proxy saw.
    let made_up = |i| ("x-forwarded-for", format!("6.6.6.{i}, 10.1.1.1"));
    assert_eq!(guesses(&server, made_up).pop(), Some(429));
    let made_up = |i| ("forwarded", format!("for=6.6.6.{i}, for=10.1.1.2"));
    assert_eq!(guesses(&server, made_up).pop(), Some(429));
}

#[test]
fn guessing_is_slow_for_who_only_says_to_be_a_proxy() {
    let folder = Folder::new();
    let (server, key) = behind(&folder, &["10.0.0.0/8"], &[]);
    let made_up = |i| ("x-forwarded-for", format!("6.6.6.{i}"));
    assert_eq!(guesses(&server, made_up).pop(), Some(429));
    // Who was right before still is.
    let wrong = with_key(&server, "guess", "/api/v1/projects").header("forwarded", "for=7.7.7.7");
    assert_eq!(wrong.send().status, 429);
    let metrics = with_key(&server, &key, "/healthz").send();
    assert_eq!(metrics.status, 200);
}

#[test]
fn only_a_trusted_proxy_says_what_the_browser_spoke() {
    let folder = Folder::new();
    let cookie = |server: &Serving, key: &str, header: (&str, &str)| -> bool {
        let login = server.request("POST", "/api/v1/login");
        let login = login.header("x-cresset", "1").header(header.0, header.1);
        let answer: Answer = login.json(&json!({"key": key})).send();
        assert_eq!(answer.status, 204, "{}", answer.text());
        answer.header("set-cookie").contains("; Secure")
    };
    let (server, key) = behind(&folder, &["127.0.0.1"], &[]);
    for (name, value, is_secure) in [
        ("x-forwarded-proto", "https", true),
        ("x-forwarded-proto", "HTTPS", true),
        ("x-forwarded-proto", "http", false),
        ("forwarded", "for=1.2.3.4;proto=https", true),
        ("x-other", "https", false),
    ] {
        let found = cookie(&server, &key, (name, value));
        assert_eq!(found, is_secure, "{name}: {value}");
    }
    drop(server);
    let folder = Folder::new();
    let (server, key) = behind(&folder, &["10.0.0.0/8"], &[]);
    assert!(!cookie(&server, &key, ("x-forwarded-proto", "https")));
    assert!(!cookie(&server, &key, ("forwarded", "proto=https")));
}

#[test]
fn the_host_that_a_browser_sees_is_the_one_that_counts() {
    let folder = Folder::new();
    let (server, key) = behind(&folder, &["127.0.0.1"], &["runs.example"]);
    let ask = |forwarded: &str, host: &str, origin: &str| {
        with_key(&server, &key, "/api/v1/projects")
            .without("host")
            .header("host", host)
            .header("x-forwarded-host", forwarded)
            .header("origin", origin)
            .send()
            .status
    };
    let own = "https://runs.example";
    assert_eq!(ask("runs.example", "127.0.0.1:1", own), 200);
    assert_eq!(ask("runs.example", "runs.example", own), 200);
    // A page elsewhere, which the proxy lets through.
    assert_eq!(
        ask("runs.example", "127.0.0.1:1", "https://evil.example"),
        403
    );
    assert_eq!(
        ask("evil.example", "127.0.0.1:1", "https://evil.example"),
        421
    );
    // A page elsewhere that made its own name point to the server itself, past the proxy on the same machine.
    assert_eq!(
        ask("runs.example", "evil.example:1", "http://evil.example:1"),
        421
    );
    assert_eq!(ask("", "127.0.0.1:1", own), 421);
    drop(server);
    // From others it is not read.
    let folder = Folder::new();
    let (server, key) = behind(&folder, &["10.0.0.0/8"], &["runs.example"]);
    let request = with_key(&server, &key, "/api/v1/projects");
    let request = request.header("x-forwarded-host", "runs.example");
    assert_eq!(request.clone().send().status, 200);
    assert_eq!(request.header("origin", own).send().status, 403);
}

#[test]
fn who_comes_through_a_proxy_needs_a_key() {
    let folder = Folder::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let options = Options {
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        ..Options::default()
    };
    let store = Store::open(folder.root()).unwrap();
    let bound = runtime.block_on(Server::bind(store, options));
    assert!(matches!(bound, Err(BindError::NoKeys { .. })));
}

/// A server under a path.
fn under(folder: &Folder, base: &str) -> Serving {
    let options = Options {
        base_path: base.parse().unwrap(),
        ..Options::default()
    };
    Serving::with(&folder.root(), options)
}

#[test]
fn the_page_finds_its_files_under_the_path() {
    let folder = Folder::recorded();
    let server = under(&folder, "/team/cresset");
    let top = Serving::open(&folder.root());
    let page = server.get("/team/cresset/p/solder/runs/first");
    let text = page.text();
    assert!(
        text.contains("name=\"cresset-base\" content=\"/team/cresset\""),
        "{text}"
    );
    assert!(
        !text.contains("./assets/") && !text.contains("\"/assets/"),
        "{text}"
    );
    let begin = text.find("/team/cresset/assets/").expect("a file");
    let script = text[begin..].split('"').next().unwrap();
    // Proxies that take the path away ask for the same without it.
    for path in [script, &script["/team/cresset".len()..]] {
        let file = server.get(path);
        assert_eq!(file.status, 200, "{path}");
        assert!(file.header("cache-control").contains("immutable"));
    }
    for path in [
        "/team/cresset",
        "/team/cresset/",
        "/team/cresset?a=1",
        "/p/solder",
        "/",
    ] {
        assert_eq!(server.get(path).text(), text, "{path}");
    }
    // A browser that knows one page does not take it for the other.
    let at_top = top.get("/");
    assert!(at_top.text().contains("\"/assets/"), "{}", at_top.text());
    assert!(at_top.text().contains("name=\"cresset-base\" content=\"\""));
    assert_ne!(at_top.header("etag"), page.header("etag"));
    let known = server.request("GET", "/team/cresset/");
    let known = known.header("if-none-match", page.header("etag")).send();
    assert_eq!((known.status, known.body.len()), (304, 0));
}

#[test]
fn the_api_is_there_with_the_path_and_without() {
    let folder = Folder::recorded();
    let server = under(&folder, "/cresset");
    let run = "/api/v1/projects/solder/runs/first";
    for base in ["/cresset", ""] {
        let media = server.get(&format!("{base}{run}/media")).json();
        let items = media["items"].as_array().unwrap();
        let urls: Vec<&str> = items
            .iter()
            .filter_map(|i| i["blob"]["url"].as_str())
            .collect();
        assert!(!urls.is_empty());
        for url in urls {
            assert!(url.starts_with("/cresset/api/v1/"), "{url}");
            assert_eq!(server.get(url).status, 200, "{url}");
        }
        let document = server.get(&format!("{base}/api/v1/openapi.json")).json();
        assert_eq!(document["servers"], json!([{"url": "/cresset"}]));
        let mut events = server
            .request("GET", &format!("{base}/api/v1/events"))
            .open();
        assert_eq!(events.status, 200);
        assert!(events.chunk().unwrap().contains("event: hello"));
        let unknown = server.get(&format!("{base}/api/v1/nothing"));
        assert_eq!(unknown.error(), (404, "not_found".into()));
        assert_eq!(server.get(&format!("{base}/healthz")).status, 200);
        assert_eq!(server.get(&format!("{base}/metrics")).status, 200);
    }
    // The guard is the same on both.
    for path in [
        "/cresset/api/v1/projects",
        "/api/v1/projects",
        "/cresset/metrics",
    ] {
        let asked = server
            .request("GET", path)
            .header("sec-fetch-site", "cross-site");
        assert_eq!(asked.send().status, 403, "{path}");
    }
    let forged = server
        .request("PATCH", &format!("/cresset{run}"))
        .json(&json!({"notes": "x"}));
    assert_eq!(forged.send().error(), (403, "csrf".into()));
    let deep = server.get("/cresset/cresset/api/v1/projects");
    assert!(deep.header("content-type").starts_with("text/html"));
}

#[test]
fn the_cookie_stays_under_the_path() {
    let folder = Folder::new();
    let key = folder.key(Role::Read);
    let options = Options {
        access: Access::Keys,
        base_path: "/cresset".parse().unwrap(),
        ..Options::default()
    };
    let server = Serving::with(&folder.root(), options);
    for path in ["login", "logout"] {
        let request = server.request("POST", &format!("/cresset/api/v1/{path}"));
        let answer = request
            .header("x-cresset", "1")
            .json(&json!({"key": key}))
            .send();
        let cookie = answer.header("set-cookie");
        assert!(cookie.contains("; Path=/cresset;"), "{path}: {cookie}");
    }
}
