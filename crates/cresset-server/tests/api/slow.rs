//! Clients that are slow, silent or hostile, and one that is not: it gets its answers all the same.

use std::io::Write;
use std::net::TcpStream;

use cresset_server::{Access, Options};
use cresset_store::Role;

use serde_json::json;

use crate::client::{Serving, wait_for};
use crate::recorded::{Folder, blob};

/// Sends this and leaves the connection open.
fn hold(server: &Serving, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    stream
}

#[test]
fn others_get_their_answers() {
    let folder = Folder::recorded();
    let (digest, _) = blob(&folder.path(), "solder", "first", b"<script>");
    let key = folder.key(Role::Write);
    let options = Options {
        access: Access::Keys,
        ..Options::default()
    };
    let mut server = Serving::with(&folder.root(), options);
    let run = "/api/v1/projects/solder/runs/first";
    let head = format!("host: localhost\r\nx-cresset: 1\r\nauthorization: Bearer {key}\r\n");
    let blob = format!("GET {run}/blobs/{digest} HTTP/1.1\r\n{head}\r\n");
    let digest = "0".repeat(64);
    let mut held = Vec::new();
    // Heads that never end.
    for i in 0..200 {
        let begun = [
            "",
            "G",
            "GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\nhost: local",
        ];
        held.push(hold(&server, begun[i % begun.len()]));
    }
    // Bodies that do not come: from strangers, and from somebody with a key.
    for _ in 0..30 {
        let json = "content-type: application/json\r\ncontent-length: 1000\r\n\r\n{";
        for half in [
            format!("POST /api/v1/login HTTP/1.1\r\nhost: localhost\r\nx-cresset: 1\r\n{json}"),
            format!("PATCH {run} HTTP/1.1\r\n{head}{json}"),
            format!("PUT {run}/blobs/{digest} HTTP/1.1\r\n{head}content-length: 100000\r\n\r\nx"),
            format!("POST {run}/intake/0/0 HTTP/1.1\r\n{head}content-length: 100000\r\n\r\nx"),
        ] {
            held.push(hold(&server, &half));
        }
    }
    // Answers that nobody reads: more than fits between the two.
    for _ in 0..20 {
        held.push(hold(&server, &blob.repeat(100)));
        held.push(hold(
            &server,
            &format!("GET /api/v1/events HTTP/1.1\r\n{head}\r\n"),
        ));
    }
    for _ in 0..20 {
        for path in [
            "/api/v1/projects",
            "/api/v1/projects/solder/runs",
            run,
            "/metrics",
        ] {
            let request = server.request("GET", path);
            let answer = request.key(&key).send();
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        }
    }
    // Nor do they keep the server from its end.
    server.end();
    drop(held);
}

#[test]
fn strangers_take_no_room_of_those_who_are_known() {
    let folder = Folder::recorded();
    let key = folder.key(Role::Read);
    let options = Options {
        access: Access::Keys,
        ..Options::default()
    };
    let mut server = Serving::with(&folder.root(), options);
    let half = "POST /api/v1/login HTTP/1.1\r\nhost: localhost\r\nx-cresset: 1\r\n\
        content-type: application/json\r\ncontent-length: 1000\r\n\r\n{";
    let held: Vec<TcpStream> = (0..70).map(|_| hold(&server, half)).collect();
    // One more stranger is turned away at once, as soon as the others have been heard.
    wait_for("too many who log in", || {
        let login = server.request("POST", "/api/v1/login");
        let login = login.header("x-cresset", "1").json(&json!({"key": "?"}));
        (login.send().error() == (503, "busy".into())).then_some(())
    });
    let request = server.request("GET", "/api/v1/projects");
    let answer = request.header("authorization", &format!("Bearer {key}"));
    assert_eq!(answer.send().status, 200);
    server.end();
    drop(held);
}
