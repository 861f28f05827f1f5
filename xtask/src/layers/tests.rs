//! The checker must find what it is there to find: on made-up metadata, and on real workspaces made for it.

use std::fs;

use super::*;
use rules::Family;

const RECORD: &str = r#"{"name": "cresset-record", "manifest_path": "/w/crates/cresset-record/Cargo.toml",
    "dependencies": [{"name": "serde", "kind": null}], "features": {}}"#;

/// A dependency's name and kind.
type Edge = (&'static str, Option<&'static str>);

/// The workspace of [`RULES`], each package with no dependencies but those given.
fn metadata(package: &str, dependencies: &[Edge]) -> Workspace {
    let dependencies: Vec<_> = dependencies
        .iter()
        .map(|(name, kind)| serde_json::json!({"name": name, "kind": kind}))
        .collect();
    let packages: Vec<_> = RULES
        .iter()
        .map(|rule| {
            serde_json::json!({
                "name": rule.package,
                "manifest_path": format!("/w/{}/Cargo.toml", rule.package),
                "dependencies": if rule.package == package { dependencies.clone() } else { vec![] },
                "features": {},
            })
        })
        .collect();
    Workspace::parse(&serde_json::json!({"packages": packages}).to_string()).unwrap()
}

fn breaches(package: &str, dependencies: &[Edge]) -> Vec<String> {
    workspace::check(&metadata(package, dependencies), RULES)
}

#[test]
fn allowed_edges_pass() {
    let cases: [(&str, &[Edge]); 5] = [
        ("cresset-run", &[("cresset-record", None), ("half", None)]),
        (
            "cresset-candle",
            &[("cresset-run", None), ("candle-core", None)],
        ),
        ("cresset-cli", &[("cresset-run", Some("dev"))]),
        (
            "defect-classifier",
            &[("candle-nn", None), ("cresset", None)],
        ),
        // For tests of features that are not default.
        ("cresset-run", &[("cresset-run", Some("dev"))]),
    ];
    for (package, dependencies) in cases {
        assert_eq!(breaches(package, dependencies), [""; 0], "{package}");
    }
}

#[test]
fn forbidden_edges_fail() {
    let cases: [(&str, &'static str, Option<&'static str>); 7] = [
        ("cresset-record", "cresset-run", None),
        ("cresset-run", "cresset-candle", None),
        ("cresset-run", "cresset-candle", Some("build")),
        ("cresset-record", "cresset-run", Some("dev")),
        ("cresset-cli", "cresset-run", None),
        ("cresset-run", "candle-core", None),
        ("cresset", "burn", Some("dev")),
    ];
    for (package, dependency, kind) in cases {
        let found = breaches(package, &[(dependency, kind)]);
        assert_eq!(found.len(), 1, "{package} on {dependency}: {found:?}");
        assert!(found[0].starts_with(&format!("{package} depends on {dependency}")));
    }
}

#[test]
fn every_package_needs_a_rule_and_every_rule_a_package() {
    let workspace = Workspace::parse(&format!(r#"{{"packages": [{RECORD}]}}"#)).unwrap();
    let record = RULES
        .iter()
        .find(|r| r.package == "cresset-record")
        .unwrap();
    assert_eq!(workspace::check(&workspace, &[*record]), [""; 0]);
    assert!(workspace::check(&workspace, &[])[0].contains("has no rule"));
    let stale = workspace::check(&workspace, &RULES[..2]);
    assert_eq!(stale.len(), 1, "{stale:?}");
    assert!(stale[0].contains("cresset-run, which is no package"));
}

#[test]
fn what_is_reached_is_found_in_the_tree() {
    let rule = RULES.iter().find(|r| r.package == "cresset-run").unwrap();
    let clean = "cresset-run v0.1.0 (/w)\nserde v1.0.0\nimage v0.25.0\nserde v1.0.0 (*)\ncandle-im2col v0.1.0\n";
    assert_eq!(reach::forbidden(rule, &[], clean), [""; 0]);
    for name in [
        "tokio",
        "hyper-util",
        "libsqlite3-sys",
        "sqlx-core",
        "candle-core",
        "burn-train",
    ] {
        let tree = format!("{clean}{name} v1.2.3\n");
        let found = reach::forbidden(rule, &["--no-default-features".into()], &tree);
        assert_eq!(found.len(), 1, "{name}");
        assert!(found[0].contains(name) && found[0].contains("--no-default-features"));
    }
}

#[test]
fn the_metadata_of_this_workspace_is_understood() {
    let workspace = Workspace::read(crate::root()).unwrap();
    assert!(workspace.package("xtask").is_some());
}

/// A workspace of packages that are named like real ones and are empty.
struct Made(tempfile::TempDir);

impl Made {
    fn new() -> Self {
        let made = Self(tempfile::tempdir().unwrap());
        made.file(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"low\", \"high\"]\nexclude = [\"others\"]\n",
        );
        made.package("low", "");
        made.package("high", "[dependencies]\nlow = { path = \"../low\" }\n");
        made.package("others/tokio", "");
        made.package(
            "others/wrapper",
            "[dependencies]\ntokio = { path = \"../tokio\" }\n",
        );
        made.file(
            "docs/ARCHITECTURE.md",
            "- `low`, `high`\n\n### `low`\n\n`lib.rs`\n",
        );
        made
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn package(&self, path: &str, rest: &str) {
        let name = path.rsplit('/').next().unwrap();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n{rest}"
        );
        self.file(&format!("{path}/Cargo.toml"), &manifest);
        self.file(&format!("{path}/src/lib.rs"), "");
    }

    fn breaches(&self) -> Vec<String> {
        const TOKIO: Family = Family::new("async", &["tokio"]);
        let rule = |package, uses| Rule {
            package,
            uses,
            tests_use: &[],
            never: &[TOKIO],
        };
        let root = self.0.path();
        let workspace = Workspace::read(root).unwrap();
        check(
            root,
            &workspace,
            &[rule("low", &[]), rule("high", &["low"])],
        )
        .unwrap()
    }
}

#[test]
fn a_clean_workspace_passes() {
    assert_eq!(Made::new().breaches(), [""; 0]);
}

#[test]
fn a_dependency_reached_through_another_package_fails() {
    let made = Made::new();
    made.package(
        "low",
        "[dependencies]\nwrapper = { path = \"../others/wrapper\" }\n",
    );
    let found = made.breaches();
    assert_eq!(found.len(), 2, "both reach it: {found:?}");
    assert!(found.iter().all(|b| b.contains("reaches tokio")));
}

#[test]
fn a_dependency_behind_a_feature_or_a_platform_fails_and_one_of_tests_passes() {
    let made = Made::new();
    let wrapper = "wrapper = { path = \"../others/wrapper\" }\n";
    made.package("low", &format!("[dev-dependencies]\n{wrapper}"));
    assert_eq!(made.breaches(), [""; 0]);
    made.package(
        "low",
        &format!("[target.'cfg(windows)'.dependencies]\n{wrapper}"),
    );
    assert_eq!(made.breaches().len(), 2);
    made.package("low", &format!("[build-dependencies]\n{wrapper}"));
    assert_eq!(made.breaches().len(), 2);
    let optional = wrapper.replace(" }", ", optional = true }");
    made.package(
        "low",
        &format!("[dependencies]\n{optional}[features]\nextra = [\"dep:wrapper\"]\n"),
    );
    let found = made.breaches();
    assert_eq!(found.len(), 1, "only with the feature: {found:?}");
    assert!(found[0].contains("--features extra"));
}

#[test]
fn an_edge_against_the_direction_fails() {
    let made = Made::new();
    made.package("high", "");
    made.package("low", "[dependencies]\nhigh = { path = \"../high\" }\n");
    let found = made.breaches();
    assert_eq!(found, ["low depends on high, which it must not use"]);
}

#[test]
fn a_map_that_is_wrong_fails() {
    let cases = [
        ("- `low`\n", "does not name high"),
        (
            "`low` `high`\n### `gone`\n",
            "a section on gone, which is no package",
        ),
        (
            "`low` `high`\n### `low`\n`gone.rs`\n",
            "names gone.rs, which does not exist in low",
        ),
        (
            "`low` `high`\n### `low`\n`engine/`\n",
            "names engine/, which does not exist in low",
        ),
        (
            "`low` `high` `crates/gone`\n",
            "names crates/gone, which does not exist",
        ),
    ];
    for (text, expected) in cases {
        let made = Made::new();
        made.file("docs/ARCHITECTURE.md", text);
        let found = made.breaches();
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].contains(expected), "{}", found[0]);
    }
    let made = Made::new();
    fs::remove_file(made.0.path().join("docs/ARCHITECTURE.md")).unwrap();
    assert_eq!(made.breaches().len(), 1, "no map at all");
}
