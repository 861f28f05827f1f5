//! Leaves out of a log what a place may not see.

use std::collections::HashMap;

use cresset_record::{Definition, Key, KeyId, Outcome, Rank, Record, Row, Start, resolve};
use serde_json::{Map, Value as Json};

use crate::selection::{REDACTED, Selection};

/// Takes the records of a run, frame by frame, and gives what of them goes: of the same log the same, wherever it is cut.
#[derive(Debug)]
pub(crate) struct Sieve {
    selection: Selection,
    writers: HashMap<Rank, Writer>,
}

/// What a writer has said so far.
#[derive(Debug, Default)]
struct Writer {
    /// Its keys; `None` for those that do not go.
    keys: HashMap<KeyId, Option<Key>>,
    definitions: Vec<Definition>,
}

impl Sieve {
    pub(crate) fn new(selection: Selection) -> Self {
        Self {
            selection,
            writers: HashMap::new(),
        }
    }

    /// What goes of a writer's next records.
    pub(crate) fn pass(&mut self, rank: Rank, records: Vec<Record>) -> Vec<Record> {
        if self.selection.shows_all() {
            return records;
        }
        let writer = self.writers.entry(rank).or_default();
        let mut passed = Vec::with_capacity(records.len());
        for record in records {
            writer.pass(&self.selection, record, &mut passed);
        }
        passed
    }
}

impl Writer {
    fn pass(&mut self, selection: &Selection, record: Record, out: &mut Vec<Record>) {
        match record {
            Record::Key { id, key } => self.declare(selection, id, key, out),
            Record::Define(definition) => self.define(selection, definition, out),
            Record::Rows(rows) => {
                let rows = rows.into_iter().filter_map(|row| self.row(selection, row));
                let rows: Vec<Row> = rows.collect();
                if !rows.is_empty() {
                    out.push(Record::Rows(rows));
                }
            }
            Record::Histogram { key, .. } | Record::Media { key, .. } => {
                if self.shows(selection, key) {
                    out.push(record);
                }
            }
            // What it says cannot be known here.
            Record::Unknown { .. } => {}
            other => out.push(redacted(selection, other)),
        }
    }

    fn shows(&self, selection: &Selection, id: KeyId) -> bool {
        match self.keys.get(&id) {
            Some(key) => key.is_some(),
            // Its name is not known.
            None => selection.shows_all_keys(),
        }
    }

    /// The points that go; a row that had none to begin with goes.
    fn row(&self, selection: &Selection, mut row: Row) -> Option<Row> {
        let was_empty = row.points.is_empty();
        row.points.retain(|(id, _)| self.shows(selection, *id));
        (was_empty || !row.points.is_empty()).then_some(row)
    }

    fn declare(&mut self, selection: &Selection, id: KeyId, key: Key, out: &mut Vec<Record>) {
        let shown = selection.shows(key.as_str()).then_some(key);
        if let Some(key) = &shown {
            out.push(Record::Key {
                id,
                key: key.clone(),
            });
            // A pattern that names more than what goes does not: what it says of this key does.
            let mut wide = self.definitions.iter();
            if wide.any(|d| !selection.shows(&d.pattern) && matches(d, key)) {
                out.push(Record::Define(resolve(&self.definitions, key.as_str())));
            }
        }
        self.keys.insert(id, shown);
    }

    fn define(&mut self, selection: &Selection, mut said: Definition, out: &mut Vec<Record>) {
        if selection.shows_all_keys() {
            return out.push(Record::Define(said));
        }
        said.step_metric = said.step_metric.filter(|key| selection.shows(key));
        self.definitions.retain(|earlier| *earlier != said);
        self.definitions.push(said.clone());
        if selection.shows(&said.pattern) {
            return out.push(Record::Define(said));
        }
        let mut keys: Vec<(&KeyId, &Key)> = self
            .keys
            .iter()
            .filter_map(|(id, key)| Some((id, key.as_ref()?)))
            .filter(|(_, key)| matches(&said, key))
            .collect();
        // In an order of its own, so that the same frame is the same bytes each time.
        keys.sort_unstable();
        out.extend(keys.into_iter().map(|(_, key)| {
            Record::Define(Definition {
                pattern: key.as_str().to_owned(),
                ..said.clone()
            })
        }));
    }
}

fn matches(definition: &Definition, key: &Key) -> bool {
    cresset_record::pattern_matches(&definition.pattern, key.as_str())
}

/// A record that is no series', with what is not shown replaced.
fn redacted(selection: &Selection, mut record: Record) -> Record {
    let text = |name: &str, text: &mut String| {
        if selection.redacts(name) && !text.is_empty() {
            REDACTED.clone_into(text);
        }
    };
    let texts = |name: &str, texts: &mut Vec<String>| {
        if selection.redacts(name) && !texts.is_empty() {
            *texts = vec![REDACTED.to_owned()];
        }
    };
    match &mut record {
        Record::Start(start) => {
            let Start {
                name,
                group,
                job_type,
                tags,
                notes,
                config,
                ..
            } = &mut **start;
            text("name", name);
            text("notes", notes);
            texts("tags", tags);
            group.iter_mut().for_each(|group| text("group", group));
            let job_type = job_type.iter_mut();
            job_type.for_each(|job_type| text("job_type", job_type));
            object(selection, "config", config);
        }
        Record::Environment(environment) => object(selection, "environment", environment),
        Record::Config(update) => object(selection, "config", &mut update.values),
        Record::Summary(values) => {
            values.retain(|key, _| selection.shows(key));
            object(selection, "summary", values);
        }
        Record::Label(label) => {
            label.name.iter_mut().for_each(|name| text("name", name));
            let group = label.group.iter_mut();
            group.for_each(|group| text("group", group));
            let notes = label.notes.iter_mut();
            notes.for_each(|notes| text("notes", notes));
            label.tags.iter_mut().for_each(|tags| texts("tags", tags));
        }
        Record::Console(line) if selection.redacts("console") => {
            text("console", &mut line.message);
            line.target.clear();
            line.fields.clear();
        }
        Record::Alert(alert) => {
            text("alerts", &mut alert.title);
            text("alerts", &mut alert.text);
        }
        Record::End(end) => match &mut end.outcome {
            Outcome::Failed { reason } | Outcome::Stopped { reason } => text("reason", reason),
            Outcome::Finished => {}
        },
        _ => {}
    }
    record
}

/// Replaces what is not shown of one of a run's objects.
fn object(selection: &Selection, part: &str, map: &mut Map<String, Json>) {
    if selection.redacts(part) {
        map.clear();
    } else if selection.redacts_within(part) {
        let mut path = part.to_owned();
        for (name, value) in map {
            within(selection, &mut path, name, value);
        }
    }
}

fn within(selection: &Selection, path: &mut String, name: &str, value: &mut Json) {
    let length = path.len();
    path.push('.');
    path.push_str(name);
    if selection.redacts(path) {
        *value = REDACTED.into();
    } else {
        match value {
            Json::Object(map) => {
                for (name, value) in map {
                    within(selection, path, name, value);
                }
            }
            Json::Array(list) => {
                for (i, value) in list.iter_mut().enumerate() {
                    within(selection, path, &i.to_string(), value);
                }
            }
            _ => {}
        }
    }
    path.truncate(length);
}

#[cfg(test)]
mod tests;
