//! What a run's log says, in W&B's terms.

mod definitions;
mod told;
mod values;

use cresset_record::{ConfigUpdate, Definition, Level, Rank, RunDir, State, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::event::Event;

use super::entry::{Entry, Output};
use super::files::NewFile;
use super::head::Head;
use super::media;
use super::naming::Naming;
use super::rows::Rows;
use super::{histogram, summary::Summary, value};
pub(crate) use told::Told;
use values::key_of;

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
        match event {
            Event::Start(start) if self.head.is_none() => {
                let head = Head::new(start, naming);
                told.entries.push(Entry::Run(Box::new(head.clone())));
                self.latest.1 = head.start;
                self.head = Some(head);
            }
            // W&B has one head a run: that of the first writer.
            Event::Start(_) | Event::Resume(_) | Event::End(_) => {}
            Event::Environment(environment) if rank.0 == 0 => self.surround(environment, told),
            Event::Environment(_) => {}
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
            Event::Config(update) => self.configure(update, told),
            Event::Label(update) => {
                if let Some(head) = &mut self.head {
                    head.relabel(update);
                    told.entries.push(Entry::Run(Box::new(head.clone())));
                }
            }
            Event::Summary(values) => {
                let items = values.iter().map(|(k, v)| (k.clone(), v.to_string()));
                told.entries.push(Entry::Summary(items.collect()));
                self.by_hand.extend(owned(values));
            }
            Event::Console(line) => {
                let is_error = line.level >= Level::Warn;
                told.say(line.time.0, is_error, console_text(line));
            }
            Event::Alert(alert) => told.entries.push(Entry::Alert {
                title: alert.title.clone(),
                text: alert.text.clone(),
                level: alert.level,
            }),
            Event::Lost(lost) => {
                let (points, values) = (lost.points, lost.values);
                let why = lost.reason.describe();
                let text =
                    format!("cresset: lost {points} points and {values} other values: {why}");
                told.say(lost.time.0, true, text);
            }
        }
    }

    fn surround(&mut self, environment: &Map<String, Json>, told: &mut Told) {
        let Some(head) = &mut self.head else { return };
        if head.surround(environment) {
            told.entries.push(Entry::Run(Box::new(head.clone())));
        }
        told.file(NewFile::json("cresset-environment.json", environment));
    }

    fn configure(&mut self, update: &ConfigUpdate, told: &mut Told) {
        let items = update.values.iter();
        let items = items.map(|(key, json)| (vec![key.clone()], json.to_string()));
        told.entries.push(Entry::Config(items.collect()));
        if let Some(head) = &mut self.head {
            head.config.extend(owned(&update.values));
        }
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

/// Copies, as the head and the summary keep them.
fn owned(values: &Map<String, Json>) -> impl Iterator<Item = (String, Json)> {
    values.iter().map(|(key, json)| (key.clone(), json.clone()))
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
