//! The door to the store.

use std::sync::Arc;

use cresset_record::{Digest, Project, Root, State, Timestamp};

use crate::document::{RunDocument, RunKey, SeriesInfo};
use crate::error::StoreError;

/// An index of the runs of a folder. Clones are handles of the same store; all methods block on files and may be called
/// from any thread.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: Root,
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

/// A thread that keeps the store up to date; it ends when this is dropped.
#[derive(Debug)]
pub struct Indexer {}

impl Store {
    /// Opens the index of a folder of runs, `<root>/index.sqlite`, and makes it if it is not there. Reads no logs yet.
    ///
    /// # Errors
    /// If it cannot be opened, or is of a newer version. A damaged index is set aside and made anew.
    pub fn open(root: Root) -> Result<Self, StoreError> {
        Ok(Self {
            inner: Arc::new(Inner { root }),
        })
    }

    /// The folder of runs.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.inner.root
    }

    /// Reads what came into all logs since the last time, into the index. Where another process does so already, its
    /// work is waited for and used.
    ///
    /// # Errors
    /// If the index cannot be written. A run that cannot be read is no error.
    pub fn refresh(&self) -> Result<Refreshed, StoreError> {
        todo!()
    }

    /// Forgets everything that was derived from logs and reads them anew. What people said stays.
    ///
    /// # Errors
    /// As [`Self::refresh`].
    pub fn rebuild(&self) -> Result<Refreshed, StoreError> {
        todo!()
    }

    /// Starts a thread that refreshes all the time, live runs about every 100 ms, and tells of changes, those that
    /// another process indexed and those that people made included.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn index_in_background(
        &self,
        _on_change: impl Fn(&[Change]) + Send + 'static,
    ) -> Result<Indexer, StoreError> {
        todo!()
    }

    /// The highest version of any run.
    pub fn version(&self) -> Result<u64, StoreError> {
        todo!()
    }

    /// All projects, the latest activity first.
    pub fn projects(&self) -> Result<Vec<ProjectOverview>, StoreError> {
        todo!()
    }

    /// One run; runs in the trash are found too.
    pub fn run(&self, _key: &RunKey) -> Result<Arc<RunDocument>, StoreError> {
        todo!()
    }

    /// The series of some runs of a project (of all, if `runs` is `None`), joined by key and kind, in the order of keys.
    pub fn series(
        &self,
        _project: &Project,
        _runs: Option<&[cresset_record::RunId]>,
    ) -> Result<Vec<SeriesInfo>, StoreError> {
        todo!()
    }

    /// The bytes of all blobs of a run's folder: how many, and how large.
    pub fn blob_bytes(&self, _key: &RunKey) -> Result<(u64, u64), StoreError> {
        todo!()
    }

    /// An opened blob and its length. Its digest is checked where that was not done before.
    ///
    /// # Errors
    /// `NotFound` where it is missing or damaged; the text says which.
    pub fn blob(
        &self,
        _key: &RunKey,
        _digest: &Digest,
    ) -> Result<(std::fs::File, u64), StoreError> {
        todo!()
    }
}
