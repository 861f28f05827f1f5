//! What people and machines call a run, as MLflow's tags.

use cresset_record::{LabelUpdate, Start, State};
use serde_json::{Map, Value as Json};

use super::outgoing::Outgoing;

/// The tag by which a run is found again.
pub(crate) const RUN_ID: &str = "cresset.run_id";

pub(crate) const NOTES: &str = "mlflow.note.content";
pub(crate) const TAGS: &str = "cresset.tags";
pub(crate) const GROUP: &str = "cresset.group";
pub(crate) const REASON: &str = "cresset.reason";
pub(crate) const STATE: &str = "cresset.state";
pub(crate) const JOB_TYPE: &str = "cresset.job_type";

pub(super) fn of_start(start: &Start, user: Option<&str>, out: &mut Outgoing) {
    out.tag(RUN_ID, start.run.as_str());
    out.tag("mlflow.source.type", "LOCAL");
    let world_size = start.world_size.map(|size| size.to_string());
    for (name, value) in [
        ("mlflow.user", user),
        ("cresset.version", Some(start.cresset_version.as_str())),
        (JOB_TYPE, start.job_type.as_deref()),
        ("cresset.world_size", world_size.as_deref()),
        (GROUP, start.group.as_deref()),
        (NOTES, Some(start.notes.as_str())),
        (TAGS, Some(start.tags.join(", ").as_str())),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            out.tag(name, value);
        }
    }
}

/// All but the name, which is no tag.
pub(super) fn of_update(update: &LabelUpdate, out: &mut Outgoing) {
    let tags = update.tags.as_ref().map(|tags| tags.join(", "));
    for (name, value) in [
        (GROUP, &update.group),
        (NOTES, &update.notes),
        (TAGS, &tags),
    ] {
        if let Some(value) = value {
            out.tag(name, value);
        }
    }
}

/// `user` is who the run is said to be of; where nobody is, it is of the account that it ran as.
pub(super) fn of_environment(
    environment: &Map<String, Json>,
    user: Option<&str>,
    out: &mut Outgoing,
) {
    let account = user.is_none().then_some(("mlflow.user", "host", "user"));
    let others = [
        ("mlflow.source.name", "program", "executable"),
        ("mlflow.source.git.commit", "git", "commit"),
        ("mlflow.source.git.branch", "git", "branch"),
        ("mlflow.source.git.dirty", "git", "dirty"),
        ("mlflow.source.git.repoURL", "git", "remote"),
        ("cresset.host", "host", "name"),
        ("cresset.rustc", "build", "rustc"),
        ("cresset.gpu_driver", "gpu_driver", ""),
    ];
    for (name, part, field) in others.into_iter().chain(account) {
        let value = environment.get(part);
        match value.map(|value| value.get(field).unwrap_or(value)) {
            Some(Json::String(text)) => out.tag(name, text),
            Some(Json::Bool(is)) => out.tag(name, if *is { "true" } else { "false" }),
            _ => {}
        }
    }
    let gpus = environment.get("gpus").and_then(Json::as_array);
    let models = gpus.into_iter().flatten();
    let models: Vec<&str> = models.filter_map(|gpu| gpu["model"].as_str()).collect();
    if !models.is_empty() {
        out.tag("cresset.gpus", &models.join(", "));
    }
    if environment.contains_key("slurm") || environment.contains_key("kubernetes") {
        out.tag("mlflow.source.type", "JOB");
    }
}

/// MLflow's word for how a run ended; it has fewer, so ours and the reason are tags. `there` are the run's tags.
pub(super) fn of_end(
    state: &State,
    there: &[(String, String)],
    out: &mut Outgoing,
) -> &'static str {
    out.tag(STATE, state.word());
    // An earlier end of the same run may have had one.
    let had_reason = there.iter().any(|(name, _)| name == REASON);
    if state.reason().is_some() || had_reason {
        out.tag(REASON, state.reason().unwrap_or_default());
    }
    match state {
        State::Running => "RUNNING",
        State::Finished => "FINISHED",
        State::Failed(_) | State::Crashed => "FAILED",
        State::Stopped(_) => "KILLED",
    }
}
