//! The series of runs, by key.

use axum::extract::State;
use axum::response::Response;
use cresset_record::RunId;
use cresset_store::{SeriesInfo, SeriesKind};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::paths::{ProjectPath, run_list};
use super::reply;
use super::wire::Goal;
use crate::app::App;
use crate::error::Failure;
use crate::extract::{InProject, Query, Read, names};

/// Most runs that one question names.
pub(super) const MAX_RUNS: usize = 10_000;

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct KeysQuery {
    /// Ids separated by commas; without it all runs of the project.
    #[param(schema_with = run_list, required = false)]
    #[serde(default)]
    runs: Vec<String>,
}

/// The series of one key in some runs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeyInfo {
    key: String,
    kind: Kind,
    /// For media: `image`, `table`, `figure:roc`, …
    media: Vec<String>,
    /// Runs that have it.
    runs: u64,
    ranks: Vec<u32>,
    /// Points or values over all runs.
    count: u64,
    #[schema(required)]
    last_step: Option<u64>,
    #[schema(required)]
    unit: Option<String>,
    #[schema(required)]
    goal: Option<Goal>,
    /// The key of the series that is the x axis instead of the step.
    #[schema(required)]
    step_metric: Option<String>,
    /// Whether charts leave it out unless asked for.
    hidden: bool,
}

/// What values a series has.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SeriesKind)]
enum Kind {
    Scalar,
    Histogram,
    Media,
}

impl From<SeriesInfo> for KeyInfo {
    fn from(series: SeriesInfo) -> Self {
        Self {
            key: series.key,
            kind: match series.kind {
                SeriesKind::Scalar => Kind::Scalar,
                SeriesKind::Histogram => Kind::Histogram,
                SeriesKind::Media => Kind::Media,
            },
            media: series.media,
            runs: series.runs,
            ranks: series.ranks.into_iter().map(|rank| rank.0).collect(),
            count: series.count,
            last_step: series.last_step,
            unit: series.definition.unit,
            goal: series.definition.goal.map(Goal::from),
            step_metric: series.definition.step_metric,
            hidden: series.definition.hidden.unwrap_or_default(),
        }
    }
}

/// Run ids of a query, each once, in order.
///
/// # Errors
/// 400 if one of them cannot be an id.
pub(super) fn run_ids(values: &[String]) -> Result<Vec<RunId>, Failure> {
    let mut known = std::collections::HashSet::new();
    let mut ids = Vec::new();
    for name in names("runs", values, MAX_RUNS)? {
        let id = RunId::try_from(name)
            .map_err(|e| Failure::bad_request(format!("runs: {e}; give ids of runs")))?;
        if known.insert(id.clone()) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// The series of some runs, by key
#[utoipa::path(
    get,
    path = "/projects/{project}/keys",
    tag = "series",
    params(ProjectPath, KeysQuery),
    responses((status = 200, body = Vec<KeyInfo>)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn keys(
    State(app): State<App>,
    project: InProject<Read>,
    Query(query): Query<KeysQuery>,
) -> Result<Response, Failure> {
    // `runs=` with nothing in it is no runs, which is not the same as all.
    let runs = (!query.runs.is_empty())
        .then(|| run_ids(&query.runs))
        .transpose()?;
    reply::json(&app, move |store| {
        let series = store.series(&project.project, runs.as_deref())?;
        Ok(series.into_iter().map(KeyInfo::from).collect::<Vec<_>>())
    })
    .await
}
