use std::fmt;
use std::path::{Path, PathBuf};

use candle_core::DType;

/// Why a checkpoint could not be saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file system refused. Free space or fix permissions, then try again.
    #[error("cannot {action} the checkpoint {}: {source}", path.display())]
    Io {
        /// What was tried: `read` or `write`.
        action: &'static str,
        /// The checkpoint.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file's bytes are not those that were written. Use an older checkpoint.
    #[error("the checkpoint {} is damaged: {what}", path.display())]
    Damaged {
        /// The checkpoint.
        path: PathBuf,
        /// What is wrong with it, and where.
        what: String,
    },
    /// A safetensors file of another origin. It can be loaded as weights with `VarMap::load`.
    #[error(
        "{} holds tensors but no training state: it is not a checkpoint; load it as weights with VarMap::load",
        path.display()
    )]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
    },
    /// Written by a later version of this crate. Update it.
    #[error("the checkpoint {} has format version {found}, this program reads up to {supported}", path.display())]
    NewerVersion {
        /// The checkpoint.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest that can be read.
        supported: u32,
    },
    /// The file's tensors are not those of the model and optimizer at hand.
    #[error("the checkpoint {} does not fit this model: {}", path.display(), listed(problems))]
    Mismatch {
        /// The checkpoint.
        path: PathBuf,
        /// Each difference, ordered by name.
        problems: Vec<TensorProblem>,
    },
    /// Saved without an optimizer, but one is to be restored. Load without it to start the optimizer afresh.
    #[error("the checkpoint {} has no optimizer state", path.display())]
    NoOptimizer {
        /// The checkpoint.
        path: PathBuf,
    },
    /// Saved with another optimizer.
    #[error("the checkpoint {} is of the optimizer `{found}`, not `{expected}`", path.display())]
    OtherOptimizer {
        /// The checkpoint.
        path: PathBuf,
        /// The optimizer at hand.
        expected: String,
        /// The one in the file.
        found: String,
    },
    /// The model or optimizer cannot be told apart by name.
    #[error("cannot make a checkpoint: {0}")]
    Unsaveable(String),
    /// candle could not read or write a tensor.
    #[error("{name}: {source}")]
    Tensor {
        /// Name of the tensor.
        name: String,
        /// candle's error.
        source: Box<candle_core::Error>,
    },
}

impl CheckpointError {
    pub(crate) fn tensor(name: &str, source: candle_core::Error) -> Self {
        Self::Tensor {
            name: name.to_owned(),
            source: Box::new(source),
        }
    }

    pub(crate) fn damaged(path: &Path, what: impl fmt::Display) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            what: what.to_string(),
        }
    }
}

/// How one tensor of a file differs from the one it is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TensorProblem {
    /// The model or optimizer has it, the file does not.
    Missing {
        /// Name of the tensor.
        name: String,
        /// Its shape in the model.
        shape: Vec<usize>,
    },
    /// The file has it, the model and optimizer do not.
    Unexpected {
        /// Name of the tensor.
        name: String,
        /// Its shape in the file.
        shape: Vec<usize>,
    },
    /// Both have it, differently.
    Differs {
        /// Name of the tensor.
        name: String,
        /// Shape and type in the model.
        expected: (Vec<usize>, DType),
        /// Shape and type (safetensors' name for it) in the file.
        found: (Vec<usize>, String),
    },
}

impl fmt::Display for TensorProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name, shape } => write!(f, "`{name}` {shape:?} is missing"),
            Self::Unexpected { name, shape } => write!(f, "`{name}` {shape:?} is not in the model"),
            Self::Differs {
                name,
                expected,
                found,
            } => write!(
                f,
                "`{name}` is {} {:?}, expected {} {:?}",
                found.1,
                found.0,
                expected.1.as_str().to_uppercase(),
                expected.0
            ),
        }
    }
}

/// The first few, and how many more.
fn listed(problems: &[TensorProblem]) -> String {
    const SHOWN: usize = 5;
    let mut text: Vec<_> = problems
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    if problems.len() > SHOWN {
        text.push(format!("and {} more", problems.len() - SHOWN));
    }
    text.join("; ")
}
