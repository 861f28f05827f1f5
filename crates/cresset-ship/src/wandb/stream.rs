//! Lines of a run's files at the server, and how many there are already.

use cresset_record::Definition;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::entry::{Entry, Output};
use super::record::{goal, summary_fields};
use super::translate::Known;
use super::value;

/// About so many bytes of lines are sent in one request; W&B's client sends up to 10 MiB.
const MUCH: usize = 4 << 20;

/// How many lines the server has of each file. Lines that come a second time go to their old places.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Offsets {
    history: u64,
    events: u64,
    console: u64,
}

/// Lines that are to be sent.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    history: Vec<String>,
    events: Vec<String>,
    console: Vec<String>,
}

impl Lines {
    /// The lines that an entry is, if it is any.
    pub(crate) fn push(&mut self, entry: &Entry, start: i64) {
        match entry {
            Entry::History(row) => {
                let added = row.added();
                let items = row.items.iter().chain(&added);
                let items = items.map(|(key, text)| (key.as_str(), text.as_str()));
                self.history.push(value::object(items));
            }
            Entry::Stats { time, items } => {
                let runtime = (time - start) as f64 / 1e6;
                let own = [
                    ("_timestamp".to_owned(), value::number(*time as f64 / 1e6)),
                    ("_runtime".to_owned(), value::number(runtime)),
                    ("_wandb".to_owned(), "true".to_owned()),
                ];
                let items = items
                    .iter()
                    .map(|(k, v)| (format!("system.{k}"), value::number(*v)));
                let items: Vec<_> = items.chain(own).collect();
                let items = items.iter().map(|(k, v)| (k.as_str(), v.as_str()));
                self.events.push(value::object(items));
            }
            Entry::Output(output) => self.console.extend(console(output)),
            _ => {}
        }
    }

    /// Bodies of requests, none much longer than [`MUCH`], and the offsets after each.
    pub(crate) fn bodies(&self, mut offsets: Offsets) -> Vec<(Map<String, Json>, Offsets)> {
        let mut bodies = Vec::new();
        let (mut files, mut bytes) = (Map::new(), 0);
        for (name, lines) in [
            ("wandb-history.jsonl", &self.history),
            ("wandb-events.jsonl", &self.events),
            ("output.log", &self.console),
        ] {
            for line in lines {
                if bytes > MUCH {
                    bodies.push((std::mem::take(&mut files), offsets));
                    bytes = 0;
                }
                let offset = match name {
                    "wandb-history.jsonl" => &mut offsets.history,
                    "wandb-events.jsonl" => &mut offsets.events,
                    _ => &mut offsets.console,
                };
                let file = files.entry(name);
                let file = file.or_insert_with(|| json!({"offset": *offset, "content": []}));
                if let Some(content) = file["content"].as_array_mut() {
                    content.push(line.as_str().into());
                }
                *offset += 1;
                bytes += line.len();
            }
        }
        bodies.push((files, offsets));
        bodies
    }
}

/// As W&B's client writes them: a time, and `ERROR` before it for standard error.
fn console(output: &Output) -> impl Iterator<Item = String> {
    let time = jiff::Timestamp::from_microsecond(output.time).unwrap_or_default();
    let time = time.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string();
    let word = if output.is_error { "ERROR " } else { "" };
    let lines = output.text.lines();
    lines.map(move |line| format!("{word}{time} {line}"))
}

/// The summary as one line.
pub(crate) fn summary(known: &Known) -> String {
    let by_hand = known
        .by_hand
        .iter()
        .map(|(k, v)| (k.clone(), v.to_string()));
    let mut items = known.summary.all(&known.definitions);
    items.retain(|(key, _)| !known.by_hand.contains_key(key));
    items.extend(by_hand);
    items.extend(known.added());
    value::object(items.iter().map(|(k, v)| (k.as_str(), v.as_str())))
}

/// Config as W&B keeps it: each value in an object of its own, and beside them what its client needs.
pub(crate) fn config(known: &Known) -> Json {
    let Some(head) = &known.head else {
        return json!({});
    };
    let values = head.config.iter();
    let mut config: Map<String, Json> = values
        .map(|(key, value)| (key.clone(), json!({"value": value})))
        .collect();
    let mut own = known.wandb.clone();
    // W&B resumes a run only where this is.
    own.insert("t".to_owned(), json!({}));
    own.insert("m".to_owned(), metrics(&known.metrics));
    config.insert("_wandb".to_owned(), json!({"value": own}));
    Json::Object(config)
}

/// Definitions as config has them: W&B's messages with numbers for names.
fn metrics(definitions: &[Definition]) -> Json {
    let mut names: Vec<&str> = definitions.iter().map(|d| d.pattern.as_str()).collect();
    let steps = definitions.iter().filter_map(|d| d.step_metric.as_deref());
    for step in steps {
        if !names.contains(&step) {
            names.push(step);
        }
    }
    let metrics = names.iter().map(|name| {
        let Some(definition) = definitions.iter().find(|d| d.pattern == *name) else {
            return json!({"1": name, "6": [], "7": []});
        };
        let is_pattern = name.contains('*');
        let mut metric = Map::new();
        metric.insert(if is_pattern { "2" } else { "1" }.to_owned(), json!(name));
        let step = definition.step_metric.as_deref();
        let place = step.and_then(|step| names.iter().position(|name| *name == step));
        if let Some(place) = place {
            metric.insert("5".to_owned(), json!(place + 1));
        }
        let options = [
            (1, definition.step_metric.is_some()),
            (2, definition.hidden == Some(true)),
            (3, !is_pattern),
        ];
        let options = options
            .iter()
            .filter(|(_, is_set)| *is_set)
            .map(|(number, _)| *number);
        metric.insert("6".to_owned(), json!(options.collect::<Vec<u32>>()));
        metric.insert("7".to_owned(), json!(summary_fields(definition)));
        if goal(definition) > 0 {
            metric.insert("8".to_owned(), json!(goal(definition)));
        }
        Json::Object(metric)
    });
    Json::Array(metrics.collect())
}
