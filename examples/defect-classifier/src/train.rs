use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use candle_core::{D, DType, Device, ModuleT, Tensor};
use candle_nn::ops::log_softmax;
use candle_nn::{Optimizer, ParamsAdamW, VarMap};
use cresset::{Definition, File, Run, StartError, SummaryRule, Telemetry};
use cresset_candle::{AdamW, Checkpoint, TrainState, Watched, watch};
use defect_workload::{Data, Schedule};
use serde_json::json;
use solder_joints::{Batch, Split};
use tracing_subscriber::layer::SubscriberExt;

use crate::args::{Arguments, Settings};
use crate::checkpoints::{Folder, Progress, Resumed};
use crate::console::Console;
use crate::dashboard::Dashboard;
use crate::evaluate::evaluate;
use crate::model::{ModelConfig, ResNet, parameter_count};

const PROJECT: &str = "harbor-defect-classifier";

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Finished,
    /// By Ctrl-C; it can be resumed.
    Interrupted,
    /// As somebody asked for, from the dashboard say; it can be resumed.
    Stopped,
}

/// Trains, and tests the best weights once at the end.
pub(crate) fn train(arguments: &Arguments, stop: &AtomicBool) -> Result<End> {
    let resumed = arguments
        .resume
        .as_deref()
        .map(|what| Resumed::find(what, PROJECT))
        .transpose()?;
    let device = arguments.device.open()?;
    let settings =
        arguments.settings_of(resumed.as_ref().map(|resumed| &resumed.progress.settings));
    let data_folder = arguments.data(
        resumed
            .as_ref()
            .map(|resumed| resumed.progress.data.clone()),
    );
    let data = Data::open(&data_folder, settings.workload())?;
    if let Some(Resumed { progress, .. }) = &resumed
        && progress.classes != data.classes
    {
        bail!(
            "the images are of {:?}, the run was of {:?}",
            data.classes,
            progress.classes
        );
    }
    let run = start_recording(&settings, resumed.as_ref())?;
    // What the console says is the run's log too.
    let subscriber = tracing_subscriber::registry().with(run.console_layer());
    tracing::subscriber::set_global_default(subscriber)?;
    let mut dashboard = Dashboard::of(&run);
    if arguments.ui {
        dashboard.open();
    } else if let Some(command) = dashboard.command() {
        println!("recording {}; watch it with `{command}`", run.name());
    }

    let training = Training::new(
        &run,
        arguments,
        settings,
        data,
        &data_folder,
        device,
        resumed,
    );
    let best = training
        .as_ref()
        .ok()
        .map(|training| training.folder.best());
    let result = run.conclude(training.and_then(|mut training| training.run(stop)));
    match &result {
        Ok(End::Interrupted) => run.stop("interrupted"),
        Ok(End::Stopped) => run.stop(run.stop_requested().unwrap_or_default()),
        Ok(End::Finished) | Err(_) => {}
    }
    let name = run.name().to_owned();
    let id = run.id().to_owned();
    let finished = run.finish();
    if let Some(dir) = finished.dir {
        let look = dashboard.command().unwrap_or_default();
        println!(
            "recorded as {name} in {}; look at it with `{look}` or `cresset show {id}`",
            dir.display()
        );
        if let Some(best) = best.filter(|best| best.is_file()) {
            println!(
                "the best weights are {}; wherever a copy of them goes, `cresset show ./FILE` says here what made it",
                best.display()
            );
        }
    }
    dashboard.keep_open(stop);
    result
}

fn start_recording(settings: &Settings, resumed: Option<&Resumed>) -> Result<Run> {
    let new = || {
        cresset::init(PROJECT)
            .config(settings)
            .tags([settings.arch.name()])
            .telemetry(Telemetry::new().throughput("train/images_per_second"))
            .define(
                Definition::new("*/auc")
                    .maximize()
                    .summary(SummaryRule::Best),
            )
            .define(Definition::new("*/loss").minimize())
            .define(Definition::new("val/*").step_metric("epoch"))
            .define(
                Definition::new("train/images_per_second")
                    .unit("1/s")
                    .summary(SummaryRule::Mean),
            )
    };
    let Some(Resumed {
        state, progress, ..
    }) = resumed.filter(|resumed| !resumed.progress.run.is_empty())
    else {
        return Ok(new().start()?);
    };
    match new().resume_from(&progress.run, state.step).start() {
        // The checkpoint was brought here without its run.
        Err(StartError::NotFound { .. }) => Ok(new().id(&progress.run).start()?),
        run => Ok(run?),
    }
}

/// A training run between two steps.
struct Training {
    run: Run,
    console: Console,
    settings: Settings,
    folder: Folder,
    checkpoint_every: u64,
    device: Device,
    data: Data,
    config: ModelConfig,
    model: ResNet,
    varmap: VarMap,
    optimizer: Watched<AdamW>,
    schedule: Schedule,
    class_weights: Tensor,
    steps_per_epoch: u64,
    /// Epochs that are complete, validation included.
    epochs: u64,
    /// Sum of the losses of this epoch's steps. It stays on the device, where nobody has to wait for it.
    epoch_loss: Tensor,
    progress: Progress,
}

impl Training {
    fn new(
        run: &Run,
        arguments: &Arguments,
        settings: Settings,
        data: Data,
        data_folder: &Path,
        device: Device,
        resumed: Option<Resumed>,
    ) -> Result<Self> {
        let config = settings.model(data.classes.len());
        let (model, varmap) = ResNet::seeded(&config, settings.seed, &device)?;
        let adamw = AdamW::new(
            varmap.all_vars(),
            ParamsAdamW {
                lr: settings.lr,
                weight_decay: settings.weight_decay,
                ..ParamsAdamW::default()
            },
        )?;
        let steps_per_epoch = data.steps_per_epoch();
        let total_steps = steps_per_epoch * settings.epochs;
        let mut training = Self {
            console: Console::new(total_steps),
            folder: match &resumed {
                Some(resumed) => resumed.folder.clone(),
                None => Folder::claim(arguments.checkpoints.as_deref(), run)?,
            },
            checkpoint_every: arguments.checkpoint_every,
            optimizer: watch(run, adamw, &varmap),
            schedule: Schedule::new(settings.lr, settings.warmup, total_steps),
            class_weights: Tensor::new(data.class_weights(settings.class_weight), &device)?,
            epochs: 0,
            epoch_loss: Tensor::zeros((), DType::F32, &device)?,
            progress: Progress {
                run: run.id().to_owned(),
                settings: settings.clone(),
                data: data_folder.to_owned(),
                classes: data.classes.clone(),
                epoch_loss: 0.0,
                best_auc: None,
            },
            run: run.clone(),
            settings,
            device,
            data,
            config,
            model,
            varmap,
            steps_per_epoch,
        };
        if let Some(resumed) = resumed {
            training.take_over(resumed)?;
        }
        let parameters = parameter_count(&training.varmap);
        let images = training.data.counts();
        run.update_config(&json!({
            "width": training.config.width,
            "parameters": parameters,
            "images": images,
        }));
        training.record_data(data_folder)?;
        training.console.start(
            &training.config,
            parameters,
            images,
            training.optimizer.step_index(),
        );
        Ok(training)
    }

    /// What a model was trained on is asked when the images are long elsewhere: the lists of files are kept with the run, and their
    /// digests are in the config, where filters find them.
    fn record_data(&self, folder: &Path) -> Result<()> {
        if !self.run.is_enabled() {
            return Ok(());
        }
        let mut config = serde_json::Map::from_iter([("path".to_owned(), json!(folder))]);
        for split in Split::ALL {
            let name = split.name();
            let list = self.data.list(split)?;
            config.insert(name.into(), list.blake3.into());
            let file = File::from_bytes(&format!("{name}.b3"), list.text);
            let file = file.role("dataset").metadata("files", self.data.len(split));
            self.run
                .log_value(self.optimizer.step_index(), format!("data/{name}"), file);
        }
        self.run.update_config(&json!({ "data": config }));
        Ok(())
    }

    fn take_over(
        &mut self,
        Resumed {
            file,
            state,
            progress,
            ..
        }: Resumed,
    ) -> Result<()> {
        Checkpoint::load(&file, &self.varmap, Some(&mut self.optimizer))?;
        self.optimizer.set_step_index(state.step);
        self.epochs = state.epoch;
        self.epoch_loss = Tensor::new(progress.epoch_loss, &self.device)?;
        self.progress.best_auc = progress.best_auc;
        Ok(())
    }

    fn run(&mut self, stop: &AtomicBool) -> Result<End> {
        while self.epochs < self.settings.epochs {
            let end = self.train_epoch(stop)?;
            if end != End::Finished {
                let is_finite = self.is_finite()?;
                if is_finite {
                    self.save(&self.folder.last())?;
                }
                self.record_last();
                self.console.interrupted(&self.way_on(is_finite));
                return Ok(end);
            }
            self.finish_epoch()?;
        }
        self.record_last();
        self.test()?;
        Ok(End::Finished)
    }

    /// The steps of the present epoch that are still to be done.
    fn train_epoch(&mut self, stop: &AtomicBool) -> Result<End> {
        let start = self.optimizer.step_index() - self.epochs * self.steps_per_epoch;
        let speed = self.run.series("train/images_per_second");
        self.console.start_clock();
        for batch in self.data.training(self.epochs, start) {
            let batch = batch?;
            if let Some(failed) = batch.failed.first() {
                self.console
                    .warn(&format!("{}: {}", failed.path.display(), failed.reason));
            }
            let (images, labels) = tensors(&batch, &self.device)?;
            let step = self.optimizer.step_index();
            let loss = self.train_step(&images, &labels)?;
            speed.log(
                step,
                self.console
                    .step(step, &loss, self.optimizer.learning_rate(), images.dim(0)?)?,
            );
            if stop.load(Ordering::Relaxed) {
                return Ok(End::Interrupted);
            }
            if self.run.stop_requested().is_some() {
                return Ok(End::Stopped);
            }
            // The end of an epoch has a checkpoint of its own, after validation.
            let done = step + 1;
            if done.is_multiple_of(self.checkpoint_every)
                && !done.is_multiple_of(self.steps_per_epoch)
            {
                self.save_last()?;
            }
        }
        Ok(End::Finished)
    }

    /// The loss, detached from the graph, still on the device.
    fn train_step(&mut self, images: &Tensor, labels: &Tensor) -> Result<Tensor> {
        let logits = self.model.forward_t(images, true)?;
        let loss = weighted_cross_entropy(&logits, labels, &self.class_weights)?;
        self.optimizer
            .set_learning_rate(self.schedule.rate(self.optimizer.step_index()));
        self.optimizer.backward_step(&loss)?;
        let loss = loss.detach();
        self.epoch_loss = (&self.epoch_loss + &loss)?;
        Ok(loss)
    }

    /// Validates, and keeps the weights.
    fn finish_epoch(&mut self) -> Result<()> {
        self.epochs += 1;
        let train_loss =
            f64::from(self.epoch_loss.to_scalar::<f32>()?) / self.steps_per_epoch as f64;
        if !train_loss.is_finite() {
            let what = format!("the mean loss of epoch {} is {train_loss}", self.epochs);
            return Err(self.diverged(&what));
        }
        let step = self.last_step();
        let val = evaluate(&self.frozen()?, &self.data, Split::Val, &self.device)?;
        let best = val.means.auc > self.progress.best_auc;
        if best {
            self.progress.best_auc = val.means.auc;
        }
        self.console
            .epoch(self.epochs, self.settings.epochs, train_loss, &val, best);
        self.run.log(
            step,
            [
                ("epoch", self.epochs as f64),
                ("train/epoch_loss", train_loss),
            ],
        );
        self.run.log_evaluation(step, "val", val);
        self.epoch_loss = self.epoch_loss.zeros_like()?;
        if best {
            self.save(&self.folder.best())?;
            self.record_best();
        }
        self.save_last()
    }

    /// Keeps the state to go on from, unless it leads nowhere: the checkpoint before would be lost to it.
    fn save_last(&self) -> Result<()> {
        if !self.is_finite()? {
            let what = format!(
                "after step {} the loss or the weights are not finite",
                self.last_step()
            );
            return Err(self.diverged(&what));
        }
        self.save(&self.folder.last())
    }

    /// Whether the losses of this epoch and all weights are finite.
    fn is_finite(&self) -> Result<bool> {
        // Nought times NaN or infinity is NaN; the device is waited for once.
        let mut sum = (&self.epoch_loss * 0.0)?;
        for variable in self.varmap.all_vars() {
            sum = (sum + (variable.as_detached_tensor() * 0.0)?.sum_all()?)?;
        }
        Ok(sum.to_scalar::<f32>()? == 0.0)
    }

    fn diverged(&self, what: &str) -> anyhow::Error {
        self.record_last();
        let message = format!("training diverged: {what}; {}", self.way_on(false));
        tracing::error!(target: "train", "{message}");
        anyhow!(message)
    }

    /// How to go on from the last checkpoint. With the same rate, what was not finite would come again.
    fn way_on(&self, is_finite: bool) -> String {
        let last = self.folder.last().display().to_string();
        let resume = if self.folder.is_of(&self.run) {
            self.run.id()
        } else {
            &last
        };
        match self.folder.last_state() {
            _ if is_finite => format!("go on with --resume {resume}"),
            Some(state) => format!(
                "go on from before, after {} steps, with --resume {resume} and a lower --lr",
                state.step
            ),
            None => "there is no checkpoint from before".to_owned(),
        }
    }

    /// A file that the run has recorded is found by its content, wherever a copy of it goes.
    fn record_best(&self) {
        let auc = self.progress.best_auc;
        let file = File::new(self.folder.best()).metadata("val/auc", auc);
        self.record_checkpoint("checkpoints/best", file, self.last_step(), self.epochs);
    }

    /// Once, at the end: before, the next one would soon be in its place. Of a run that diverged it is from before.
    fn record_last(&self) {
        if let Some(TrainState { step, epoch, .. }) = self.folder.last_state() {
            let file = File::new(self.folder.last());
            self.record_checkpoint("checkpoints/last", file, step.saturating_sub(1), epoch);
        }
    }

    fn record_checkpoint(&self, key: &str, file: File, step: u64, epoch: u64) {
        let file = file.role("checkpoint").metadata("epoch", epoch);
        let caption = format!("after epoch {epoch}");
        self.run.log_value(step, key, file.caption(caption));
    }

    /// Tests the weights that were best in validation.
    fn test(&mut self) -> Result<()> {
        Checkpoint::load(self.folder.best(), &self.varmap, None)?;
        let test = evaluate(&self.frozen()?, &self.data, Split::Test, &self.device)?;
        self.console.test(&test);
        self.run.log_evaluation(self.last_step(), "test", test);
        Ok(())
    }

    fn frozen(&self) -> Result<ResNet> {
        Ok(ResNet::frozen(&self.config, &self.varmap, &self.device)?)
    }

    /// What is said about the state after a step is recorded under that step's own number: a resumed run begins with the
    /// next one, and takes the place of what was recorded from there on.
    fn last_step(&self) -> u64 {
        self.optimizer.step_index().saturating_sub(1)
    }

    fn save(&self, file: &Path) -> Result<()> {
        let progress = Progress {
            epoch_loss: self.epoch_loss.to_scalar()?,
            ..self.progress.clone()
        };
        let state = TrainState {
            step: self.optimizer.step_index(),
            epoch: self.epochs,
            extra: serde_json::to_value(&progress)?,
            ..TrainState::default()
        };
        // Who resumes from here logs what comes from this step on: the log must have what came before. If the disk should hang, training goes on.
        self.run.flush(Duration::from_secs(10));
        Ok(Checkpoint::save(
            file,
            &self.varmap,
            Some(&self.optimizer),
            &state,
        )?)
    }
}

/// Images (batch, 3, height, width) and labels (batch,) on `device`.
pub(crate) fn tensors(batch: &Batch, device: &Device) -> Result<(Tensor, Tensor)> {
    let labels = Tensor::new(batch.labels.as_slice(), device)?;
    let images = Tensor::from_slice(&batch.images, &batch.dims, device)?;
    Ok((images, labels))
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
