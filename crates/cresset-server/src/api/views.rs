//! Saved views of a project.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::{IntoParams, ToSchema};

use super::paths::ProjectPath;
use super::reply;
use super::wire::Time;
use crate::app::App;
use crate::error::Failure;
use crate::extract::{Body, InProject, Read, Write};

/// A view of a project.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes")]
struct ViewPath {
    /// The project's name.
    #[param(min_length = 1, max_length = 128)]
    project: String,
    /// The view's name; `default` is the one that the project opens with.
    #[param(min_length = 1, max_length = 128)]
    name: String,
}

/// A saved view.
#[derive(Debug, Serialize, ToSchema)]
struct View {
    name: String,
    updated: Time,
    /// What the dashboard keeps in it.
    body: Json,
}

impl From<cresset_store::View> for View {
    fn from(view: cresset_store::View) -> Self {
        Self {
            name: view.name,
            updated: Time(view.updated),
            body: view.body,
        }
    }
}

/// A view to save.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ViewBody {
    /// At most 256 KiB of JSON.
    #[serde(deserialize_with = "Json::deserialize")]
    body: Json,
}

/// All views of a project, by name
#[utoipa::path(
    get,
    path = "/projects/{project}/views",
    tag = "views",
    params(ProjectPath),
    responses((status = 200, body = Vec<View>)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn views(
    State(app): State<App>,
    project: InProject<Read>,
) -> Result<Response, Failure> {
    reply::json(&app, move |store| {
        let views = store.views(&project.project)?.into_iter();
        Ok(views.map(View::from).collect::<Vec<_>>())
    })
    .await
}

/// One view
#[utoipa::path(
    get,
    path = "/projects/{project}/views/{name}",
    tag = "views",
    params(ViewPath),
    responses((status = 200, body = View)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn view(
    State(app): State<App>,
    project: InProject<Read>,
) -> Result<Response, Failure> {
    let name = project.param("name").to_owned();
    reply::json(&app, move |store| {
        let views = store.views(&project.project)?.into_iter();
        let found = views
            .filter(|view| view.name == name)
            .map(View::from)
            .next();
        found.ok_or_else(|| Failure::not_found(format!("the project has no view `{name}`")))
    })
    .await
}

/// Save a view
#[utoipa::path(
    put,
    path = "/projects/{project}/views/{name}",
    tag = "views",
    params(ViewPath),
    request_body = ViewBody,
    responses((status = 200, body = View)),
    extensions(("x-role" = json!("write")))
)]
pub(super) async fn save_view(
    State(app): State<App>,
    project: InProject<Write>,
    Body(ViewBody { body }): Body<ViewBody>,
) -> Result<Response, Failure> {
    let name = project.param("name").to_owned();
    reply::json(&app, move |store| {
        Ok(View::from(store.save_view(
            &project.project,
            &name,
            &body,
        )?))
    })
    .await
}

/// Remove a view
#[utoipa::path(
    delete,
    path = "/projects/{project}/views/{name}",
    tag = "views",
    params(ViewPath),
    responses((status = 204, description = "It is gone.")),
    extensions(("x-role" = json!("write")))
)]
pub(super) async fn remove_view(
    State(app): State<App>,
    project: InProject<Write>,
) -> Result<StatusCode, Failure> {
    let name = project.param("name").to_owned();
    app.ask(move |store| Ok(store.remove_view(&project.project, &name)?))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
