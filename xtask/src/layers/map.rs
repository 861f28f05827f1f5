//! The map in `docs/ARCHITECTURE.md` against the tree: all packages are on it, and what is on it exists.

use std::fs;
use std::path::Path;

use super::workspace::{Package, Workspace};

/// What the map at `path` in the folder `root` gets wrong.
pub(super) fn check(root: &Path, path: &Path, workspace: &Workspace) -> Vec<String> {
    let text = match fs::read_to_string(root.join(path)) {
        Ok(text) => text,
        Err(e) => return vec![format!("{}: {e}", path.display())],
    };
    let mut breaches = Vec::new();
    for package in &workspace.packages {
        if !code(&text).any(|word| word == package.name) {
            breaches.push(format!("{} does not name {}", path.display(), package.name));
        }
    }
    let mut section: Option<&Package> = None;
    for (number, line) in text.lines().enumerate() {
        let at = format!("{}:{}", path.display(), number + 1);
        if line.starts_with('#') {
            section = None;
            if let Some(name) = code(line).next() {
                section = workspace.package(name);
                if section.is_none() {
                    breaches.push(format!("{at} has a section on {name}, which is no package"));
                }
            }
            continue;
        }
        for word in code(line) {
            if is_path(word) && !exists(root, section, word) {
                let within = section.map_or(String::new(), |p| format!(" in {}", p.name));
                breaches.push(format!("{at} names {word}, which does not exist{within}"));
            }
        }
    }
    breaches
}

/// The words between backticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split('`').skip(1).step_by(2);
    parts.filter(|part| !part.contains('\n'))
}

/// Whether a word names a file or folder of the tree: Rust files, folders with a slash at the end, and what begins with a
/// folder of ours. Patterns and places outside, such as `<root>/…`, do not.
fn is_path(word: &str) -> bool {
    const FOLDERS: [&str; 9] = [
        "crates/",
        "docs/",
        "examples/",
        "datasets/",
        "benches/",
        "xtask/",
        "fuzz/",
        "tests/",
        ".ci/",
    ];
    let plain = word
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    plain
        && (word.ends_with(".rs")
            || FOLDERS.iter().any(|folder| word.starts_with(folder))
            || word.ends_with('/'))
}

/// Paths are from the root or, under a heading that names a package, from the package or its `src`.
fn exists(root: &Path, section: Option<&Package>, word: &str) -> bool {
    let in_package = |package: &Package| {
        let folder = package.folder();
        folder.join(word).exists() || folder.join("src").join(word).exists()
    };
    root.join(word).exists() || section.is_some_and(in_package)
}
