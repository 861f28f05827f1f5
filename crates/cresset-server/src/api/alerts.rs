//! Alerts of a project, or of one of its runs.

use axum::extract::State;
use axum::response::Response;
use cresset_record::{Project, RunId};
use cresset_store::{AlertEntry, Store};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::paths::{ProjectPath, RunPath};
use super::reply;
use super::wire::{Level, Time};
use crate::app::App;
use crate::error::Failure;
use crate::extract::{InProject, InRun, Query, Read, within};

/// Which alerts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AlertsQuery {
    /// At least this level.
    #[param(inline)]
    level: Option<Level>,
    /// How many to leave out.
    #[param(maximum = 100000000, default = 0)]
    offset: Option<u64>,
    /// At most so many.
    #[param(maximum = 1000, default = 100)]
    limit: Option<u64>,
}

/// Alerts, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct AlertPage {
    /// Those that match.
    total: u64,
    alerts: Vec<Alert>,
}

/// Something a person should look at.
#[derive(Debug, Serialize, ToSchema)]
struct Alert {
    project: String,
    run: String,
    run_name: String,
    rank: u32,
    time: Time,
    level: Level,
    /// One line.
    title: String,
    /// The rest.
    text: String,
    #[schema(required)]
    step: Option<u64>,
}

fn page(
    store: &Store,
    project: &Project,
    run: Option<&RunId>,
    query: &AlertsQuery,
) -> Result<AlertPage, Failure> {
    let offset = within("offset", query.offset, 0, 0..=100_000_000)?;
    let limit = within("limit", query.limit, 100, 0..=1_000)?;
    let least = query.level.unwrap_or(Level::Trace).into();
    let (total, entries) = store.alerts(project, run, least, offset, limit)?;
    let ids: Vec<RunId> = entries.iter().map(|entry| entry.key.run.clone()).collect();
    let heads = store.heads(project, &ids)?;
    let alert = |(entry, head): (AlertEntry, Option<_>)| Alert {
        project: entry.key.project.into(),
        run_name: head.map_or_else(
            || entry.key.run.to_string(),
            |head: std::sync::Arc<cresset_store::RunHead>| head.name.clone(),
        ),
        run: entry.key.run.into(),
        rank: entry.rank.0,
        time: Time(entry.alert.time),
        level: entry.alert.level.into(),
        title: entry.alert.title,
        text: entry.alert.text,
        step: entry.alert.step,
    };
    Ok(AlertPage {
        total,
        alerts: entries.into_iter().zip(heads).map(alert).collect(),
    })
}

/// Alerts of a project
#[utoipa::path(
    get,
    path = "/projects/{project}/alerts",
    tag = "projects",
    params(ProjectPath, AlertsQuery),
    responses((status = 200, body = AlertPage)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn project_alerts(
    State(app): State<App>,
    project: InProject<Read>,
    Query(query): Query<AlertsQuery>,
) -> Result<Response, Failure> {
    reply::json(&app, move |store| {
        page(store, &project.project, None, &query)
    })
    .await
}

/// Alerts of a run
#[utoipa::path(
    get,
    path = "/projects/{project}/runs/{run}/alerts",
    tag = "run",
    params(RunPath, AlertsQuery),
    responses((status = 200, body = AlertPage)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn run_alerts(
    State(app): State<App>,
    run: InRun<Read>,
    Query(query): Query<AlertsQuery>,
) -> Result<Response, Failure> {
    reply::json(&app, move |store| {
        page(store, &run.key.project, Some(&run.key.run), &query)
    })
    .await
}
