use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::costs::{build_script, sums};
use super::graph::{Built, Graph};
use super::page::Page;

/// `ours` builds with `wide`, which brings `deep` and `shared`, and with `shared`; `tests` is not published, and tests with `wide`.
fn graph() -> Graph {
    let package = |name: &str, publish: Json, dependencies: Json| json!({"id": name, "name": name, "version": "1.0.0", "publish": publish, "dependencies": dependencies});
    let declared = |name: &str, kind: Json, features: &[&str], default: bool| json!({"name": name, "kind": kind, "features": features, "uses_default_features": default, "path": null});
    let edge = |to: &str, kind: Json| json!({"pkg": to, "dep_kinds": [{"kind": kind}]});
    let metadata = json!({
        "workspace_members": ["ours", "tests"],
        "packages": [
            package("ours", Json::Null, json!([declared("wide", Json::Null, &["fast"], true), declared("shared", json!("build"), &[], false)])),
            package("tests", json!([]), json!([declared("wide", json!("dev"), &["slow"], false)])),
            package("wide", Json::Null, json!([])),
            package("deep", Json::Null, json!([])),
            package("shared", Json::Null, json!([])),
        ],
        "resolve": {"nodes": [
            {"id": "ours", "deps": [edge("wide", Json::Null), edge("shared", json!("build"))]},
            {"id": "tests", "deps": [edge("wide", json!("dev"))]},
            {"id": "wide", "deps": [edge("deep", Json::Null), edge("shared", Json::Null)]},
            {"id": "deep", "deps": []},
            {"id": "shared", "deps": []},
        ]},
    });
    Graph::parse(&metadata.to_string()).unwrap()
}

fn packages(names: &[&str]) -> BTreeSet<Built> {
    let built = |name: &&str| ((*name).to_owned(), "1.0.0".to_owned());
    names.iter().map(built).collect()
}

const PAGE: &str = "# What is used

| package | brings | s |
|---|--:|--:|
| `ours` | 9 | 9.0 |

More.

| dependency | built with | features | for | s | with what only it brings, s |
|---|---|---|---|--:|--:|
| gone | ours |  | nothing | 1.0 | 1.0 |
| wide | ours; tests of tests | `default` `fast` `slow` | width | 7.0 | 7.0 |

The end.
";

#[test]
fn a_dependency_brings_what_nobody_else_of_ours_declares() {
    let graph = graph();
    assert_eq!(
        graph.brought_by("ours"),
        packages(&["deep", "shared", "wide"])
    );
    assert_eq!(graph.brought_by("tests"), packages(&[]));
    let (itself, only) = graph.only_for("wide");
    assert_eq!(
        (itself, only),
        (packages(&["wide"]), packages(&["deep", "wide"]))
    );
    // It would still be there, as part of another.
    let (itself, only) = graph.only_for("shared");
    assert_eq!((itself, only), (packages(&["shared"]), packages(&[])));
    assert_eq!(graph.published(), [("ours".to_owned(), "1.0.0".to_owned())]);
}

#[test]
fn the_page_is_held_against_what_is_declared() {
    let mut page = Page::parse(PAGE).unwrap();
    assert_eq!(page.text(), PAGE);
    assert_eq!(
        page.faults(&graph()),
        ["- gone: nobody uses it", "- shared: it is not there"]
    );
    page.declare(&graph());
    assert_eq!(
        page.faults(&graph()),
        ["- shared: it does not say what it is for"]
    );
    let narrow = PAGE.replace("`fast` ", "");
    let faults = Page::parse(&narrow).unwrap().faults(&graph());
    assert!(faults.contains(&"- wide: its users or features have changed".to_owned()));
    assert!(Page::parse("# Nothing\n").is_err());
}

#[test]
fn what_was_measured_is_entered_and_the_rest_stays() {
    let graph = graph();
    let mut page = Page::parse(PAGE).unwrap();
    page.declare(&graph);
    page.enter(
        &graph,
        &sums("wide\t1.0.0\t2.5\nwide\t1.0.0\t0.5\ndeep\t1.0.0\t1\n"),
    );
    let text = page.text();
    // `shared` was not measured: nothing is said of what it takes part in.
    for row in [
        "| `ours` | 9 | 9.0 |",
        "| shared | ours |  |  | – | – |",
        "| wide | ours; tests of tests | `default` `fast` `slow` | width | 3.0 | 4.0 |",
    ] {
        assert!(text.contains(row), "{row} in {text}");
    }
    page.enter(
        &graph,
        &sums("ours\t1.0.0\t9\nwide\t1.0.0\t3\ndeep\t1.0.0\t1\nshared\t1.0.0\t0.25\n"),
    );
    assert!(
        page.text().contains("| `ours` | 3 | 4.2 |"),
        "{}",
        page.text()
    );
    assert!(page.text().contains("| shared | ours |  |  | 0.2 | – |"));
}

#[test]
fn build_scripts_are_found_where_the_compiler_puts_them() {
    let args = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
    let script = "--crate-name build_script_build build.rs --crate-type bin -C metadata=1 -C extra-filename=-2 --out-dir /out";
    assert_eq!(
        build_script(&args(script)).as_deref(),
        Some(Path::new("/out/build_script_build-2"))
    );
    let library = script.replace("build_script_build build.rs", "serde src/lib.rs");
    assert_eq!(build_script(&args(&library)), None);
    assert_eq!(build_script(&args("-vV")), None);
}
