//! What people change: labels, trash, views, stops.

use serde_json::{Value as Json, json};

use crate::client::{Serving, wait_for};
use crate::recorded::{Folder, finish};

fn done(answer: &crate::client::Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let done = answer.json()["done"].clone();
    serde_json::from_value(done).unwrap()
}

#[test]
fn labels_stay_and_are_shown() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let path = "/projects/solder/runs/first";
    let patch = json!({"name": "renamed <i>", "group": null, "notes": "good", "tags": ["a", "b"]});
    let row = server.change("PATCH", path, &patch);
    assert_eq!(row.status, 200, "{}", row.text());
    assert_eq!(row.json()["name"], "renamed <i>");
    // What is left out stays.
    server.change("PATCH", path, &json!({"notes": "better"}));
    let run = server.json(path);
    assert_eq!(
        (&run["name"], &run["notes"]),
        (&json!("renamed <i>"), &json!("better"))
    );
    assert_eq!(
        (&run["group"], &run["tags"]),
        (&json!(null), &json!(["a", "b"]))
    );
    for (body, status) in [
        (json!({"name": ""}), 400),
        (json!({"tags": "a"}), 422),
        (json!({"color": "red"}), 422),
        (json!([1]), 422),
        (json!({"tags": vec!["x"; 10_000]}), 400),
    ] {
        let answer = server.change("PATCH", path, &body);
        assert_eq!(answer.error().0, status, "{body}");
    }
    let nobody = server.change(
        "PATCH",
        "/projects/solder/runs/nobody",
        &json!({"notes": ""}),
    );
    assert_eq!(nobody.error(), (404, "not_found".into()));
    let broken = server
        .request("PATCH", &format!("/api/v1{path}"))
        .header("x-cresset", "1")
        .header("content-type", "application/json")
        .body("{\"notes\":");
    assert_eq!(broken.send().error(), (400, "bad_request".into()));
}

#[test]
fn many_runs_at_once() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let act = |body: Json| server.change("POST", "/projects/solder/runs/actions", &body);
    let both = json!(["first", "second", "nobody"]);
    let tagged = act(json!({"runs": both, "action": "add_tags", "tags": ["x", "v4"]}));
    assert_eq!(done(&tagged), ["first", "second"]);
    assert_eq!(tagged.json()["refused"][0]["run"], "nobody");
    let tags = |run: &str| server.json(&format!("/projects/solder/runs/{run}"))["tags"].clone();
    assert_eq!(tags("first"), json!(["v4", "<b>bold</b>", "x"]));
    assert_eq!(tags("second"), json!(["x", "v4"]));
    done(&act(
        json!({"runs": both, "action": "remove_tags", "tags": ["x"]}),
    ));
    assert_eq!(tags("second"), json!(["v4"]));
    done(&act(
        json!({"runs": ["first"], "action": "set_group", "group": null}),
    ));
    assert_eq!(
        server.json("/projects/solder/runs/first")["group"],
        json!(null)
    );
    for (body, status) in [
        (json!({"runs": ["first"], "action": "set_group"}), 400),
        (json!({"runs": ["first"], "action": "explode"}), 422),
        (json!({"runs": ["a/b"], "action": "delete"}), 400),
        (json!({"action": "delete"}), 422),
        (json!({"runs": vec!["x"; 10_001], "action": "delete"}), 400),
    ] {
        assert_eq!(act(body.clone()).error().0, status, "{body}");
    }
}

#[test]
fn what_is_deleted_can_be_taken_back_until_it_is_gone_for_good() {
    let folder = Folder::recorded();
    let live = folder.begin("solder", "live").start().unwrap();
    live.log(0, [("a", 1.0)]);
    let server = Serving::open(&folder.root());
    let act = |action: &str, runs: Json| {
        let body = json!({"runs": runs, "action": action});
        server.change("POST", "/projects/solder/runs/actions", &body)
    };
    // A run that is being written stays.
    wait_for("the live run", || {
        (server.json("/projects/solder/runs")["total"] == 3).then_some(())
    });
    let deleted = act("delete", json!(["first", "live"]));
    assert_eq!(done(&deleted), ["first"]);
    assert_eq!(deleted.json()["refused"][0]["run"], "live");
    assert_eq!(server.json("/projects/solder/runs")["total"], 2);
    let trash = server.json("/trash");
    assert_eq!(
        (&trash[0]["run"], &trash[0]["name"]),
        (&json!("first"), &json!("the first"))
    );
    assert!(trash[0]["purged_after"].as_str() > trash[0]["deleted"].as_str());
    assert_eq!(done(&act("restore", json!(["first"]))), ["first"]);
    assert_eq!(server.json("/trash"), json!([]));
    finish(live);
    wait_for("its end", || {
        (server.json("/projects/solder/runs/live")["state"] == "finished").then_some(())
    });
    let mut all = done(&server.change("DELETE", "/projects/solder", &json!(null)));
    all.sort_unstable();
    assert_eq!(all, ["first", "live", "second"]);
    let chosen = json!({"runs": [{"project": "solder", "run": "first"}]});
    assert_eq!(
        done(&server.change("POST", "/trash/empty", &chosen)),
        ["first"]
    );
    assert!(!folder.path().join("solder/first").exists());
    assert!(folder.path().join("solder/second").exists());
    assert_eq!(
        done(&server.change("POST", "/trash/empty", &json!({}))).len(),
        2
    );
    assert_eq!(server.json("/trash"), json!([]));
}

#[test]
fn a_run_is_asked_to_stop() {
    let folder = Folder::recorded();
    let live = folder.begin("solder", "live").start().unwrap();
    live.log(0, [("a", 1.0)]);
    let server = Serving::open(&folder.root());
    let body = json!({"runs": ["live", "first"], "action": "stop", "reason": "enough"});
    let asked = wait_for("the stop", || {
        let asked = server.change("POST", "/projects/solder/runs/actions", &body);
        (done(&asked) == ["live"]).then_some(asked)
    });
    assert_eq!(asked.json()["refused"][0]["run"], "first");
    assert_eq!(
        server.json("/projects/solder/runs/live")["stop_requested"],
        true
    );
    finish(live);
}

#[test]
fn views_are_saved() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let path = "/projects/solder/views";
    assert_eq!(server.json(path), json!([]));
    let body = json!({"body": {"panels": [1, "<x>"], "none": null}});
    let saved = server.change("PUT", &format!("{path}/default"), &body);
    assert_eq!(saved.status, 200, "{}", saved.text());
    let view = server.json(&format!("{path}/default"));
    assert_eq!(
        (&view["name"], &view["body"]),
        (&json!("default"), &body["body"])
    );
    server.change("PUT", &format!("{path}/a%20%2F%20b"), &body);
    assert_eq!(server.json(path).as_array().unwrap().len(), 2);
    let large = json!({"body": "x".repeat(300 << 10)});
    let large = server.change("PUT", &format!("{path}/large"), &large);
    assert_eq!(large.error().0, 400);
    let gone = server.change("DELETE", &format!("{path}/default"), &json!(null));
    assert_eq!(gone.status, 204, "{}", gone.text());
    assert_eq!(server.get(&format!("/api/v1{path}/default")).error().0, 404);
}
