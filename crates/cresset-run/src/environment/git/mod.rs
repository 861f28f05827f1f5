//! The state of the source code: commit, branch, changes, remote.

mod files;
mod keys;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json};

use super::command::{Output, output};
use super::put;

/// How long one call of git may take.
const CALL_LIMIT: Duration = Duration::from_secs(2);
/// How many times as long all calls together may take.
const ALL_CALLS: u32 = 2;
/// Most bytes of the diff as JSON, and most bytes read of any other answer.
const MAX_BYTES: usize = 1 << 20;

/// Files that hold secrets, by their names: the diff leaves them out.
const SECRET_FILES: &[&str] = &[
    ".env",
    ".env.*",
    ".envrc",
    ".netrc",
    ".npmrc",
    ".pypirc",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.kdbx",
    "id_rsa*",
    "id_ed25519*",
    "id_ecdsa*",
    "credentials",
    "credentials.*",
    "secrets.*",
];

/// What git knows of the work tree around `directory`; nothing outside of one.
pub(super) fn capture(directory: &Path) -> Option<Json> {
    capture_with("git".as_ref(), directory, CALL_LIMIT)
}

fn capture_with(program: &OsStr, directory: &Path, call_limit: Duration) -> Option<Json> {
    let git = Git {
        program,
        directory,
        call_limit,
        deadline: Instant::now() + call_limit * ALL_CALLS,
    };
    let Some(root) = git.line(&["rev-parse", "--show-toplevel"]) else {
        // No git here, or it refuses a work tree of another user: the files still tell the commit.
        return files::head(directory).map(|head| {
            let mut map = Map::new();
            put(&mut map, "root", head.root.to_str());
            put(&mut map, "commit", head.commit);
            put(&mut map, "branch", head.branch);
            map.insert(
                "incomplete".to_owned(),
                vec!["status", "diff", "remote"].into(),
            );
            Json::Object(map)
        });
    };
    let mut map = Map::new();
    let mut incomplete = Vec::new();
    let status = git.status();
    let head = match &status {
        Some(status) => status.head.clone(),
        None => git.head(),
    };
    let has_commit = head.commit.is_some();
    map.insert("root".to_owned(), root.into());
    put(&mut map, "commit", head.commit);
    put(&mut map, "branch", head.branch);
    put(&mut map, "remote", git.remote());
    match &status {
        Some(status) => {
            map.insert("dirty".to_owned(), status.dirty.into());
            map.insert("untracked".to_owned(), status.untracked.into());
        }
        None => incomplete.push("status"),
    }
    // Each call of git takes milliseconds, which a short run waits for when it finishes.
    if status.is_none_or(|status| status.dirty) {
        match git.diff() {
            Some(diff) if !diff.text.is_empty() => {
                map.insert("diff".to_owned(), diff.text.into());
                put(&mut map, "diff_cut", diff.cut.then_some(true));
            }
            // Before the first commit there is nothing to compare with.
            None if has_commit => incomplete.push("diff"),
            _ => {}
        }
    }
    let keys = if has_commit {
        keys::committed(&git)
    } else {
        Vec::new()
    };
    if !keys.is_empty() {
        map.insert("committed_keys".to_owned(), keys.into());
    }
    if !incomplete.is_empty() {
        map.insert("incomplete".to_owned(), incomplete.into());
    }
    Some(Json::Object(map))
}

struct Git<'a> {
    program: &'a OsStr,
    directory: &'a Path,
    call_limit: Duration,
    deadline: Instant,
}

struct Status {
    head: Head,
    dirty: bool,
    untracked: usize,
}

#[derive(Clone, Default)]
struct Head {
    commit: Option<String>,
    branch: Option<String>,
}

struct Diff {
    text: String,
    cut: bool,
}

impl Git<'_> {
    fn output(&self, arguments: &[&str]) -> Option<Output> {
        let mut command = Command::new(self.program);
        // A hook or a wrapper may have set these for another repository.
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(variable);
        }
        command
            .arg("-C")
            .arg(self.directory)
            // Nothing may ask the user, take the lock of the index, or start a helper.
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .args(["-c", "core.fsmonitor=false", "-c", "core.quotePath=false"])
            .args(arguments);
        let deadline = self.deadline.min(Instant::now() + self.call_limit);
        output(&mut command, MAX_BYTES, deadline)
    }

    fn text(&self, arguments: &[&str]) -> Option<String> {
        let bytes = self.output(arguments)?.bytes;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The first line of an answer, if there is one.
    fn line(&self, arguments: &[&str]) -> Option<String> {
        let text = self.text(arguments)?;
        let line = text.lines().next()?;
        (!line.is_empty()).then(|| line.to_owned())
    }

    /// The URL of `origin` or else of the first remote.
    fn remote(&self) -> Option<String> {
        let text = self.text(&["config", "--get-regexp", r"^remote\..*\.url$"])?;
        let remotes: Vec<_> = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .collect();
        let origin = remotes.iter().find(|(key, _)| *key == "remote.origin.url");
        let (_, url) = origin.or(remotes.first())?;
        Some(without_credentials(url))
    }

    /// One call for the commit, the branch and what was changed since.
    fn status(&self) -> Option<Status> {
        let text = self.text(&[
            "status",
            "--porcelain=v2",
            "--branch",
            "--no-ahead-behind",
            "--untracked-files=normal",
        ])?;
        let mut status = Status {
            head: Head::default(),
            dirty: false,
            untracked: 0,
        };
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                // `(initial)` is no commit, `(detached)` no branch.
                ["#", "branch.oid", commit] if !commit.starts_with('(') => {
                    status.head.commit = Some(commit.to_owned());
                }
                ["#", "branch.head", branch] if branch != "(detached)" => {
                    status.head.branch = Some(branch.to_owned());
                }
                ["#", ..] => {}
                ["?", ..] => status.untracked += 1,
                _ => status.dirty = true,
            }
        }
        Some(status)
    }

    /// For work trees too large to be looked through in time.
    fn head(&self) -> Head {
        Head {
            commit: self.line(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]),
            branch: self.line(&["symbolic-ref", "--quiet", "--short", "HEAD"]),
        }
    }

    fn diff(&self) -> Option<Diff> {
        let left_out: Vec<String> = SECRET_FILES
            .iter()
            .map(|name| format!(":(top,exclude,glob,icase)**/{name}"))
            .collect();
        let mut arguments = vec![
            "diff",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            "HEAD",
            "--",
            ":/",
        ];
        arguments.extend(left_out.iter().map(String::as_str));
        let output = self.output(&arguments)?;
        let text = String::from_utf8_lossy(&output.bytes);
        let kept = bounded(&text, output.cut);
        Some(Diff {
            text: kept.to_owned(),
            cut: output.cut || kept.len() < text.len(),
        })
    }
}

/// As much of `text` as fits the limit once it is JSON. Where something is cut off, the last whole line is the end, so that
/// no half of a secret stays.
fn bounded(text: &str, is_cut: bool) -> &str {
    let mut bytes = 0;
    let fits = text.char_indices().find_map(|(at, c)| {
        bytes += match c {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            c if c.is_control() => 6,
            c => c.len_utf8(),
        };
        (bytes > MAX_BYTES).then_some(at)
    });
    match fits {
        None if !is_cut => text,
        end => {
            let text = &text[..end.unwrap_or(text.len())];
            &text[..text.rfind('\n').map_or(0, |at| at + 1)]
        }
    }
}

/// A remote's URL without user name and password; `ssh` needs its user name and keeps it.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let Some((user, host)) = authority.rsplit_once('@') else {
        return url.to_owned();
    };
    let name = user.split(':').next().unwrap_or_default();
    if scheme.contains("ssh") && !name.is_empty() {
        format!("{scheme}://{name}@{host}{path}")
    } else {
        format!("{scheme}://{host}{path}")
    }
}
