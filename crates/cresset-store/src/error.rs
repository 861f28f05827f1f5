//! Why the store could not do what it was asked to.

use std::io;
use std::path::{Path, PathBuf};

/// Shaped by what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such project, run, series or blob.
    #[error("{0}")]
    NotFound(String),
    /// The question makes no sense; the text says why and what to ask instead.
    #[error("{message}")]
    Invalid {
        /// For people.
        message: String,
        /// For filters: the character at which the trouble begins, counted from 1.
        column: Option<usize>,
    },
    /// It cannot be done now, such as deleting a run that is being written.
    #[error("{0}")]
    Conflict(String),
    /// A project's quota is used up.
    #[error("{0}")]
    Full(String),
    /// The index was made by a newer version of Cresset.
    #[error("{} has an index of version {found}, and this program knows {known}; use the newer cresset", .path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The file system said no.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The database said no.
    #[error("the index: {0}")]
    Engine(String),
}

impl StoreError {
    /// The question makes no sense, and it is no filter.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid {
            message: message.into(),
            column: None,
        }
    }

    /// Makes an error of what the file system says of `path`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}
