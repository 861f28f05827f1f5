//! Live updates.

use serde_json::{Value as Json, json};

use crate::client::{Opened, Serving};
use crate::recorded::{Folder, finish};

fn listen(server: &Serving, query: &str) -> Opened {
    let opened = server
        .request("GET", &format!("/api/v1/events{query}"))
        .open();
    assert_eq!(opened.status, 200);
    opened
}

/// The next event and its data; comments are passed over.
fn event(stream: &mut Opened) -> Option<(String, Json)> {
    loop {
        let chunk = stream.chunk()?;
        let field = |name: &str| chunk.lines().find_map(|line| line.strip_prefix(name));
        if let (Some(event), Some(data)) = (field("event: "), field("data: ")) {
            return Some((event.to_owned(), serde_json::from_str(data).unwrap()));
        }
    }
}

/// Events up to one that is as wanted.
fn until(stream: &mut Opened, what: &str, wanted: impl Fn(&Json) -> bool) -> Json {
    loop {
        let (event, data) = event(stream).unwrap_or_else(|| panic!("no {what}"));
        assert_eq!(event, "change");
        if data["what"] == what && wanted(&data) {
            return data;
        }
    }
}

#[test]
fn a_run_is_told_of_from_its_beginning_to_its_end() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let mut stream = listen(&server, "");
    let (hello, data) = event(&mut stream).unwrap();
    assert_eq!(hello, "hello");
    let known = data["version"].as_u64().unwrap();

    let run = folder.begin("solder", "live").start().unwrap();
    run.log(3, [("train/loss", 1.0)]);
    let new = until(&mut stream, "new", |c| c["run"] == "live");
    assert!(new["version"].as_u64().unwrap() > known);
    run.log(4, [("train/loss", 0.5)]);
    let update = |c: &Json| c["run"] == "live" && c["last_step"] == 4;
    let update = until(&mut stream, "update", update);
    assert_eq!(
        (&update["project"], &update["state"]),
        (&json!("solder"), &json!("running"))
    );
    finish(run);
    let end = until(&mut stream, "end", |c| c["run"] == "live");
    assert_eq!(end["state"], "finished");

    // What people change is told too.
    server.change(
        "PATCH",
        "/projects/solder/runs/live",
        &json!({"name": "old"}),
    );
    let label = until(&mut stream, "label", |c| c["run"] == "live");
    assert_eq!(label["name"], "old");
    let delete = json!({"runs": ["live"], "action": "delete"});
    server.change("POST", "/projects/solder/runs/actions", &delete);
    until(&mut stream, "gone", |c| c["run"] == "live");
}

#[test]
fn only_of_the_project_that_was_asked_for() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let mut stream = listen(&server, "?project=solder");
    event(&mut stream).unwrap();
    let label = |path: &str| {
        let answer = server.change("PATCH", path, &json!({"notes": "x"}));
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    label("/projects/other%20things%2F%C3%B6/runs/third");
    label("/projects/solder/runs/first");
    let (_, change) = event(&mut stream).unwrap();
    assert_eq!(
        (&change["project"], &change["run"]),
        (&json!("solder"), &json!("first"))
    );
    let odd = server.get("/api/v1/events?project=%00");
    assert_eq!(odd.error(), (400, "bad_request".into()));
}

#[test]
fn one_who_does_not_read_holds_up_nobody_and_the_end_reaches_all() {
    let folder = Folder::recorded();
    let mut server = Serving::open(&folder.root());
    let slow: Vec<Opened> = (0..8).map(|_| listen(&server, "")).collect();
    let mut quick = listen(&server, "");
    event(&mut quick).unwrap();
    let mut versions = Vec::new();
    for i in 0..5 {
        let patch = json!({"notes": format!("{i}")});
        server.change("PATCH", "/projects/solder/runs/first", &patch);
        let (_, change) = event(&mut quick).unwrap();
        versions.push(change["version"].as_u64().unwrap());
    }
    assert!(versions.is_sorted());
    assert!(
        server
            .get("/metrics")
            .text()
            .contains("cresset_event_clients 9")
    );
    server.end();
    while event(&mut quick).is_some() {}
    drop(slow);
}
