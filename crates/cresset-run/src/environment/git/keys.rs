//! Keys that lie in what is committed, where everybody who has the repository has them.

use super::Git;

/// Keys to a Cresset server, and of W&B in their newer form, as extended regular expressions of git.
const KEYS: [&str; 2] = ["crs_[0-9a-f]{64}", "wandb_v1_[A-Za-z0-9_]{20}"];
/// So many files are named.
const MOST: usize = 20;

/// The files of the last commit that hold such a key, by their paths in the repository.
pub(super) fn committed(git: &Git<'_>) -> Vec<String> {
    // One thread: the others are for training. Only names come back, never what is in the files.
    let mut arguments = vec![
        "-c",
        "grep.threads=1",
        "grep",
        "-l",
        "-I",
        "-E",
        "--full-name",
    ];
    arguments.extend(KEYS.iter().flat_map(|key| ["-e", *key]));
    arguments.extend(["HEAD", "--", ":/"]);
    // Finding nothing is no success to git.
    let text = git.text(&arguments).unwrap_or_default();
    let files = text.lines().filter_map(|line| line.strip_prefix("HEAD:"));
    files.take(MOST).map(str::to_owned).collect()
}
