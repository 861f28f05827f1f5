//! The index of a folder of runs, as commands use it.

use std::io;

use anyhow::Context;
use cresset_record::Root;
use cresset_store::{Store, StoreError};
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

fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}
