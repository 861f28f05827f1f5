//! The door to the store.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use cresset_record::{Project, Root, State, Timestamp};

use crate::background;
use crate::document::RunKey;
use crate::documents::Watcher;
use crate::engine::Engine;
use crate::engine::chunks::{Chunks, InTables};
use crate::engine::files::{Blobs, FileBlobs};
use crate::engine::sqlite::Sqlite;
use crate::error::StoreError;
use crate::intake::Intake;
use crate::lead::Lead;
use crate::people::Actor;
use crate::table::Tables;
use crate::usage::Usage;

pub use background::Indexer;

/// An index of the runs of a folder. Clones are handles of the same store; all methods block on files and may be called
/// from any thread.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
    actor: Arc<Actor>,
}

#[derive(Debug)]
struct Inner {
    root: Root,
    engine: Box<dyn Engine>,
    chunks: Box<dyn Chunks>,
    blobs: Box<dyn Blobs>,
    lead: Lead,
    tables: Tables,
    intake: Intake,
    usage: Usage,
}

/// What a refresh found.
#[derive(Clone, Debug, Default)]
pub struct Refreshed {
    /// Runs that changed, each once.
    pub changes: Vec<Change>,
    /// Points that were read.
    pub points: u64,
    /// Runs that could not be read, and why.
    pub refused: Vec<(String, String)>,
}

/// A run that changed.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which.
    pub key: RunKey,
    /// How.
    pub kind: ChangeKind,
    /// The store's version with it.
    pub version: u64,
    /// The run's state now.
    pub state: State,
    /// Its name now.
    pub name: String,
    /// Its highest step now.
    pub last_step: Option<u64>,
    /// Keys with new values; `None` if there are more than 200.
    pub keys: Option<Vec<String>>,
}

/// How a run changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was not known before.
    New,
    /// It has new records.
    Update,
    /// Its state changed to one that is not running.
    End,
    /// A person changed its labels.
    Label,
    /// It was put into the trash, purged, or its folder is gone.
    Gone,
}

/// A project in brief.
#[derive(Clone, Debug)]
pub struct ProjectOverview {
    /// Its name.
    pub project: Project,
    /// How many runs are in each state, by the state's word.
    pub states: std::collections::BTreeMap<&'static str, u64>,
    /// When its first run began.
    pub created: Option<Timestamp>,
    /// Its latest record.
    pub active: Option<Timestamp>,
    /// Alerts of level warn and error.
    pub alerts: u64,
    /// All tags of its runs, the most frequent first, at most 20.
    pub tags: Vec<String>,
}

impl ProjectOverview {
    pub(crate) fn new(project: Project) -> Self {
        Self {
            project,
            states: std::collections::BTreeMap::new(),
            created: None,
            active: None,
            alerts: 0,
            tags: Vec::new(),
        }
    }
}

/// How the index is doing.
#[derive(Clone, Debug, Default)]
pub struct IndexStatus {
    /// When the last look at the logs by this process ended.
    pub last_refresh: Option<Timestamp>,
    /// How long it took, seconds.
    pub seconds: f64,
    /// Points that this process read since the store was opened.
    pub points: u64,
    /// Runs and folders that cannot be read, and why.
    pub refused: Vec<(String, String)>,
}

impl Store {
    /// Opens the index of a folder of runs, `<root>/index.sqlite`, and makes it if it is not there. Reads no logs yet.
    ///
    /// # Errors
    /// If it cannot be opened, or is of a newer version. A damaged index is set aside and made anew.
    pub fn open(root: Root) -> Result<Self, StoreError> {
        let folder = root.path().to_owned();
        Self::open_apart(root, &folder)
    }

    /// Opens an index that is in another folder than the runs: of runs that may only be read, or to be thrown away.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_apart(root: Root, folder: &Path) -> Result<Self, StoreError> {
        if !root.path().is_dir() {
            return Err(StoreError::NotFound(format!(
                "there is no folder {}; runs are recorded into one called `.cresset`, in the folder where the program is started",
                root.path().display()
            )));
        }
        let index = folder.join("index.sqlite");
        // SQLite would open it for reading, and say at the first change that it may not be changed.
        if let Err(source) = File::options().write(true).open(&index)
            && source.kind() != io::ErrorKind::NotFound
        {
            return Err(StoreError::Io {
                path: index,
                source,
            });
        }
        let engine = Box::new(Sqlite::open(&index)?);
        Ok(Self {
            inner: Arc::new(Inner {
                lead: Lead::new(folder.join("index.lock")),
                blobs: Box::new(FileBlobs::new(root.clone())),
                chunks: Box::new(InTables),
                engine,
                root,
                tables: Tables::default(),
                intake: Intake::default(),
                usage: Usage::default(),
            }),
            actor: Arc::new(Actor::shell()),
        })
    }

    /// The folder of runs.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.inner.root
    }

    /// The same store, for somebody else: the audit log says that they made the changes that are made through it.
    #[must_use]
    pub fn by(&self, actor: Actor) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            actor: Arc::new(actor),
        }
    }

    /// Who makes changes.
    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }

    /// How much room projects take.
    pub(crate) fn usage(&self) -> &Usage {
        &self.inner.usage
    }

    /// Where metadata is.
    pub(crate) fn engine(&self) -> &dyn Engine {
        &*self.inner.engine
    }

    /// Where the history of series is.
    pub(crate) fn chunks(&self) -> &dyn Chunks {
        &*self.inner.chunks
    }

    /// Where blobs are.
    pub(crate) fn blobs(&self) -> &dyn Blobs {
        &*self.inner.blobs
    }

    /// The tables of runs, as far as they were asked for.
    pub(crate) fn tables(&self) -> &Tables {
        &self.inner.tables
    }

    /// Logs that come from elsewhere.
    pub(crate) fn intake(&self) -> &Intake {
        &self.inner.intake
    }

    pub(crate) fn lead(&self) -> &Lead {
        &self.inner.lead
    }

    /// Reads what came into all logs since the last time, into the index. Where another process does so already, its
    /// work is waited for and used.
    ///
    /// # Errors
    /// If the index cannot be written. A run that cannot be read is no error.
    pub fn refresh(&self) -> Result<Refreshed, StoreError> {
        let mut watcher = self.engine().read(|tx| Watcher::new(tx))?;
        let (points, refused) = self.lead().refresh(self)?;
        Ok(Refreshed {
            changes: self.engine().read(|tx| watcher.changes(tx))?,
            points,
            refused,
        })
    }

    /// Forgets everything that was derived from logs and reads them anew. What people said stays.
    ///
    /// # Errors
    /// As [`Self::refresh`]; `Conflict` while another process indexes the folder.
    pub fn rebuild(&self) -> Result<Refreshed, StoreError> {
        let mut watcher = self.engine().read(|tx| Watcher::new(tx))?;
        let (points, refused) = self.lead().rebuild(self)?;
        Ok(Refreshed {
            changes: self.engine().read(|tx| watcher.changes(tx))?,
            points,
            refused,
        })
    }

    /// Starts a thread that refreshes all the time, live runs about every 100 ms, and tells of changes, those that
    /// another process indexed and those that people made included.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn index_in_background(
        &self,
        on_change: impl Fn(&[Change]) + Send + 'static,
    ) -> Result<Indexer, StoreError> {
        background::start(self.clone(), on_change)
    }

    /// How the index is doing.
    #[must_use]
    pub fn index_status(&self) -> IndexStatus {
        self.lead().status()
    }
}
