//! Backups: folders of runs as they were at a time, made while others write.
//!
//! A backup is itself a folder of runs, `TO/2026-11-26T10-53-10Z/`, that every command reads. Beside the runs it has `people.json`, what people said, and
//! `backup.json`, every file with its length and digest, which is written last: without it a backup is not whole. A file that has not
//! changed since the backup before is one file with it (a hard link), so that each costs only what is new.
//!
//! What people said is written down before the logs are copied, so that it is about no run that is not there.

mod copy;
mod manifest;
mod people;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cresset_record::{Digest, Root, Timestamp};

use crate::error::StoreError;
use crate::people::{About, note};
use crate::store::Store;
use manifest::{Entry, MANIFEST, Manifest};

const PEOPLE: &str = "people.json";

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Its folder.
    pub path: PathBuf,
    /// When it was begun.
    pub time: Timestamp,
    /// How many runs it has.
    pub runs: u64,
    /// Bytes of all its files.
    pub bytes: u64,
    /// Of these, bytes that the backup before it in its folder does not have.
    pub new_bytes: u64,
}

/// What is wrong with a backup: a file, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFile {
    /// Its path in the backup.
    pub file: String,
    /// Why, for people.
    pub why: String,
}

impl Store {
    /// Makes a backup in the folder `to`, beside those that are there.
    ///
    /// # Errors
    /// `Io` if something cannot be read or written; what is there of it then is not whole and no backup. `Invalid` if `to` is in the folder of runs.
    pub fn back_up(&self, to: &Path) -> Result<Backup, StoreError> {
        fs::create_dir_all(to).map_err(StoreError::io(to))?;
        let own =
            fs::canonicalize(self.root().path()).map_err(StoreError::io(self.root().path()))?;
        let to = fs::canonicalize(to).map_err(StoreError::io(to))?;
        if to.starts_with(&own) {
            return Err(StoreError::invalid(format!(
                "{} is in the folder of runs, which it would be lost with; choose another place",
                to.display()
            )));
        }
        let time = Timestamp::now();
        let before = match folders(&to)?.pop() {
            Some(last) => Some((last.clone(), Manifest::read(&last)?)),
            None => None,
        };
        let path = to.join(folder_name(time));
        fs::create_dir(&path).map_err(StoreError::io(&path))?;
        let people = self.engine().read(people::dump)?;
        let mut copying = copy::Copying::new(&own, &path, before.as_ref());
        copying.keep(PEOPLE, people.as_bytes())?;
        let mut runs = 0;
        for run in self.root().runs().map_err(StoreError::io(&own))? {
            runs += u64::from(copying.run(&run)?);
        }
        let files = copying.done();
        let manifest = Manifest { time, runs, files };
        manifest.write(&path)?;
        let detail = path.display().to_string();
        self.engine()
            .write(|tx| note(tx, self.actor(), "backup", About::all(&detail)))?;
        Ok(manifest.describe(path, before.as_ref().map(|(_, before)| before)))
    }
}

/// The whole backups in a folder, the oldest first.
///
/// # Errors
/// If the folder, or what one of them has, cannot be read.
pub fn backups(to: &Path) -> Result<Vec<Backup>, StoreError> {
    let mut manifests = Vec::new();
    for path in folders(to)? {
        let manifest = Manifest::read(&path)?;
        manifests.push((path, manifest));
    }
    // Somebody may have given one another name.
    manifests.sort_by_key(|(_, manifest)| manifest.time);
    let before = std::iter::once(None).chain(manifests.iter().map(|(_, manifest)| Some(manifest)));
    let described = manifests
        .iter()
        .zip(before)
        .map(|((path, manifest), before)| manifest.describe(path.clone(), before));
    Ok(described.collect())
}

/// The folders of whole backups, by name, which is by time.
fn folders(to: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = fs::read_dir(to).map_err(StoreError::io(to))?.flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    found.retain(|path| path.join(MANIFEST).is_file());
    found.sort();
    Ok(found)
}

/// Reads every byte of a backup and says what is not as it was written.
///
/// # Errors
/// `NotFound` if it is no backup, or no whole one.
pub fn check_backup(path: &Path) -> Result<Vec<BadFile>, StoreError> {
    let manifest = Manifest::read(path)?;
    let mut bad = Vec::new();
    for (file, entry) in &manifest.files {
        let why = match Digest::of_file(&path.join(file)) {
            Ok((digest, bytes)) if (digest, bytes) == (entry.digest, entry.bytes) => continue,
            Ok((_, bytes)) if bytes != entry.bytes => {
                format!("has {bytes} bytes instead of {}", entry.bytes)
            }
            Ok(_) => "its bytes are not what was written".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => "is missing".to_owned(),
            Err(error) => format!("cannot be read: {error}"),
        };
        bad.push(BadFile {
            file: file.clone(),
            why,
        });
    }
    Ok(bad)
}

/// Makes the folder of runs `root` from a backup: logs, blobs, and what people said, keys included. Every byte is checked on the way.
///
/// # Errors
/// `Conflict` if there is something in the folder already; `NotFound` if it is no whole backup; `Invalid` if one of its files is not what
/// was written: what was restored until then stays, and is not complete.
pub fn restore_backup(backup: &Path, root: &Root) -> Result<Store, StoreError> {
    let manifest = Manifest::read(backup)?;
    let to = root.path();
    let is_empty = match fs::read_dir(to) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(StoreError::io(to)(error)),
    };
    if !is_empty {
        return Err(StoreError::Conflict(format!(
            "{} is not empty; restore into a new folder, so that nothing there is lost",
            to.display()
        )));
    }
    fs::create_dir_all(to).map_err(StoreError::io(to))?;
    for (file, entry) in &manifest.files {
        let (from, at) = (backup.join(file), to.join(file));
        if file == PEOPLE {
            continue;
        }
        let copied = copy::whole(&from, &at)?;
        check(file, entry, copied)?;
    }
    let store = Store::open(root.clone())?;
    if let Some(entry) = manifest.files.get(PEOPLE) {
        let path = backup.join(PEOPLE);
        let text = fs::read(&path).map_err(StoreError::io(&path))?;
        check(PEOPLE, entry, (Digest::of(&text), text.len() as u64))?;
        store.engine().write(|tx| people::load(tx, &text))?;
    }
    let detail = backup.display().to_string();
    store
        .engine()
        .write(|tx| note(tx, store.actor(), "backup.restore", About::all(&detail)))?;
    store.refresh()?;
    Ok(store)
}

/// Removes all backups of a folder but the last `keep`; gives those that are gone.
///
/// # Errors
/// `Invalid` if none would be kept; `Io` if one cannot be removed.
pub fn thin_backups(to: &Path, keep: usize) -> Result<Vec<PathBuf>, StoreError> {
    if keep == 0 {
        return Err(StoreError::invalid(
            "no backup would be kept at all; keep at least 1",
        ));
    }
    let mut all = backups(to)?;
    all.truncate(all.len().saturating_sub(keep));
    for old in &all {
        // First the file that makes it one, so that half of a backup is never taken for a whole one.
        let manifest = old.path.join(MANIFEST);
        fs::remove_file(&manifest).map_err(StoreError::io(&manifest))?;
        fs::remove_dir_all(&old.path).map_err(StoreError::io(&old.path))?;
    }
    Ok(all.into_iter().map(|old| old.path).collect())
}

fn check(file: &str, entry: &Entry, found: (Digest, u64)) -> Result<(), StoreError> {
    if found == (entry.digest, entry.bytes) {
        return Ok(());
    }
    Err(StoreError::invalid(format!(
        "the backup is damaged: {file} is not what was written; `cresset backup verify` lists all that is"
    )))
}

/// When it was begun, in UTC, as a name that sorts and that all file systems take.
fn folder_name(time: Timestamp) -> String {
    let instant = jiff::Timestamp::from_microsecond(time.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    instant.strftime("%Y-%m-%dT%H-%M-%S%.3fZ").to_string()
}

/// Files by their paths in the backup, with `/` between folders.
type Files = BTreeMap<String, Entry>;
