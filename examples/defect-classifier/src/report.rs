use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use candle_core::Tensor;
use indicatif::{ProgressBar, ProgressStyle};

use crate::metrics::Metrics;
use crate::model::ModelConfig;

/// Steps between looks at the loss, each of which waits for the device.
const LOOK_EVERY: u64 = 10;

/// What the user sees while a run goes on.
pub(crate) struct Report {
    bar: ProgressBar,
    total_steps: u64,
    images: usize,
    since: Instant,
}

impl Report {
    pub(crate) fn new(total_steps: u64) -> Self {
        Self {
            bar: ProgressBar::hidden(),
            total_steps,
            images: 0,
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
        println!(
            "{} of width {}, {parameters} parameters; {train} images to train on, {val} to validate, {test} to test",
            model.architecture.name(),
            model.width
        );
        if step > 0 {
            println!("resumed after step {step} of {}", self.total_steps);
        }
        let template = "{bar:30} {pos}/{len}  {msg}  {elapsed} + {eta}";
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        self.bar = ProgressBar::new(self.total_steps).with_style(style);
        self.bar.set_position(step);
        self.bar.reset_eta();
        self.since = Instant::now();
    }

    pub(crate) fn step(
        &mut self,
        step: u64,
        loss: &Tensor,
        rate: f64,
        images: usize,
    ) -> Result<()> {
        self.images += images;
        self.bar.set_position(step);
        if step.is_multiple_of(LOOK_EVERY) && !self.bar.is_hidden() {
            let per_second = self.images as f64 / self.since.elapsed().as_secs_f64();
            let loss = loss.to_scalar::<f32>()?;
            self.bar.set_message(format!(
                "loss {loss:.3}  lr {rate:.1e}  {per_second:.0} images/s"
            ));
            self.images = 0;
            self.since = Instant::now();
        }
        Ok(())
    }

    pub(crate) fn warn(&self, message: &str) {
        self.bar.suspend(|| eprintln!("{message}"));
    }

    #[expect(clippy::too_many_arguments, reason = "one line of a table")]
    pub(crate) fn epoch(
        &mut self,
        epoch: usize,
        epochs: u64,
        train_loss: f64,
        val: &Metrics,
        classes: &[String],
        best: bool,
        took: Duration,
    ) {
        let mark = if best { "*" } else { " " };
        self.bar.suspend(|| {
            println!(
                "epoch {epoch:>2}/{epochs}  loss {train_loss:.3}  val loss {:.3}  accuracy {:.3}  auc {:.4}{mark}  recall {}  ({:.1} s)",
                val.loss,
                val.accuracy,
                val.macro_auc,
                recalls(val, classes),
                took.as_secs_f64()
            );
        });
        // Validation does not count as time for training images.
        self.images = 0;
        self.since = Instant::now();
    }

    pub(crate) fn test(&self, test: &Metrics, classes: &[String]) {
        self.bar.finish_and_clear();
        println!(
            "test of the best weights: auc {:.4}, accuracy {:.3}, loss {:.3}, recall {}",
            test.macro_auc,
            test.accuracy,
            test.loss,
            recalls(test, classes)
        );
    }

    pub(crate) fn interrupted(&self, folder: &Path) {
        self.bar.finish_and_clear();
        println!("stopped; go on with --resume {}", folder.display());
    }
}

fn recalls(metrics: &Metrics, classes: &[String]) -> String {
    let each = classes
        .iter()
        .zip(&metrics.recall)
        .map(|(class, recall)| format!("{class} {recall:.2}"));
    each.collect::<Vec<_>>().join(" ")
}
