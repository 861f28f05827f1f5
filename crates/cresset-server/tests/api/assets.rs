//! The dashboard's files.

use crate::client::Serving;
use crate::recorded::Folder;

/// A hashed file that the page names.
fn script(page: &str) -> Option<String> {
    let begin = page.find("/assets/")?;
    let end = page[begin..].find('"')?;
    Some(page[begin..begin + end].to_owned())
}

#[test]
fn the_page_is_asked_for_each_time_and_hashed_files_never_again() {
    let folder = Folder::new();
    let server = Serving::open(&folder.root());
    let page = server.get("/");
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("cache-control"), "no-cache");
    let policy = page.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    let script_policy = policy
        .split(';')
        .find(|p| p.trim().starts_with("script-src"));
    assert_eq!(script_policy.unwrap().trim(), "script-src 'self'");
    let known = server
        .request("GET", "/")
        .header("if-none-match", page.header("etag"))
        .send();
    assert_eq!((known.status, known.body.len()), (304, 0));
    let Some(script) = script(&page.text()) else {
        return;
    };
    let plain = server.get(&script);
    assert_eq!(
        plain.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    let small = server
        .request("GET", &script)
        .header("accept-encoding", "gzip, br")
        .send();
    assert_eq!(small.header("content-encoding"), "gzip");
    assert!(small.body.len() < plain.body.len());
    let head = server.request("HEAD", &script).send();
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn addresses_of_the_dashboard_give_its_page_and_those_of_the_api_do_not() {
    let folder = Folder::new();
    let server = Serving::open(&folder.root());
    let page = server.get("/").body;
    for path in [
        "/p/solder",
        "/p/a.b/runs/x?compare=1",
        "/index.html",
        "/p/%2e%2e/x",
        "/öäü",
    ] {
        let answer = server.get(&path.replace("öäü", "%C3%B6"));
        assert_eq!((answer.status, answer.body == page), (200, true), "{path}");
    }
    for path in [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v2/projects",
        "/api/v1/projets",
    ] {
        let answer = server.get(path);
        assert_eq!(answer.error(), (404, "not_found".into()), "{path}");
    }
    assert_eq!(server.get("/assets/gone-1234.js").error().0, 404);
    let written = server
        .request("DELETE", "/p/solder")
        .header("x-cresset", "1")
        .send();
    assert_eq!(
        (written.error().0, written.header("allow")),
        (405, "GET, HEAD")
    );
}

#[test]
fn no_path_leaves_the_dashboards_folder() {
    let folder = Folder::new();
    let server = Serving::open(&folder.root());
    let page = server.get("/").body;
    for path in [
        "/../Cargo.toml",
        "/assets/../../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%2fCargo.toml",
        "/assets/..%5c..%5cCargo.toml",
        "//etc/passwd",
        "/assets//etc/passwd",
        "/.hidden",
        "/assets/%00",
    ] {
        let answer = server.get(path);
        let harmless = answer.status == 404 || answer.body == page;
        assert!(harmless, "{path}: {} {}", answer.status, answer.text());
    }
}
