//! What a backup has: `backup.json`.

use std::fs::{self, DirEntry, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use cresset_record::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Backup, Files};
use crate::error::StoreError;

pub(super) const MANIFEST: &str = "backup.json";

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) time: Timestamp,
    pub(super) runs: u64,
    pub(super) files: Files,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) bytes: u64,
    pub(super) digest: Digest,
    /// When the file it was copied from last changed, microseconds since 1970: one that has not changed is not read again.
    pub(super) changed: i64,
}

/// What is said of a folder that has no manifest.
fn missing(folder: &Path) -> String {
    let inside = fs::read_dir(folder).into_iter().flatten().flatten();
    let backup = inside
        .filter(|entry| entry.path().join(MANIFEST).is_file())
        .max_by_key(DirEntry::file_name);
    let place = folder.display();
    match backup {
        Some(backup) => format!(
            "{place} is a folder of backups; name one of them, such as {}",
            backup.path().display()
        ),
        None => format!("{place} is no backup, or one that was not finished: it has no {MANIFEST}"),
    }
}

impl Manifest {
    pub(super) fn read(backup: &Path) -> Result<Self, StoreError> {
        let path = backup.join(MANIFEST);
        let text = fs::read(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => StoreError::NotFound(missing(backup)),
            _ => StoreError::io(&path)(error),
        })?;
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|error| StoreError::invalid(format!("{}: {error}", path.display())))?;
        // It may come from anywhere, and files are written where it says.
        match manifest.files.keys().find(|file| !is_inside(file)) {
            Some(file) => Err(StoreError::invalid(format!(
                "{}: {file:?} is not in the backup",
                path.display()
            ))),
            None => Ok(manifest),
        }
    }

    /// Writes it whole or not at all.
    pub(super) fn write(&self, backup: &Path) -> Result<(), StoreError> {
        let (path, temporary) = (backup.join(MANIFEST), backup.join("backup.json.new"));
        let text = serde_json::to_vec(self)
            .map_err(|error| StoreError::Engine(format!("{MANIFEST}: {error}")))?;
        let written = File::create(&temporary).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        });
        written.map_err(StoreError::io(&path))
    }

    /// What is said of it, kept in `path`, where `before` is the backup before it.
    pub(super) fn describe(&self, path: PathBuf, before: Option<&Self>) -> Backup {
        let bytes = self.files.values().map(|entry| entry.bytes);
        let known = |name: &str| before?.files.get(name);
        let is_new = |(name, entry): &(&String, &Entry)| {
            known(name).is_none_or(|known| known.digest != entry.digest)
        };
        let new = self.files.iter().filter(is_new);
        Backup {
            path,
            time: self.time,
            runs: self.runs,
            bytes: bytes.sum(),
            new_bytes: new.map(|(_, entry)| entry.bytes).sum(),
        }
    }
}

/// Whether a path stays in the folder that it is put after.
fn is_inside(file: &str) -> bool {
    let plain =
        |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\\');
    file.split('/').all(plain) && !file.contains(':')
}
