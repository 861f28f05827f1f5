//! Bytes that somebody logged, who is not trusted.

use crate::client::Serving;
use crate::recorded::{Folder, blob, hostile_page};

const RUN: &str = "/api/v1/projects/solder/runs/first/blobs";

#[test]
fn a_page_of_a_run_can_do_nothing() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let (digest, _) = blob(&folder.path(), "solder", "first", b"<script>");
    for kind in [
        "text%2Fhtml",
        "image%2Fsvg%2Bxml",
        "application%2Fxhtml%2Bxml",
        "text%2Fjavascript",
    ] {
        let answer = server.get(&format!("{RUN}/{digest}?type={kind}"));
        assert_eq!(answer.status, 200);
        let policy = answer.header("content-security-policy");
        let parts: Vec<&str> = policy.split(';').map(str::trim).collect();
        assert!(
            parts.contains(&"default-src 'none'") && parts.contains(&"sandbox"),
            "{policy}"
        );
        assert!(!policy.contains("script"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.text(), hostile_page());
    }
    // What could act as code or as another kind of page is no such thing here.
    let script = server.get(&format!("{RUN}/{digest}?type=text%2Fjavascript"));
    assert_eq!(script.header("content-type"), "application/octet-stream");
    assert_eq!(script.header("content-disposition"), "attachment");
    let unsaid = server.get(&format!("{RUN}/{digest}"));
    assert_eq!(unsaid.header("content-type"), "application/octet-stream");
    let saved = server.get(&format!(
        "{RUN}/{digest}?type=text%2Fhtml&download=..%2Fa%22%0D%0Ab.html"
    ));
    let disposition = saved.header("content-disposition");
    assert_eq!(disposition, "attachment; filename*=UTF-8''a%22%0D%0Ab.html");
}

#[test]
fn ranges_and_tags() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let (digest, bytes) = blob(&folder.path(), "solder", "first", b"<script>");
    let path = format!("{RUN}/{digest}?type=text%2Fplain");
    let whole = server.get(&path);
    assert_eq!(whole.body, bytes);
    assert_eq!(whole.header("accept-ranges"), "bytes");
    assert!(whole.header("cache-control").contains("immutable"));
    for (range, part) in [
        ("bytes=0-9", 0..10),
        ("bytes=-7", bytes.len() - 7..bytes.len()),
    ] {
        let answer = server.request("GET", &path).header("range", range).send();
        assert_eq!(
            (answer.status, &answer.body[..]),
            (206, &bytes[part.clone()])
        );
        let expected = format!("bytes {}-{}/{}", part.start, part.end - 1, bytes.len());
        assert_eq!(answer.header("content-range"), expected);
    }
    let beyond = server
        .request("GET", &path)
        .header("range", "bytes=999999999-")
        .send();
    assert_eq!(beyond.error(), (416, "no_range".into()));
    let tag = format!("\"{digest}\"");
    let known = server
        .request("GET", &path)
        .header("if-none-match", &tag)
        .send();
    assert_eq!((known.status, known.body.len()), (304, 0));
    let head = server.request("HEAD", &path).send();
    assert_eq!(head.header("content-length"), bytes.len().to_string());
    assert!(head.body.is_empty());
}

#[test]
fn images_are_found_out_and_nothing_else_of_the_folder_is_reachable() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let (digest, bytes) = blob(&folder.path(), "solder", "first", b"\x89PNG");
    let image = server.get(&format!("{RUN}/{digest}"));
    assert_eq!(
        (image.header("content-type"), &image.body),
        ("image/png", &bytes)
    );
    std::fs::write(folder.path().join("secret"), "secret").unwrap();
    for path in [
        format!("{RUN}/{}", "0".repeat(64)),
        format!("{RUN}/..%2f..%2f..%2f..%2fsecret"),
        format!("{RUN}/%2e%2e"),
        format!("{RUN}/{}", digest.to_uppercase() + "0"),
        // Of another run.
        format!("/api/v1/projects/solder/runs/second/blobs/{digest}"),
        format!("/api/v1/projects/..%2f/runs/first/blobs/{digest}"),
        format!("/api/v1/projects/solder/runs/../first/blobs/{digest}"),
    ] {
        assert_eq!(
            server.get(&path).error(),
            (404, "not_found".into()),
            "{path}"
        );
    }
    // One that does not hold what its name says is not given out.
    let file = folder
        .path()
        .join("solder/first/blobs")
        .join(&digest[..2])
        .join(&digest);
    std::fs::write(file, vec![0u8; bytes.len()]).unwrap();
    let server = Serving::open(&folder.root());
    assert_eq!(server.get(&format!("{RUN}/{digest}")).error().0, 404);
}
