use std::fmt;
use std::fs;
use std::path::{Path, PathBuf, absolute};
use std::time::SystemTime;

use cresset_record::{BlobFolder, BlobRef};
use serde_json::{Map, Value as Json};

use super::MediaError;
use super::value::json_bytes;

/// Any file, kept as its bytes under its name, and never interpreted: readers offer it for download.
/// No [`Redaction`](super::Redaction) applies to it.
#[derive(Clone, Debug)]
pub struct File {
    source: Source,
    pub(super) name: String,
    pub(super) role: Option<String>,
    pub(super) metadata: Map<String, Json>,
    pub(super) caption: Option<String>,
}

impl File {
    /// The file at `path`. It is copied shortly after it was logged, not at once: write the next one beside it rather
    /// than over it. A file that changes while it is being copied is not kept.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let name = path.file_name().map(|name| name.to_string_lossy());
        let name = file_name(&name.unwrap_or_default());
        // The program may have another working directory by the time the file is read.
        let path = absolute(path).unwrap_or_else(|_| path.to_owned());
        Self::from_source(Source::Path(path), name)
    }

    /// A file that exists only in memory.
    #[must_use]
    pub fn from_bytes(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::from_source(Source::Bytes(bytes.into()), file_name(name))
    }

    /// Another name than that of the path. Folders before it and characters that file systems refuse are left out.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = file_name(name);
        self
    }

    /// What part the file plays, such as `checkpoint`.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Something to know about the file later, such as the epoch of a checkpoint.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<Json>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// A line for people, shown with the file.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = Some(caption.into());
        self
    }

    fn from_source(source: Source, name: String) -> Self {
        Self {
            source,
            name,
            role: None,
            metadata: Map::new(),
            caption: None,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let source = match &self.source {
            Source::Path(path) => path.as_os_str().len(),
            Source::Bytes(bytes) => bytes.len(),
        };
        let metadata: usize = self
            .metadata
            .iter()
            .map(|(k, v)| k.len() + json_bytes(v))
            .sum();
        source + self.name.len() + metadata + self.caption.as_ref().map_or(0, String::len)
    }

    pub(super) fn keep(&self, blobs: &BlobFolder) -> Result<BlobRef, MediaError> {
        // Not the type that the name promises: nothing may get a browser to run what was logged.
        const MEDIA_TYPE: &str = "application/octet-stream";
        match &self.source {
            Source::Bytes(bytes) => Ok(blobs.put(bytes, MEDIA_TYPE)?),
            Source::Path(path) => {
                let before = state(path)?;
                let blob = blobs.put_file(path, MEDIA_TYPE)?;
                if state(path)? != before {
                    return Err(unreadable(path, "it changed while it was being copied"));
                }
                Ok(blob)
            }
        }
    }
}

#[derive(Clone)]
enum Source {
    Path(PathBuf),
    Bytes(Vec<u8>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}

/// Length and time of change of a file that can be read, which tells one that cannot from a blob folder that cannot be
/// written. Pipes and devices are refused: they may have no end.
fn state(path: &Path) -> Result<(u64, Option<SystemTime>), MediaError> {
    let found = fs::metadata(path).map_err(|e| unreadable(path, e))?;
    if !found.is_file() {
        return Err(unreadable(path, "it is not a regular file"));
    }
    fs::File::open(path).map_err(|e| unreadable(path, e))?;
    Ok((found.len(), found.modified().ok()))
}

fn unreadable(path: &Path, reason: impl fmt::Display) -> MediaError {
    MediaError::File {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// Longest name that common file systems take, in bytes.
const MAX_NAME: usize = 255;

/// The last part of `name` without what file systems refuse and what would mislead people who read it.
fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut clean: String = last
        .chars()
        .filter(|&c| !c.is_control() && !turns_text_around(c))
        .map(|c| if "<>:\"|?*".contains(c) { '_' } else { c })
        .collect();
    clean.truncate(clean.floor_char_boundary(MAX_NAME));
    // Windows drops dots and spaces at the end, so that "..." would be a folder.
    let clean = clean.trim().trim_end_matches(['.', ' ']);
    if clean.is_empty() {
        "file".to_owned()
    } else {
        clean.to_owned()
    }
}

/// Marks of writing direction, with which `fdp.exe` can be made to read `exe.pdf`.
fn turns_text_around(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_folders_and_no_tricks() {
        for (given, expected) in [
            ("model.safetensors", "model.safetensors"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("..", "file"),
            ("a/..", "file"),
            ("...", "file"),
            ("a/", "file"),
            ("", "file"),
            (".gitignore", ".gitignore"),
            ("C:evil", "C_evil"),
            ("a\0b\r\nc", "abc"),
            ("report\u{202e}fdp.exe", "reportfdp.exe"),
            ("x.txt. . ", "x.txt"),
            ("größe ✓.bin", "größe ✓.bin"),
        ] {
            assert_eq!(file_name(given), expected, "{given:?}");
            assert_eq!(File::new("x").name(given).name, expected);
        }
        let long = file_name(&"ü".repeat(10_000));
        assert_eq!((long.len(), long.chars().count()), (254, 127));
    }

    #[test]
    fn a_path_is_kept_whole() {
        let file = File::new("runs/a/model.bin");
        assert_eq!(file.name, "model.bin");
        assert!(matches!(&file.source, Source::Path(path) if path.is_absolute()));
    }
}
