//! One run.

use axum::extract::State;
use axum::response::Response;
use cresset_record::{LossReason, Rank, Timestamp};
use cresset_store::{LabelPatch as StorePatch, LossTotal, RunDocument, RunKey, Store};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::{IntoParams, ToSchema};

use super::keys::KeyInfo;
use super::paths::RunPath;
use super::reply;
use super::runs::RunRow;
use super::wire::{State as StateWord, Time};
use crate::access::Caller;
use crate::app::App;
use crate::error::Failure;
use crate::extract::{Body, InRun, Query, Read, Write};

/// Everything of a run but its series' values, console lines and media.
#[derive(Debug, Serialize, ToSchema)]
struct RunDetail {
    #[serde(flatten)]
    row: RunRow,
    #[schema(value_type = BTreeMap<String, Json>)]
    config: Map<String, Json>,
    #[schema(value_type = BTreeMap<String, Json>)]
    summary: Map<String, Json>,
    #[schema(value_type = BTreeMap<String, Json>)]
    environment: Map<String, Json>,
    config_history: Vec<ConfigChange>,
    writers: Vec<Writer>,
    lost_by_reason: Vec<Loss>,
    damage_list: Vec<Damage>,
    resumed: Vec<Resumed>,
    keys: Vec<KeyInfo>,
    /// Bytes of its logs.
    log_bytes: u64,
    /// Bytes of its blobs.
    blob_bytes: u64,
    console_lines: u64,
    /// Its folder; null for a server with keys.
    #[schema(required)]
    path: Option<String>,
    /// A stop was asked for and the run has not ended yet.
    stop_requested: bool,
}

/// A later change of config.
#[derive(Debug, Serialize, ToSchema)]
struct ConfigChange {
    time: Time,
    #[schema(value_type = BTreeMap<String, Json>)]
    values: Map<String, Json>,
}

/// One process that writes the run.
#[derive(Debug, Serialize, ToSchema)]
struct Writer {
    rank: u32,
    state: StateWord,
    /// The machine, where it is known.
    #[schema(required)]
    host: Option<String>,
    #[schema(required)]
    world_size: Option<u32>,
    cresset_version: String,
}

/// What was lost for one reason.
#[derive(Debug, Serialize, ToSchema)]
struct Loss {
    /// A word for programs.
    reason: String,
    /// The reason in words.
    words: &'static str,
    points: u64,
    values: u64,
}

/// Bytes of a log that cannot be read.
#[derive(Debug, Serialize, ToSchema)]
struct Damage {
    rank: u32,
    segment: u32,
    from: u64,
    to: u64,
    what: String,
}

/// A process took the run up again.
#[derive(Debug, Serialize, ToSchema)]
struct Resumed {
    time: Time,
    rank: u32,
    #[schema(required)]
    from_step: Option<u64>,
}

/// Takes no parameters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Nothing {}

/// One run
///
/// Runs in the trash are found too.
#[utoipa::path(
    get,
    path = "/projects/{project}/runs/{run}",
    tag = "run",
    params(RunPath),
    responses((status = 200, body = RunDetail)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn run(
    State(app): State<App>,
    run: InRun<Read>,
    _: Query<Nothing>,
) -> Result<Response, Failure> {
    let shows_path = matches!(run.access, Caller::Open);
    reply::json(&app, move |store| detail(store, &run.key, shows_path)).await
}

fn detail(store: &Store, key: &RunKey, shows_path: bool) -> Result<RunDetail, Failure> {
    let document = RunDocument::clone(&*store.run(key)?);
    let series = store.series(&key.project, Some(std::slice::from_ref(&key.run)))?;
    let (_, blob_bytes) = store.blob_bytes(key)?;
    let head = document.head();
    let path = store.root().run(&key.project, &key.run);
    let writers = document.writers.into_iter();
    Ok(RunDetail {
        row: RunRow::of(&head, Timestamp::now()),
        config: document.config,
        summary: document.summary,
        environment: document.environment,
        config_history: all(document.config_history),
        writers: writers
            .map(|writer| Writer::of(writer, head.host.as_ref()))
            .collect(),
        lost_by_reason: all(document.lost),
        damage_list: all(document.damage),
        resumed: all(document.resumed),
        keys: all(series),
        log_bytes: document.log_bytes,
        blob_bytes,
        console_lines: document.console_lines,
        path: shows_path.then(|| path.path().display().to_string()),
        stop_requested: store.stop_requested(key)?.is_some(),
    })
}

fn all<T, U: From<T>>(values: impl IntoIterator<Item = T>) -> Vec<U> {
    values.into_iter().map(U::from).collect()
}

impl From<(Timestamp, Map<String, Json>)> for ConfigChange {
    fn from((time, values): (Timestamp, Map<String, Json>)) -> Self {
        Self {
            time: Time(time),
            values,
        }
    }
}

impl Writer {
    fn of(writer: cresset_store::Writer, host: Option<&String>) -> Self {
        Self {
            rank: writer.rank.0,
            state: (&writer.state).into(),
            // What surrounds a run is told by its first rank.
            host: host.filter(|_| writer.rank == Rank(0)).cloned(),
            world_size: writer.world_size,
            cresset_version: writer.cresset_version,
        }
    }
}

impl From<(LossReason, LossTotal)> for Loss {
    fn from((reason, total): (LossReason, LossTotal)) -> Self {
        Self {
            reason: word(&reason),
            words: reason.describe(),
            points: total.points,
            values: total.values,
        }
    }
}

impl From<cresset_record::Damage> for Damage {
    fn from(damage: cresset_record::Damage) -> Self {
        Self {
            rank: damage.rank.0,
            segment: damage.segment,
            from: damage.from,
            to: damage.to,
            what: word(&damage.kind),
        }
    }
}

impl From<(Timestamp, Rank, Option<u64>)> for Resumed {
    fn from((time, rank, from_step): (Timestamp, Rank, Option<u64>)) -> Self {
        Self {
            time: Time(time),
            rank: rank.0,
            from_step,
        }
    }
}

/// The word that a value of an enumeration is stored as.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Json::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// A change of labels; a missing field stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LabelPatch {
    /// Not empty.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 256)]
    name: Option<String>,
    /// Null takes the run out of its group.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 256)]
    group: Option<Option<String>>,
    #[serde(default)]
    #[schema(nullable = false, max_length = 65536)]
    notes: Option<String>,
    /// All tags, as they are from now on.
    #[serde(default)]
    #[schema(nullable = false, max_items = 100)]
    tags: Option<Vec<String>>,
}

/// Tells null from missing.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Change what people call a run
#[utoipa::path(
    patch,
    path = "/projects/{project}/runs/{run}",
    tag = "run",
    params(RunPath),
    request_body = LabelPatch,
    responses((status = 200, body = RunRow)),
    extensions(("x-role" = json!("write")))
)]
pub(super) async fn label(
    State(app): State<App>,
    run: InRun<Write>,
    Body(patch): Body<LabelPatch>,
) -> Result<Response, Failure> {
    reply::json(&app, move |store| {
        let patch = StorePatch {
            name: patch.name,
            group: patch.group,
            notes: patch.notes,
            tags: patch.tags,
        };
        store.label(&run.key, &patch)?;
        Ok(RunRow::of(&store.run(&run.key)?.head(), Timestamp::now()))
    })
    .await
}
