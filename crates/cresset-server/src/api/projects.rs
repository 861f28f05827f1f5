//! Projects.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::response::Response;
use cresset_store::{ProjectOverview, Store, TableQuery};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actions::{ActionResult, each};
use super::paths::ProjectPath;
use super::reply;
use super::wire::Time;
use crate::app::App;
use crate::error::Failure;
use crate::extract::{Admin, Anywhere, Body, InProject, Read, Write};

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
    /// Whether a user needs a grant for this very project to see it.
    private: bool,
}

/// What is set for a project.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Whether a user needs a grant for this very project to see it; one for all projects does only if its role is admin.
    private: bool,
    /// Bytes that its runs may hold in all; null: not limited.
    #[schema(required, maximum = 9223372036854775807_i64)]
    quota: Option<u64>,
    /// Of each series of checkpoints of a run, so many are kept, the latest; null: all.
    #[schema(required, minimum = 1)]
    keep_checkpoints: Option<u32>,
    /// Days that media are kept; null: for good.
    #[schema(required, minimum = 1, maximum = 36525)]
    media_days: Option<u32>,
}

/// What is set for a project, and how much room it takes.
#[derive(Debug, Serialize, ToSchema)]
struct ProjectSettings {
    settings: Settings,
    /// Bytes of its runs' folders, at most a minute old.
    bytes: u64,
}

impl From<cresset_store::ProjectSettings> for Settings {
    fn from(settings: cresset_store::ProjectSettings) -> Self {
        Self {
            private: settings.private,
            quota: settings.quota,
            keep_checkpoints: settings.keep_checkpoints,
            media_days: settings.media_days,
        }
    }
}

impl From<Settings> for cresset_store::ProjectSettings {
    fn from(settings: Settings) -> Self {
        Self {
            private: settings.private,
            quota: settings.quota,
            keep_checkpoints: settings.keep_checkpoints,
            media_days: settings.media_days,
        }
    }
}

impl Project {
    fn new(project: ProjectOverview, private: &[cresset_record::Project]) -> Self {
        Self {
            private: private.contains(&project.project),
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
        let settings = store.all_project_settings()?.into_iter();
        let private: Vec<_> = settings
            .filter(|(_, set)| set.private)
            .map(|(project, _)| project)
            .collect();
        Ok(seen
            .map(|project| Project::new(project, &private))
            .collect::<Vec<_>>())
    })
    .await
}

/// What is set for a project
#[utoipa::path(
    get,
    path = "/projects/{project}/settings",
    tag = "projects",
    params(ProjectPath),
    responses((status = 200, body = ProjectSettings)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn settings(
    State(app): State<App>,
    project: InProject<Read>,
) -> Result<Response, Failure> {
    reply::json(&app, move |store| described(store, &project.project)).await
}

/// Set something for a project
///
/// In place of all that was set before. What goes by it goes within the hour; `settings/preview` says what that would be.
#[utoipa::path(
    put,
    path = "/projects/{project}/settings",
    tag = "projects",
    params(ProjectPath),
    request_body = Settings,
    responses((status = 200, body = ProjectSettings)),
    extensions(("x-role" = json!("admin")))
)]
pub(super) async fn set(
    State(app): State<App>,
    project: InProject<Admin>,
    Body(settings): Body<Settings>,
) -> Result<Response, Failure> {
    reply::json(&app, move |store| {
        store.set_project(&project.project, &settings.into())?;
        described(store, &project.project)
    })
    .await
}

fn described(store: &Store, project: &cresset_record::Project) -> Result<ProjectSettings, Failure> {
    Ok(ProjectSettings {
        settings: store.project_settings(project)?.into(),
        bytes: store.project_bytes(project),
    })
}

/// What would go by some settings.
#[derive(Debug, Default, Serialize, ToSchema)]
struct SettingsPreview {
    blobs: u64,
    bytes: u64,
    /// Runs that lose some.
    runs: u64,
}

/// Say what would go by some settings
#[utoipa::path(
    post,
    path = "/projects/{project}/settings/preview",
    tag = "projects",
    params(ProjectPath),
    request_body = Settings,
    responses((status = 200, body = SettingsPreview)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn preview(
    State(app): State<App>,
    project: InProject<Read>,
    Body(settings): Body<Settings>,
) -> Result<Response, Failure> {
    reply::json(&app, move |store| {
        let expired = store.expired(&project.project, &settings.into())?;
        let runs: BTreeSet<&str> = expired.iter().map(|blob| blob.run.run.as_str()).collect();
        Ok(SettingsPreview {
            blobs: expired.len() as u64,
            bytes: expired.iter().map(|blob| blob.bytes).sum(),
            runs: runs.len() as u64,
        })
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
