//! Against real repositories, made by the git of this machine.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::environment::mask;

/// A busy machine may be slow; what is late is tested elsewhere.
const PATIENCE: Duration = Duration::from_secs(60);

fn capture(directory: &Path) -> Option<Json> {
    capture_with("git".as_ref(), directory, PATIENCE)
}

/// A repository in a folder of its own.
struct Repository(TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        repository.git("init --quiet --initial-branch=main");
        repository
    }

    fn with_commit() -> Self {
        let repository = Self::new();
        repository.write("train.rs", "fn main() {}\n");
        repository.commit();
        repository
    }

    fn path(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), content).unwrap();
    }

    fn commit(&self) {
        self.git("add --all");
        self.git(
            "-c user.name=a -c user.email=a@b -c commit.gpgSign=false commit --quiet --message=x",
        );
    }

    fn git(&self, arguments: &str) -> String {
        let output = Command::new("git")
            .arg("-C")
            .arg(self.path())
            .args(arguments.split(' '))
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// What is recorded, masked as it will be.
    fn captured(&self) -> Map<String, Json> {
        let mut map = Map::new();
        put(&mut map, "git", capture(&self.path()));
        mask(&mut map);
        match map.remove("git") {
            Some(Json::Object(git)) => git,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_clean_work_tree_has_commit_and_branch_and_no_diff() {
    let repository = Repository::with_commit();
    let git = repository.captured();
    assert_eq!(git["root"], *repository.path().to_str().unwrap());
    assert_eq!(git["commit"], *repository.git("rev-parse HEAD"));
    assert_eq!(git["branch"], "main");
    assert_eq!(git["dirty"], false);
    assert_eq!(git["untracked"], 0);
    for absent in ["diff", "diff_cut", "remote", "incomplete"] {
        assert!(!git.contains_key(absent), "{git:?}");
    }
}

#[test]
fn changes_are_recorded_without_binaries_and_secrets() {
    let repository = Repository::with_commit();
    repository.write("weights.bin", [0u8, 1, 2, 255]);
    repository.write(".env", "A=1\n");
    repository.commit();
    repository.write("weights.bin", [0u8, 9, 9, 255]);
    repository.write(".env", "PLAIN=leaked-by-file\n");
    repository.write(
        "train.rs",
        "fn main() { let api_key = \"leaked-by-name\"; }\n// https://me:leaked-in-url@host/x\n",
    );
    repository.write("new.rs", "untracked\n");
    let git = repository.captured();
    let diff = git["diff"].as_str().unwrap();
    assert_eq!(
        (&git["dirty"], &git["untracked"]),
        (&true.into(), &1.into())
    );
    assert!(
        diff.contains("+fn main() { let api_key = \"***\"; }"),
        "{diff}"
    );
    assert!(diff.contains("https://***@host/x"), "{diff}");
    assert!(
        diff.contains("Binary files a/weights.bin and b/weights.bin differ"),
        "{diff}"
    );
    assert!(!diff.contains("leaked"), "{diff}");
    assert!(!diff.contains("untracked"), "{diff}");
}

#[test]
fn staged_changes_count_as_changes() {
    let repository = Repository::with_commit();
    repository.write("added.rs", "staged\n");
    repository.git("add added.rs");
    let git = repository.captured();
    assert_eq!(
        (&git["dirty"], &git["untracked"]),
        (&true.into(), &0.into())
    );
    assert!(git["diff"].as_str().unwrap().contains("+staged"));
}

#[test]
fn a_large_diff_is_cut_at_a_line() {
    let repository = Repository::with_commit();
    repository.write("train.rs", "a \"quoted\" line\n".repeat(200_000));
    let git = repository.captured();
    assert_eq!(git["diff_cut"], true);
    let json = serde_json::to_string(&git["diff"]).unwrap();
    assert!(
        (MAX_BYTES - 100..=MAX_BYTES + 2).contains(&json.len()),
        "{}",
        json.len()
    );
    assert!(json.ends_with("line\\n\""));
}

#[test]
fn a_detached_head_has_no_branch() {
    let repository = Repository::with_commit();
    repository.git("checkout --quiet --detach");
    let git = repository.captured();
    assert_eq!(git["commit"], *repository.git("rev-parse HEAD"));
    assert!(!git.contains_key("branch"));
}

#[test]
fn before_the_first_commit_there_is_a_branch_only() {
    let repository = Repository::new();
    repository.write("train.rs", "x\n");
    let git = repository.captured();
    assert_eq!(
        (&git["branch"], &git["untracked"]),
        (&"main".into(), &1.into())
    );
    assert!(
        !git.contains_key("commit") && !git.contains_key("incomplete"),
        "{git:?}"
    );
}

#[test]
fn the_remote_has_no_credentials() {
    let repository = Repository::with_commit();
    repository.git("remote add upstream https://me:pw@example.com/upstream.git");
    assert_eq!(
        repository.captured()["remote"],
        "https://example.com/upstream.git"
    );
    repository.git("remote add origin ssh://git:pw@example.com/origin.git");
    assert_eq!(
        repository.captured()["remote"],
        "ssh://git@example.com/origin.git"
    );
    for (url, expected) in [
        ("https://token@example.com/x", "https://example.com/x"),
        ("https://example.com/a@b", "https://example.com/a@b"),
        ("git@example.com:team/x.git", "git@example.com:team/x.git"),
        ("/srv/git/x", "/srv/git/x"),
        ("https://a:b@c", "https://c"),
    ] {
        assert_eq!(without_credentials(url), expected);
    }
}

#[test]
fn a_subfolder_sees_the_whole_work_tree() {
    let repository = Repository::with_commit();
    repository.write("train.rs", "changed\n");
    let folder = repository.path().join("deep");
    fs::create_dir(&folder).unwrap();
    let git = capture(&folder).unwrap();
    assert_eq!(git["root"], *repository.path().to_str().unwrap());
    assert!(git["diff"].as_str().unwrap().contains("+changed"));
}

#[test]
fn no_repository_is_no_value() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(capture(folder.path()), None);
    assert_eq!(capture(&folder.path().join("missing")), None);
}

#[test]
fn without_the_program_the_files_tell_the_commit() {
    let without_git = |path: &Path| capture_with("/nonexistent/git".as_ref(), path, PATIENCE);
    let repository = Repository::with_commit();
    let commit = repository.git("rev-parse HEAD");
    let check = |branch: Option<&str>| {
        let git = without_git(&repository.path()).unwrap();
        assert_eq!(git["commit"], *commit);
        assert_eq!(git.get("branch").and_then(Json::as_str), branch);
        assert_eq!(
            git["incomplete"],
            serde_json::json!(["status", "diff", "remote"])
        );
    };
    check(Some("main"));
    repository.git("pack-refs --all");
    check(Some("main"));
    repository.git("checkout --quiet --detach");
    check(None);

    let other = tempfile::tempdir().unwrap();
    let tree = other.path().join("tree");
    repository.git(&format!(
        "worktree add --quiet -b feature {}",
        tree.display()
    ));
    let git = without_git(&tree).unwrap();
    assert_eq!(
        (&git["commit"], &git["branch"]),
        (&commit.into(), &"feature".into())
    );
    assert_eq!(without_git(other.path()), None);
}

#[test]
fn files_that_hold_a_key_are_named_once_they_are_committed() {
    let repository = Repository::with_commit();
    let key = format!("crs_{}", "0123456789abcdef".repeat(4));
    for folder in ["deploy", "de ploy"] {
        fs::create_dir(repository.path().join(folder)).unwrap();
    }
    repository.write("deploy/run.sh", format!("export CRESSET_API_KEY={key}\n"));
    repository.write("notes.md", "keys look like crs_0123\n");
    assert_eq!(repository.captured().get("committed_keys"), None);
    repository.commit();
    let git = repository.captured();
    assert_eq!(git["committed_keys"], serde_json::json!(["deploy/run.sh"]));
    assert!(!Json::from(git).to_string().contains(&key));
    // Whatever the file is called.
    repository.write("de ploy/*ü\".sh", &key);
    repository.commit();
    let git = repository.captured();
    assert_eq!(
        git["committed_keys"],
        serde_json::json!(["de ploy/*ü\".sh", "deploy/run.sh"])
    );
    // One that is taken out is no news.
    fs::remove_file(repository.path().join("de ploy/*ü\".sh")).unwrap();
    repository.commit();
    // Where the program is started does not matter.
    let inside = capture(&repository.path().join("deploy")).unwrap();
    assert_eq!(
        inside["committed_keys"],
        serde_json::json!(["deploy/run.sh"])
    );
}
