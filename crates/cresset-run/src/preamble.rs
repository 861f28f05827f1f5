//! What a segment repeats of those before it.

use std::io;

use cresset_record::{
    ConfigUpdate, Definition, EncodeError, FrameBuilder, Key, KeyId, LogWriter, Record, Start,
};
use serde_json::{Map, Value as Json};

/// What every segment begins with, so that it can be read without those before it: what is true now, and not how it came to be.
/// It grows with names (keys, patterns, summary entries), never with how often something was said.
#[derive(Debug)]
pub(crate) struct Preamble {
    start: Start,
    environment: Option<Map<String, Json>>,
    definitions: Vec<Definition>,
    /// What the user put into the summary.
    summary: Map<String, Json>,
    keys: Vec<(KeyId, Key)>,
}

impl Preamble {
    pub(crate) fn new(start: Start) -> Self {
        Self {
            start,
            environment: None,
            definitions: Vec::new(),
            summary: Map::new(),
            keys: Vec::new(),
        }
    }

    /// The name of a key's number.
    pub(crate) fn key(&self, id: KeyId) -> Option<&str> {
        let known = self.keys.iter().find(|(known, _)| *known == id);
        known.map(|(_, key)| key.as_str())
    }

    /// Takes in what a record says that stays true.
    pub(crate) fn absorb(&mut self, record: &Record) {
        match record {
            Record::Environment(map) => self.environment = Some(map.clone()),
            Record::Define(definition) => {
                // Later ones win field by field, whatever patterns are between. So one may go only where nothing of it is left.
                self.definitions.retain(|d| !covers(definition, d));
                self.definitions.push(definition.clone());
            }
            Record::Summary(map) => self.summary.extend(map.clone()),
            Record::Key { id, key } => self.keys.push((*id, key.clone())),
            Record::Config(update) => self.start.config.extend(update.values.clone()),
            Record::Label(update) => {
                let update = update.clone();
                let start = &mut self.start;
                start.name = update
                    .name
                    .unwrap_or_else(|| std::mem::take(&mut start.name));
                start.notes = update
                    .notes
                    .unwrap_or_else(|| std::mem::take(&mut start.notes));
                start.tags = update
                    .tags
                    .unwrap_or_else(|| std::mem::take(&mut start.tags));
                start.group = update.group.or_else(|| start.group.take());
            }
            _ => {}
        }
    }

    /// Appends everything, in as many frames as it takes.
    ///
    /// # Errors
    /// Those of the log. Part of it may have been written: written again, it says the same.
    pub(crate) fn write(&self, log: &mut LogWriter) -> io::Result<()> {
        let mut frame = FrameBuilder::default();
        let mut put = |record: Record| {
            // Each was encoded before, alone or as part of a larger one.
            frame.push(&record).map_err(io::Error::other)?;
            if frame.is_full() {
                log.append(&mut frame)?;
            }
            Ok::<_, io::Error>(())
        };
        for record in self.head()? {
            put(record)?;
        }
        if let Some(map) = &self.environment {
            put(Record::Environment(map.clone()))?;
        }
        for definition in &self.definitions {
            put(Record::Define(definition.clone()))?;
        }
        for (name, value) in &self.summary {
            put(Record::Summary(Map::from_iter([(
                name.clone(),
                value.clone(),
            )])))?;
        }
        for (id, key) in &self.keys {
            put(Record::Key {
                id: *id,
                key: key.clone(),
            })?;
        }
        log.append(&mut frame)
    }

    /// The run's head. Config that outgrew a record is given in several.
    fn head(&self) -> io::Result<Vec<Record>> {
        let whole = Record::Start(Box::new(self.start.clone()));
        match FrameBuilder::default().push(&whole) {
            Ok(()) => return Ok(vec![whole]),
            Err(EncodeError::TooLarge { .. }) => {}
            Err(e) => return Err(io::Error::other(e)),
        }
        let head = Record::Start(Box::new(Start {
            config: Map::new(),
            ..self.start.clone()
        }));
        let config = self.start.config.iter().map(|(name, value)| {
            Record::Config(ConfigUpdate {
                time: self.start.time,
                values: Map::from_iter([(name.clone(), value.clone())]),
            })
        });
        Ok(std::iter::once(head).chain(config).collect())
    }
}

/// Whether `later` says everything anew that `earlier` said.
fn covers(later: &Definition, earlier: &Definition) -> bool {
    later.pattern == earlier.pattern
        && (later.unit.is_some() || earlier.unit.is_none())
        && (later.goal.is_some() || earlier.goal.is_none())
        && (later.step_metric.is_some() || earlier.step_metric.is_none())
        && (later.summary.is_some() || earlier.summary.is_none())
        && (later.hidden.is_some() || earlier.hidden.is_none())
}

#[cfg(test)]
mod tests {
    use cresset_record::{
        Goal, Project, Rank, RunDir, RunId, RunView, SummaryRule, Timestamp, resolve,
    };
    use serde_json::json;

    use super::*;

    fn preamble() -> Preamble {
        Preamble::new(Start {
            run: RunId::try_from("r".to_owned()).unwrap(),
            project: Project::try_from("p".to_owned()).unwrap(),
            name: "n".into(),
            rank: Rank(0),
            world_size: None,
            time: Timestamp(5),
            group: None,
            job_type: None,
            tags: Vec::new(),
            notes: String::new(),
            config: Map::new(),
            cresset_version: String::new(),
        })
    }

    /// What a reader makes of a log that holds nothing else; and in how many bytes.
    fn read_back(preamble: &Preamble) -> (RunView, u64) {
        let dir = tempfile::tempdir().unwrap();
        let dir = RunDir::new(dir.path().join("r"));
        let mut log = LogWriter::create(&dir, Rank(0)).unwrap();
        preamble.write(&mut log).unwrap();
        let bytes = std::fs::metadata(dir.segment(Rank(0), 0)).unwrap().len();
        (RunView::open(dir).unwrap(), bytes)
    }

    fn entry(name: &str, value: Json) -> Record {
        Record::Summary(Map::from_iter([(name.to_owned(), value)]))
    }

    #[test]
    fn the_last_value_of_the_summary_counts_and_is_kept_once() {
        let mut preamble = preamble();
        for value in [1, 2, 1] {
            preamble.absorb(&entry("best_epoch", json!(value)));
        }
        let (view, few) = read_back(&preamble);
        assert_eq!(view.summary()["best_epoch"], 1);
        for value in 0..10_000 {
            preamble.absorb(&entry("best_epoch", json!(value % 10)));
        }
        let (view, many) = read_back(&preamble);
        assert_eq!(view.summary()["best_epoch"], 9);
        assert_eq!(many, few, "it does not grow with how often it was set");
    }

    #[test]
    fn definitions_say_the_same_as_all_of_them_in_their_order() {
        let all = [
            Definition::new("val/*").unit("1").minimize(),
            Definition::new("val/auc").unit("%").maximize(),
            Definition::new("val/*").unit("1").minimize(),
            Definition::new("val/auc").maximize(),
            Definition::new("val/*").summary(SummaryRule::Min),
            Definition::new("val/auc").maximize().unit("‰"),
        ];
        let mut preamble = preamble();
        for (i, definition) in all.iter().enumerate() {
            preamble.absorb(&Record::Define(definition.clone()));
            for key in ["val/auc", "val/loss", "train/loss"] {
                assert_eq!(
                    resolve(&preamble.definitions, key),
                    resolve(&all[..=i], key),
                    "{key} after {i}"
                );
            }
        }
        assert_eq!(preamble.definitions.len(), 3, "{:?}", preamble.definitions);
        let auc = resolve(&preamble.definitions, "val/auc");
        assert_eq!(
            (auc.goal, auc.unit.as_deref()),
            (Some(Goal::Maximize), Some("‰"))
        );
    }

    #[test]
    fn a_preamble_of_any_size_can_be_written() {
        let mut preamble = preamble();
        let text = |letter: &str| json!(letter.repeat(3 << 20));
        for i in 0..5 {
            preamble.absorb(&entry(&format!("summary {i}"), text("s")));
            preamble.absorb(&Record::Config(ConfigUpdate {
                time: Timestamp(7),
                values: Map::from_iter([(format!("config {i}"), text("c"))]),
            }));
        }
        for i in 0..100_000 {
            preamble.absorb(&Record::Key {
                id: KeyId(i),
                key: Key::try_from(format!("{}/{i}", "k".repeat(200))).unwrap(),
            });
        }
        let (view, bytes) = read_back(&preamble);
        assert!(bytes > 50 << 20, "{bytes}");
        assert_eq!(view.damage().len(), 0);
        for i in 0..5 {
            assert_eq!(view.summary()[&format!("summary {i}")], text("s"));
            assert_eq!(
                view.start().unwrap().config[&format!("config {i}")],
                text("c")
            );
        }
    }
}
