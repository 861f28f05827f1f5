//! Names of runs, projects and writers, checked when they are made.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Crockford's base 32 in ascending byte order, so that ids sort as the numbers they write.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Longest run id that a user may choose, in bytes.
pub const MAX_RUN_ID: usize = 64;
/// Longest project name, in bytes.
pub const MAX_PROJECT: usize = 128;

/// The identity of a run: 13 characters made from the time and 30 random bits, so that ids sort by
/// start time; or what the user chose (1 to 64 of `a-z A-Z 0-9 - _`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// A new id, unique but for a chance of one in 2³⁰ between runs started in the same second.
    #[must_use]
    pub fn generate() -> Self {
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| d.as_secs());
        let random = random_u64();
        let mut text = base32(seconds, 7);
        text.push_str(&base32(random, 6));
        Self(text)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RunId {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        if text.is_empty() || text.len() > MAX_RUN_ID {
            return Err(NameError::new(
                "run id",
                &text,
                "must have 1 to 64 characters",
            ));
        }
        if let Some(c) = text
            .chars()
            .find(|c| !(c.is_ascii_alphanumeric() || *c == '-' || *c == '_'))
        {
            return Err(NameError::new(
                "run id",
                &text,
                format!("holds {c:?}; use letters, digits, '-' and '_'"),
            ));
        }
        Ok(Self(text))
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> String {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a project: 1 to 128 bytes without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Project(String);

impl Project {
    /// The name as the user wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as one path component: bytes outside `A-Z a-z 0-9 - _ .` and a leading dot are
    /// percent-encoded, so that different projects never share a folder and none leaves its parent.
    #[must_use]
    pub fn folder_name(&self) -> String {
        let mut out = String::with_capacity(self.0.len());
        for (i, byte) in self.0.bytes().enumerate() {
            let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            if plain && !(i == 0 && byte == b'.') {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
        out
    }
}

impl TryFrom<String> for Project {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        if text.trim().is_empty() || text.len() > MAX_PROJECT {
            return Err(NameError::new(
                "project name",
                &text,
                "must have 1 to 128 bytes",
            ));
        }
        if text.chars().any(char::is_control) {
            return Err(NameError::new(
                "project name",
                &text,
                "holds a control character",
            ));
        }
        if matches!(text.as_str(), "." | "..") {
            return Err(NameError::new(
                "project name",
                &text,
                "cannot be part of an address; choose another",
            ));
        }
        // Percent-encoding triples a byte at most, and file systems take 255 bytes a component.
        let project = Self(text);
        if project.folder_name().len() > 255 {
            return Err(NameError::new(
                "project name",
                &project.0,
                "is too long once written as a folder name; use fewer letters outside a-z",
            ));
        }
        Ok(project)
    }
}

impl From<Project> for String {
    fn from(project: Project) -> String {
        project.0
    }
}

impl fmt::Display for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One writer of a run: 0 for an ordinary process, the declared rank in distributed training.
/// Each rank writes a log of its own under the one run.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Rank(pub u32);

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {}", self.0)
    }
}

/// A name that cannot be used, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {name:?} {reason}")]
pub struct NameError {
    what: &'static str,
    name: String,
    reason: String,
}

impl NameError {
    pub(crate) fn new(what: &'static str, name: &str, reason: impl Into<String>) -> Self {
        let mut shown: String = name.chars().take(80).collect();
        if shown.len() < name.len() {
            shown.push('…');
        }
        Self {
            what,
            name: shown,
            reason: reason.into(),
        }
    }
}

/// The lowest `5 * digits` bits of `number`, most significant digit first.
fn base32(number: u64, digits: u32) -> String {
    (0..digits)
        .rev()
        .map(|i| char::from(ALPHABET[(number >> (5 * i)) as usize & 31]))
        .collect()
}

/// 64 random bits; where the system gives none, the clock and the process id must do.
pub(crate) fn random_u64() -> u64 {
    getrandom::u64().unwrap_or_else(|_| {
        let nanos = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| u64::from(d.subsec_nanos()));
        nanos.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(std::process::id()) << 32
    })
}

/// A readable name for run number `number` of a project, such as `amber-harbor-7`.
#[must_use]
pub fn generate_name(number: u64) -> String {
    const FIRST: [&str; 32] = [
        "amber", "ardent", "bold", "bright", "brisk", "calm", "clear", "copper", "coral", "deft",
        "dusky", "eager", "early", "fair", "gentle", "gilded", "glad", "golden", "keen", "kindled",
        "lucid", "mellow", "nimble", "patient", "quiet", "radiant", "silver", "solar", "steady",
        "swift", "vivid", "warm",
    ];
    const SECOND: [&str; 32] = [
        "anchor", "bay", "beacon", "brig", "buoy", "cape", "channel", "cinder", "cove", "current",
        "delta", "ember", "fathom", "flame", "gull", "harbor", "helm", "isle", "keel", "lantern",
        "mast", "pier", "pilot", "quay", "reef", "sail", "shoal", "spark", "strait", "tide",
        "torch", "wharf",
    ];
    let random = random_u64();
    format!(
        "{}-{}-{number}",
        FIRST[(random & 31) as usize],
        SECOND[(random >> 5 & 31) as usize]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_start_time_and_differ() {
        let ids: Vec<RunId> = (0..100).map(|_| RunId::generate()).collect();
        assert!(ids.iter().all(|id| id.as_str().len() == 13));
        assert!(ids[0].as_str()[..7] <= ids[99].as_str()[..7]);
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), 100);
        assert!(base32(5, 7) < base32(40, 7));
    }

    #[test]
    fn a_run_id_cannot_leave_its_folder() {
        for bad in ["", "../x", "a/b", "a b", "ä", ".", &"x".repeat(65)] {
            assert!(RunId::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(RunId::try_from("baseline_2-b".to_owned()).is_ok());
    }

    #[test]
    fn a_project_folder_is_one_safe_component() {
        let folder = |s: &str| Project::try_from(s.to_owned()).map(|p| p.folder_name());
        assert_eq!(folder("harbor-defects").as_deref(), Ok("harbor-defects"));
        assert_eq!(folder("...").as_deref(), Ok("%2E.."));
        assert!(folder(".").is_err() && folder("..").is_err());
        assert_eq!(folder("a/b").as_deref(), Ok("a%2Fb"));
        assert_eq!(folder("löt").as_deref(), Ok("l%C3%B6t"));
        assert!(folder("  ").is_err());
        assert!(folder("a\nb").is_err());
    }
}
