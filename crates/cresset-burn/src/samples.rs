//! Validation passes: from the learner's batches to metrics, figures and the mistakes worth looking at.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use burn_core::tensor::module::avg_pool2d;
use burn_core::tensor::ops::AvgPoolOptions;
use burn_core::tensor::{DType, Int, Tensor};
use burn_train::ClassificationOutput;
use cresset_run::samples::{Batch, Evaluation, Kept, Pictures, Scores};
use cresset_run::{Image, Level, Run};

use crate::guard::Guard;
use crate::late::own;
use crate::together::Together;

/// A batch that says what is in it, for [`Watched::samples`](crate::Watched::samples).
pub trait SampleBatch {
    /// The images, of shape (rows, channels, height, width) with 1, 3 or 4 channels; `None` if nothing is to be shown.
    fn images(&self) -> Option<Tensor<4>>;

    /// The place in the data set of each row.
    fn indices(&self) -> Vec<u64>;
}

/// What a classifier says of a batch; burn's [`ClassificationOutput`] is one, with logits.
pub trait ClassScores {
    /// Logits of shape (rows, classes).
    fn logits(&self) -> Tensor<2>;

    /// The true class of each row.
    fn targets(&self) -> Tensor<1, Int>;
}

impl ClassScores for ClassificationOutput {
    fn logits(&self) -> Tensor<2> {
        self.output.clone()
    }

    fn targets(&self) -> Tensor<1, Int> {
        self.targets.clone()
    }
}

/// How validation passes are evaluated.
#[derive(Clone)]
pub struct Samples {
    classes: Vec<String>,
    pictures: Pictures,
    prepare: Prepare,
    mistakes_per_pair: usize,
    max_mistakes: usize,
}

type Prepare = Arc<dyn Fn(u64, Image) -> Image + Send + Sync>;

impl Samples {
    /// Passes over these classes, in the order of the model's outputs.
    #[must_use]
    pub fn new(classes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            classes: classes.into_iter().map(Into::into).collect(),
            pictures: Pictures::default(),
            prepare: Arc::new(|_, image| image),
            mistakes_per_pair: 4,
            max_mistakes: 64,
        }
    }

    /// How images become pictures: their normalisation, which is undone, and their size.
    #[must_use]
    pub fn pictures(mut self, pictures: Pictures) -> Self {
        self.pictures = pictures;
        self
    }

    /// What else is done to a picture before it is recorded, given its place in the data set: a
    /// [`Redaction`](cresset_run::Redaction), say. Called on a thread of the run.
    #[must_use]
    pub fn prepare(mut self, work: impl Fn(u64, Image) -> Image + Send + Sync + 'static) -> Self {
        self.prepare = Arc::new(work);
        self
    }

    /// How many mistakes are kept of each pair of true and predicted class; 4 if not set.
    #[must_use]
    pub fn mistakes_per_pair(mut self, n: usize) -> Self {
        self.mistakes_per_pair = n;
        self
    }

    /// How many mistakes are kept at all; 64 if not set.
    #[must_use]
    pub fn max_mistakes(mut self, n: usize) -> Self {
        self.max_mistakes = n;
        self
    }
}

/// Looks at the inputs `I` and outputs `O` of a model's validation steps.
pub(crate) struct Sampler<I, O> {
    samples: Samples,
    input: fn(&I) -> Shown,
    output: fn(&O) -> (Tensor<2>, Tensor<1, Int>),
}

/// What is kept of a batch while the model has it.
pub(crate) struct Shown {
    images: Option<Tensor<4>>,
    indices: Vec<u64>,
}

impl<I: SampleBatch, O: ClassScores> Sampler<I, O> {
    pub(crate) fn new(samples: Samples) -> Self {
        Self {
            samples,
            input: |batch| Shown {
                images: batch.images(),
                indices: batch.indices(),
            },
            output: |output| (output.logits(), output.targets()),
        }
    }
}

impl<I, O> Sampler<I, O> {
    pub(crate) fn look_at(&self, input: &I) -> Shown {
        (self.input)(input)
    }

    pub(crate) fn begin(&self, run: &Run, prefix: &str, steps: &Arc<AtomicU64>) -> Pass {
        let Samples {
            classes,
            pictures,
            prepare,
            mistakes_per_pair,
            max_mistakes,
        } = self.samples.clone();
        let evaluation = Evaluation::new(classes)
            .mistakes_per_pair(mistakes_per_pair)
            .max_mistakes(max_mistakes);
        Pass {
            guard: Guard::new(run, "samples"),
            run: run.clone(),
            prefix: prefix.to_owned(),
            steps: Arc::clone(steps),
            pictures: Arc::new(pictures),
            prepare,
            state: Arc::new(Mutex::new(State {
                evaluation: Some(evaluation),
                rows: 0,
                lost: 0,
                error: None,
                no_images: None,
            })),
        }
    }

    /// Takes a batch in; nothing of it is waited for.
    pub(crate) fn push(&self, pass: &Pass, shown: Shown, output: &O) {
        let (logits, targets) = (self.output)(output);
        let (logits, targets) = (own(logits), targets.add_scalar(0));
        // The model is done with the images, and so is what it queued with them.
        let _ = logits.device().flush();
        pass.push(shown, logits, targets);
    }
}

impl<I, O> fmt::Debug for Sampler<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.samples.fmt(f)
    }
}

impl fmt::Debug for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Samples")
            .field("classes", &self.classes)
            .finish_non_exhaustive()
    }
}

/// One pass over a data set, recorded when the last handle is dropped.
pub(crate) struct Pass {
    guard: Guard,
    run: Run,
    prefix: String,
    /// Training steps so far.
    steps: Arc<AtomicU64>,
    pictures: Arc<Pictures>,
    prepare: Prepare,
    state: Arc<Mutex<State>>,
}

struct State {
    evaluation: Option<Evaluation<Image>>,
    rows: usize,
    /// Rows that could not be taken in.
    lost: usize,
    error: Option<String>,
    /// Why mistakes have no images.
    no_images: Option<String>,
}

impl Pass {
    fn push(&self, shown: Shown, logits: Tensor<2>, targets: Tensor<1, Int>) {
        let rows = shown.indices.len();
        lock(&self.state).rows += rows;
        let of_images = shown
            .images
            .as_ref()
            .map_or(0, |t| 4 * t.shape().num_elements());
        let bytes = 4 * logits.shape().num_elements() + 8 * rows + of_images;
        let (state, pictures) = (Arc::clone(&self.state), Arc::clone(&self.pictures));
        let prepare = Arc::clone(&self.prepare);
        let queued = self.run.defer(bytes, move |_| {
            let mut state = lock(&state);
            if let Err(error) = state.take_in(shown, logits, targets, &pictures, &prepare) {
                state.lost += rows;
                state.error.get_or_insert(error);
            }
        });
        if !queued {
            lock(&self.state).lost += rows;
        }
    }

    fn finish(&self) {
        if lock(&self.state).rows == 0 {
            return;
        }
        let step = self.steps.load(Ordering::Relaxed).saturating_sub(1);
        let (prefix, state) = (self.prefix.clone(), Arc::clone(&self.state));
        let queued = self.run.defer(0, move |run| {
            let mut state = lock(&state);
            let Some(evaluation) = state.evaluation.take() else {
                return;
            };
            if state.lost > 0 {
                let (lost, rows) = (state.lost, state.rows);
                let title = format!("{lost} of {rows} rows of {prefix} are in no metric");
                let overflow = "They came faster than they could be looked at.".to_owned();
                let text = state.error.take().unwrap_or(overflow);
                run.alert_at(step, Level::Warn, title, text);
            }
            if let Some(error) = state.no_images.take() {
                let title = format!("mistakes of {prefix} cannot be shown");
                run.alert_at(step, Level::Warn, title, error);
            }
            if state.lost < state.rows {
                // burn's loss may be another than this, and is the one that it decides by.
                let together = run.shared::<Together>();
                let is_elsewhere = |key: &str| together.is_claimed(key);
                run.log_evaluation_except(step, &prefix, evaluation.report(), is_elsewhere);
            }
        });
        if !queued && self.run.is_recording() {
            let title = format!("the evaluation {} of step {step} is lost", self.prefix);
            self.run
                .alert_at(step, Level::Warn, title, "Too much waited to be recorded.");
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.guard.run(|| self.finish());
    }
}

impl State {
    fn take_in(
        &mut self,
        shown: Shown,
        logits: Tensor<2>,
        targets: Tensor<1, Int>,
        pictures: &Pictures,
        prepare: &Prepare,
    ) -> Result<(), String> {
        let Some(evaluation) = &mut self.evaluation else {
            return Ok(());
        };
        let logits = logits
            .cast(DType::F32)
            .try_into_data()
            .map_err(|e| e.to_string())?;
        let logits = logits.as_slice::<f32>().map_err(|e| e.to_string())?;
        let targets = targets.try_into_data().map_err(|e| e.to_string())?;
        // What is no class number becomes one that is no class either.
        let targets: Vec<u32> = targets
            .iter::<i64>()
            .map(|n| u32::try_from(n).unwrap_or(u32::MAX))
            .collect();
        let batch = Batch {
            scores: Scores::Logits(logits),
            targets: &targets,
            indices: &shown.indices,
        };
        let kept = evaluation.push(&batch).map_err(|e| e.to_string())?;
        let Some(images) = shown.images.filter(|_| !kept.is_empty()) else {
            return Ok(());
        };
        // Without images there is still everything else.
        match thumbnails(images, &kept, pictures) {
            Err(error) => {
                self.no_images.get_or_insert(error);
            }
            Ok(images) => {
                for (kept, image) in kept.iter().zip(images) {
                    let index = shown.indices.get(kept.row()).copied().unwrap_or_default();
                    evaluation.attach(kept, prepare(index, image));
                }
            }
        }
        Ok(())
    }
}

/// The kept rows of a batch as pictures.
fn thumbnails(images: Tensor<4>, kept: &[Kept], pictures: &Pictures) -> Result<Vec<Image>, String> {
    let images = images.without_autodiff();
    let [_, channels, height, width] = images.dims();
    pictures
        .check(channels, height, width)
        .map_err(|e| e.to_string())?;
    let rows: Vec<i64> = kept.iter().map(|kept| kept.row() as i64).collect();
    let rows = Tensor::<1, Int>::from_data(&rows[..], &images.device());
    let mut images = images.select(0, rows).cast(DType::F32);
    let window = pictures.window(height, width);
    if window != (1, 1) {
        let options = AvgPoolOptions::new([window.0, window.1]);
        images = avg_pool2d(images, options);
    }
    let [_, channels, height, width] = images.dims();
    let data = images.try_into_data().map_err(|e| e.to_string())?;
    let pixels = data.as_slice::<f32>().map_err(|e| e.to_string())?;
    let each = pixels.chunks(channels * height * width);
    each.map(|pixels| pictures.image(pixels.to_vec(), [channels, height, width]))
        .collect::<Result<_, _>>()
        .map_err(|e| e.to_string())
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
