//! One thing done to many runs.

use axum::extract::State;
use axum::response::Response;
use cresset_record::RunId;
use cresset_store::{LabelPatch, RunKey, Store};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::keys::MAX_RUNS;
use super::paths::ProjectPath;
use super::reply;
use super::run::present;
use crate::app::App;
use crate::error::Failure;
use crate::extract::{Body, InProject, Write};

/// What is to be done to which runs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RunsAction {
    /// Their ids.
    #[schema(max_items = 10000)]
    runs: Vec<String>,
    action: Action,
    /// For `add_tags` and `remove_tags`.
    #[serde(default)]
    #[schema(max_items = 100)]
    tags: Vec<String>,
    /// For `set_group`; null takes them out of their groups.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 256)]
    group: Option<Option<String>>,
    /// For `stop`: why, for the run's record.
    #[serde(default)]
    #[schema(nullable = false, max_length = 1024)]
    reason: Option<String>,
}

/// What can be done to runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    AddTags,
    RemoveTags,
    SetGroup,
    /// Into the trash; not while a run is being written.
    Delete,
    /// Out of the trash.
    Restore,
    /// Asks the training program to stop at its next step.
    Stop,
}

/// What was done, and what was not.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct ActionResult {
    /// Ids of runs.
    done: Vec<String>,
    refused: Vec<Refused>,
}

/// A run that stayed as it was.
#[derive(Debug, Serialize, ToSchema)]
struct Refused {
    run: String,
    why: String,
}

/// Does something to each run. What cannot be done to one does not stop the others.
pub(super) fn each(
    keys: impl IntoIterator<Item = RunKey>,
    mut act: impl FnMut(&RunKey) -> Result<(), Failure>,
) -> Result<ActionResult, Failure> {
    let mut result = ActionResult::default();
    for key in keys {
        let run = key.run.to_string();
        match act(&key) {
            Ok(()) => result.done.push(run),
            Err(failure) => result.refused.push(Refused {
                run,
                why: failure.message().to_owned(),
            }),
        }
    }
    Ok(result)
}

/// Do one thing to many runs
#[utoipa::path(
    post,
    path = "/projects/{project}/runs/actions",
    tag = "runs",
    params(ProjectPath),
    request_body = RunsAction,
    responses((status = 200, body = ActionResult)),
    extensions(("x-role" = json!("write")))
)]
pub(super) async fn act(
    State(app): State<App>,
    project: InProject<Write>,
    Body(action): Body<RunsAction>,
) -> Result<Response, Failure> {
    if action.runs.len() > MAX_RUNS {
        return Err(Failure::too_much(format!(
            "{} runs at once are too many; at most {MAX_RUNS} are taken",
            action.runs.len()
        )));
    }
    if action.action == Action::SetGroup && action.group.is_none() {
        let message = "`set_group` needs `group`: a name, or null for none";
        return Err(Failure::bad_request(message));
    }
    let mut keys = Vec::with_capacity(action.runs.len());
    for run in &action.runs {
        let run = RunId::try_from(run.clone())
            .map_err(|e| Failure::bad_request(format!("runs: {e}; give ids of runs")))?;
        keys.push(RunKey {
            project: project.project.clone(),
            run,
        });
    }
    reply::json(&app, move |store| {
        each(keys, |key| do_to(store, key, &action))
    })
    .await
}

fn do_to(store: &Store, key: &RunKey, action: &RunsAction) -> Result<(), Failure> {
    match action.action {
        Action::AddTags | Action::RemoveTags => {
            let adds = action.action == Action::AddTags;
            let mut tags = store.run(key)?.tags.clone();
            tags.retain(|tag| adds || !action.tags.contains(tag));
            if adds {
                for tag in &action.tags {
                    if !tags.contains(tag) {
                        tags.push(tag.clone());
                    }
                }
            }
            let patch = LabelPatch {
                tags: Some(tags),
                ..LabelPatch::default()
            };
            store.label(key, &patch)?;
        }
        Action::SetGroup => {
            let patch = LabelPatch {
                group: action.group.clone(),
                ..LabelPatch::default()
            };
            store.label(key, &patch)?;
        }
        Action::Delete => store.delete(key)?,
        Action::Restore => store.restore(key)?,
        Action::Stop => {
            let reason = action
                .reason
                .as_deref()
                .unwrap_or("asked to in the dashboard");
            store.request_stop(key, reason)?;
        }
    }
    Ok(())
}
