use std::time::Instant;

use anyhow::Result;
use candle_core::Tensor;
use cresset::samples::Report;
use indicatif::{ProgressBar, ProgressStyle};

use crate::model::ModelConfig;

/// Steps between looks at the loss, each of which waits for the device.
const LOOK_EVERY: u64 = 10;

/// What the user sees while a run goes on. By `tracing` the run has the same lines as its log.
pub(crate) struct Console {
    bar: ProgressBar,
    total_steps: u64,
    /// When the step before ended.
    since: Instant,
}

impl Console {
    pub(crate) fn new(total_steps: u64) -> Self {
        Self {
            bar: ProgressBar::hidden(),
            total_steps,
            since: Instant::now(),
        }
    }

    pub(crate) fn start(
        &mut self,
        model: &ModelConfig,
        parameters: usize,
        [train, val, test]: [usize; 3],
        step: u64,
    ) {
        let line = format!(
            "{} of width {}, {parameters} parameters; {train} images to train on, {val} to validate, {test} to test",
            model.architecture.name(),
            model.width
        );
        tracing::info!(target: "train", "{line}");
        println!("{line}");
        if step > 0 {
            let line = format!("resumed after step {step} of {}", self.total_steps);
            tracing::info!(target: "train", "{line}");
            println!("{line}");
        }
        let template = "{bar:30} {pos}/{len}  {msg}  {elapsed} + {eta}";
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        self.bar = ProgressBar::new(self.total_steps)
            .with_style(style)
            .with_position(step);
        self.bar.reset_eta();
    }

    /// Validation and the like do not count as time for training images.
    pub(crate) fn start_clock(&mut self) {
        self.since = Instant::now();
    }

    /// After step number `step`, counted from 0. Gives images per second since the step before.
    pub(crate) fn step(
        &mut self,
        step: u64,
        loss: &Tensor,
        rate: f64,
        images: usize,
    ) -> Result<f64> {
        let now = Instant::now();
        let per_second = images as f64 / (now - self.since).as_secs_f64();
        self.since = now;
        self.bar.set_position(step + 1);
        if step.is_multiple_of(LOOK_EVERY) && !self.bar.is_hidden() {
            let loss = loss.to_scalar::<f32>()?;
            self.bar.set_message(format!(
                "loss {loss:.3}  lr {rate:.1e}  {per_second:.0} images/s"
            ));
        }
        Ok(per_second)
    }

    pub(crate) fn warn(&self, message: &str) {
        tracing::warn!(target: "train", "{message}");
        self.bar.suspend(|| eprintln!("{message}"));
    }

    pub(crate) fn epoch<I>(
        &self,
        epoch: u64,
        epochs: u64,
        train_loss: f64,
        val: &Report<I>,
        best: bool,
    ) {
        let mark = if best { " *" } else { "" };
        let line = format!(
            "epoch {epoch:>2}/{epochs}  loss {train_loss:.3}  val {}{mark}",
            summary(val)
        );
        tracing::info!(target: "train", "{line}");
        self.bar.suspend(|| println!("{line}"));
    }

    pub(crate) fn test<I>(&self, test: &Report<I>) {
        self.bar.finish_and_clear();
        let line = format!("test of the best weights: {}", summary(test));
        tracing::info!(target: "train", "{line}");
        println!("{line}");
    }

    pub(crate) fn interrupted(&self, way_on: &str) {
        self.bar.finish_and_clear();
        println!("stopped; {way_on}");
    }
}

fn summary<I>(report: &Report<I>) -> String {
    let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let mut text = format!(
        "loss {:.3}  accuracy {:.3}  auc {:.4}  recall",
        number(report.loss),
        number(report.accuracy),
        number(report.means.auc)
    );
    for class in &report.classes {
        text += &format!(" {} {:.2}", class.name, number(class.recall));
    }
    text
}
