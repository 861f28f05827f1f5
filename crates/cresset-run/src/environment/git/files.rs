//! Commit and branch from the files of a repository, for where the program is missing or refuses.

use std::path::{Path, PathBuf};

use crate::environment::read;

/// What `HEAD` points to.
#[derive(Debug, PartialEq)]
pub(super) struct Head {
    pub(super) root: PathBuf,
    pub(super) commit: Option<String>,
    pub(super) branch: Option<String>,
}

/// The head of the work tree that `directory` is in.
pub(super) fn head(directory: &Path) -> Option<Head> {
    let root = directory
        .ancestors()
        .find(|folder| folder.join(".git").exists())?;
    let folder = repository(root)?;
    let head = read(folder.join("HEAD"))?;
    let (commit, branch) = match head.strip_prefix("ref: ") {
        Some(name) => (resolve(&folder, name), name.strip_prefix("refs/heads/")),
        None => (Some(head.clone()), None),
    };
    Some(Head {
        root: root.to_path_buf(),
        commit: commit.filter(|commit| is_hash(commit)),
        // Repositories that keep references in tables have this word instead of the branch.
        branch: branch.filter(|name| *name != ".invalid").map(str::to_owned),
    })
}

/// The folder of the repository: `.git`, or what a file of that name points to in linked work trees and submodules.
fn repository(root: &Path) -> Option<PathBuf> {
    let path = root.join(".git");
    if path.is_dir() {
        return Some(path);
    }
    let text = read(path)?;
    Some(root.join(text.strip_prefix("gitdir: ")?))
}

/// The commit of a reference: in a file of its own, or in the list of packed ones. Linked work trees share both.
fn resolve(folder: &Path, name: &str) -> Option<String> {
    let shared = match read(folder.join("commondir")) {
        Some(path) => folder.join(path),
        None => folder.to_path_buf(),
    };
    read(folder.join(name))
        .or_else(|| read(shared.join(name)))
        .or_else(|| {
            read(shared.join("packed-refs"))?
                .lines()
                .filter_map(|line| line.split_once(' '))
                .find(|(_, packed)| *packed == name)
                .map(|(commit, _)| commit.to_owned())
        })
}

fn is_hash(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|b| b.is_ascii_hexdigit())
}
