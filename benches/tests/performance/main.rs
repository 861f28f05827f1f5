//! The tables of `docs/performance.md` are what `benches/results` has, the newest file of each kind.
//!
//! `CRESSET_UPDATE=1 cargo test -p cresset-benches --test performance` writes them anew; `cargo xtask bench --keep` does that, too.

mod budgets;
mod results;
mod tables;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use results::Results;

const BEGIN: &str = "<!-- measured: ";
const END: &str = "<!-- end -->";

#[test]
fn the_tables_are_what_was_measured() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let file = root.join("docs/performance.md");
    let text = fs::read_to_string(&file).unwrap();
    let results = Results::read(&root.join("benches/results"));
    let filled = fill(&text, &results);
    if std::env::var_os("CRESSET_UPDATE").is_some() {
        fs::write(&file, &filled).unwrap();
    } else {
        assert!(
            text == filled,
            "docs/performance.md has other figures than benches/results: CRESSET_UPDATE=1 cargo test -p cresset-benches --test performance"
        );
    }
}

/// The text with each table between its marks made anew.
fn fill(text: &str, results: &Results) -> String {
    let mut filled = String::new();
    let mut lines = text.lines();
    let mut tables = 0;
    while let Some(line) = lines.next() {
        let _ = writeln!(filled, "{line}");
        let Some(name) = line.strip_prefix(BEGIN) else {
            continue;
        };
        let name = name.trim_end_matches("-->").trim();
        let table = match name {
            "budgets" => budgets::table(results),
            "peers" => tables::peers(results),
            "readers" => tables::readers(results),
            _ => tables::rows(results, name),
        };
        let _ = write!(filled, "\n{}\n\n{END}\n", table.trim_end());
        assert!(
            lines.any(|line| line == END),
            "the table `{name}` has no {END}"
        );
        tables += 1;
    }
    assert!(tables > 5, "docs/performance.md has {tables} tables only");
    filled
}
