//! What a run says, as events of TensorBoard.

use cresset_record::{Key, LabelUpdate, Outcome, RunDir, Start, TensorStats, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::hparams::flat;
use super::markdown::{self, Rows};
use super::message::{Plugin, Summary, Tensor, put_restart, put_summary};
use super::state::OfRank;
use crate::event::Event;

/// Where a rank's events are put.
pub(super) struct Page<'a> {
    pub(super) run: &'a RunDir,
    pub(super) written: &'a mut OfRank,
    pub(super) out: &'a mut Vec<u8>,
}

impl Page<'_> {
    pub(super) fn put(&mut self, event: &Event) {
        match event {
            Event::Start(start) => {
                // Each segment of a log begins with it.
                if !std::mem::replace(&mut self.written.has_start, true) {
                    self.start(start);
                    self.config(&start.config);
                }
            }
            Event::Resume(resume) => {
                if let Some(step) = resume.from_step {
                    put_restart(self.out, resume.time, step);
                }
                let from = resume
                    .from_step
                    .map_or(String::new(), |s| format!(" from step {s}"));
                self.say("cresset/run", 0, &format!("taken up again{from}"));
            }
            Event::Environment(environment) => {
                self.say_once("cresset/environment", &code(environment));
            }
            Event::Scalars { step, time, points } => self.scalars(*step, *time, points),
            Event::Histogram {
                key,
                step,
                time,
                stats,
            } => {
                self.histogram(key, *step, *time, stats);
            }
            Event::Media {
                key,
                step,
                time,
                media,
            } => self.media(key, *step, *time, media),
            Event::Define(definition) => self.say_once("cresset/definitions", &code(definition)),
            Event::Config(update) => self.config(&update.values),
            Event::Label(update) => self.label(update),
            Event::Summary(values) => self.say("cresset/summary", 0, &code(values)),
            Event::Console(line) => {
                let (step, message) = (self.written.lines, &line.message);
                self.written.lines += 1;
                let level = format!("{:?}", line.level).to_uppercase();
                let mut text = format!("{level} {} {message}", line.target);
                if !line.fields.is_empty() {
                    text.push_str(&format!(" {}", Json::Object(line.fields.clone())));
                }
                self.say("cresset/console", step, &markdown::fenced(&text, ""));
            }
            Event::Alert(alert) => {
                let text = format!("**{:?}: {}**\n\n{}", alert.level, alert.title, alert.text);
                self.say("cresset/alerts", alert.step.unwrap_or(0), &text);
            }
            Event::Lost(lost) => {
                let (points, values) = (lost.points, lost.values);
                let why = lost.reason.describe();
                let text = format!("lost {points} points and {values} other values: {why}");
                self.say("cresset/lost", 0, &text);
            }
            Event::End(end) => {
                let text = match &end.outcome {
                    Outcome::Finished => "finished".to_owned(),
                    Outcome::Failed { reason } => format!("failed: {reason}"),
                    Outcome::Stopped { reason } => format!("stopped: {reason}"),
                };
                self.say("cresset/run", 0, &text);
            }
        }
    }

    fn scalars(&mut self, step: u64, time: Timestamp, points: &[(Key, f64)]) {
        let mut summary = Summary::default();
        for (key, value) in points {
            let tag = self.written.tag(key.as_str(), Plugin::Scalars);
            summary = summary.value(Plugin::Scalars, &tag, &Tensor::scalar(*value));
        }
        put_summary(self.out, time, step, &summary);
    }

    fn histogram(&mut self, key: &Key, step: u64, time: Timestamp, stats: &TensorStats) {
        let buckets = buckets(stats);
        let tensor = Tensor::doubles(&[buckets.len() / 3, 3], &buckets);
        self.value(Plugin::Histograms, key.as_str(), step, time, &tensor);
        if stats.non_finite() > 0 {
            let tensor = Tensor::scalar(stats.non_finite() as f64);
            let key = format!("{key}/non_finite");
            self.value(Plugin::Scalars, &key, step, time, &tensor);
        }
    }

    pub(super) fn value(
        &mut self,
        plugin: Plugin,
        key: &str,
        step: u64,
        time: Timestamp,
        tensor: &Tensor,
    ) {
        let tag = self.written.tag(key, plugin);
        let summary = Summary::default().value(plugin, &tag, tensor);
        put_summary(self.out, time, step, &summary);
    }

    pub(super) fn text(&mut self, key: &str, step: u64, time: Timestamp, text: &str) {
        let tensor = Tensor::strings(&[], &[text.as_bytes()]);
        self.value(Plugin::Text, key, step, time, &tensor);
    }

    /// A text about the run rather than from it.
    fn say(&mut self, key: &str, step: u64, text: &str) {
        self.text(key, step, self.written.time, text);
    }

    /// A text about the run, unless it was said before: each segment of a log repeats some.
    fn say_once(&mut self, key: &str, text: &str) {
        if self.written.is_news(text) {
            self.say(key, 0, text);
        }
    }

    fn start(&mut self, start: &Start) {
        let mut rows = Rows::new(["run", start.name.as_str()]);
        rows.push(["id", start.run.as_str()]);
        rows.push(["project", start.project.as_str()]);
        if let Some(group) = &start.group {
            rows.push(["group", group.as_str()]);
        }
        if let Some(job_type) = &start.job_type {
            rows.push(["job type", job_type.as_str()]);
        }
        if !start.tags.is_empty() {
            rows.push(["tags", start.tags.join(", ").as_str()]);
        }
        if let Some(ranks) = start.world_size {
            rows.push(["ranks", ranks.to_string().as_str()]);
        }
        let text = format!("{}\n{}", rows.finish(), start.notes);
        self.say("cresset/run", 0, &text);
    }

    fn label(&mut self, update: &LabelUpdate) {
        let mut rows = Rows::new(["changed", "to"]);
        let tags = update.tags.as_ref().map(|tags| tags.join(", "));
        for (what, value) in [
            ("run", &update.name),
            ("group", &update.group),
            ("notes", &update.notes),
            ("tags", &tags),
        ] {
            if let Some(value) = value {
                rows.push([what, value.as_str()]);
            }
        }
        self.say("cresset/run", 0, &rows.finish());
    }

    fn config(&mut self, values: &Map<String, Json>) {
        if values.is_empty() {
            return;
        }
        let mut rows = Rows::new(["config", "value"]);
        for (name, value) in flat(values) {
            rows.push([name.as_str(), markdown::cell(value).as_str()]);
        }
        self.say("cresset/config", 0, &rows.all());
    }
}

/// Left edge, right edge and count of each bucket, the outermost edges brought in to the extremes.
fn buckets(stats: &TensorStats) -> Vec<f64> {
    let mut flat = Vec::new();
    let mut end = None;
    for bucket in stats.histogram.buckets() {
        let within = |edge: f64| edge.max(stats.min).min(stats.max);
        let (left, right) = (within(bucket.lower), within(bucket.upper));
        if let Some(end) = end
            && end < left
        {
            // TensorBoard takes each bucket to begin where the one before it ends.
            flat.extend([end, left, 0.0]);
        }
        flat.extend([left, right, bucket.count as f64]);
        end = Some(right);
    }
    flat
}

fn code(value: &impl Serialize) -> String {
    let json = serde_json::to_string_pretty(value).unwrap_or_default();
    markdown::fenced(&json, "json")
}
