//! The program `fixtures`, as tests and benchmarks start it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is in a folder, by path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_path_buf();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn written(seed: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_fixtures"))
        .args(["many", "--runs", "3", "--seed", seed, "--out"])
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(status.success());
    files(folder.path())
}

#[test]
fn the_same_seed_gives_the_same_runs_and_another_gives_others() {
    let first = written("1");
    assert!(
        first
            .keys()
            .filter(|path| path.extension().is_some_and(|e| e == "log"))
            .count()
            == 3
    );
    assert!(first == written("1"));
    assert!(first != written("2"));
}
