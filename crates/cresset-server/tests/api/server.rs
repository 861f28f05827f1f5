//! What the server says of itself, and how it ends.

use serde_json::json;

use crate::client::{Serving, open};
use crate::recorded::Folder;

#[test]
fn it_says_who_it_is_and_who_asks() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let info = server.json("/server");
    assert_eq!(
        (&info["role"], &info["key"]),
        (&json!("admin"), &json!(null))
    );
    let root = folder.path().canonicalize().unwrap();
    assert_eq!(info["root"].as_str(), root.to_str());
    assert!(info["trash_seconds"].as_f64().unwrap() > 3600.0);
    assert_eq!(server.get("/healthz").text(), "\"ok\"");
}

#[test]
fn it_counts_what_it_answers() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    for _ in 0..3 {
        server.json("/projects/solder/runs");
    }
    server.get("/api/v1/projects/%00/runs");
    server.get("/");
    let answer = server.get("/metrics");
    assert!(
        answer
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    let text = answer.text();
    let route = r#"route="/api/v1/projects/{project}/runs""#;
    for line in [
        format!(r#"cresset_http_requests_total{{method="GET",{route},status="200"}} 3"#),
        format!(r#"cresset_http_requests_total{{method="GET",{route},status="404"}} 1"#),
        format!(r#"cresset_http_request_seconds_count{{{route}}} 4"#),
        r#"cresset_http_requests_total{method="GET",route="dashboard",status="200"} 1"#.into(),
        r#"cresset_runs{state="finished"} 2"#.into(),
        r#"cresset_runs{state="failed"} 1"#.into(),
    ] {
        assert!(text.lines().any(|l| l == line), "no {line} in {text}");
    }
}

#[test]
fn ids_tell_requests_apart() {
    let folder = Folder::new();
    let server = Serving::open(&folder.root());
    let ids = [(); 2].map(|()| server.get("/healthz").header("x-request-id").to_owned());
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn a_connection_serves_many_requests() {
    let folder = Folder::new();
    let server = Serving::open(&folder.root());
    let one = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n";
    let bytes = format!("{one}\r\n{one}connection: close\r\n\r\n");
    let rest = open(server.address, bytes.as_bytes());
    assert_eq!(rest.status, 200);
}

#[test]
fn it_ends_when_told_to() {
    let folder = Folder::recorded();
    let mut server = Serving::open(&folder.root());
    // One that asks for nothing does not keep it.
    let idle = std::net::TcpStream::connect(server.address).unwrap();
    server.get("/healthz");
    server.end();
    assert!(std::net::TcpStream::connect(server.address).is_err());
    drop(idle);
}
