//! What was deleted and can still be taken back.

use axum::extract::State;
use axum::response::Response;
use cresset_record::{Project, RunId};
use cresset_store::{Role, RunKey, Trashed};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actions::{ActionResult, each};
use super::keys::MAX_RUNS;
use super::reply;
use super::wire::Time;
use crate::app::App;
use crate::error::Failure;
use crate::extract::{Admin, Anywhere, Body, Read};

/// A run in the trash.
#[derive(Debug, Serialize, ToSchema)]
struct TrashItem {
    project: String,
    run: String,
    name: String,
    deleted: Time,
    /// When it goes for good.
    purged_after: Time,
    /// Bytes of its folder.
    bytes: u64,
}

impl From<Trashed> for TrashItem {
    fn from(trashed: Trashed) -> Self {
        Self {
            project: trashed.key.project.into(),
            run: trashed.key.run.into(),
            name: trashed.name,
            deleted: Time(trashed.deleted),
            purged_after: Time(trashed.purged_after),
            bytes: trashed.bytes,
        }
    }
}

/// What is in the trash, newest first
#[utoipa::path(
    get,
    path = "/trash",
    tag = "trash",
    responses((status = 200, body = Vec<TrashItem>)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn trash(
    State(app): State<App>,
    Anywhere(caller, ..): Anywhere<Read>,
) -> Result<Response, Failure> {
    reply::json(&app, move |store| {
        let trash = store.trash()?.into_iter();
        let seen = trash.filter(|trashed| caller.sees(&trashed.key.project));
        Ok(seen.map(TrashItem::from).collect::<Vec<_>>())
    })
    .await
}

/// What is to go for good.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EmptyTrash {
    /// Without it everything that the key reaches.
    #[serde(default)]
    #[schema(nullable = false, max_items = 10000)]
    runs: Option<Vec<TrashedRun>>,
}

/// A run in the trash.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TrashedRun {
    #[schema(min_length = 1, max_length = 128)]
    project: String,
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    run: String,
}

/// Remove runs that are in the trash for good
#[utoipa::path(
    post,
    path = "/trash/empty",
    tag = "trash",
    request_body = EmptyTrash,
    responses((status = 200, body = ActionResult)),
    extensions(("x-role" = json!("admin")))
)]
pub(super) async fn empty_trash(
    State(app): State<App>,
    Anywhere(caller, ..): Anywhere<Admin>,
    Body(body): Body<EmptyTrash>,
) -> Result<Response, Failure> {
    let chosen = match body.runs {
        None => None,
        Some(runs) if runs.len() > MAX_RUNS => {
            let message = format!("at most {MAX_RUNS} runs are taken at once");
            return Err(Failure::too_much(message));
        }
        Some(runs) => {
            let mut keys = Vec::with_capacity(runs.len());
            for TrashedRun { project, run } in runs {
                let bad = |e| Failure::bad_request(format!("runs: {e}"));
                let project = Project::try_from(project).map_err(bad)?;
                let run = RunId::try_from(run).map_err(bad)?;
                caller.need(Role::Admin, Some(&project))?;
                keys.push(RunKey { project, run });
            }
            Some(keys)
        }
    };
    reply::json(&app, move |store| {
        let keys = match chosen {
            Some(keys) => keys,
            None => {
                let trash = store.trash()?.into_iter().map(|trashed| trashed.key);
                let may = |key: &RunKey| caller.need(Role::Admin, Some(&key.project)).is_ok();
                trash.filter(may).collect()
            }
        };
        each(keys, |key| Ok(store.purge(key)?))
    })
    .await
}
