//! One call on the learner.

use std::path::{Path, PathBuf};

use burn_train::checkpoint::FileCheckpointer;
use burn_train::metric::Adaptor;
use burn_train::{InferenceStep, LearnerModel, SupervisedTraining, TrainStep};
use cresset_run::Run;

use crate::checkpoint::RecordedCheckpointer;
use crate::guard::Guard;
use crate::logger::RunLogger;
use crate::passes::Passes;
use crate::progress::{Batches, ProgressMetric};

/// What is recorded of a learner, and how.
///
/// [`CressetTraining::cresset`] is this with the folder of the training.
#[derive(Clone, Debug)]
pub struct Callback {
    run: Run,
    files: Option<PathBuf>,
    checkpoints: bool,
    progress: bool,
}

impl Callback {
    /// Records into `run`, and keeps no files of burn's own.
    ///
    /// burn keeps the metrics of each batch as text files in the folder of the training, and makes the summary that
    /// [`SupervisedTraining::summary`] asks for from them, but only as long as no metric logger is registered. This is one;
    /// see [`files`](Self::files).
    #[must_use]
    pub fn new(run: &Run) -> Self {
        Self {
            run: run.clone(),
            files: None,
            checkpoints: false,
            progress: true,
        }
    }

    /// Keeps burn's own files all the same: `folder` is what [`SupervisedTraining::new`] was given.
    #[must_use]
    pub fn files(mut self, folder: impl AsRef<Path>) -> Self {
        self.files = Some(folder.as_ref().to_owned());
        self
    }

    /// Keeps checkpoints where [`SupervisedTraining::with_default_checkpointers`] does, in the folder of
    /// [`files`](Self::files), and records the model of each as a file of the run, with its epoch and metrics.
    #[must_use]
    pub fn checkpoints(mut self, on: bool) -> Self {
        self.checkpoints = on;
        self
    }

    /// Whether learning rate and progress are recorded, as `train/lr` and `epoch`; they are, if not set. burn tells them
    /// to metrics only, so there is one more, `Cresset`, of which the renderer shows a line of text.
    #[must_use]
    pub fn progress(mut self, on: bool) -> Self {
        self.progress = on;
        self
    }
}

/// burn's learner, recorded.
pub trait CressetTraining: Sized {
    /// Records everything that the learner knows: of each batch the numeric metrics of the training split (`train/loss`, …), the
    /// learning rate (`train/lr`) and the progress (`epoch`); of each epoch the metrics of both splits
    /// (`train/epoch_loss`, `val/loss`, …), with units and directions. Percentages are recorded as parts of one: burn's
    /// accuracy of 93 % is 0.93.
    ///
    /// Somebody who asks the run to stop, from the dashboard say, stops the learner after the next batch, and the run ends as
    /// stopped. An error that ends the training marks the run as failed.
    ///
    /// `folder` is that of the training, which burn keeps to itself: files of metrics go on being kept there, and the summary is made
    /// of them, as without this call. It is to come after `with_interrupter`, if that is called.
    ///
    /// Everything is recorded on a thread of burn's own; training does not wait for it. A panic in here ends recording, with
    /// an alert, and not the training.
    #[must_use]
    fn cresset(self, run: &Run, folder: impl AsRef<Path>) -> Self {
        self.cresset_with(Callback::new(run).files(folder))
    }

    /// The same with checkpoints: those of [`SupervisedTraining::with_default_checkpointers`], the model of each recorded as
    /// a file of the run, with its epoch and metrics.
    #[must_use]
    fn cresset_with_checkpoints(self, run: &Run, folder: impl AsRef<Path>) -> Self {
        self.cresset_with(Callback::new(run).files(folder).checkpoints(true))
    }

    /// The same with settings of your own.
    #[must_use]
    fn cresset_with(self, callback: Callback) -> Self;
}

impl<M> CressetTraining for SupervisedTraining<M>
where
    M: LearnerModel,
    <M as TrainStep>::Output: Adaptor<()>,
    <M as InferenceStep>::Output: Adaptor<()>,
{
    fn cresset_with(self, callback: Callback) -> Self {
        let Callback {
            run,
            files,
            checkpoints,
            progress,
        } = callback;
        let (batches, passes) = (Batches::default(), Passes::default());
        let guard = Guard::new(&run, "metrics");
        let logger = RunLogger::new(
            &run,
            guard.clone(),
            self.interrupter(),
            progress.then(|| batches.clone()),
            passes.clone(),
            files.as_deref(),
        );
        let mut training = self.with_metric_logger(logger);
        if progress {
            let shown = format!("recorded as {}", run.name());
            training = training.metric_train(ProgressMetric::new(shown, guard, &batches));
        }
        match (checkpoints, files) {
            (true, Some(folder)) => {
                let folder = folder.join("checkpoint");
                let file = |name| FileCheckpointer::new(&folder, name);
                let model = RecordedCheckpointer::new(file("model"), &run, &folder, passes);
                training.with_custom_checkpointers(model, file("optim"), file("scheduler"))
            }
            _ => training,
        }
    }
}
