//! Files of a run, before they lie in its folder or at the server.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::entry::FileKind;

/// Of a digest, so many hexadecimal digits are part of a file's name.
const SHORT: usize = 20;

/// A file that the run is to have.
#[derive(Clone, Debug)]
pub(crate) struct NewFile {
    /// Where, in the run's folder of files.
    pub(crate) path: String,
    pub(crate) kind: FileKind,
    pub(crate) content: Content,
}

/// The bytes of a file.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// The bytes.
    Bytes(Vec<u8>),
    /// Those of a file that never changes.
    Blob(PathBuf),
}

impl NewFile {
    /// A file of JSON among the run's files.
    pub(crate) fn json(path: &str, value: &impl Serialize) -> Self {
        Self {
            path: path.to_owned(),
            kind: FileKind::Other,
            content: Content::Bytes(serde_json::to_vec(value).unwrap_or_default()),
        }
    }

    /// A media file, named as W&B's client names it, with what a value of history says of it.
    pub(crate) fn media(
        folder: &str,
        key: &str,
        step: u64,
        extension: &str,
        bytes: Vec<u8>,
    ) -> (Self, Json) {
        let digest = hex(&Sha256::digest(&bytes));
        let (key, short) = (safe_path(key), &digest[..SHORT]);
        let path = format!("media/{folder}/{key}_{step}_{short}.{extension}");
        let value = json!({"path": path, "sha256": digest, "size": bytes.len()});
        let file = Self {
            path,
            kind: FileKind::Media,
            content: Content::Bytes(bytes),
        };
        (file, value)
    }

    /// Puts it into the folder `files`, unless it is there.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn put(&self, files: &Path) -> io::Result<()> {
        let path = files.join(&self.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        match &self.content {
            Content::Bytes(bytes) => fs::write(&path, bytes),
            Content::Blob(_) if path.exists() => Ok(()),
            // A blob never changes, so that a second name costs nothing, where the file system has it.
            Content::Blob(blob) => {
                fs::hard_link(blob, &path).or_else(|_| fs::copy(blob, &path).map(drop))
            }
        }
    }
}

/// A key or a name as a path that stays in its folder, on any system.
pub(crate) fn safe_path(key: &str) -> String {
    let safe = |part: &str| {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ' | '=' | '+');
        let part: String = part
            .chars()
            .map(|c| if fits(c) { c } else { '_' })
            .collect();
        match part.trim_matches(['.', ' ']).is_empty() {
            true => "_".to_owned(),
            false => part,
        }
    };
    let parts: Vec<String> = key.split('/').map(safe).collect();
    parts.join("/")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_leaves_the_folder() {
        for (key, path) in [
            ("val/worst", "val/worst"),
            ("../../etc/passwd", "_/_/etc/passwd"),
            ("/a//b", "_/a/_/b"),
            ("a\\..\\b:c", "a_.._b_c"),
            ("bör se", "bör se"),
        ] {
            assert_eq!(safe_path(key), path);
        }
    }
}
