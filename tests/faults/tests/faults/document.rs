//! The table of faults, against the tree.

use std::fs;
use std::path::Path;

#[test]
fn every_fault_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    let table = text
        .split("\n## ")
        .find(|part| part.starts_with("Faults"))
        .unwrap();
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .collect();
    assert!(rows.len() > 30, "{}", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        assert_eq!(cells.len(), 4, "{row}");
        let named: Vec<&str> = cells[1].split('`').collect();
        let [_, file, _, test, _] = named[..] else {
            panic!("{row}: a file and a test in it")
        };
        let source = fs::read_to_string(root.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert!(
            source.contains(&format!("fn {test}(")),
            "{file} has no test {test}"
        );
    }
}
