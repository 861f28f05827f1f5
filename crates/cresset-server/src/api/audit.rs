//! Who did what.

use axum::extract::State;
use axum::response::Response;
use cresset_record::{Project, RunId, Timestamp};
use cresset_store::{AuditQuery, Role};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::reply;
use super::wire::Time;
use crate::app::App;
use crate::error::Failure;
use crate::extract::{Admin, Anywhere, Query, short, within};

/// Most entries of an answer.
const MAX: u64 = 1000;

/// Which changes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only in this project; a key that is not for all projects needs it.
    #[param(min_length = 1, max_length = 128)]
    project: Option<String>,
    /// Only to this run.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    run: Option<String>,
    /// Only by this key or user.
    #[param(max_length = 128)]
    who: Option<String>,
    /// Only of this kind, such as `run.delete`.
    #[param(max_length = 128)]
    action: Option<String>,
    /// Not before this time, in seconds since 1970-01-01 UTC.
    since: Option<f64>,
    /// Only those with a lower number: the next page.
    before: Option<u64>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
}

/// A change that was made.
#[derive(Debug, Serialize, ToSchema)]
struct AuditEntry {
    /// Rises with each change.
    number: u64,
    time: Time,
    /// The name of a key, a user who is logged in, a user of the server's machine, or a rule.
    who: String,
    /// `key`, `login` (by OpenID Connect), `open` (no key needed), `shell` (a command at the server) or `rule`.
    via: &'static str,
    #[schema(required)]
    address: Option<String>,
    /// Such as `run.delete`.
    action: String,
    #[schema(required)]
    project: Option<String>,
    #[schema(required)]
    run: Option<String>,
    /// What it was changed to, or what else it was done to.
    detail: String,
    /// The detail for people; where there is nothing to put into words, as it is.
    words: String,
}

impl From<cresset_store::AuditEntry> for AuditEntry {
    fn from(entry: cresset_store::AuditEntry) -> Self {
        Self {
            words: entry.detail_in_words(),
            number: entry.number,
            time: Time(entry.time),
            who: entry.actor.name,
            via: entry.actor.via.word(),
            address: entry.actor.address.map(|address| address.to_string()),
            action: entry.action,
            project: entry.project.map(Into::into),
            run: entry.run.map(Into::into),
            detail: entry.detail,
        }
    }
}

/// Who changed what, the newest first
#[utoipa::path(
    get,
    path = "/audit",
    tag = "server",
    params(Which),
    responses((status = 200, body = Vec<AuditEntry>)),
    extensions(("x-role" = json!("admin")))
)]
pub(super) async fn audit(
    State(app): State<App>,
    Anywhere(caller, ..): Anywhere<Admin>,
    Query(which): Query<Which>,
) -> Result<Response, Failure> {
    let project = which.project.map(Project::try_from).transpose();
    let project = project.map_err(|e| Failure::bad_request(format!("project: {e}")))?;
    match &project {
        Some(project) => caller.need(Role::Admin, Some(project))?,
        None => caller.need_everywhere(Role::Admin)?,
    }
    let run = which.run.map(RunId::try_from).transpose();
    let since = which.since.map(|seconds| {
        let micros = seconds * 1e6;
        Timestamp(micros as i64)
    });
    let query = AuditQuery {
        project,
        run: run.map_err(|e| Failure::bad_request(format!("run: {e}")))?,
        who: which.who.map(|who| short("who", who, 128)).transpose()?,
        action: which
            .action
            .map(|action| short("action", action, 128))
            .transpose()?,
        since,
        before: which.before,
        limit: within("limit", which.limit, 100, 1..=MAX)?,
    };
    reply::json(&app, move |store| {
        let entries = store.audit(&query)?.into_iter();
        Ok(entries.map(AuditEntry::from).collect::<Vec<_>>())
    })
    .await
}
