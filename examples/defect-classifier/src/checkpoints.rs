use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cresset::Run;
use cresset_candle::{Checkpoint, TrainState};
use serde::{Deserialize, Serialize};

use crate::args::Settings;

/// What a checkpoint holds besides tensors and the step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The run's id; empty if it was not recorded.
    pub(crate) run: String,
    pub(crate) settings: Settings,
    pub(crate) data: PathBuf,
    pub(crate) classes: Vec<String>,
    /// Sum of the losses of the present epoch's steps.
    pub(crate) epoch_loss: f32,
    /// Highest macro AUC on the validation split.
    pub(crate) best_auc: Option<f64>,
}

/// The folder with a run's two checkpoints.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    const IN_RUN: &str = "checkpoints";
    const LAST: &str = "last.safetensors";
    const BEST: &str = "best.safetensors";

    /// That of a new run: `chosen`, or else in the run's own folder.
    ///
    /// # Errors
    /// When another run's checkpoints are there, or the folder cannot be made.
    pub(crate) fn claim(chosen: Option<&Path>, run: &Run) -> Result<Self> {
        let path = match (chosen, run.dir()) {
            (Some(path), _) => path.to_owned(),
            (None, Some(dir)) => dir.join(Self::IN_RUN),
            (None, None) => PathBuf::from("data/checkpoints"),
        };
        let folder = Self(path);
        if folder.last().exists() {
            bail!(
                "{path} holds the checkpoints of another run; go on with it by --resume {last}, or name another folder \
                 by --checkpoints",
                path = folder.0.display(),
                last = folder.last().display()
            );
        }
        std::fs::create_dir_all(&folder.0)
            .with_context(|| format!("cannot create {}", folder.0.display()))?;
        Ok(folder)
    }

    /// Whether the run's id is enough to find it.
    pub(crate) fn is_of(&self, run: &Run) -> bool {
        // A resumed run was found by a path from here.
        let whole = |path: &Path| path.canonicalize().ok();
        run.dir().is_some_and(|dir| {
            let own = whole(&dir.join(Self::IN_RUN));
            own.is_some() && own == whole(&self.0)
        })
    }

    /// The state to go on from.
    pub(crate) fn last(&self) -> PathBuf {
        self.0.join(Self::LAST)
    }

    /// Where the state to go on from is in training; `None` if there is none.
    pub(crate) fn last_state(&self) -> Option<TrainState> {
        Checkpoint::read_state(self.last()).ok()
    }

    /// The weights that were best in validation.
    pub(crate) fn best(&self) -> PathBuf {
        self.0.join(Self::BEST)
    }
}

/// A run to go on with, before its model is built.
pub(crate) struct Resumed {
    pub(crate) file: PathBuf,
    pub(crate) folder: Folder,
    pub(crate) state: TrainState,
    pub(crate) progress: Progress,
}

impl Resumed {
    /// `what` is a checkpoint or the id of a run of `project`.
    ///
    /// # Errors
    /// When there is no such checkpoint, or it is not one of ours.
    pub(crate) fn find(what: &str, project: &str) -> Result<Self> {
        let file = if Path::new(what).is_file() {
            PathBuf::from(what)
        } else {
            let runs = std::env::var_os("CRESSET_DIR").unwrap_or_else(|| ".cresset".into());
            Path::new(&runs)
                .join(project)
                .join(what)
                .join(Folder::IN_RUN)
                .join(Folder::LAST)
        };
        if !file.is_file() {
            bail!(
                "there is no checkpoint `{what}`, and no run of that id with one at {}",
                file.display()
            );
        }
        let state = Checkpoint::read_state(&file)?;
        let progress = serde_json::from_value(state.extra.clone())
            .with_context(|| format!("{} is the checkpoint of another program", file.display()))?;
        let folder = Folder(file.parent().unwrap_or(Path::new("")).to_owned());
        Ok(Self {
            file,
            folder,
            state,
            progress,
        })
    }
}
