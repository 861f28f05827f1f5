//! Projects.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use cresset_store::{Expired, ProjectOverview, Role, RunKey, Store, StoreError, TableQuery};
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
    /// Whether whoever asks may set them.
    may_change: bool,
}

/// What to set for a project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SettingsChange {
    settings: Settings,
    /// What was set when whoever asks looked; where it is something else by now, nothing is set. Null: whatever is set.
    #[serde(default)]
    seen: Option<Settings>,
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
    reply::json(&app, move |store| described(store, &project)).await
}

/// Set something for a project
///
/// In place of all that was set before. What goes by it goes within the hour; `settings/preview` says what that would be. 409 where something
/// else is set than was `seen`.
#[utoipa::path(
    put,
    path = "/projects/{project}/settings",
    tag = "projects",
    params(ProjectPath),
    request_body = SettingsChange,
    responses((status = 200, body = ProjectSettings)),
    extensions(("x-role" = json!("admin")))
)]
pub(super) async fn set(
    State(app): State<App>,
    project: InProject<Admin>,
    Body(SettingsChange { settings, seen }): Body<SettingsChange>,
) -> Result<Response, Failure> {
    reply::json(&app, move |store| {
        let (name, settings) = (&project.project, settings.into());
        match seen {
            Some(seen) => store.change_project(name, &seen.into(), &settings)?,
            None => store.set_project(name, &settings)?,
        }
        described(store, &project)
    })
    .await
}

fn described<R>(store: &Store, project: &InProject<R>) -> Result<ProjectSettings, Failure> {
    let InProject {
        project, access, ..
    } = project;
    Ok(ProjectSettings {
        settings: store.project_settings(project)?.into(),
        bytes: store.project_bytes(project),
        may_change: access.need(Role::Admin, Some(project)).is_ok(),
    })
}

/// Most runs that a preview names.
const NAMED: usize = 10;

/// What would go by some settings.
#[derive(Debug, Serialize, ToSchema)]
struct SettingsPreview {
    blobs: u64,
    bytes: u64,
    /// Runs that lose some.
    runs: u64,
    /// Up to ten of them, those that lose most first.
    losing: Vec<LosingRun>,
}

/// A run that would lose something.
#[derive(Debug, Serialize, ToSchema)]
struct LosingRun {
    run: String,
    name: String,
    blobs: u64,
    bytes: u64,
}

impl SettingsPreview {
    /// # Errors
    /// If the index cannot be read.
    fn of(store: &Store, expired: &[Expired]) -> Result<Self, StoreError> {
        let mut by_run: BTreeMap<&RunKey, (u64, u64)> = BTreeMap::new();
        for blob in expired {
            let (blobs, bytes) = by_run.entry(&blob.run).or_default();
            *blobs += 1;
            *bytes += blob.bytes;
        }
        let mut most: Vec<_> = by_run.iter().collect();
        most.sort_by_key(|(_, (_, bytes))| std::cmp::Reverse(*bytes));
        most.truncate(NAMED);
        let losing = |(key, (blobs, bytes)): (&&RunKey, &(u64, u64))| {
            Ok(LosingRun {
                run: key.run.to_string(),
                name: store.run(key)?.name.clone(),
                blobs: *blobs,
                bytes: *bytes,
            })
        };
        Ok(Self {
            blobs: expired.len() as u64,
            bytes: expired.iter().map(|blob| blob.bytes).sum(),
            runs: by_run.len() as u64,
            losing: most
                .into_iter()
                .map(losing)
                .collect::<Result<_, StoreError>>()?,
        })
    }
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
        Ok(SettingsPreview::of(store, &expired)?)
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
