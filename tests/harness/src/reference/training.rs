//! One run, step by step.

use std::path::Path;

use anyhow::Result;
use cresset_record::{
    Alert, ConfigUpdate, ConsoleLine, Definition, LossReason, Lost, Outcome, Rank, Record, Resume,
    SummaryRule,
};
use cresset_run::Level;
use serde_json::{Map, Value as Json, json};

use super::environment::environment;
use super::evaluation::{self, Images};
use super::plan::{Ending, Plan};
use super::system::System;
use super::tensors::{self, Variable};
use super::{PROJECT, extras};
use crate::book::{self, Book, SECOND};
use crate::rng::Rng;

const EPOCHS: u64 = 24;
const TRAIN_IMAGES: u64 = 4200;
const OBSERVATIONS: u64 = 40;

pub(super) struct Training<'a> {
    plan: &'a Plan,
    images: &'a Images,
    rng: Rng,
    book: Book,
    /// The log of the second rank, of runs that have one.
    second: Option<Book>,
    variables: Vec<Variable>,
    system: Option<System>,
    step: u64,
    steps: u64,
    steps_per_epoch: u64,
    best_auc: f64,
    epoch_loss: f64,
    /// Slow drift of the loss.
    drift: f64,
    is_resumed: bool,
    /// The loss became NaN at this step.
    broke: Option<u64>,
}

impl<'a> Training<'a> {
    pub(super) fn begin(out: &Path, plan: &'a Plan, seed: u64, images: &'a Images) -> Result<Self> {
        let mut start = book::start(PROJECT, &plan.id, &plan.name, plan.time)?;
        start.group = plan.group.map(str::to_owned);
        start.tags = plan.tags.iter().map(|tag| (*tag).to_owned()).collect();
        start.notes = plan.notes.to_owned();
        start.config = config(plan);
        start.world_size = plan.ranks.then_some(2);
        let definitions = definitions(plan.gpus);
        let mut second = None;
        if plan.ranks {
            let start = cresset_record::Start {
                rank: Rank(1),
                ..start.clone()
            };
            second = Some(Book::begin(out, start, &definitions)?);
        }
        let mut book = Book::begin(out, start, &definitions)?;
        book.record(&Record::Environment(environment(plan)))?;
        let variables = tensors::variables(plan);
        let parameters = match plan.arch {
            "resnet14" => 174_970,
            "resnet20" => 272_186,
            _ => 77_754,
        };
        let values = json!({"width": 16, "parameters": parameters, "data": "data/solder-joints", "images": [TRAIN_IMAGES, 900, 900]});
        book.record(&Record::Config(ConfigUpdate {
            time: plan.time,
            values: values.as_object().cloned().unwrap_or_default(),
        }))?;
        let steps_per_epoch = TRAIN_IMAGES / plan.batch_size;
        let mut training = Self {
            rng: Rng::new(seed, 0x9000 + plan.number),
            plan,
            images,
            book,
            second,
            variables,
            system: Some(System::new(plan)),
            step: 0,
            steps: steps_per_epoch * EPOCHS,
            steps_per_epoch,
            best_auc: 0.0,
            epoch_loss: 0.0,
            drift: 0.0,
            is_resumed: false,
            broke: None,
        };
        training.say(
            Level::Info,
            "run started",
            &[("device", json!(if plan.gpus { "cuda:0" } else { "cpu" }))],
        )?;
        training.say(
            Level::Info,
            &format!(
                "{} of width 16, {parameters} parameters; {TRAIN_IMAGES} images to train on, 900 to validate, 900 to test",
                plan.arch
            ),
            &[],
        )?;
        if plan.number % 5 == 2 {
            training.say(
                Level::Warn,
                "data/solder-joints/cold/00412.png: image left out: 3 bytes after the end",
                &[("index", json!(412))],
            )?;
        }
        if plan.extras {
            extras::at_start(&mut training.book, images, &mut training.rng)?;
        }
        Ok(training)
    }

    pub(super) fn hold(&mut self) -> Result<()> {
        self.book.hold()
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        self.book.flush()
    }

    pub(super) fn is_going_on(&self) -> bool {
        self.step < self.steps
    }

    /// Up to a fraction of the run.
    pub(super) fn run_for(&mut self, fraction: f64) -> Result<()> {
        let end = (self.steps as f64 * fraction) as u64;
        while self.step < end {
            self.step()?;
        }
        Ok(())
    }

    pub(super) fn run_to_end(mut self) -> Result<()> {
        let fraction = match self.plan.ending {
            Ending::Finished | Ending::Diverged(_) => 1.0,
            Ending::Crashed(f) | Ending::Stopped(f, _) | Ending::Failed(f, _) => f,
        };
        let end = (self.steps as f64 * fraction) as u64;
        while self.step < end {
            self.step()?;
            if let Some(broke) = self.broke
                && self.step.is_multiple_of(self.steps_per_epoch)
                && self.step > broke
            {
                let epoch = self.step / self.steps_per_epoch;
                let reason = format!("training diverged: the mean loss of epoch {epoch} is NaN");
                self.say(Level::Error, &reason, &[])?;
                return self.end(Outcome::Failed { reason });
            }
        }
        let outcome = match self.plan.ending {
            Ending::Finished | Ending::Diverged(_) => {
                self.test()?;
                Outcome::Finished
            }
            Ending::Crashed(_) => return self.book.flush(),
            Ending::Stopped(_, reason) => {
                self.say(Level::Info, "stopped; a checkpoint was written", &[])?;
                Outcome::Stopped {
                    reason: reason.to_owned(),
                }
            }
            Ending::Failed(_, reason) => {
                self.say(Level::Error, reason, &[])?;
                Outcome::Failed {
                    reason: reason.to_owned(),
                }
            }
        };
        self.end(outcome)
    }

    fn end(mut self, outcome: Outcome) -> Result<()> {
        let summary = json!({
            "cresset/watch/observed": OBSERVATIONS, "cresset/watch/skipped": self.plan.number % 3,
            "cresset/watch/seconds": 0.0041 * OBSERVATIONS as f64 * (1.0 + 0.2 * self.rng.uniform()),
        });
        self.book
            .summary(summary.as_object().cloned().unwrap_or_default())?;
        if let Some(second) = self.second {
            second.end(outcome.clone())?;
        }
        self.book.end(outcome)
    }

    /// The fraction that is over.
    fn done(&self) -> f64 {
        self.step as f64 / self.steps as f64
    }

    pub(super) fn step(&mut self) -> Result<()> {
        let (step, done) = (self.step, self.done());
        let plan = self.plan;
        if plan.resumed.is_some_and(|at| done >= at) && !self.is_resumed {
            self.resume()?;
        }
        let rate = rate(plan.lr, done);
        let loss = self.loss(done);
        let seconds = match plan.arch {
            "resnet14" => 0.31,
            "resnet20" => 0.44,
            _ => 0.17,
        } * plan.batch_size as f64
            / if plan.gpus { 320.0 } else { 32.0 }
            * (0.05 * self.rng.normal()).exp()
            * if self.rng.below(400) == 0 { 4.0 } else { 1.0 };
        self.epoch_loss += loss;
        self.book.now.0 += (seconds * 1e6) as i64;
        let speed = plan.batch_size as f64 / seconds;
        self.book.row(
            step,
            &[
                ("train/loss", loss),
                ("train/lr", rate),
                ("train/images_per_second", speed),
            ],
        )?;
        if let Some(second) = &mut self.second {
            second.now = self.book.now;
            let loss = loss * (1.0 + 0.03 * self.rng.normal());
            second.row(step, &[("train/loss", loss)])?;
        }
        if let Some(system) = &mut self.system {
            system.look(&mut self.book, step)?;
        }
        // A loss that is NaN for the first time is always looked at.
        let just_broke = loss.is_nan() && self.broke.is_none();
        if step % (self.steps / OBSERVATIONS) == 3 || just_broke {
            let broken = match (plan.ending, loss.is_nan()) {
                (_, true) => Some(1.0),
                (Ending::Diverged(at), false) => Some((done / at).powi(4) * 0.9),
                _ => None,
            };
            let now = (step, done, rate);
            tensors::observe(
                &mut self.book,
                plan,
                &self.variables,
                now,
                broken,
                &mut self.rng,
            )?;
        }
        if just_broke {
            self.broke = Some(step);
            self.alert(
                Level::Error,
                &format!("first bad gradient at step {step}: layer3.0.conv2.weight and 4 more"),
                "layer3.0.conv2.weight: 212 NaN of 36864\nlayer3.0.bn2.weight: 3 NaN of 64\nfc.weight: 384 NaN of 384",
            )?;
        }
        self.step += 1;
        if self.step.is_multiple_of(self.steps_per_epoch) {
            self.finish_epoch()?;
        }
        Ok(())
    }

    fn loss(&mut self, done: f64) -> f64 {
        let plan = self.plan;
        if let Ending::Diverged(at) = plan.ending
            && done >= at
        {
            return f64::NAN;
        }
        self.drift = 0.98 * self.drift + 0.2 * 0.2 * self.rng.normal();
        let floor =
            0.05 + 1.6 * (1.0 - plan.skill()) + if plan.augment == "none" { -0.04 } else { 0.05 };
        let pace = 0.06 * (3e-3 / plan.lr).powf(0.45).clamp(0.4, 6.0);
        let mean = floor
            + (1.79 - floor) * (0.7 * (-done / pace).exp() + 0.3 * (-done / (4.0 * pace)).exp());
        let noise = 0.16 * (32.0 / plan.batch_size as f64).sqrt();
        let spike = if self.rng.below(900) == 0 { 2.2 } else { 1.0 };
        let growth = match plan.ending {
            Ending::Diverged(at) => 1.0 + 9.0 * (done / at).powi(5),
            _ => 1.0,
        };
        (mean * (noise * self.rng.normal() + self.drift).exp() * spike * growth).max(1e-4)
    }

    fn finish_epoch(&mut self) -> Result<()> {
        let epoch = self.step / self.steps_per_epoch;
        let train_loss = self.epoch_loss / self.steps_per_epoch as f64;
        self.epoch_loss = 0.0;
        if train_loss.is_nan() {
            return Ok(());
        }
        let plan = self.plan;
        let done = self.done();
        let pace = 0.16 * (3e-3 / plan.lr).powf(0.45).clamp(0.5, 6.0);
        let strength =
            0.4 + plan.strength() * (1.0 - (-done / pace).exp()) + 0.05 * self.rng.normal();
        // Without augmentation the network grows too sure of itself.
        let confidence = if plan.augment == "none" {
            0.9 + 1.4 * done
        } else {
            0.85 + 0.4 * done
        };
        let report = evaluation::evaluate(strength, confidence, &mut self.rng)?;
        self.book.now.0 += 3 * SECOND;
        let last = self.step - 1;
        self.book.row(
            last,
            &[("epoch", epoch as f64), ("train/epoch_loss", train_loss)],
        )?;
        evaluation::record(&mut self.book, last, "val", &report, self.images)?;
        let auc = report.means.auc.unwrap_or(0.0);
        let is_best = auc > self.best_auc;
        self.best_auc = auc.max(self.best_auc);
        let message = format!(
            "epoch {epoch:>2}/{EPOCHS}  loss {train_loss:.3}  val loss {:.3}  accuracy {:.3}  auc {auc:.4}{}",
            report.loss.unwrap_or(f64::NAN),
            report.accuracy.unwrap_or(f64::NAN),
            if is_best { " *" } else { "" }
        );
        self.say(
            Level::Info,
            &message,
            &[("epoch", json!(epoch)), ("best", json!(is_best))],
        )?;
        self.say(
            Level::Debug,
            "checkpoint written",
            &[("file", json!("last.safetensors")), ("step", json!(last))],
        )?;
        if is_best {
            let summary = json!({"best_epoch": epoch});
            self.book
                .summary(summary.as_object().cloned().unwrap_or_default())?;
        }
        if plan.dead > 0.0 && epoch == 9 {
            self.alert(
                Level::Warn,
                "layer2.0 gets hardly any gradient",
                "More than half of the gradients of layer2.0.conv1.weight are zero since epoch 5.",
            )?;
        }
        if plan.extras {
            extras::at_epoch(
                &mut self.book,
                last,
                epoch,
                &report.table(),
                self.images,
                &mut self.rng,
            )?;
        }
        if plan.number == 13 && epoch == 6 {
            self.book.record(&Record::Lost(Lost {
                time: self.book.now,
                reason: LossReason::Overflow,
                points: 1203,
                values: 4,
            }))?;
        }
        Ok(())
    }

    fn test(&mut self) -> Result<()> {
        let strength = 0.35 + self.plan.strength();
        let report = evaluation::evaluate(strength, 1.1, &mut self.rng)?;
        let last = self.step - 1;
        evaluation::record(&mut self.book, last, "test", &report, self.images)?;
        self.say(Level::Info, "test of the best weights done", &[])
    }

    /// The process was killed and another one goes on, from a little before.
    fn resume(&mut self) -> Result<()> {
        self.is_resumed = true;
        self.book.flush()?;
        self.book.now.0 += 5 * 3600 * SECOND;
        self.step -= self.steps_per_epoch / 2;
        self.book.record(&Record::Resume(Resume {
            time: self.book.now,
            from_step: Some(self.step),
        }))?;
        self.say(
            Level::Info,
            &format!("resumed after step {} of {}", self.step, self.steps),
            &[],
        )
    }

    fn say(&mut self, level: Level, message: &str, fields: &[(&str, Json)]) -> Result<()> {
        self.book.record(&Record::Console(ConsoleLine {
            time: self.book.now,
            level,
            target: "defect_classifier::train".to_owned(),
            message: message.to_owned(),
            fields: fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        }))
    }

    fn alert(&mut self, level: Level, title: &str, text: &str) -> Result<()> {
        self.book.record(&Record::Alert(Alert {
            time: self.book.now,
            level,
            title: title.to_owned(),
            text: text.to_owned(),
            step: Some(self.step),
        }))
    }
}

/// A rise over 8 % of the steps, then half a cosine.
fn rate(peak: f64, done: f64) -> f64 {
    let warmup = (done + 1e-4) / 0.08;
    let rest = ((done - 0.08) / 0.92).clamp(0.0, 1.0);
    peak * warmup.min(0.5 * (1.0 + (std::f64::consts::PI * rest).cos()))
}

/// As `examples/defect-classifier` gives its settings, with a few of them nested.
fn config(plan: &Plan) -> Map<String, Json> {
    let config = json!({
        "arch": plan.arch, "width": null, "stem_stride": 2, "image_size": 64, "epochs": EPOCHS, "batch_size": plan.batch_size,
        "lr": plan.lr, "warmup": 0.08, "weight_decay": plan.weight_decay, "augment": plan.augment,
        "class_weight": plan.class_weight, "seed": plan.seed, "generate": 6000,
        "optimizer": {"name": "adamw", "betas": [0.9, 0.999], "eps": 1e-8},
    });
    config.as_object().cloned().unwrap_or_default()
}

fn definitions(gpus: bool) -> Vec<Definition> {
    let mut all = vec![
        Definition::new("*/auc")
            .maximize()
            .summary(SummaryRule::Best),
        Definition::new("*/accuracy").maximize(),
        Definition::new("*/loss").minimize(),
        Definition::new("val/*").step_metric("epoch"),
        Definition::new("train/images_per_second")
            .unit("1/s")
            .summary(SummaryRule::Mean),
    ];
    all.extend(System::definitions(gpus));
    all
}
