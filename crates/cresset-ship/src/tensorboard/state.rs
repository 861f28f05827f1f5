//! What is remembered of a run from one time to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cresset_record::{Digest, Rank, RunDir, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::message::Plugin;
use crate::error::ShipError;
use crate::event::Event;
use crate::sink::Memory;

/// Where it stands in the sink's memory.
const NAME: &str = "event_files";

/// What was written of a run.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Written {
    /// Its folder, parts from the outermost on; it keeps the name that the run began with.
    folder: Vec<String>,
    /// Its id, where its start is known.
    pub(super) id: Option<String>,
    /// When it began.
    pub(super) began: Timestamp,
    pub(super) config: Map<String, Json>,
    ranks: BTreeMap<Rank, OfRank>,
    /// Whether hyper-parameters have changed since they were written.
    #[serde(skip)]
    pub(super) is_changed: bool,
}

/// What was written of one rank.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct OfRank {
    /// When its first event was, in seconds, which is part of its files' names.
    pub(super) began: i64,
    /// Which file is written.
    pub(super) index: u32,
    /// How much of it is acknowledged.
    pub(super) length: u64,
    /// The time of the last event that had one.
    pub(super) time: Timestamp,
    /// Lines of console.
    pub(super) lines: u64,
    /// Whether a file of the run's end stands after this one.
    pub(super) has_end: bool,
    /// Whether its start was written.
    pub(super) has_start: bool,
    tags: BTreeMap<String, Plugin>,
    /// Digests of texts that a later segment of the log may repeat.
    said: BTreeSet<String>,
}

impl Written {
    /// # Errors
    /// If what is in the memory was not put there by [`Self::into_memory`].
    pub(super) fn from(memory: &Memory) -> Result<Self, ShipError> {
        let Some(known) = memory.get(NAME) else {
            return Ok(Self::default());
        };
        Self::deserialize(known).map_err(|e| {
            ShipError::Refused(format!(
                "the ledger does not say what event files hold ({e}); delete it to write them anew"
            ))
        })
    }

    /// # Errors
    /// None that is known of.
    pub(super) fn into_memory(self, memory: &mut Memory) -> Result<(), ShipError> {
        let json = serde_json::to_value(self)
            .map_err(|e| ShipError::Refused(format!("event files cannot be remembered: {e}")))?;
        memory.insert(NAME.to_owned(), json);
        Ok(())
    }

    /// Notes what later events are written by.
    pub(super) fn note(&mut self, run: &RunDir, rank: Rank, event: &Event) {
        match event {
            Event::Start(start) => {
                if self.folder.is_empty() {
                    let project = start.project.folder_name();
                    self.folder = vec![project, component(&start.name), component(run.id_text())];
                }
                if rank == Rank(0) {
                    self.id = Some(run.id_text().to_owned());
                    self.began = start.time;
                    self.config.clone_from(&start.config);
                    self.is_changed = true;
                }
            }
            Event::Config(update) if rank == Rank(0) => {
                self.config.extend(update.values.clone());
                self.is_changed = true;
            }
            _ => {}
        }
        if self.folder.is_empty() {
            // The start is damaged.
            let project = run.path().parent().and_then(|p| p.file_name());
            let project = project.and_then(|p| p.to_str()).unwrap_or("unknown");
            self.folder = vec![component(project), component(run.id_text())];
        }
        let time = time(event);
        let of_rank = self.rank(rank);
        of_rank.time = time.unwrap_or(of_rank.time);
        if of_rank.index == 0 {
            // The file before it is that of hyper-parameters.
            of_rank.index = 1;
            of_rank.began = (of_rank.time.0 / 1_000_000).max(0);
        }
    }

    pub(super) fn rank(&mut self, rank: Rank) -> &mut OfRank {
        self.ranks.entry(rank).or_default()
    }

    /// The folder of a rank's files, under that of all.
    pub(super) fn folder(&self, rank: Rank) -> PathBuf {
        let mut folder: PathBuf = self.folder.iter().collect();
        if rank != Rank(0) {
            folder.push(format!("rank-{}", rank.0));
        }
        folder
    }
}

impl OfRank {
    /// The tag of a key's values of a kind: the key itself, unless values of another kind have it.
    pub(super) fn tag(&mut self, key: &str, plugin: Plugin) -> String {
        let mut tag = key.to_owned();
        while *self.tags.entry(tag.clone()).or_insert(plugin) != plugin {
            tag = format!("{tag}/{}", plugin.name());
        }
        tag
    }

    /// Whether this was not said before.
    pub(super) fn is_news(&mut self, text: &str) -> bool {
        let digest = Digest::of(text.as_bytes()).to_string();
        self.said.insert(digest[..16].to_owned())
    }

    /// A file's name. TensorBoard reads the files of a folder in the order of their names.
    pub(super) fn file_name(&self, index: u32) -> String {
        format!("events.out.tfevents.{:010}.cresset.{index:06}", self.began)
    }
}

/// When it was said.
fn time(event: &Event) -> Option<Timestamp> {
    match event {
        Event::Start(start) => Some(start.time),
        Event::Resume(resume) => Some(resume.time),
        Event::Scalars { time, .. } | Event::Histogram { time, .. } | Event::Media { time, .. } => {
            Some(*time)
        }
        Event::Config(update) => Some(update.time),
        Event::Console(line) => Some(line.time),
        Event::Alert(alert) => Some(alert.time),
        Event::Lost(lost) => Some(lost.time),
        Event::End(end) => Some(end.time),
        Event::Environment(_) | Event::Define(_) | Event::Label(_) | Event::Summary(_) => None,
    }
}

/// Text as one part of a path: readable, and never another folder.
fn component(text: &str) -> String {
    /// File systems take 255 bytes.
    const MAX: usize = 200;
    let mut part = String::new();
    for c in text.trim().chars() {
        let is_plain =
            !(c.is_control() || r#"/\:*?"<>|"#.contains(c) || part.is_empty() && c == '.');
        if part.len() + c.len_utf8() > MAX {
            break;
        }
        part.push(if is_plain { c } else { '_' });
    }
    if part.is_empty() {
        "_".to_owned()
    } else {
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_folder() {
        for (name, expected) in [
            ("amber-harbor-7", "amber-harbor-7"),
            ("../../etc", "_._.._etc"),
            ("  ", "_"),
            ("lötstelle 3", "lötstelle 3"),
            ("a/b\\c\n", "a_b_c"),
        ] {
            assert_eq!(component(name), expected);
        }
        assert!(component(&"ö".repeat(500)).len() <= 200);
    }

    #[test]
    fn kinds_of_values_do_not_share_a_tag() {
        let mut written = OfRank::default();
        assert_eq!(written.tag("x", Plugin::Histograms), "x");
        assert_eq!(written.tag("x", Plugin::Scalars), "x/scalars");
        assert_eq!(written.tag("x", Plugin::Histograms), "x");
        assert_eq!(written.tag("x/scalars", Plugin::Text), "x/scalars/text");
    }
}
