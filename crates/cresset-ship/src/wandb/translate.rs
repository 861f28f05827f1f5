//! What a run's log says, in W&B's terms.

use cresset_record::{
    Definition, Key, Level, Rank, RunDir, State, Timestamp, pattern_matches, resolve,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::event::Event;

use super::entry::{Entry, Output};
use super::files::NewFile;
use super::head::Head;
use super::media::{self, Shown};
use super::rows::Rows;
use super::{histogram, summary::Summary, system, value};

/// What must be known of a run to go on with it: part of a sink's memory.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Known {
    pub(crate) head: Option<Head>,
    pub(crate) definitions: Vec<Definition>,
    /// Definitions as W&B was told of them, one a metric.
    pub(crate) metrics: Vec<Definition>,
    pub(crate) summary: Summary,
    /// What the user put into the summary by hand.
    pub(crate) by_hand: Map<String, Json>,
    /// What W&B's client keeps in config under `_wandb`: names of classes, and how figures are drawn.
    pub(crate) wandb: Map<String, Json>,
    /// Rows that more values may come for.
    rows: Rows,
    /// The highest step, and when its values came.
    latest: (u64, i64),
}

/// What W&B does not get.
const LEFT_OUT: &str = "did not go to W&B, which has one value a key and step and takes no step that comes late; Cresset has them all";

/// What came of events.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) entries: Vec<Entry>,
    /// Files that entries point to.
    pub(crate) files: Vec<NewFile>,
}

/// How the run is to be called there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Naming {
    pub(crate) entity: String,
    pub(crate) project: Option<String>,
}

impl Known {
    /// Takes events in their order.
    pub(crate) fn take(&mut self, run: &RunDir, naming: &Naming, events: &[(Rank, Event)]) -> Told {
        let mut told = Told::default();
        for (rank, event) in events {
            self.one(run, naming, *rank, event, &mut told);
        }
        self.tell_summary(&mut told);
        told
    }

    /// Rows that waited for more, the last of the summary, and the end.
    pub(crate) fn end(mut self, state: &State) -> (Self, Told) {
        let mut told = Told::default();
        let (rows, left_out) = self.rows.all();
        told.entries.extend(rows.map(Entry::History));
        if left_out > 0 {
            let text = format!("cresset: {left_out} values {LEFT_OUT}");
            told.say(self.latest.1, true, text);
        }
        if let Some(reason) = state.reason() {
            let (time, is_error) = (self.latest.1, matches!(state, State::Failed(_)));
            let text = format!("cresset: {}: {reason}", state.word());
            let output = Output {
                time,
                is_error,
                text,
            };
            told.entries.push(Entry::Output(output));
        }
        self.tell_summary(&mut told);
        // W&B's states are finished, failed, crashed and killed, by the code of exit; what was stopped came to no bad end.
        let code = match state {
            State::Finished | State::Stopped(_) => 0,
            State::Failed(_) | State::Crashed | State::Running => 1,
        };
        let runtime = self.runtime(Timestamp(self.latest.1)) as i64;
        told.entries.push(Entry::Exit { code, runtime });
        (self, told)
    }

    fn one(&mut self, run: &RunDir, naming: &Naming, rank: Rank, event: &Event, told: &mut Told) {
        let entries = &mut told.entries;
        match event {
            Event::Start(start) if self.head.is_none() => {
                let head = Head::new(start, naming.project.as_deref(), &naming.entity);
                entries.push(Entry::Run(Box::new(head.clone())));
                self.latest.1 = head.start;
                self.head = Some(head);
            }
            // W&B has one head a run: that of the first writer.
            Event::Start(_) | Event::Resume(_) | Event::End(_) => {}
            Event::Environment(environment) => {
                if let Some(head) = &mut self.head
                    && rank.0 == 0
                {
                    if head.surround(environment) {
                        entries.push(Entry::Run(Box::new(head.clone())));
                    }
                    told.file(NewFile::json("cresset-environment.json", environment));
                }
            }
            Event::Scalars { step, time, points } => {
                self.scalars(rank, *step, *time, points, told);
            }
            Event::Histogram {
                key,
                step,
                time,
                stats,
            } => {
                let name = key_of(rank, key);
                self.value(*step, *time, name.clone(), &histogram::of(stats), told);
                for (what, count) in histogram::bad_values(stats) {
                    let name = format!("{name}/{what}");
                    self.number(*step, *time, name, count as f64, told);
                }
            }
            Event::Media {
                key,
                step,
                time,
                media,
            } => {
                let name = key_of(rank, key);
                match media::show(run, &name, *step, media) {
                    Ok(shown) => self.shown(*step, *time, shown, told),
                    Err(why) => {
                        let text = format!("cresset: {name} of step {step} is missing: {why}");
                        told.say(time.0, true, text);
                    }
                }
            }
            Event::Define(definition) => self.define(definition, told),
            Event::Config(update) => {
                let items = update.values.iter();
                let items = items.map(|(key, json)| (vec![key.clone()], json.to_string()));
                entries.push(Entry::Config(items.collect()));
                if let Some(head) = &mut self.head {
                    let values = update.values.iter();
                    head.config
                        .extend(values.map(|(k, v)| (k.clone(), v.clone())));
                }
            }
            Event::Label(update) => {
                if let Some(head) = &mut self.head {
                    head.relabel(update);
                    entries.push(Entry::Run(Box::new(head.clone())));
                }
            }
            Event::Summary(values) => {
                let items = values.iter().map(|(k, v)| (k.clone(), v.to_string()));
                entries.push(Entry::Summary(items.collect()));
                let values = values.iter().map(|(k, v)| (k.clone(), v.clone()));
                self.by_hand.extend(values);
            }
            Event::Console(line) => {
                let is_error = line.level >= Level::Warn;
                told.say(line.time.0, is_error, console_text(line));
            }
            Event::Alert(alert) => entries.push(Entry::Alert {
                title: alert.title.clone(),
                text: alert.text.clone(),
                level: alert.level,
            }),
            Event::Lost(lost) => {
                let text = format!(
                    "cresset: lost {} points and {} other values: {}",
                    lost.points,
                    lost.values,
                    lost.reason.describe()
                );
                told.say(lost.time.0, true, text);
            }
        }
    }

    fn scalars(
        &mut self,
        rank: Rank,
        step: u64,
        time: Timestamp,
        points: &[(Key, f64)],
        told: &mut Told,
    ) {
        let figures = points.iter().map(|(key, value)| (key.as_str(), *value));
        let (figures, values): (Vec<_>, Vec<_>) =
            figures.partition(|(key, _)| system::is_system(key));
        if !figures.is_empty() {
            let mut items = system::rename(&figures);
            if rank.0 > 0 {
                // W&B's own way to tell processes of one run apart.
                for (name, _) in &mut items {
                    name.push_str(&format!("/l:rank_{}", rank.0));
                }
            }
            let time = time.0;
            told.entries.push(Entry::Stats { time, items });
        }
        for (key, value) in values {
            let name = prefixed(rank, key);
            self.number(step, time, name, value, told);
        }
    }

    fn shown(&mut self, step: u64, time: Timestamp, shown: Shown, told: &mut Told) {
        for file in shown.files {
            told.file(file);
        }
        for (group, name, json) in shown.config {
            let all = self.wandb.entry(group);
            let all = all.or_insert_with(|| Map::new().into());
            // Each image of a series brings the same names.
            if all.get(&name) != Some(&json) {
                let path = vec!["_wandb".to_owned(), group.to_owned(), name.clone()];
                let item = (path, json.to_string());
                told.entries.push(Entry::Config(vec![item]));
                all[name] = json;
            }
        }
        for (key, text) in shown.values {
            self.value(step, time, key, &text, told);
        }
    }

    fn number(&mut self, step: u64, time: Timestamp, key: String, number: f64, told: &mut Told) {
        let is_new = self.summary.take_number(&key, step, number);
        self.put(step, time, key, value::number(number), is_new, told);
    }

    fn value(&mut self, step: u64, time: Timestamp, key: String, text: &str, told: &mut Told) {
        let is_new = self.summary.take(&key, step, text);
        self.put(step, time, key, text.to_owned(), is_new, told);
    }

    /// Puts a value into the row of its step.
    fn put(
        &mut self,
        step: u64,
        time: Timestamp,
        key: String,
        text: String,
        is_new: bool,
        told: &mut Told,
    ) {
        if is_new && self.definitions.iter().any(|d| is_ours_to_expand(d, &key)) {
            self.metric(resolve(&self.definitions, &key), told);
        }
        if (step, time.0) > self.latest {
            self.latest = (step, time.0);
        }
        let runtime = self.runtime(time);
        let is_first = self.rows.left_out() == 0;
        if !self.rows.put(step, time.0, runtime, key, text) && is_first {
            let text = format!("cresset: a value of step {step} {LEFT_OUT}");
            told.say(time.0, true, text);
        }
        told.entries.extend(self.rows.ready().map(Entry::History));
    }

    fn define(&mut self, definition: &Definition, told: &mut Told) {
        self.definitions.push(definition.clone());
        if system::is_system(&definition.pattern) {
            // W&B defines no metrics of the machine.
            return;
        }
        self.summary.redefined(&definition.pattern);
        if is_wandbs_to_expand(&definition.pattern) {
            self.metric(resolve(&self.definitions, &definition.pattern), told);
            return;
        }
        let keys = self.summary.keys();
        let matching = keys.filter(|key| pattern_matches(&definition.pattern, key));
        let metrics: Vec<_> = matching
            .map(|key| resolve(&self.definitions, key))
            .collect();
        for metric in metrics {
            self.metric(metric, told);
        }
    }

    fn metric(&mut self, definition: Definition, told: &mut Told) {
        self.metrics.retain(|m| m.pattern != definition.pattern);
        self.metrics.push(definition.clone());
        told.entries.push(Entry::Metric(definition));
    }

    fn tell_summary(&mut self, told: &mut Told) {
        let mut items = self.summary.changes(&self.definitions);
        if !items.is_empty() {
            items.extend(self.added());
            told.entries.push(Entry::Summary(items));
        }
    }

    /// What W&B's client adds to the summary.
    pub(crate) fn added(&self) -> [(String, String); 4] {
        let (step, time) = self.latest;
        let runtime = self.runtime(Timestamp(time));
        let whole = format!(r#"{{"runtime":{}}}"#, runtime as i64);
        [
            ("_step".to_owned(), step.to_string()),
            ("_timestamp".to_owned(), value::number(time as f64 / 1e6)),
            ("_runtime".to_owned(), value::number(runtime)),
            ("_wandb".to_owned(), whole),
        ]
    }

    fn runtime(&self, time: Timestamp) -> f64 {
        let start = self.head.as_ref().map_or(time.0, |head| head.start);
        time.seconds_since(Timestamp(start)).max(0.0)
    }
}

impl Told {
    fn file(&mut self, file: NewFile) {
        let (path, kind) = (file.path.clone(), file.kind);
        self.entries.push(Entry::File { path, kind });
        self.files.push(file);
    }

    fn say(&mut self, time: i64, is_error: bool, text: String) {
        let output = Output {
            time,
            is_error,
            text,
        };
        self.entries.push(Entry::Output(output));
    }
}

/// Keys of other ranks than the first stand under their rank: W&B has one row a step.
fn prefixed(rank: Rank, key: &str) -> String {
    match rank.0 {
        0 => key.to_owned(),
        rank => format!("rank_{rank}/{key}"),
    }
}

fn key_of(rank: Rank, key: &Key) -> String {
    prefixed(rank, key.as_str())
}

/// W&B's patterns have one `*`, at their end.
fn is_wandbs_to_expand(pattern: &str) -> bool {
    pattern.find('*').is_none_or(|at| at + 1 == pattern.len())
}

fn is_ours_to_expand(definition: &Definition, key: &str) -> bool {
    let pattern = &definition.pattern;
    !is_wandbs_to_expand(pattern) && pattern_matches(pattern, key)
}

fn console_text(line: &cresset_record::ConsoleLine) -> String {
    if line.target.is_empty() && line.fields.is_empty() {
        return line.message.clone();
    }
    let level = format!("{:?}", line.level).to_uppercase();
    let fields = line.fields.iter().map(|(k, v)| format!(" {k}={v}"));
    let fields: String = fields.collect();
    format!("{level} {}: {}{fields}", line.target, line.message)
}
