//! Runs as folders that `wandb sync` takes.

use std::fs::{self, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use cresset_record::{Rank, RunDir, State};
use serde::{Deserialize, Serialize};

use crate::error::ShipError;
use crate::event::Event;
use crate::sink::{Memory, Sink};

use super::log::Appended;
use super::naming::Naming;
use super::record;
use super::remembered::{recall, remember};
use super::translate::{Known, Told};

/// A [`Sink`] that writes a run as W&B's client does without a network: `offline-run-<date>_<time>-<id>/run-<id>.wandb` and media in
/// `files/` beside it.
///
/// `wandb sync <folder>` sends such a folder to a W&B server, once the run has ended. What a run's end adds to the file is
/// taken off again if somebody takes the run up.
#[derive(Debug)]
pub struct OfflineRun {
    /// Where the run's folder is made.
    within: PathBuf,
    naming: Naming,
}

/// What is remembered of what was written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Written {
    /// The run's folder, within the folder of all.
    folder: String,
    /// Bytes of the file that are ours for good: all after them comes again.
    length: u64,
    /// The last record's number.
    number: u64,
    known: Known,
}

impl OfflineRun {
    /// Makes the run's folder within `folder`, such as `wandb`.
    #[must_use]
    pub fn new(within: impl Into<PathBuf>) -> Self {
        Self {
            within: within.into(),
            naming: Naming::default(),
        }
    }

    /// Where the run belongs there.
    #[must_use]
    pub fn naming(mut self, naming: Naming) -> Self {
        self.naming = naming;
        self
    }

    /// The run's folder, once something was written.
    #[must_use]
    pub fn folder(&self, memory: &Memory) -> Option<PathBuf> {
        let written: Written = recall(memory).ok()?;
        (!written.folder.is_empty()).then(|| self.within.join(written.folder))
    }

    /// Writes what was told after what is there, and gives the file's new length and the last record's number.
    fn write(&self, written: &Written, told: &Told) -> Result<(u64, u64), ShipError> {
        let folder = self.within.join(&written.folder);
        let files = folder.join("files");
        fs::create_dir_all(&files).map_err(ShipError::disk(&files))?;
        for file in &told.files {
            let put = file.put(&files);
            put.map_err(ShipError::disk(files.join(&file.path)))?;
        }
        let mut number = written.number;
        let mut appended = Appended::to(written.length);
        if written.length == 0 {
            number += 1;
            appended.record(&record::header(number));
        }
        for entry in &told.entries {
            number += 1;
            appended.record(&record::entry(number, entry));
        }
        let id = written.known.head.as_ref().map_or("", |head| &head.id);
        let path = folder.join(format!("run-{id}.wandb"));
        append(&path, written.length, appended.bytes()).map_err(ShipError::disk(&path))?;
        Ok((appended.end(), number))
    }
}

impl Sink for OfflineRun {
    fn take(
        &mut self,
        run: &RunDir,
        events: &[(Rank, Event)],
        memory: &mut Memory,
    ) -> Result<(), ShipError> {
        let mut written: Written = recall(memory)?;
        let told = written.known.take(run, &self.naming, events);
        if written.folder.is_empty() {
            // What comes before a run's head cannot be given to W&B: a segment of its log is missing.
            let Some(folder) = folder_name(&written.known) else {
                return remember(memory, &written);
            };
            written.folder = folder;
        }
        (written.length, written.number) = self.write(&written, &told)?;
        remember(memory, &written)
    }

    fn end(&mut self, _run: &RunDir, state: &State, memory: &mut Memory) -> Result<(), ShipError> {
        let written: Written = recall(memory)?;
        if written.folder.is_empty() {
            return Ok(());
        }
        // Not remembered: whoever takes the run up goes on where its end began.
        let (_, told) = written.known.clone().end(state);
        self.write(&written, &told).map(drop)
    }
}

fn folder_name(known: &Known) -> Option<String> {
    let head = known.head.as_ref()?;
    let time = jiff::Timestamp::from_microsecond(head.start).unwrap_or_default();
    let time = time.strftime("%Y%m%d_%H%M%S");
    Some(format!("offline-run-{time}-{}", head.id))
}

/// Cuts the file to `length` and writes on from there.
fn append(path: &Path, length: u64, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    let there = file.metadata()?.len();
    if there < length {
        let message = format!(
            "has {there} bytes and should have {length}; delete the ledger to write the run anew"
        );
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    file.set_len(length)?;
    file.seek(SeekFrom::Start(length))?;
    file.write_all(bytes)?;
    // The ledger that is written next must not outlive what it speaks of.
    file.sync_data()
}
