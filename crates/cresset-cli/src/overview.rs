//! A run in brief: what `cresset runs --json` prints of each, and the top of `cresset show`.

use std::path::PathBuf;

use cresset_record::{RunView, State, Timestamp};
use cresset_store::RunDocument;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::{human, index};

/// What is known of a run without its series. Its JSON is what `cresset runs --json` prints.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Overview {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Absent where the run's head is damaged.
    pub(crate) project: Option<String>,
    #[serde(serialize_with = "state_word")]
    pub(crate) state: State,
    pub(crate) reason: Option<String>,
    /// RFC 3339, in UTC.
    #[serde(serialize_with = "as_rfc3339")]
    pub(crate) created: Option<Timestamp>,
    /// Seconds.
    pub(crate) duration: f64,
    pub(crate) group: Option<String>,
    pub(crate) job_type: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) notes: String,
    pub(crate) host: Option<String>,
    pub(crate) config: Map<String, Json>,
    pub(crate) summary: Map<String, Json>,
    /// How many.
    pub(crate) alerts: u64,
    /// How many values could not be kept.
    pub(crate) lost: u64,
    /// How many places of the logs are damaged.
    pub(crate) damage: u64,
    pub(crate) path: PathBuf,
    #[serde(skip)]
    pub(crate) environment: Map<String, Json>,
}

fn state_word<S: serde::Serializer>(state: &State, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(state.word())
}

fn as_rfc3339<S: serde::Serializer>(time: &Option<Timestamp>, s: S) -> Result<S::Ok, S::Error> {
    time.map(human::rfc3339).serialize(s)
}

impl Overview {
    /// The brief form of a run, with what people set of it.
    pub(crate) fn labelled(view: &RunView) -> Self {
        let mut overview = Self::of(view);
        if let Some(set) = index::labels_of(view.dir()) {
            let Self {
                name,
                group,
                tags,
                notes,
                ..
            } = &mut overview;
            *name = set.name.unwrap_or_else(|| std::mem::take(name));
            *group = set.group.unwrap_or_else(|| group.take());
            *tags = set.tags.unwrap_or_else(|| std::mem::take(tags));
            *notes = set.notes.unwrap_or_else(|| std::mem::take(notes));
        }
        overview
    }

    /// The brief form of a run, as its log has it.
    fn of(view: &RunView) -> Self {
        let start = view.start();
        let state = view.state();
        let summary = view.summary();
        let lost = view
            .lost()
            .values()
            .map(|l| l.points.saturating_add(l.values))
            .sum();
        Self {
            id: view.dir().id_text().to_owned(),
            name: view.name().to_owned(),
            project: start.map(|s| s.project.as_str().to_owned()),
            reason: state.reason().map(str::to_owned),
            state,
            created: start.map(|s| s.time),
            duration: view.duration_seconds(),
            group: start.and_then(|s| s.group.clone()),
            job_type: start.and_then(|s| s.job_type.clone()),
            tags: start.map(|s| s.tags.clone()).unwrap_or_default(),
            notes: start.map(|s| s.notes.clone()).unwrap_or_default(),
            host: host(view.environment()),
            config: start.map(|s| s.config.clone()).unwrap_or_default(),
            summary,
            alerts: view.alerts().len() as u64,
            lost,
            damage: view.damage().len() as u64,
            path: view.dir().path().to_owned(),
            environment: view.environment().clone(),
        }
    }

    /// Seconds since the run began; `None` where that is not known.
    pub(crate) fn age(&self) -> Option<f64> {
        let created = self.created?;
        Some(Timestamp::now().seconds_since(created).max(0.0))
    }

    /// The brief form of a run as the index has it.
    pub(crate) fn of_document(run: &RunDocument, path: PathBuf) -> Self {
        let head = run.head();
        Self {
            id: head.key.run.as_str().to_owned(),
            // Where the head is damaged, the folder's name is all that is known of it.
            project: run.created.map(|_| head.key.project.as_str().to_owned()),
            reason: head.state.reason().map(str::to_owned),
            duration: head.duration_seconds(Timestamp::now()),
            name: head.name,
            state: head.state,
            created: head.created,
            group: head.group,
            job_type: head.job_type,
            tags: head.tags,
            notes: head.notes,
            host: head.host,
            config: run.config.clone(),
            summary: run.summary.clone(),
            alerts: head.alerts,
            lost: head.lost,
            damage: head.damage,
            path,
            environment: Map::new(),
        }
    }
}

/// The name of the machine, as the environment record gives it.
fn host(environment: &Map<String, Json>) -> Option<String> {
    Some(environment.get("host")?.get("name")?.as_str()?.to_owned())
}

/// The models of the GPUs, as the environment record gives them: `2 × NVIDIA H100`.
pub(crate) fn gpu_models(environment: &Map<String, Json>) -> Vec<String> {
    let gpus = environment.get("gpus").and_then(Json::as_array);
    let models: Vec<&str> = gpus
        .into_iter()
        .flatten()
        .filter_map(|gpu| gpu.get("model")?.as_str())
        .collect();
    let alike = models.chunk_by(|a, b| a == b).map(|alike| match alike {
        [model] => (*model).to_owned(),
        _ => format!("{} × {}", alike.len(), alike[0]),
    });
    alike.collect()
}
