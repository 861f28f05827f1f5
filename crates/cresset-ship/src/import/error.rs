//! Why a run was not imported.

use std::io;
use std::path::PathBuf;

use cresset_record::{EncodeError, LockError, NameError, RunDir};

use crate::error::ShipError;

/// Why a run was not imported. Nothing of it is there then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The same source is there as a run.
    #[error("{source_name} is already imported as {}", run.path().display())]
    AlreadyImported {
        /// The source, for people.
        source_name: String,
        /// The run.
        run: RunDir,
    },
    /// The run still goes on; what is imported of it now would stay as it is.
    #[error("{source_name} still goes on; import it once it has ended")]
    Unfinished {
        /// The source, for people.
        source_name: String,
    },
    /// The server that the run is at cannot be reached, or says no.
    #[error(transparent)]
    Server(#[from] ShipError),
    /// There is nothing to import.
    #[error("{}: {why}", path.display())]
    Nothing {
        /// Where it was looked for.
        path: PathBuf,
        /// What was missed.
        why: &'static str,
    },
    /// The source is not what it should be.
    #[error("{}, line {line}: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody imports the same at this moment.
    #[error(transparent)]
    Busy(#[from] LockError),
    /// A name cannot be used.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Something that the run cannot do without, such as its config, has no place in a log.
    #[error("the run cannot be written: {0}")]
    Unwritable(#[from] EncodeError),
}

impl ImportError {
    /// For `map_err`.
    pub fn disk(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Disk { path, source }
    }
}
