//! Why a run could not be carried further.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use cresset_record::LogError;

/// Why a run could not be carried further; what was carried stays carried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShipError {
    /// Nobody answers, or says to come again later: worth another try by itself.
    #[error("{message}")]
    Unreachable {
        /// What was tried and what came of it.
        message: String,
        /// How long the other side asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The other side understood and said no, such as for a wrong key: somebody has to change something first.
    #[error("{0}")]
    Refused(String),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file on this side cannot be read or written.
    #[error("{}: {source}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ShipError {
    /// Whether the same may go well later, with nothing changed here.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Log(LogError::Sync { .. })
        )
    }

    pub(crate) fn disk(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Disk { path, source }
    }
}
