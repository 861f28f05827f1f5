//! An evaluation pass in the log.

use crate::media::Image;
use crate::run::Run;
use crate::samples::Report;

impl Run {
    /// Logs an evaluation pass under `prefix`: its scalars (`val/auc`, `val/accuracy`, `val/recall/<class>`, …), confusion
    /// matrix and curves as figures, and its mistakes as images under `<prefix>/mistakes`, each captioned with what it is
    /// and what it was taken for.
    ///
    /// Mistakes without an image are left out: the confusion matrix counts them.
    pub fn log_evaluation(&self, step: u64, prefix: &str, report: Report<Image>) {
        if !self.is_enabled() {
            return;
        }
        self.log(step, report.scalars(prefix));
        for (key, figure) in report.figures(prefix) {
            self.log_value(step, key, figure);
        }
        let key = format!("{prefix}/mistakes");
        for mistake in report.mistakes {
            let Some(image) = mistake.image else { continue };
            let sample = mistake.sample;
            let caption = format!(
                "{} taken for {} ({:.0} %)",
                sample.true_class,
                sample.predicted_class,
                100.0 * sample.confidence
            );
            self.log_value(step, &key, image.caption(caption).sample(sample));
        }
    }
}
