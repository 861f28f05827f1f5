//! Copies a folder of runs, files that have not changed by reference.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use cresset_record::{Digest, Rank, RunDir, Timestamp, is_live, whole as whole_frames};

use super::Files;
use super::manifest::{Entry, Manifest};
use crate::error::StoreError;

pub(super) struct Copying<'a> {
    root: &'a Path,
    to: &'a Path,
    /// Where the backup before is, and what it has.
    before: Option<&'a (PathBuf, Manifest)>,
    files: Files,
}

impl<'a> Copying<'a> {
    pub(super) fn new(
        root: &'a Path,
        to: &'a Path,
        before: Option<&'a (PathBuf, Manifest)>,
    ) -> Self {
        Self {
            root,
            to,
            before,
            files: Files::new(),
        }
    }

    /// Keeps bytes that are in no file.
    pub(super) fn keep(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.to.join(name);
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(StoreError::io(&path))?;
        self.enter(name.to_owned(), Digest::of(bytes), bytes.len() as u64, 0);
        Ok(())
    }

    /// Copies a run; `false` if it went meanwhile.
    pub(super) fn run(&mut self, run: &RunDir) -> Result<bool, StoreError> {
        let path = fs::canonicalize(run.path());
        let path = match path {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            path => path.map_err(StoreError::io(run.path()))?,
        };
        // Before the copy: what is written until its writer lets it go may be cut in the midst of a frame.
        let ranks = run.segments().unwrap_or_default().into_iter();
        let live: BTreeSet<Rank> = ranks
            .map(|(rank, _)| rank)
            .filter(|&rank| is_live(run, rank))
            .collect();
        self.folder(&path)?;
        // Of what is being written, whole frames: the rest comes with the next backup.
        let segments = run.segments().unwrap_or_default();
        for (rank, index) in segments {
            if live.contains(&rank) || is_live(run, rank) {
                let file = run.segment(rank, index);
                let name = file.file_name().map(|name| path.join(name));
                self.cut(&name.unwrap_or(file))?;
            }
        }
        Ok(true)
    }

    fn folder(&mut self, from: &Path) -> Result<(), StoreError> {
        let entries = match fs::read_dir(from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(StoreError::io(from))?,
        };
        for entry in entries {
            let entry = entry.map_err(StoreError::io(from))?;
            let kind = entry.file_type().map_err(StoreError::io(&entry.path()))?;
            let name = entry.file_name();
            // Locks are of the processes of this machine, and what is still coming in is nobody's yet.
            let passing = name.to_str().is_none_or(|name| {
                name.ends_with(".lock")
                    || name.ends_with(".new")
                    || name.contains(".tmp")
                    || name == "incoming"
            });
            if passing {
                continue;
            }
            if kind.is_dir() {
                self.folder(&entry.path())?;
            } else if kind.is_file() {
                self.file(&entry.path())?;
            }
        }
        Ok(())
    }

    fn file(&mut self, from: &Path) -> Result<(), StoreError> {
        let Some(name) = self.name(from) else {
            return Ok(());
        };
        let metadata = match fs::metadata(from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            metadata => metadata.map_err(StoreError::io(from))?,
        };
        let changed = metadata
            .modified()
            .map_or(0, |time| Timestamp::from(time).0);
        let at = self.to.join(&name);
        if let Some(parent) = at.parent() {
            fs::create_dir_all(parent).map_err(StoreError::io(parent))?;
        }
        if let Some((last, before)) = self.before
            && let Some(known) = before.files.get(&name)
            && (known.bytes, known.changed) == (metadata.len(), changed)
            && fs::hard_link(last.join(&name), &at).is_ok()
        {
            self.files.insert(name, *known);
            return Ok(());
        }
        let (digest, bytes) = match whole(from, &at) {
            // A run went while it was copied.
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(());
            }
            copied => copied?,
        };
        self.enter(name, digest, bytes, changed);
        Ok(())
    }

    /// Cuts the copy of a log to whole frames.
    fn cut(&mut self, from: &Path) -> Result<(), StoreError> {
        let Some(name) = self.name(from) else {
            return Ok(());
        };
        let at = self.to.join(&name);
        let Ok(file) = File::open(&at) else {
            return Ok(());
        };
        // A log that is damaged further up is kept as it is.
        let Ok(Some(found)) = whole_frames(file, &at) else {
            return Ok(());
        };
        let length = fs::metadata(&at).map_err(StoreError::io(&at))?.len();
        if found.bytes >= length {
            return Ok(());
        }
        // It may be one file with the backup before, which stays as it is.
        let mut bytes = fs::read(&at).map_err(StoreError::io(&at))?;
        bytes.truncate(usize::try_from(found.bytes).unwrap_or(usize::MAX));
        fs::remove_file(&at).map_err(StoreError::io(&at))?;
        self.keep(&name, &bytes)
    }

    fn enter(&mut self, name: String, digest: Digest, bytes: u64, changed: i64) {
        let entry = Entry {
            bytes,
            digest,
            changed,
        };
        self.files.insert(name, entry);
    }

    /// A file's path in the backup; `None` where it has no name that can be written down.
    fn name(&self, from: &Path) -> Option<String> {
        let parts = from.strip_prefix(self.root).ok()?.iter();
        let parts: Option<Vec<&str>> = parts.map(|part| part.to_str()).collect();
        parts.map(|parts| parts.join("/"))
    }

    /// All files.
    pub(super) fn done(self) -> Files {
        self.files
    }
}

/// Copies a file, onto the disk; gives the digest and the length of what was copied.
pub(super) fn whole(from: &Path, to: &Path) -> Result<(Digest, u64), StoreError> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(StoreError::io(parent))?;
    }
    let input = File::open(from).map_err(StoreError::io(from))?;
    // What a live log gains meanwhile is not part of it.
    let length = input.metadata().map_err(StoreError::io(from))?.len();
    let mut input = input.take(length);
    let copied = File::create_new(to).and_then(|mut output| {
        let copied = Digest::of_copy(&mut input, &mut output)?;
        output.sync_all()?;
        Ok(copied)
    });
    copied.map_err(StoreError::io(to))
}
