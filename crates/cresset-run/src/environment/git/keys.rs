//! Keys that lie in what is committed, where everybody who has the repository has them.

use super::Git;

/// Keys to a Cresset server, and of W&B in their newer form: how they begin, and all of them as an extended regular expression of git.
const KEYS: [[&str; 2]; 2] = [
    ["crs_", "crs_[0-9a-f]{64}"],
    ["wandb_v1_", "wandb_v1_[A-Za-z0-9_]{20}"],
];
/// So many files are looked at closely.
const CANDIDATES: usize = 200;
/// So many are named.
const MOST: usize = 20;

/// Files that hold such a key, here and in the last commit, by their paths in the repository.
pub(super) fn committed(git: &Git<'_>) -> Vec<String> {
    // Plain text in the files that lie here is found twenty times as fast as a pattern in the commit, and is hardly ever there.
    let begin = KEYS.map(|[begin, _]| begin);
    let candidates: Vec<String> = find(git, "-F", &begin, &["--", ":/"])
        .iter()
        .take(CANDIDATES)
        .map(|file| format!(":(top,literal){file}"))
        .collect();
    if candidates.is_empty() {
        return Vec::new();
    }
    let mut places = vec!["HEAD", "--"];
    places.extend(candidates.iter().map(String::as_str));
    let found = find(git, "-E", &KEYS.map(|[_, all]| all), &places);
    found
        .iter()
        .filter_map(|file| file.strip_prefix("HEAD:").map(str::to_owned))
        .take(MOST)
        .collect()
}

/// Names of files; never what is in them.
fn find(git: &Git<'_>, kind: &str, texts: &[&str], places: &[&str]) -> Vec<String> {
    // One thread: the others are for training.
    let mut arguments = vec![
        "-c",
        "grep.threads=1",
        "grep",
        "-l",
        "-z",
        "-I",
        "--full-name",
    ];
    arguments.push(kind);
    arguments.extend(texts.iter().flat_map(|text| ["-e", *text]));
    arguments.extend(places);
    // Finding nothing is no success to git.
    let names = git.text(&arguments).unwrap_or_default();
    let names = names.split('\0').filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}
