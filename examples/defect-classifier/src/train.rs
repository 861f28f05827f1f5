use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use candle_core::{D, DType, Device, ModuleT, Tensor};
use candle_nn::ops::log_softmax;
use candle_nn::{Optimizer, ParamsAdamW, VarMap};
use cresset_candle::{AdamW, Checkpoint, TrainState};
use serde::{Deserialize, Serialize};
use solder_joints::Split;

use crate::args::{Arguments, Settings};
use crate::data::{Data, tensors};
use crate::evaluate::evaluate;
use crate::metrics::Metrics;
use crate::model::{ModelConfig, ResNet, parameter_count};
use crate::report::Report;
use crate::schedule::Schedule;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Finished,
    /// By Ctrl-C; it can be resumed.
    Interrupted,
}

/// Trains, and tests the best weights once at the end.
pub(crate) fn train(arguments: &Arguments, stop: &Arc<AtomicBool>) -> Result<End> {
    let mut run = Run::start(arguments)?;
    while run.progress.history.len() < run.settings.epochs as usize {
        if run.train_epoch(stop)? == End::Interrupted {
            run.save(&run.last())?;
            run.report.interrupted(&run.folder);
            return Ok(End::Interrupted);
        }
        run.finish_epoch()?;
    }
    run.test()?;
    Ok(End::Finished)
}

/// One training run, between two steps.
struct Run {
    settings: Settings,
    folder: PathBuf,
    checkpoint_every: u64,
    device: Device,
    data: Data,
    config: ModelConfig,
    model: ResNet,
    varmap: VarMap,
    optimizer: AdamW,
    schedule: Schedule,
    class_weights: Tensor,
    steps_per_epoch: u64,
    step: u64,
    /// Sum of the losses of this epoch's steps. It stays on the device, where nobody has to wait for it.
    epoch_loss: Tensor,
    progress: Progress,
    report: Report,
}

/// What a checkpoint holds besides tensors and the step.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Progress {
    settings: Settings,
    data: PathBuf,
    classes: Vec<String>,
    epoch_loss: f32,
    history: Vec<Epoch>,
}

/// One finished epoch.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Epoch {
    train_loss: f64,
    val_loss: f64,
    val_accuracy: f64,
    val_auc: f64,
}

impl Run {
    fn start(arguments: &Arguments) -> Result<Self> {
        let resumed = arguments.resume.as_deref().map(Resumed::open).transpose()?;
        let device = arguments.device.open()?;
        let settings = resumed
            .as_ref()
            .map_or(&arguments.settings, |run| &run.progress.settings)
            .clone();
        let data_folder = arguments.data(resumed.as_ref().map(|run| run.progress.data.clone()));
        let data = Data::open(&data_folder, &settings)?;
        let config = settings.model(data.classes.len());
        let (model, varmap) = ResNet::seeded(&config, settings.seed, &device)?;
        let hyperparameters = ParamsAdamW {
            lr: settings.lr,
            weight_decay: settings.weight_decay,
            ..ParamsAdamW::default()
        };
        let steps_per_epoch = data.steps_per_epoch(&settings);
        let total_steps = steps_per_epoch * settings.epochs;
        let mut run = Self {
            folder: resumed
                .as_ref()
                .map_or(&arguments.out, |run| &run.folder)
                .clone(),
            checkpoint_every: arguments.checkpoint_every,
            optimizer: AdamW::new(varmap.all_vars(), hyperparameters)?,
            schedule: Schedule {
                peak: settings.lr,
                warmup_steps: (settings.warmup * total_steps as f64) as u64,
                total_steps,
            },
            class_weights: data.class_weights(settings.class_weight, &device)?,
            step: 0,
            epoch_loss: Tensor::zeros((), DType::F32, &device)?,
            progress: Progress {
                settings: settings.clone(),
                data: data_folder,
                classes: data.classes.clone(),
                epoch_loss: 0.0,
                history: Vec::new(),
            },
            report: Report::new(total_steps),
            settings,
            device,
            data,
            config,
            model,
            varmap,
            steps_per_epoch,
        };
        match resumed {
            Some(resumed) => run.take_over(resumed)?,
            None => run.claim_folder()?,
        }
        run.report.start(
            &run.config,
            parameter_count(&run.varmap),
            run.data.counts(),
            run.step,
        );
        Ok(run)
    }

    /// A new run does not overwrite another's checkpoints.
    fn claim_folder(&self) -> Result<()> {
        if self.last().exists() {
            bail!(
                "{folder} holds the checkpoints of another run; go on with it by --resume {folder}, or name another \
                 folder by --out",
                folder = self.folder.display()
            );
        }
        std::fs::create_dir_all(&self.folder)
            .with_context(|| format!("cannot create {}", self.folder.display()))
    }

    fn take_over(&mut self, resumed: Resumed) -> Result<()> {
        if resumed.progress.classes != self.data.classes {
            bail!(
                "the images are of {:?}, the run was of {:?}",
                self.data.classes,
                resumed.progress.classes
            );
        }
        let state = Checkpoint::load(&resumed.file, &self.varmap, Some(&mut self.optimizer))?;
        self.step = state.step;
        self.epoch_loss = Tensor::new(resumed.progress.epoch_loss, &self.device)?;
        self.progress = Progress {
            data: self.progress.data.clone(),
            ..resumed.progress
        };
        Ok(())
    }

    /// The steps of the present epoch that are still to be done.
    fn train_epoch(&mut self, stop: &AtomicBool) -> Result<End> {
        let epoch = self.progress.history.len() as u64;
        let start = self.step - epoch * self.steps_per_epoch;
        for batch in self.data.training(&self.settings, epoch, start) {
            let batch = batch?;
            if let Some(failed) = batch.failed.first() {
                self.report
                    .warn(&format!("{}: {}", failed.path.display(), failed.reason));
            }
            let (images, labels) = tensors(batch, &self.device)?;
            let loss = self.train_step(&images, &labels)?;
            self.report.step(
                self.step,
                &loss,
                self.optimizer.learning_rate(),
                images.dim(0)?,
            )?;
            if stop.load(Ordering::Relaxed) {
                return Ok(End::Interrupted);
            }
            // The end of an epoch has a checkpoint of its own, after validation.
            if self.step.is_multiple_of(self.checkpoint_every)
                && !self.step.is_multiple_of(self.steps_per_epoch)
            {
                self.save(&self.last())?;
            }
        }
        Ok(End::Finished)
    }

    /// The loss, detached from the graph, still on the device.
    fn train_step(&mut self, images: &Tensor, labels: &Tensor) -> Result<Tensor> {
        let logits = self.model.forward_t(images, true)?;
        let loss = weighted_cross_entropy(&logits, labels, &self.class_weights)?;
        self.optimizer
            .set_learning_rate(self.schedule.rate(self.step));
        self.optimizer.backward_step(&loss)?;
        self.step += 1;
        let loss = loss.detach();
        self.epoch_loss = (&self.epoch_loss + &loss)?;
        Ok(loss)
    }

    /// Validates, and keeps the weights.
    fn finish_epoch(&mut self) -> Result<()> {
        let train_loss =
            f64::from(self.epoch_loss.to_scalar::<f32>()?) / self.steps_per_epoch as f64;
        if !train_loss.is_finite() {
            bail!(
                "training diverged: the mean loss of epoch {} is {train_loss}",
                self.progress.history.len() + 1
            );
        }
        let started = Instant::now();
        let val = self.evaluate(Split::Val)?;
        let best = self
            .progress
            .history
            .iter()
            .all(|epoch| val.macro_auc > epoch.val_auc);
        self.progress.history.push(Epoch {
            train_loss,
            val_loss: val.loss,
            val_accuracy: val.accuracy,
            val_auc: val.macro_auc,
        });
        self.epoch_loss = self.epoch_loss.zeros_like()?;
        let epoch = self.progress.history.len();
        self.report.epoch(
            epoch,
            self.settings.epochs,
            train_loss,
            &val,
            &self.data.classes,
            best,
            started.elapsed(),
        );
        if best {
            self.save(&self.best())?;
        }
        self.save(&self.last())
    }

    /// Tests the weights that were best in validation.
    fn test(&mut self) -> Result<()> {
        Checkpoint::load(self.best(), &self.varmap, None)?;
        let test = self.evaluate(Split::Test)?;
        self.report.test(&test, &self.data.classes);
        Ok(())
    }

    fn evaluate(&self, split: Split) -> Result<Metrics> {
        let model = ResNet::frozen(&self.config, &self.varmap, &self.device)?;
        evaluate(&model, self.data.evaluation(split), &self.device)
    }

    fn save(&self, file: &Path) -> Result<()> {
        let progress = Progress {
            epoch_loss: self.epoch_loss.to_scalar()?,
            ..self.progress.clone()
        };
        let state = TrainState {
            step: self.step,
            epoch: progress.history.len() as u64,
            extra: serde_json::to_value(&progress)?,
            ..TrainState::default()
        };
        Ok(Checkpoint::save(
            file,
            &self.varmap,
            Some(&self.optimizer),
            &state,
        )?)
    }

    fn last(&self) -> PathBuf {
        self.folder.join(LAST)
    }

    fn best(&self) -> PathBuf {
        self.folder.join("best.safetensors")
    }
}

const LAST: &str = "last.safetensors";

/// A run to go on with, before its model is built.
struct Resumed {
    folder: PathBuf,
    file: PathBuf,
    progress: Progress,
}

impl Resumed {
    fn open(path: &Path) -> Result<Self> {
        let file = if path.is_dir() {
            path.join(LAST)
        } else {
            path.to_owned()
        };
        let state = Checkpoint::read_state(&file)?;
        let progress = serde_json::from_value(state.extra)
            .with_context(|| format!("{} is the checkpoint of another program", file.display()))?;
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self {
            folder,
            file,
            progress,
        })
    }
}

/// Cross-entropy of logits (batch, classes), each sample weighed by its class.
fn weighted_cross_entropy(
    logits: &Tensor,
    labels: &Tensor,
    class_weights: &Tensor,
) -> Result<Tensor> {
    let log_likelihood = log_softmax(logits, D::Minus1)?
        .gather(&labels.unsqueeze(1)?, 1)?
        .squeeze(1)?;
    let weights = class_weights.index_select(labels, 0)?;
    Ok((log_likelihood * &weights)?
        .sum_all()?
        .div(&weights.sum_all()?)?
        .neg()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loss_is_the_weighted_mean_of_the_samples() -> Result<()> {
        let logits = Tensor::new(&[[2f32, 0.5, -1.0], [0.0, 1.0, 3.0]], &Device::Cpu)?;
        let labels = Tensor::new(&[0u32, 1], &Device::Cpu)?;
        let single = |i: usize| -> Result<f32> {
            let (logits, labels) = (logits.narrow(0, i, 1)?, labels.narrow(0, i, 1)?);
            Ok(candle_nn::loss::cross_entropy(&logits, &labels)?.to_scalar()?)
        };
        let weights = Tensor::new(&[0.5f32, 2.0, 9.0], &Device::Cpu)?;
        let loss = weighted_cross_entropy(&logits, &labels, &weights)?.to_scalar::<f32>()?;
        let expected = (0.5 * single(0)? + 2.0 * single(1)?) / 2.5;
        assert!((loss - expected).abs() < 1e-6, "{loss} against {expected}");
        Ok(())
    }
}
