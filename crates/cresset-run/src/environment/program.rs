//! The program: its path, arguments and build.

use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::put;
use super::secrets::mask_arguments;

/// Most bytes of all arguments together.
const MAX_ARGUMENTS: usize = 64 << 10;

pub(super) fn capture() -> Json {
    let executable = std::env::current_exe().ok();
    let directory = std::env::current_dir().ok();
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut map = Map::new();
    put(&mut map, "executable", executable.as_deref().map(text));
    put_arguments(
        &mut map,
        std::env::args_os()
            .skip(1)
            .map(|argument| argument.to_string_lossy().into_owned()),
    );
    put(&mut map, "directory", directory.as_deref().map(text));
    put(&mut map, "profile", executable.as_deref().and_then(profile));
    Json::Object(map)
}

/// What this crate knows of its own compilation, which was part of the program's.
pub(super) fn build() -> Json {
    json!({
        "cresset": env!("CARGO_PKG_VERSION"),
        "debug_assertions": cfg!(debug_assertions),
        "opt_level": env!("CRESSET_OPT_LEVEL"),
        "rustc": env!("CRESSET_RUSTC_VERSION"),
        "target": env!("CRESSET_BUILD_TARGET"),
    })
}

fn put_arguments(map: &mut Map<String, Json>, arguments: impl Iterator<Item = String>) {
    let mut left = MAX_ARGUMENTS;
    let mut cut = false;
    let kept = arguments.take_while(|argument| {
        cut = argument.len() > left;
        left = left.saturating_sub(argument.len() + 1);
        !cut
    });
    let kept = mask_arguments(kept);
    map.insert("arguments".to_owned(), kept.into());
    put(map, "arguments_cut", cut.then_some(true));
}

/// The profile's folder in a path such as `target/release/train`, `target/<triple>/release/examples/train`.
fn profile(executable: &Path) -> Option<String> {
    let folder = executable.parent()?;
    let folder = match folder.file_name()?.to_str()? {
        "deps" | "examples" => folder.parent()?,
        _ => folder,
    };
    // Cargo marks its target folder; the profile is in it or, with a target triple, one deeper.
    let is_target = |folder: &Path| folder.join("CACHEDIR.TAG").exists();
    folder
        .ancestors()
        .skip(1)
        .take(2)
        .any(is_target)
        .then_some(())?;
    Some(folder.file_name()?.to_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_read_from_the_path() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("target")).unwrap();
        std::fs::write(root.path().join("target/CACHEDIR.TAG"), "").unwrap();
        for (path, expected) in [
            ("target/release/train", Some("release")),
            ("target/debug/deps/train-1234", Some("debug")),
            ("target/release-lto/examples/train", Some("release-lto")),
            (
                "target/x86_64-unknown-linux-gnu/release/train",
                Some("release"),
            ),
            ("bin/train", None),
        ] {
            assert_eq!(
                profile(&root.path().join(path)).as_deref(),
                expected,
                "{path}"
            );
        }
    }

    #[test]
    fn arguments_are_bounded_and_masked() {
        let mut map = Map::new();
        let long = "x".repeat(MAX_ARGUMENTS);
        put_arguments(
            &mut map,
            ["--token", "abc", &long, "y"].into_iter().map(String::from),
        );
        assert_eq!(map["arguments"], json!(["--token", "***"]));
        assert_eq!(map["arguments_cut"], json!(true));
    }

    #[test]
    fn this_test_knows_how_it_was_built() {
        let build = build();
        assert!(
            build["rustc"].as_str().unwrap().starts_with("rustc 1."),
            "{build}"
        );
        assert!(build["target"].as_str().unwrap().contains('-'), "{build}");
        let program = capture();
        assert!(
            program["executable"]
                .as_str()
                .unwrap()
                .contains("cresset_run")
        );
        assert!(program["profile"].is_string(), "{program}");
    }
}
