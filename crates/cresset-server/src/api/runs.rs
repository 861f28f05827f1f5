//! The table of a project's runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use cresset_record::Timestamp;
use cresset_store::{RunHead, TableQuery};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::{IntoParams, ToSchema};

use super::paths::{ProjectPath, field_list};
use super::reply;
use super::wire::{Num, State as StateWord, Time};
use crate::app::App;
use crate::error::Failure;
use crate::extract::{InProject, Query, Read, names, short, within};

/// Longest filter, in bytes.
pub(super) const MAX_FILTER: usize = 16_384;

/// What is asked of the table.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RunsQuery {
    /// The filter language of `cresset runs`, such as `val/auc > 0.94 and state = finished`.
    #[serde(default)]
    #[param(max_length = 16384, required = false)]
    filter: String,
    /// Text that name, id, a tag, the group or the notes contain.
    #[serde(default)]
    #[param(max_length = 256, required = false)]
    search: String,
    /// Fields separated by commas, `-` before one puts the highest first; at most 8. Without any: `-created`.
    #[serde(default)]
    #[param(schema_with = field_list, required = false)]
    sort: Vec<String>,
    /// Fields separated by commas; at most 8.
    #[serde(default)]
    #[param(schema_with = field_list, required = false)]
    group: Vec<String>,
    /// Fields separated by commas; at most 1,000. `*` is all of config and summary.
    #[serde(default)]
    #[param(required = false)]
    columns: Vec<String>,
    /// How many runs to leave out at the beginning.
    #[param(maximum = 100000000, default = 0)]
    offset: Option<u64>,
    /// At most so many runs.
    #[param(maximum = 10000, default = 200)]
    limit: Option<u64>,
}

/// A part of the table.
#[derive(Debug, Serialize, ToSchema)]
struct RunTable {
    /// Rises with every change of any run of the project.
    version: u64,
    /// Runs of the project.
    total: usize,
    /// Those that pass.
    matched: usize,
    runs: Vec<RunRow>,
    /// With `group`: all groups of the runs that pass, in the order of their first run.
    groups: Vec<RunGroup>,
}

/// A run in brief.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunRow {
    id: String,
    project: String,
    /// The run's place among all runs that the project ever had, from 0; never changes.
    ordinal: u64,
    name: String,
    state: StateWord,
    /// Why it failed or was stopped.
    #[schema(required)]
    reason: Option<String>,
    #[schema(required)]
    created: Option<Time>,
    /// Time of the latest record.
    #[schema(required)]
    active: Option<Time>,
    /// Seconds.
    duration: f64,
    #[schema(required)]
    group: Option<String>,
    #[schema(required)]
    job_type: Option<String>,
    tags: Vec<String>,
    notes: String,
    #[schema(required)]
    host: Option<String>,
    alerts: u64,
    /// How many values could not be kept.
    lost: u64,
    /// How many places of its logs are damaged.
    damage: u64,
    /// The highest step of any series.
    #[schema(required)]
    last_step: Option<u64>,
    /// By field path: `config.lr`, `val/auc`, …
    #[schema(value_type = BTreeMap<String, Json>)]
    values: Values,
}

/// Values by path, in the order of the columns.
#[derive(Debug, Default)]
struct Values(Vec<(Arc<str>, Json)>);

impl Serialize for Values {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.0.iter().map(|(path, value)| (&**path, value)))
    }
}

impl RunRow {
    pub(super) fn of(head: &RunHead, now: Timestamp) -> Self {
        Self {
            id: head.key.run.to_string(),
            project: head.key.project.to_string(),
            ordinal: head.ordinal,
            name: head.name.clone(),
            state: (&head.state).into(),
            reason: head.state.reason().map(str::to_owned),
            created: head.created.map(Time),
            active: head.active.map(Time),
            duration: head.duration_seconds(now),
            group: head.group.clone(),
            job_type: head.job_type.clone(),
            tags: head.tags.clone(),
            notes: head.notes.clone(),
            host: head.host.clone(),
            alerts: head.alerts,
            lost: head.lost,
            damage: head.damage,
            last_step: head.last_step,
            values: Values::default(),
        }
    }
}

/// Runs that agree in the fields that were grouped by.
#[derive(Debug, Serialize, ToSchema)]
struct RunGroup {
    /// One value for each field of `group`; null where the runs have none.
    key: Vec<Json>,
    runs: usize,
    /// Ids of up to 1,000 of them.
    ids: Vec<String>,
    /// Over the chosen columns with numbers.
    mean: BTreeMap<String, Num>,
    /// Sample standard deviation.
    std: BTreeMap<String, Num>,
    min: BTreeMap<String, Num>,
    max: BTreeMap<String, Num>,
}

impl From<cresset_store::RunGroup> for RunGroup {
    fn from(group: cresset_store::RunGroup) -> Self {
        let column = |value: fn(&cresset_store::Spread) -> f64| {
            let spreads = group.numbers.iter();
            spreads
                .map(|spread| (spread.path.to_string(), Num(value(spread))))
                .collect()
        };
        Self {
            mean: column(|s| s.mean),
            std: column(|s| s.std),
            min: column(|s| s.min),
            max: column(|s| s.max),
            key: group.key,
            runs: group.runs,
            ids: group.ids,
        }
    }
}

/// The table of a project's runs
#[utoipa::path(
    get,
    path = "/projects/{project}/runs",
    tag = "runs",
    params(ProjectPath, RunsQuery),
    responses((status = 200, body = RunTable)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn runs(
    State(app): State<App>,
    project: InProject<Read>,
    Query(query): Query<RunsQuery>,
) -> Result<Response, Failure> {
    let query = TableQuery {
        filter: short("filter", query.filter, MAX_FILTER)?,
        search: short("search", query.search, 256)?,
        sort: names("sort", &query.sort, 8)?,
        group: names("group", &query.group, 8)?,
        columns: names("columns", &query.columns, 1_000)?,
        offset: within("offset", query.offset, 0, 0..=100_000_000)?,
        limit: within("limit", query.limit, 200, 0..=10_000)?,
    };
    reply::json(&app, move |store| {
        let page = store.runs(&project.project, &query)?;
        let now = Timestamp::now();
        let row = |run: cresset_store::RunRow| RunRow {
            values: Values(run.values),
            ..RunRow::of(&run.head, now)
        };
        Ok(RunTable {
            version: page.version,
            total: page.total,
            matched: page.matched,
            runs: page.runs.into_iter().map(row).collect(),
            groups: page.groups.into_iter().map(RunGroup::from).collect(),
        })
    })
    .await
}
