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

#[test]
fn as_many_runs_are_written_as_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_fixtures"))
        .args(["many", "--runs", "3", "--out"])
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(status.success());
    let files = files(folder.path());
    let is_log = |path: &PathBuf| path.extension().is_some_and(|e| e == "log");
    let logs: Vec<_> = files.iter().filter(|(path, _)| is_log(path)).collect();
    assert_eq!(logs.len(), 3);
    assert!(logs.iter().all(|(_, bytes)| bytes.len() > 1_000));
}
