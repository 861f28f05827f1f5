//! An evaluation pass in the log.

use cresset_record::Level;

use crate::media::Image;
use crate::run::Run;
use crate::samples::{Mistake, Report, key_under};

impl Run {
    /// Logs an evaluation pass under `prefix`: its scalars (`val/auc`, `val/accuracy`, `val/recall/<class>`, …), confusion
    /// matrix and curves as figures, the table `val/classes`, and its mistakes as images under `val/mistakes`, each captioned
    /// with what it is and what it was taken for. Rows that are in no metric give an alert.
    ///
    /// Mistakes without an image are left out: the confusion matrix counts them.
    pub fn log_evaluation(&self, step: u64, prefix: &str, report: Report<Image>) {
        self.log_evaluation_except(step, prefix, report, |_| false);
    }

    /// As [`log_evaluation`](Self::log_evaluation), without the scalars that somebody else logs, told by their keys.
    pub fn log_evaluation_except(
        &self,
        step: u64,
        prefix: &str,
        report: Report<Image>,
        is_elsewhere: impl Fn(&str) -> bool,
    ) {
        if !self.is_enabled() {
            return;
        }
        let scalars = report.scalars(prefix).into_iter();
        self.log(step, scalars.filter(|(key, _)| !is_elsewhere(key)));
        self.log_figures(step, prefix, &report);
        let key = key_under(prefix, "mistakes");
        for image in report.mistakes.into_iter().filter_map(Mistake::shown) {
            self.log_value(step, &key, image);
        }
    }

    /// As [`log_evaluation`](Self::log_evaluation), but for the images.
    pub fn log_report<I>(&self, step: u64, prefix: &str, report: &Report<I>) {
        if !self.is_enabled() {
            return;
        }
        self.log(step, report.scalars(prefix));
        self.log_figures(step, prefix, report);
    }

    fn log_figures<I>(&self, step: u64, prefix: &str, report: &Report<I>) {
        for (key, figure) in report.figures(prefix) {
            self.log_value(step, key, figure);
        }
        self.log_value(step, key_under(prefix, "classes"), report.table());
        if report.bad_rows > 0 {
            let rows = report.first_bad_rows.iter();
            let lines: Vec<String> = rows
                .map(|row| format!("sample {}: {}", row.dataset_index, row.fault))
                .collect();
            let title = format!("{} rows of {prefix} are in no metric", report.bad_rows);
            self.alert_at(step, Level::Warn, title, lines.join("\n"));
        }
    }
}
