//! Where blobs are: in the folder of each run.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use cresset_record::{Digest, Removed, Root};

use crate::document::RunKey;
use crate::error::StoreError;
use crate::values::rfc3339;

/// Blobs whose digest was checked are remembered, so many of them.
const MAX_CHECKED: usize = 1 << 16;

/// The content-addressed bytes of runs.
pub(crate) trait Blobs: Send + Sync + std::fmt::Debug {
    /// An opened blob and its length, checked against its digest at least once.
    fn open(&self, run: &RunKey, digest: &Digest) -> Result<(File, u64), StoreError>;

    /// Whether it is there, unchecked.
    fn is_there(&self, run: &RunKey, digest: &Digest) -> bool;

    /// How many blobs a run has, and their bytes.
    fn total(&self, run: &RunKey) -> Result<(u64, u64), StoreError>;
}

/// Blobs as the recorder leaves them beside the logs.
#[derive(Debug)]
pub(crate) struct FileBlobs {
    root: Root,
    /// Length and time of change of files whose digest was right.
    checked: Mutex<HashMap<PathBuf, (u64, Option<SystemTime>)>>,
}

impl FileBlobs {
    pub(crate) fn new(root: Root) -> Self {
        Self {
            root,
            checked: Mutex::default(),
        }
    }

    fn path(&self, run: &RunKey, digest: &Digest) -> PathBuf {
        self.root.run(&run.project, &run.run).blobs().path(digest)
    }

    /// Why a blob is not there.
    fn not_there(&self, run: &RunKey, digest: &Digest, path: &Path) -> StoreError {
        let dir = self.root.run(&run.project, &run.run);
        let removed = Removed::read(&dir).unwrap_or_default();
        StoreError::NotFound(match removed.get(digest) {
            Some(removed) => format!(
                "blob {digest} of run {} was removed on {}: {}",
                run.run,
                rfc3339(removed.time),
                removed.why
            ),
            None => format!(
                "blob {digest} of run {} is missing: {} is not there",
                run.run,
                path.display()
            ),
        })
    }
}

impl Blobs for FileBlobs {
    fn open(&self, run: &RunKey, digest: &Digest) -> Result<(File, u64), StoreError> {
        let path = self.path(run, digest);
        let missing = |e: io::Error| match e.kind() {
            io::ErrorKind::NotFound => self.not_there(run, digest, &path),
            _ => StoreError::Io {
                path: path.clone(),
                source: e,
            },
        };
        // Opening a pipe would wait for somebody to write into it.
        let metadata = fs::metadata(&path).map_err(missing)?;
        let damaged = |what: &str| {
            StoreError::NotFound(format!(
                "blob {digest} of run {} is damaged: {what}",
                run.run
            ))
        };
        if !metadata.is_file() {
            return Err(damaged("it is no file"));
        }
        let mut file = File::open(&path).map_err(missing)?;
        let seen = (metadata.len(), metadata.modified().ok());
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if checked.get(&path) == Some(&seen) {
            return Ok((file, metadata.len()));
        }
        drop(checked);
        if digest_of(&mut file).map_err(missing)? != digest.to_string() {
            return Err(damaged("its bytes do not match its digest"));
        }
        file.rewind().map_err(missing)?;
        checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if checked.len() >= MAX_CHECKED {
            checked.clear();
        }
        checked.insert(path.clone(), seen);
        Ok((file, metadata.len()))
    }

    fn is_there(&self, run: &RunKey, digest: &Digest) -> bool {
        fs::metadata(self.path(run, digest)).is_ok_and(|m| m.is_file())
    }

    fn total(&self, run: &RunKey) -> Result<(u64, u64), StoreError> {
        let folder = self.root.run(&run.project, &run.run).path().join("blobs");
        let mut total = (0u64, 0u64);
        for part in folders(&folder)? {
            let Ok(files) = fs::read_dir(part) else {
                continue;
            };
            for metadata in files
                .filter_map(|f| f.ok()?.metadata().ok())
                .filter(fs::Metadata::is_file)
            {
                total = (total.0 + 1, total.1.saturating_add(metadata.len()));
            }
        }
        Ok(total)
    }
}

fn folders(path: &Path) -> Result<Vec<PathBuf>, StoreError> {
    match fs::read_dir(path) {
        Ok(entries) => Ok(entries
            .filter_map(|e| Some(e.ok()?.path()))
            .filter(|p| p.is_dir())
            .collect()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(StoreError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}

/// BLAKE3 of a file, in pieces.
fn digest_of(file: &mut File) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(hasher.finalize().to_hex().to_string()),
            Ok(n) => hasher.update(&piece[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
    }
}
