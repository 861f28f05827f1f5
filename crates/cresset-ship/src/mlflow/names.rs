//! Names that MLflow takes.
//!
//! MLflow refuses a whole request for one name that it does not like, so names are mended before they go. A mended name ends in six digits of
//! what it was: two different keys never become one series, and the same key has the same name after a restart.

use cresset_record::{Digest, Rank};

/// Longest name of a metric, param or tag, in characters (`MAX_ENTITY_KEY_LENGTH` in `mlflow/utils/validation.py`).
const MAX_NAME: usize = 250;
/// Longest part of an artifact's path: less than a file system's 255 bytes, as endings are added.
const MAX_PART: usize = 120;

/// The name of a metric, param or tag: letters, digits and `/ . _ - :` and spaces, and a path without empty parts.
pub(super) fn entity(name: &str) -> String {
    let parts = name.split('/').filter(|part| !part.is_empty());
    let parts: Vec<String> = parts
        .map(|part| match part {
            "." | ".." => "_".to_owned(),
            part => part.chars().map(|c| keep(c, is_entity)).collect(),
        })
        .collect();
    mended(name, parts.join("/"), MAX_NAME)
}

/// The metric of a key. MLflow knows no ranks; those beyond the first have a prefix, which stands where MLflow puts the name of a node for
/// what it shows as system metrics.
pub(super) fn metric(rank: Rank, key: &str) -> String {
    match (rank, key.strip_prefix("system/")) {
        (Rank(0), _) => entity(key),
        (Rank(n), Some(rest)) => entity(&format!("system/rank_{n}/{rest}")),
        (Rank(n), None) => entity(&format!("rank_{n}/{key}")),
    }
}

/// The path of an artifact, which goes through URLs and file systems: ASCII letters, digits and `. _ -`.
pub(crate) fn path(text: &str) -> String {
    let parts = text.split('/').filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.map(part).collect();
    parts.join("/")
}

/// One part of an artifact's path.
pub(crate) fn part(text: &str) -> String {
    let kept: String = text.chars().map(|c| keep(c, is_plain)).collect();
    let kept = match kept.trim_start_matches('.') {
        "" => "_".to_owned(),
        _ if kept.starts_with('.') => format!("_{}", &kept[1..]),
        _ => kept,
    };
    mended(text, kept, MAX_PART)
}

/// The folder of a rank's artifacts: the run's own for the first.
pub(super) fn folder(rank: Rank) -> String {
    match rank {
        Rank(0) => String::new(),
        Rank(n) => format!("rank_{n}/"),
    }
}

/// The key of an image as it stands in a file name. MLflow's page splits the name at `+` or `%`, and reads `~` as `/`.
pub(super) fn image(rank: Rank, key: &str) -> String {
    let key = match rank {
        Rank(0) => key.to_owned(),
        Rank(n) => format!("rank_{n}/{key}"),
    };
    let kept: String = key
        .chars()
        .map(|c| match c {
            '/' => '~',
            c => keep(c, |c| is_plain(c) || c == ' '),
        })
        .collect();
    let meant = kept.replace('~', "/");
    mended(&key, meant, MAX_PART).replace('/', "~")
}

/// So many digits of the digest of `text`.
pub(super) fn digest(text: &str, digits: usize) -> String {
    let digest = Digest::of(text.as_bytes()).to_string();
    digest.chars().take(digits).collect()
}

/// At most so many characters, the last of which says that there were more.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(max - 1).collect();
    cut.push('…');
    cut
}

/// `name` if it is the same as `was` and not too long, else cut and marked.
fn mended(was: &str, name: String, max: usize) -> String {
    if name == was && name.chars().count() <= max {
        return name;
    }
    let cut: String = name.chars().take(max - 7).collect();
    format!("{}-{}", cut.trim_end_matches('/'), digest(was, 6))
}

fn keep(c: char, is_kept: fn(char) -> bool) -> char {
    if is_kept(c) { c } else { '_' }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// What Python's `\w` takes, and what MLflow adds to it; of the letters beyond ASCII only blocks in which both languages agree.
fn is_entity(c: char) -> bool {
    is_plain(c)
        || matches!(c, ' ' | ':')
        || matches!(c, 'À'..='Ö' | 'Ø'..='ö' | 'ø'..='ɏ' | 'Α'..='Ρ' | 'Σ'..='ω' | 'А'..='я')
        || matches!(c, 'ぁ'..='ゖ' | 'ァ'..='ヺ' | '一'..='鿋' | '가'..='힣')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mlflow_takes_stay_as_they_are() {
        for name in ["train/loss", "größe", "val: mAP 0.5", "a.b_c-d", "損失"] {
            assert_eq!(entity(name), name);
        }
        assert_eq!(part("model.safetensors"), "model.safetensors");
    }

    #[test]
    fn others_are_mended_and_stay_apart() {
        assert_eq!(
            entity("mAP@0.5"),
            format!("mAP_0.5-{}", digest("mAP@0.5", 6))
        );
        assert_ne!(entity("mAP@0.5"), entity("mAP%0.5"));
        assert!(entity("/a//../b/").starts_with("a/_/b-"));
        let long = "x".repeat(400);
        assert_eq!(entity(&long).chars().count(), MAX_NAME);
        assert!(part("..").starts_with("_-") && part(".hidden").starts_with("_hidden-"));
        assert!(entity("//").starts_with('-'));
    }

    #[test]
    fn ranks_have_names_of_their_own() {
        assert_eq!(metric(Rank(2), "train/loss"), "rank_2/train/loss");
        assert_eq!(
            metric(Rank(2), "system/host/load"),
            "system/rank_2/host/load"
        );
        assert_eq!(image(Rank(1), "val/worst"), "rank_1~val~worst");
        assert!(image(Rank(0), "a+b~c").starts_with("a_b_c-"));
    }
}
