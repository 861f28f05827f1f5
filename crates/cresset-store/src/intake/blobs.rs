//! Blobs while they come. What has come of one stays when its sender is cut off, for a while, so that it goes on from there.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use cresset_record::{BlobFolder, Digest, Project, Removed, RunDir};

use super::lock;
use crate::document::RunKey;
use crate::error::StoreError;
use crate::store::Store;

/// A blob that nobody has gone on with for so long is given up.
const AGE: Duration = Duration::from_secs(24 * 3600);
/// Most blobs of a run that have begun and are not here; above that, the one that was left alone for longest makes room.
const MAX_BEGUN: usize = 64;
/// Given up blobs are looked for at this interval.
const SWEEP: Duration = Duration::from_secs(3600);

/// Who may write which of the blobs that come: a sender that was cut off comes again before this side has noticed, and the later one is right.
#[derive(Debug, Default)]
pub(super) struct Turns {
    turns: Mutex<HashMap<PathBuf, Turn>>,
    swept: Mutex<Option<Instant>>,
}

/// The number of the request that may write. Its lock is held while it does.
type Turn = Arc<Mutex<u64>>;

/// A blob that is not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingBlob {
    /// Which.
    pub digest: Digest,
    /// Of its beginning, so many bytes are here.
    pub begun: u64,
}

/// A blob while it comes.
#[derive(Debug)]
pub struct IncomingBlob {
    store: Store,
    project: Project,
    digest: Digest,
    blobs: BlobFolder,
    file: File,
    path: PathBuf,
    turn: Turn,
    number: u64,
}

impl Store {
    /// Which of these blobs the run does not have.
    #[must_use]
    pub fn missing_blobs(&self, key: &RunKey, digests: &[Digest]) -> Vec<MissingBlob> {
        let run = self.root().run(&key.project, &key.run);
        let blobs = run.blobs();
        // What a rule removed is not wanted back.
        let removed = Removed::read(&run).unwrap_or_default();
        let is_missing =
            |digest: &&Digest| !blobs.path(digest).is_file() && !removed.contains_key(digest);
        let missing = digests.iter().filter(is_missing);
        missing
            .map(|&digest| MissingBlob {
                digest,
                begun: fs::metadata(begun(&run, &digest)).map_or(0, |data| data.len()),
            })
            .collect()
    }

    /// Makes ready for the bytes of a blob, of which the first `from` have come already.
    ///
    /// # Errors
    /// `Conflict` if fewer have; `Io` if it cannot be kept.
    pub fn receive_blob(
        &self,
        key: &RunKey,
        digest: Digest,
        from: u64,
    ) -> Result<IncomingBlob, StoreError> {
        let run = self.root().run(&key.project, &key.run);
        let path = begun(&run, &digest);
        let folder = folder(&run);
        fs::create_dir_all(&folder).map_err(StoreError::io(&folder))?;
        if !path.exists() {
            make_room(&folder);
        }
        let turn = self.intake().blobs.of(&path);
        let mut held = lock(&turn);
        // Who wrote until now writes no more.
        *held += 1;
        let number = *held;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = file.map_err(StoreError::io(&path))?;
        let here = file.metadata().map_err(StoreError::io(&path))?.len();
        if from > here {
            return Err(StoreError::Conflict(format!(
                "{here} bytes of blob {digest} are here, and it was sent from byte {from} on; send it from its beginning"
            )));
        }
        let cut = file.set_len(from);
        cut.and_then(|()| file.seek(SeekFrom::Start(from)))
            .map_err(StoreError::io(&path))?;
        drop(held);
        Ok(IncomingBlob {
            store: self.clone(),
            project: key.project.clone(),
            digest,
            blobs: run.blobs(),
            file,
            path,
            turn,
            number,
        })
    }

    /// Removes what was begun and nobody has gone on with for a day; looks for it once an hour.
    pub(super) fn give_up_old_blobs(&self) {
        let mut swept = lock(&self.intake().blobs.swept);
        if swept.is_some_and(|swept| swept.elapsed() < SWEEP) {
            return;
        }
        *swept = Some(Instant::now());
        drop(swept);
        // What cannot be seen or removed now is for the next time.
        for run in self.root().runs().unwrap_or_default() {
            self.give_up_blobs(&run, SystemTime::now() - AGE);
        }
    }

    fn give_up_blobs(&self, run: &RunDir, before: SystemTime) {
        let folder = folder(run);
        for (path, _) in files(&folder).into_iter().filter(|(_, at)| *at < before) {
            let turn = self.intake().blobs.of(&path);
            *lock(&turn) += 1;
            let _ = fs::remove_file(path);
        }
        let _ = fs::remove_dir(folder);
    }
}

impl Turns {
    fn of(&self, path: &Path) -> Turn {
        let mut turns = lock(&self.turns);
        // Of one that nobody else has, nobody is about to write the file.
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(path.to_owned()).or_default())
    }
}

impl IncomingBlob {
    /// Appends what has come.
    ///
    /// # Errors
    /// `Conflict` if the blob is sent by another request meanwhile; `Full` if the project's quota does not have the room; `Io` if it cannot
    /// be kept, and then what has come is removed.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let turn = lock(&self.turn);
        is_turn(*turn, self.number)?;
        self.store.take_room(&self.project, bytes.len() as u64)?;
        self.file.write_all(bytes).map_err(|source| {
            // A disk that is full is not to be kept full.
            let _ = fs::remove_file(&self.path);
            StoreError::io(&self.path)(source)
        })
    }

    /// All of it has come: keeps it. It is on the disk then, as the sender does not ask for it again.
    ///
    /// # Errors
    /// `Invalid` if its bytes are others, `Conflict` if it is sent by another request meanwhile; `Io` if it cannot be kept.
    pub fn keep(self) -> Result<(), StoreError> {
        let turn = lock(&self.turn);
        is_turn(*turn, self.number)?;
        let kept = self.blobs.adopt(&self.path, &self.digest);
        if kept.is_err() {
            // What the disk refused once it may claim to have: it is to come again, from its beginning.
            let _ = fs::remove_file(&self.path);
        }
        if kept.map_err(StoreError::io(&self.path))? {
            return Ok(());
        }
        fs::remove_file(&self.path).map_err(StoreError::io(&self.path))?;
        Err(StoreError::invalid(format!(
            "the blob was sent as {} and its bytes are others; send it again",
            self.digest
        )))
    }
}

fn is_turn(now: u64, own: u64) -> Result<(), StoreError> {
    match now == own {
        true => Ok(()),
        false => Err(StoreError::Conflict(
            "another request sends this blob".to_owned(),
        )),
    }
}

fn folder(run: &RunDir) -> PathBuf {
    run.path().join("incoming")
}

fn begun(run: &RunDir, digest: &Digest) -> PathBuf {
    folder(run).join(digest.to_string())
}

fn make_room(folder: &Path) {
    let mut files = files(folder);
    files.sort_unstable_by_key(|(_, at)| *at);
    let over = (files.len() + 1).saturating_sub(MAX_BEGUN);
    for (path, _) in files.into_iter().take(over) {
        let _ = fs::remove_file(path);
    }
}

/// Files and when they were last written.
fn files(folder: &Path) -> Vec<(PathBuf, SystemTime)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| {
        let at = entry.metadata().and_then(|data| data.modified());
        Some((entry.path(), at.ok()?))
    });
    files.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cresset_record::{Project, Root, RunId};

    fn begin(store: &Store, run: &RunKey, bytes: &[u8]) {
        let mut blob = store.receive_blob(run, Digest::of(bytes), 0).unwrap();
        blob.write(bytes).unwrap();
    }

    #[test]
    fn what_was_begun_is_given_up_after_a_while_and_there_is_a_bound() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Root::new(dir.path())).unwrap();
        let run = RunKey {
            project: Project::try_from("p".to_owned()).unwrap(),
            run: RunId::try_from("r".to_owned()).unwrap(),
        };
        let here = store.root().run(&run.project, &run.run);
        let count = || files(&folder(&here)).len();
        for number in 0..MAX_BEGUN as u32 + 6 {
            begin(&store, &run, &number.to_le_bytes());
        }
        assert_eq!(count(), MAX_BEGUN);
        store.give_up_blobs(&here, SystemTime::now() - AGE);
        assert_eq!(count(), MAX_BEGUN);
        let mut blob = store.receive_blob(&run, Digest::of(b"late"), 0).unwrap();
        store.give_up_blobs(&here, SystemTime::now() + AGE);
        assert!(!folder(&here).exists());
        assert!(matches!(blob.write(b"late"), Err(StoreError::Conflict(_))));
    }
}
