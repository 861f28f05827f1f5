//! Blobs that were removed on purpose: a file in the run's folder, `removed.jsonl`, so that they are not taken for lost.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::blob::Digest;
use crate::layout::RunDir;
use crate::time::Timestamp;

/// A blob that somebody's rule removed. `docs/run-log.md` describes the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Which.
    pub digest: Digest,
    /// How many bytes it had.
    pub bytes: u64,
    /// When.
    pub time: Timestamp,
    /// By which rule, for people.
    pub why: String,
}

impl Removed {
    /// What was removed of a run, by digest. A line that cannot be read is left out.
    ///
    /// # Errors
    /// If there is a list and it cannot be read.
    pub fn read(dir: &RunDir) -> io::Result<BTreeMap<Digest, Self>> {
        let text = match fs::read_to_string(dir.removed()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read?,
        };
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        Ok(lines
            .map(|removed: Self| (removed.digest, removed))
            .collect())
    }

    /// Notes what is about to be removed: when this returns it is on the disk.
    ///
    /// # Errors
    /// If it cannot be written; then nothing may be removed.
    pub fn note(dir: &RunDir, about: &[Self]) -> io::Result<()> {
        let mut lines = Vec::new();
        // What a kill left of the last line must not swallow the next one.
        lines.push(b'\n');
        for removed in about {
            serde_json::to_writer(&mut lines, removed)?;
            lines.push(b'\n');
        }
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(dir.removed())?;
        file.write_all(&lines)?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_read_whatever_a_kill_left() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        assert!(Removed::read(&dir).unwrap().is_empty());
        let removed = |text: &str| Removed {
            digest: Digest::of(text.as_bytes()),
            bytes: 7,
            time: Timestamp(5),
            why: "the last 2 checkpoints are kept".into(),
        };
        Removed::note(&dir, &[removed("a"), removed("b")]).unwrap();
        let mut file = OpenOptions::new().append(true).open(dir.removed()).unwrap();
        file.write_all(b"{\"digest\":\"0123").unwrap();
        Removed::note(&dir, &[removed("c")]).unwrap();
        let read = Removed::read(&dir).unwrap();
        let expected = ["a", "b", "c"].map(|text| (removed(text).digest, removed(text)));
        assert_eq!(read, expected.into_iter().collect());
    }
}
