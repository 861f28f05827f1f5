//! Runs for tests.

use std::collections::BTreeMap;

use cresset_record::{Project, RunId, State, Timestamp};
use serde_json::{Map, Value as Json};

use crate::document::{RunDocument, RunKey};

/// A run that has nothing yet, begun on 2026-11-01 at 10:00:00 UTC.
pub(crate) fn document(project: &str, run: &str) -> RunDocument {
    let created = Timestamp(1_793_527_200_000_000);
    RunDocument {
        key: key(project, run),
        ordinal: 0,
        version: 1,
        name: run.to_owned(),
        state: State::Finished,
        created: Some(created),
        active: Some(created),
        group: None,
        job_type: None,
        tags: Vec::new(),
        notes: String::new(),
        config: Map::new(),
        config_history: Vec::new(),
        summary: Map::new(),
        environment: Map::new(),
        definitions: Vec::new(),
        writers: Vec::new(),
        resumed: Vec::new(),
        lost: BTreeMap::new(),
        damage: Vec::new(),
        alerts: (0, 0),
        console_lines: 0,
        last_step: None,
        log_bytes: 0,
    }
}

/// A run's identity.
pub(crate) fn key(project: &str, run: &str) -> RunKey {
    RunKey {
        project: Project::try_from(project.to_owned()).unwrap(),
        run: RunId::try_from(run.to_owned()).unwrap(),
    }
}

/// An object that was written as one.
pub(crate) fn object(json: Json) -> Map<String, Json> {
    json.as_object().cloned().unwrap()
}
