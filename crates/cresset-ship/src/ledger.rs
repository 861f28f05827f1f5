//! What of a run was carried to one target: a small file beside the run's log.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cresset_record::{Cursor, Outcome, Rank, RunDir, lock_within};
use serde::{Deserialize, Serialize};

use crate::error::ShipError;
use crate::selection::Selection;
use crate::sink::Memory;

/// The file's format; a newer one is refused.
const VERSION: u32 = 1;

/// What of a run was carried to one target.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    /// Locked while it is open, until this process ends: two that carry the same run to the same place would double it.
    _lock: File,
    entries: Entries,
}

/// How each writer ended; `None` if it has begun and not ended.
pub(crate) type Outcomes = BTreeMap<Rank, Option<Outcome>>;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Entries {
    version: u32,
    /// Where to, for people.
    target: String,
    /// What of the run the target may see.
    #[serde(default)]
    selection: String,
    cursor: Cursor,
    #[serde(default)]
    memory: Memory,
    /// How each writer that was carried has ended.
    #[serde(default)]
    outcomes: Outcomes,
    /// Whether the target knows of the run's end.
    #[serde(default)]
    is_done: bool,
}

impl Ledger {
    /// Opens the ledger of a run and a target, which `name` tells from others in a file's name and `target` to people.
    ///
    /// # Errors
    /// If it cannot be read, is of a newer version, or is open in another process.
    pub fn open(run: &RunDir, name: &str, target: &str) -> Result<Self, ShipError> {
        let path = path(run, name);
        let lock = lock(&path, target)?;
        let entries = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Entries {
                version: VERSION,
                target: target.to_owned(),
                ..Entries::default()
            },
            read => {
                let bytes = read.map_err(ShipError::disk(&path))?;
                parse(&bytes).map_err(|why| {
                    ShipError::disk(&path)(io::Error::new(io::ErrorKind::InvalidData, why))
                })?
            }
        };
        Ok(Self {
            path,
            _lock: lock,
            entries,
        })
    }

    /// Whether the target of this name knows of the run's end, as far as can be told without opening the ledger.
    pub(crate) fn is_done_at(run: &RunDir, name: &str) -> bool {
        let read = fs::read(path(run, name)).ok();
        let entries = read.and_then(|bytes| parse(&bytes).ok());
        entries.is_some_and(|entries| entries.is_done)
    }

    /// What of the run the target may see: what was said the last time, if nothing is now, so that nobody carries the rest of a run who does
    /// not know what was meant to stay here. It is written down before anything is carried.
    ///
    /// # Errors
    /// If it cannot be written, or what stands there is not understood.
    pub(crate) fn select(&mut self, said: &Selection) -> Result<Selection, ShipError> {
        if said.is_default() {
            return self.entries.selection.parse();
        }
        let selection = said.to_string();
        if self.entries.selection != selection {
            let entries = Entries {
                selection,
                ..self.entries.clone()
            };
            self.write(&entries).map_err(ShipError::disk(&self.path))?;
            self.entries = entries;
        }
        Ok(said.clone())
    }

    /// Up to where it was carried.
    #[must_use]
    pub fn cursor(&self) -> &Cursor {
        &self.entries.cursor
    }

    /// What the target's sink wanted to know the next time.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.entries.memory
    }

    /// How each writer that was carried has ended.
    pub(crate) fn outcomes(&self) -> &Outcomes {
        &self.entries.outcomes
    }

    /// Whether the target knows of the run's end.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.entries.is_done
    }

    /// Writes down how far it was carried, at once or not at all.
    ///
    /// # Errors
    /// If it cannot be written; the entries are then as before.
    pub(crate) fn enter(
        &mut self,
        cursor: Cursor,
        memory: Memory,
        outcomes: Outcomes,
        is_done: bool,
    ) -> Result<(), ShipError> {
        let entries = Entries {
            cursor,
            memory,
            outcomes,
            is_done,
            ..self.entries.clone()
        };
        self.write(&entries).map_err(ShipError::disk(&self.path))?;
        self.entries = entries;
        Ok(())
    }

    fn write(&self, entries: &Entries) -> io::Result<()> {
        let beside = self.path.with_extension("json.new");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec(entries)?)?;
        // A name must not come to the disk before what it names.
        file.sync_data()?;
        fs::rename(&beside, &self.path)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn path(run: &RunDir, name: &str) -> PathBuf {
    run.path().join(format!("ship-{name}.json"))
}

/// How long a lock that somebody has is waited for.
const PATIENCE: Duration = Duration::from_millis(200);

fn lock(ledger: &Path, target: &str) -> Result<File, ShipError> {
    let path = ledger.with_extension("lock");
    let file = File::create(&path).map_err(ShipError::disk(&path))?;
    match lock_within(&file, PATIENCE) {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(ShipError::Refused(format!(
            "another process carries this run to {target} already"
        ))),
        Err(fs::TryLockError::Error(source)) => Err(ShipError::disk(&path)(source)),
    }
}

fn parse(bytes: &[u8]) -> Result<Entries, String> {
    let entries: Entries = serde_json::from_slice(bytes)
        .map_err(|e| format!("this is no ledger ({e}); delete it to carry the run anew"))?;
    match entries.version {
        VERSION => Ok(entries),
        newer => Err(format!(
            "the ledger has version {newer}, and {VERSION} is the newest that is known here; update this Cresset"
        )),
    }
}
