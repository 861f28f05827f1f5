//! The Cargo project that the program was built from, and the crates in its lock file.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::non_empty;

/// Crates whose version matters to a result: the name, or a `*` for what may follow.
const CRATES: &[&str] = &[
    "burn",
    "burn-*",
    "candle-*",
    "cresset",
    "cresset-*",
    "cubecl",
    "cubecl-*",
    "cudarc",
    "gemm",
    "half",
    "image",
    "ndarray",
    "nvml-wrapper",
    "ort",
    "rand",
    "rayon",
    "safetensors",
    "tch",
    "tokenizers",
];
/// Most crates kept.
const MAX_CRATES: usize = 128;
/// The largest lock file read, in bytes.
const MAX_LOCK_FILE: u64 = 16 << 20;

/// The folder whose code runs: of the executable, if it lies in a Cargo project (as `target/release/train` does), or
/// else of the working directory, which need not be one.
pub(super) fn directory() -> Option<PathBuf> {
    let executable = std::env::current_exe().ok();
    let working = std::env::current_dir().ok();
    let project = |path: Option<&Path>| path.and_then(workspace);
    project(executable.as_deref())
        .or_else(|| project(working.as_deref()))
        .or(working)
}

/// The nearest folder at or above `path` with a `Cargo.lock`.
fn workspace(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .find(|folder| folder.join("Cargo.lock").is_file())
        .map(Path::to_path_buf)
}

/// Versions of well-known crates in the lock file of a folder, by name.
pub(super) fn crate_versions(directory: &Path) -> Option<Json> {
    let path = directory.join("Cargo.lock");
    if std::fs::metadata(&path).ok()?.len() > MAX_LOCK_FILE {
        return None;
    }
    non_empty(versions(&std::fs::read_to_string(path).ok()?))
}

fn versions(lock_file: &str) -> Map<String, Json> {
    let mut found: Map<String, Json> = Map::new();
    for package in lock_file.split("[[package]]").skip(1) {
        let field = |name: &str| {
            package.lines().find_map(|line| {
                let value = line.strip_prefix(name)?.strip_prefix(" = \"")?;
                value.strip_suffix('"')
            })
        };
        let (Some(name), Some(version)) = (field("name"), field("version")) else {
            continue;
        };
        if !is_wanted(name) || (found.len() == MAX_CRATES && !found.contains_key(name)) {
            continue;
        }
        let commit = field("source")
            .filter(|source| source.starts_with("git+"))
            .and_then(|source| source.rsplit_once('#'));
        let version = match commit {
            Some((_, commit)) => format!("{version} (git {commit})"),
            None => version.to_owned(),
        };
        let joined = match found.get(name).and_then(Json::as_str) {
            Some(other) => format!("{other}, {version}"),
            None => version,
        };
        found.insert(name.to_owned(), joined.into());
    }
    found
}

fn is_wanted(name: &str) -> bool {
    CRATES.iter().any(|wanted| match wanted.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == *wanted,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_are_read_from_a_lock_file() {
        let lock_file = r#"
version = 4

[[package]]
name = "anyhow"
version = "1.0.0"

[[package]]
name = "candle-core"
version = "0.11.1"
source = "git+https://example.com/candle?branch=main#2a13b0f3f"
dependencies = [
 "half 2.6.0",
]

[[package]]
name = "half"
version = "1.8.0"

[[package]]
name = "half"
version = "2.6.0"
source = "registry+https://example.com/index"
"#;
        assert_eq!(
            Json::Object(versions(lock_file)),
            json!({"candle-core": "0.11.1 (git 2a13b0f3f)", "half": "1.8.0, 2.6.0"})
        );
        assert!(versions("[[package]]\nname = \"burn\"\n<<<<<<<").is_empty());
    }

    #[test]
    fn this_workspace_is_found() {
        let directory = directory().unwrap();
        let crates = crate_versions(&directory).unwrap();
        assert_eq!(crates["cresset-run"], env!("CARGO_PKG_VERSION"), "{crates}");
    }
}
