//! Runs of other trackers as runs of Cresset: [`tensorboard`] for event files, [`wandb`] for W&B's run folders,
//! [`MlflowServer`] for MLflow's tracking servers, [`csv`] for tables of numbers.
//!
//! Each run becomes a new run folder under a [`Root`](cresset_record::Root), which appears once it is whole. Its id follows from what it was
//! made from, so that the same source does not become a second run: that is [`ImportError::AlreadyImported`].
//!
//! For further sources there is [`RunWriter`].

mod csv;
mod error;
mod mlflow;
mod tensorboard;
mod wandb;
mod writer;

use cresset_record::{Project, RunDir};
use serde_json::{Map, Value as Json};

pub use csv::csv;
pub use error::ImportError;
pub use mlflow::{MlflowRuns, MlflowServer};
pub use tensorboard::tensorboard;
pub use wandb::wandb;
pub use writer::{RunWriter, project_named, run_id};

/// How imported runs are labelled.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ImportOptions {
    /// Their project.
    pub project: Project,
    /// Their name; what the source calls them if absent.
    pub name: Option<String>,
    /// Their group.
    pub group: Option<String>,
    /// Words to find them by.
    pub tags: Vec<String>,
    /// Hyper-parameters that the source does not know of; what it does know wins.
    pub config: Map<String, Json>,
}

impl ImportOptions {
    /// Into this project, and all else as the source says.
    #[must_use]
    pub fn new(project: Project) -> Self {
        Self {
            project,
            name: None,
            group: None,
            tags: Vec::new(),
            config: Map::new(),
        }
    }
}

/// A run that was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The run.
    pub run: RunDir,
    /// What it is called.
    pub name: String,
    /// Scalar points.
    pub points: u64,
    /// Histograms, images, texts, …
    pub values: u64,
    /// What could not be taken over, in words. It stands in the run's console as well.
    pub left_out: Vec<String>,
}
