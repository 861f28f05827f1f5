//! Projects.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use cresset_store::{ProjectOverview, TableQuery};
use serde::Serialize;
use utoipa::ToSchema;

use super::actions::{ActionResult, each};
use super::paths::ProjectPath;
use super::reply;
use super::wire::Time;
use crate::app::App;
use crate::error::Failure;
use crate::extract::{Anywhere, InProject, Read, Write};

/// A project in brief.
#[derive(Debug, Serialize, ToSchema)]
struct Project {
    name: String,
    runs: u64,
    /// How many runs are in each state.
    states: BTreeMap<&'static str, u64>,
    /// When its first run began.
    #[schema(required)]
    created: Option<Time>,
    /// Its latest record.
    #[schema(required)]
    active: Option<Time>,
    /// Alerts of level warn and error.
    alerts: u64,
    /// The most frequent first.
    tags: Vec<String>,
}

impl From<ProjectOverview> for Project {
    fn from(project: ProjectOverview) -> Self {
        Self {
            name: project.project.into(),
            runs: project.states.values().sum(),
            states: project.states,
            created: project.created.map(Time),
            active: project.active.map(Time),
            alerts: project.alerts,
            tags: project.tags,
        }
    }
}

/// All projects, the latest activity first
#[utoipa::path(
    get,
    path = "/projects",
    tag = "projects",
    responses((status = 200, body = Vec<Project>)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn projects(
    State(app): State<App>,
    Anywhere(caller, ..): Anywhere<Read>,
) -> Result<Response, Failure> {
    reply::json(&app, move |store| {
        let projects = store.projects()?.into_iter();
        let seen = projects.filter(|project| caller.sees(&project.project));
        Ok(seen.map(Project::from).collect::<Vec<_>>())
    })
    .await
}

/// Put all runs of a project into the trash
///
/// Runs that are being written stay.
#[utoipa::path(
    delete,
    path = "/projects/{project}",
    tag = "projects",
    params(ProjectPath),
    responses((status = 200, body = ActionResult)),
    extensions(("x-role" = json!("write")))
)]
pub(super) async fn delete_project(
    State(app): State<App>,
    project: InProject<Write>,
) -> Result<Response, Failure> {
    reply::json(&app, move |store| {
        let all = TableQuery {
            limit: usize::MAX,
            ..TableQuery::default()
        };
        let runs = store.runs(&project.project, &all)?.runs;
        let keys = runs.into_iter().map(|run| run.head.key.clone());
        each(keys, |key| Ok(store.delete(key)?))
    })
    .await
}
