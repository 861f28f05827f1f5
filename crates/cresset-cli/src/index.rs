//! The index of a folder of runs, as commands use it.

use std::io;

use anyhow::Context;
use cresset_record::{Root, RunDir};
use cresset_store::{LabelPatch, RunKey, Store, StoreError, Trashed};
use tempfile::TempDir;

/// An index that knows all that is in the logs now.
pub(crate) struct Index {
    store: Store,
    /// Runs that cannot be read, and why.
    pub(crate) refused: Vec<(String, String)>,
    /// Where the index is if the folder of runs may not be written.
    _apart: Option<TempDir>,
}

impl Index {
    /// Opens the index of a folder and reads what its logs have that is new. Where the folder may not be written, all its
    /// logs are read into an index that is thrown away.
    pub(crate) fn read(root: &Root) -> anyhow::Result<Self> {
        let (store, apart) = match Store::open(root.clone()) {
            Err(StoreError::Io { source, .. }) if is_refusal(&source) => {
                let apart = TempDir::new().context("cannot make a temporary folder")?;
                (Store::open_apart(root.clone(), apart.path())?, Some(apart))
            }
            opened => (opened?, None),
        };
        Self::refreshed(store, apart)
    }

    /// Opens the index of a folder in which something will be changed.
    pub(crate) fn write(root: &Root) -> anyhow::Result<Self> {
        Self::refreshed(Store::open(root.clone())?, None)
    }

    /// The index itself.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    fn refreshed(store: Store, apart: Option<TempDir>) -> anyhow::Result<Self> {
        let refused = store.refresh()?.refused;
        Ok(Self {
            store,
            refused,
            _apart: apart,
        })
    }
}

/// What people set of runs, for commands that read the logs themselves: nothing if there is no index yet.
pub(crate) fn labels(root: &Root) -> Vec<(RunKey, LabelPatch)> {
    said(
        root,
        "names, tags and notes that people gave",
        Store::labels,
    )
}

/// What people set of the run in this folder, of `labels`.
pub(crate) fn labels_in<'a>(
    labels: &'a [(RunKey, LabelPatch)],
    root: &Root,
    dir: &RunDir,
) -> Option<&'a LabelPatch> {
    let found = labels.iter().find(|(key, _)| is_in(dir, root, key));
    found.map(|(_, labels)| labels)
}

/// What people set of the run in this folder.
pub(crate) fn labels_of(dir: &RunDir) -> Option<LabelPatch> {
    let root = root_of(dir)?;
    labels_in(&labels(&root), &root, dir).cloned()
}

/// The run in this folder, if it is in the trash.
pub(crate) fn trashed(dir: &RunDir) -> Option<Trashed> {
    let root = root_of(dir)?;
    let mut trash = said(&root, "the trash", Store::trash).into_iter();
    trash.find(|run| is_in(dir, &root, &run.key))
}

fn said<T>(
    root: &Root,
    what: &str,
    ask: impl FnOnce(&Store) -> Result<Vec<T>, StoreError>,
) -> Vec<T> {
    if !root.path().join("index.sqlite").is_file() {
        return Vec::new();
    }
    let read = Store::open(root.clone()).and_then(|store| ask(&store));
    read.unwrap_or_else(|error| {
        eprintln!("cresset: cannot read {what}: {error}");
        Vec::new()
    })
}

/// The folder of runs that a run is in: `<root>/<project>/<run>`.
fn root_of(dir: &RunDir) -> Option<Root> {
    dir.path().ancestors().nth(2).map(Root::new)
}

fn is_in(dir: &RunDir, root: &Root, key: &RunKey) -> bool {
    root.run(&key.project, &key.run).path() == dir.path()
}

fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}
