//! What no page of ours sends is turned away.

use std::io::Write;
use std::net::TcpStream;

use serde_json::json;

use crate::client::{Serving, open};
use crate::recorded::Folder;

#[test]
fn other_names_for_this_machine_are_refused() {
    let folder = Folder::new();
    let server = Serving::open(&folder.root());
    for path in [
        "/",
        "/api/v1/projects",
        "/metrics",
        "/healthz",
        "/assets/x.js",
    ] {
        let request = server.request("GET", path).without("host");
        let rebound = request.clone().header("host", "evil.example:7878").send();
        assert_eq!(rebound.error(), (421, "wrong_host".into()), "{path}");
        assert!(rebound.text().contains("--host-name"), "{}", rebound.text());
        // Without a name there is nothing to trust either.
        assert_eq!(request.send().error(), (421, "wrong_host".into()));
    }
    // The first line can name a host too, and then it is the one that counts.
    let absolute = server.request("GET", "http://evil.example/api/v1/projects");
    assert_eq!(absolute.send().error().0, 421);
    for name in ["localhost", "127.0.0.1:1", "[::1]:7878"] {
        let request = server.request("GET", "/api/v1/projects").without("host");
        assert_eq!(request.header("host", name).send().status, 200, "{name}");
    }
}

#[test]
fn pages_of_other_origins_read_nothing() {
    let folder = Folder::new();
    let server = Serving::open(&folder.root());
    let own = format!("http://localhost:{}", server.address.port());
    for (name, value, status) in [
        ("sec-fetch-site", "cross-site", 403),
        // Another port of this machine.
        ("sec-fetch-site", "same-site", 403),
        ("sec-fetch-site", "same-origin", 200),
        ("sec-fetch-site", "none", 200),
        ("origin", "http://evil.example", 403),
        ("origin", "http://localhost:1", 403),
        ("origin", "null", 403),
        ("origin", &own, 200),
    ] {
        for path in ["/api/v1/projects", "/api/v1/events", "/metrics"] {
            let answer = server.request("GET", path).header(name, value).open();
            assert_eq!(answer.status, status, "{path} {name}: {value}");
        }
    }
    // No answer lets a page elsewhere read it, whatever it asks for.
    let asked = server
        .request("OPTIONS", "/api/v1/projects")
        .header("origin", &own)
        .header("access-control-request-method", "GET")
        .send();
    assert_eq!(asked.error(), (405, "method_not_allowed".into()));
    let read = server.get("/api/v1/projects");
    for answer in [&asked, &read] {
        assert_eq!(answer.header("access-control-allow-origin"), "");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    // A link to the dashboard from elsewhere is welcome.
    let link = server
        .request("GET", "/")
        .header("sec-fetch-site", "cross-site");
    assert_eq!(link.send().status, 200);
}

#[test]
fn a_change_must_be_meant() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let path = "/api/v1/projects/solder/runs/first";
    let patch = json!({"notes": "forged"});
    let forged = server.request("PATCH", path).json(&patch).send();
    assert_eq!(forged.error(), (403, "csrf".into()));
    let form = server
        .request("PATCH", path)
        .header("x-cresset", "1")
        .header("content-type", "text/plain")
        .body(patch.to_string())
        .send();
    assert_eq!(form.error(), (415, "unsupported_media_type".into()));
    let elsewhere = server
        .request("PATCH", path)
        .header("x-cresset", "1")
        .header("origin", "http://evil.example")
        .json(&patch);
    assert_eq!(elsewhere.send().error(), (403, "forbidden".into()));
    assert_eq!(server.json("/projects/solder/runs/first")["notes"], "");
}

#[test]
fn what_is_too_large_is_refused_at_once() {
    let folder = Folder::new();
    let server = Serving::open(&folder.root());
    let body = json!({"body": "x".repeat(2 << 20)});
    let large = server.change("PUT", "/projects/p/views/v", &body);
    assert_eq!(large.error(), (413, "too_large".into()));
    // Said, and never sent.
    let said = server
        .request("PUT", "/api/v1/projects/p/views/v")
        .header("x-cresset", "1")
        .header("content-type", "application/json")
        .header("content-length", "99999999999")
        .open();
    assert_eq!(said.status, 413);
    let query = format!("/api/v1/projects/p/runs?filter={}", "x".repeat(62_000));
    assert_eq!(server.get(&query).error(), (414, "too_long".into()));
    let line = format!(
        "GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "x".repeat(100_000)
    );
    assert_eq!(open(server.address, line.as_bytes()).status, 414);
    let header = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n",
        "x".repeat(300_000)
    );
    assert_eq!(open(server.address, header.as_bytes()).status, 431);
    let many: String = (0..200).map(|i| format!("x{i}: 1\r\n")).collect();
    let many = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n");
    assert_eq!(open(server.address, many.as_bytes()).status, 431);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn what_is_no_http_harms_nobody() {
    let folder = Folder::new();
    let server = Serving::open(&folder.root());
    for bytes in [
        &b"\0\0\0\0"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET \xff\xfe HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"POST /api/v1/login HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(bytes).unwrap();
        drop(stream);
    }
    assert_eq!(server.get("/healthz").status, 200);
}
