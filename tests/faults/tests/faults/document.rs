//! The tables of faults and claims, against the tree.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The cells of each row of the first table in a text.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().filter(|line| line.starts_with("| "));
    let rows = lines.skip(1).map(|line| line.split(" | ").collect());
    rows.collect()
}

/// The tests that a cell names, each after its file; in a browser, a file is a test.
fn tests(cell: &str) -> Vec<(&str, Option<&str>)> {
    let quoted: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
    let named = quoted.iter().enumerate();
    named
        .filter_map(|(at, file)| match () {
            () if file.ends_with(".rs") => {
                let test = quoted.get(at + 1);
                Some((
                    *file,
                    Some(*test.unwrap_or_else(|| panic!("{cell}: a test of {file}"))),
                ))
            }
            () if file.ends_with(".spec.ts") => Some((*file, None)),
            () => None,
        })
        .collect()
}

fn assert_exists((file, test): (&str, Option<&str>)) {
    let source = fs::read_to_string(root().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    if let Some(test) = test {
        let is_there = source.contains(&format!("fn {test}("));
        assert!(is_there, "{file} has no test {test}");
    }
}

#[test]
fn every_fault_has_a_test() {
    let text = fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    let mut parts = text.split("\n## ");
    let rows = rows(parts.find(|part| part.starts_with("Faults")).unwrap());
    assert!(rows.len() > 30, "{}", rows.len());
    for row in rows {
        assert_eq!(row.len(), 4, "{row:?}");
        let named = tests(row[1]);
        assert_eq!(named.len(), 1, "{row:?}: a file and a test in it");
        assert_exists(named[0]);
    }
}

#[test]
fn every_claim_is_shown() {
    let text = fs::read_to_string(root().join("docs/claims.md")).unwrap();
    let rows = rows(&text);
    assert!(rows.len() > 20, "{}", rows.len());
    for row in rows {
        assert_eq!(row.len(), 2, "{row:?}");
        let named = tests(row[1]);
        let is_measured = row[1].contains("`cargo xtask ");
        assert!(
            is_measured || !named.is_empty(),
            "{row:?}: a test or a command"
        );
        named.into_iter().for_each(assert_exists);
    }
}
