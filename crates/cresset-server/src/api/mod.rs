//! `/api/v1`: one file for each kind of question. Its OpenAPI document is made from the handlers.

mod access_keys;
mod actions;
mod alerts;
mod audit;
mod blobs;
mod columns;
mod console;
mod document;
mod events;
mod fields;
mod histograms;
mod info;
pub(crate) mod intake;
mod keys;
mod media;
mod paths;
mod projects;
mod reply;
mod run;
mod runs;
mod series;
mod session;
mod tensors;
mod trash;
mod users;
mod views;
mod wire;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use axum::{Router, middleware};
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::{access, router};

pub use document::openapi_json;
pub(crate) use events::change_json;

/// Strangers who may be logging in at once: what they send is read before it is known who they are, and must not take the
/// room of those who are known.
const MAX_LOGINS: usize = 64;

/// Where the API is.
const PREFIX: &str = "/api/v1";

/// All addresses of the API, each behind the question who asks, but for those that let people in.
pub(crate) fn router(app: App) -> Router<App> {
    let (private, _) = private().split_for_parts();
    let (public, _) = public().split_for_parts();
    let logins = Arc::new(Semaphore::new(MAX_LOGINS));
    let public = public.layer(middleware::from_fn_with_state(logins, router::admit));
    private
        .layer(middleware::from_fn_with_state(app, access::authenticate))
        .merge(public)
        .route("/api/v1/openapi.json", get(document::openapi))
}

fn private() -> OpenApiRouter<App> {
    let routes = OpenApiRouter::default()
        .routes(routes!(info::server))
        .routes(routes!(projects::projects))
        .routes(routes!(projects::delete_project))
        .routes(routes!(projects::settings, projects::set))
        .routes(routes!(projects::preview))
        .routes(routes!(audit::audit))
        .routes(routes!(users::users))
        .routes(routes!(users::set_user, users::remove_user))
        .routes(routes!(access_keys::access_keys, access_keys::create_key))
        .routes(routes!(access_keys::revoke_key))
        .routes(routes!(access_keys::own_keys, access_keys::create_own_key))
        .routes(routes!(access_keys::revoke_own_key))
        .routes(routes!(runs::runs))
        .routes(routes!(actions::act))
        .routes(routes!(fields::fields))
        .routes(routes!(fields::check_filter))
        .routes(routes!(keys::keys))
        .routes(routes!(series::series))
        .routes(routes!(alerts::project_alerts))
        .routes(routes!(run::run, run::label))
        .routes(routes!(tensors::tensors))
        .routes(routes!(histograms::histograms))
        .routes(routes!(media::media))
        .routes(routes!(blobs::blob, intake::put_blob))
        .routes(routes!(intake::state))
        .routes(routes!(intake::let_go))
        .routes(routes!(intake::missing))
        .routes(routes!(console::console))
        .routes(routes!(alerts::run_alerts))
        .routes(routes!(trash::trash))
        .routes(routes!(trash::empty_trash))
        .routes(routes!(views::views))
        .routes(routes!(views::view, views::save_view, views::remove_view))
        .routes(routes!(events::events));
    // Frames may be longer than what people say.
    let pieces = OpenApiRouter::default()
        .routes(routes!(intake::piece))
        .layer(DefaultBodyLimit::max(intake::MAX_PIECE));
    OpenApiRouter::default().nest(PREFIX, routes.merge(pieces))
}

fn public() -> OpenApiRouter<App> {
    let routes = OpenApiRouter::default()
        .routes(routes!(session::login))
        .routes(routes!(session::logout));
    OpenApiRouter::default().nest(PREFIX, routes)
}
