//! A run's head as it is stored: JSON, apart from the types that the program thinks with.

use std::collections::BTreeMap;

use cresset_record::{
    Damage, DamageKind, Definition, LossReason, Outcome, Rank, Start, State, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::document::{LossTotal, RunDocument, RunKey, Writer};
use crate::error::StoreError;

/// Damages that are kept one by one; more of them are one line.
const MAX_DAMAGES: usize = 1000;
/// Later changes of config that are kept.
const MAX_CHANGES: usize = 10_000;
/// An entry of the environment that is longer as JSON is left out where a run is one of thousands.
const LONG_ENTRY: usize = 1024;

/// Everything small of a run. Fields may be added with a default; a change of meaning needs a new schema version.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct StoredHead {
    /// The run's head, with later changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<Start>,
    #[serde(default)]
    pub(crate) latest: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) config_history: Vec<(Timestamp, Map<String, Json>)>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) set_by_hand: Map<String, Json>,
    /// Without what is long.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) environment: Map<String, Json>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) definitions: Vec<Definition>,
    #[serde(default)]
    pub(crate) writers: BTreeMap<Rank, StoredWriter>,
    /// Whether anybody held a lock, for a run without records.
    #[serde(default)]
    pub(crate) live: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) resumed: Vec<(Timestamp, Rank, Option<u64>)>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) lost: BTreeMap<LossReason, (u64, u64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) damage: Vec<StoredDamage>,
    #[serde(default)]
    pub(crate) alerts: u64,
    /// Of level warn and error.
    #[serde(default)]
    pub(crate) grave_alerts: u64,
    #[serde(default)]
    pub(crate) console_lines: u64,
    #[serde(default)]
    pub(crate) last_step: Option<u64>,
    #[serde(default)]
    pub(crate) log_bytes: u64,
}

/// One writer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredWriter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<Outcome>,
    /// Whether it held its lock when last seen.
    #[serde(default)]
    pub(crate) live: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) world_size: Option<u32>,
    #[serde(default)]
    pub(crate) cresset_version: String,
}

/// One damage: rank, segment, first and last byte, what, and how many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredDamage {
    rank: Rank,
    segment: u32,
    from: u64,
    to: u64,
    what: What,
    #[serde(default)]
    n: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    TornTail,
    Corrupt,
    MissingFrames,
    Malformed,
}

impl From<&Damage> for StoredDamage {
    fn from(damage: &Damage) -> Self {
        let (what, n) = match damage.kind {
            DamageKind::TornTail => (What::TornTail, 0),
            DamageKind::Corrupt => (What::Corrupt, 0),
            DamageKind::MissingFrames { frames } => (What::MissingFrames, frames),
            DamageKind::Malformed { records } => (What::Malformed, u64::from(records)),
        };
        Self {
            rank: damage.rank,
            segment: damage.segment,
            from: damage.from,
            to: damage.to,
            what,
            n,
        }
    }
}

impl From<&StoredDamage> for Damage {
    fn from(stored: &StoredDamage) -> Self {
        Self {
            rank: stored.rank,
            segment: stored.segment,
            from: stored.from,
            to: stored.to,
            kind: match stored.what {
                What::TornTail => DamageKind::TornTail,
                What::Corrupt => DamageKind::Corrupt,
                What::MissingFrames => DamageKind::MissingFrames { frames: stored.n },
                What::Malformed => DamageKind::Malformed {
                    records: u32::try_from(stored.n).unwrap_or(u32::MAX),
                },
            },
        }
    }
}

impl StoredHead {
    pub(crate) fn note_damage(&mut self, damages: &[Damage]) {
        let room = MAX_DAMAGES.saturating_sub(self.damage.len());
        self.damage
            .extend(damages.iter().take(room).map(StoredDamage::from));
    }

    pub(crate) fn note_config(&mut self, time: Timestamp, values: &Map<String, Json>) {
        if self.config_history.len() < MAX_CHANGES {
            self.config_history.push((time, values.clone()));
        }
    }

    pub(crate) fn note_resume(&mut self, time: Timestamp, rank: Rank, from_step: Option<u64>) {
        if self.resumed.len() < MAX_CHANGES {
            self.resumed.push((time, rank, from_step));
        }
    }

    /// Whether the run goes on. Of several writers the worst counts, as `cresset_record::RunView::state`.
    pub(crate) fn state(&self) -> State {
        let states = self.writers.values().map(StoredWriter::state);
        states.max_by_key(severity).unwrap_or(if self.live {
            State::Running
        } else {
            State::Crashed
        })
    }

    /// The time of the latest record.
    pub(crate) fn active(&self) -> Option<Timestamp> {
        (self.latest != Timestamp::default()).then_some(self.latest)
    }

    pub(crate) fn json(&self) -> Result<String, StoreError> {
        to_json(self)
    }

    /// The document, without what people say and with the short environment.
    pub(crate) fn document(
        self,
        key: RunKey,
        ordinal: u64,
        version: u64,
        summary: Map<String, Json>,
    ) -> RunDocument {
        let state = self.state();
        let active = self.active();
        let writers = self.writers.iter().map(|(&rank, writer)| Writer {
            rank,
            state: writer.state(),
            world_size: writer.world_size,
            cresset_version: writer.cresset_version.clone(),
        });
        let writers = writers.collect();
        let created = self.start.as_ref().map(|start| start.time);
        let id = key.run.to_string();
        let (name, group, job_type, tags, notes, config) = match self.start {
            Some(s) => (s.name, s.group, s.job_type, s.tags, s.notes, s.config),
            None => (id, None, None, Vec::new(), String::new(), Map::new()),
        };
        let lost = self.lost.into_iter();
        RunDocument {
            key,
            ordinal,
            version,
            name,
            state,
            created,
            active,
            group,
            job_type,
            tags,
            notes,
            config,
            config_history: self.config_history,
            summary,
            environment: self.environment,
            definitions: self.definitions,
            writers,
            resumed: self.resumed,
            lost: lost
                .map(|(reason, (points, values))| (reason, LossTotal { points, values }))
                .collect(),
            damage: self.damage.iter().map(Damage::from).collect(),
            alerts: (self.alerts, self.grave_alerts),
            console_lines: self.console_lines,
            last_step: self.last_step,
            log_bytes: self.log_bytes,
        }
    }
}

impl StoredWriter {
    pub(crate) fn state(&self) -> State {
        match &self.outcome {
            None if self.live => State::Running,
            None => State::Crashed,
            Some(Outcome::Finished) => State::Finished,
            Some(Outcome::Failed { reason }) => State::Failed(reason.clone()),
            Some(Outcome::Stopped { reason }) => State::Stopped(reason.clone()),
        }
    }
}

fn severity(state: &State) -> u8 {
    match state {
        State::Failed(_) => 4,
        State::Crashed => 3,
        State::Running => 2,
        State::Stopped(_) => 1,
        State::Finished => 0,
    }
}

/// The environment without its long entries (the diff, the list of crates): at the top level and one below.
pub(crate) fn short_environment(environment: &Map<String, Json>) -> Map<String, Json> {
    let is_short =
        |value: &Json| serde_json::to_string(value).is_ok_and(|text| text.len() <= LONG_ENTRY);
    let mut short = Map::new();
    for (name, value) in environment {
        if is_short(value) {
            short.insert(name.clone(), value.clone());
        } else if let Json::Object(inner) = value {
            let inner = inner.iter().filter(|(_, v)| is_short(v));
            let inner: Map<_, _> = inner.map(|(k, v)| (k.clone(), v.clone())).collect();
            short.insert(name.clone(), Json::Object(inner));
        }
    }
    short
}

pub(crate) fn to_json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|e| StoreError::Engine(format!("a run's head cannot be written: {e}")))
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(
    text: &str,
    what: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| crate::varint::damaged(what))
}
