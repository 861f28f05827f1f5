//! What a run is called and made with, within what W&B allows.

use cresset_record::{LabelUpdate, Start};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::naming::Naming;

/// Longest tag, in characters.
const MAX_TAG: usize = 64;
/// Longest name of a project or group, in characters.
const MAX_NAME: usize = 128;

/// The head of a run, as W&B keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Head {
    pub(crate) id: String,
    /// The team or user; empty for the key's own.
    pub(crate) entity: String,
    pub(crate) project: String,
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) job_type: String,
    pub(crate) tags: Vec<String>,
    pub(crate) notes: String,
    pub(crate) config: Map<String, Json>,
    /// When the run began, in microseconds since 1970.
    pub(crate) start: i64,
    pub(crate) host: String,
    /// The commit that the program was built from.
    pub(crate) commit: String,
    /// Where the repository came from.
    pub(crate) remote: String,
    /// The program's file.
    pub(crate) program: String,
}

impl Head {
    pub(crate) fn new(start: &Start, naming: &Naming) -> Self {
        let project = naming.project.as_deref();
        let project = project.unwrap_or(start.project.as_str());
        Self {
            id: start.run.as_str().to_owned(),
            entity: naming.entity.clone(),
            project: project_name(project),
            name: start.name.clone(),
            group: cut(start.group.as_deref().unwrap_or_default(), MAX_NAME),
            job_type: cut(start.job_type.as_deref().unwrap_or_default(), MAX_TAG),
            tags: tags(&start.tags),
            notes: start.notes.clone(),
            config: start.config.clone(),
            start: start.time.0,
            ..Self::default()
        }
    }

    pub(crate) fn relabel(&mut self, update: &LabelUpdate) {
        if let Some(name) = &update.name {
            self.name.clone_from(name);
        }
        if let Some(group) = &update.group {
            self.group = cut(group, MAX_NAME);
        }
        if let Some(notes) = &update.notes {
            self.notes.clone_from(notes);
        }
        if let Some(all) = &update.tags {
            self.tags = tags(all);
        }
    }

    /// Takes what W&B has a place for; whether there was any.
    pub(crate) fn surround(&mut self, environment: &Map<String, Json>) -> bool {
        let text = |part: &str, name: &str| {
            let value = environment.get(part)?.get(name)?;
            Some(value.as_str()?.to_owned())
        };
        let before = self.clone();
        self.host = text("host", "name").unwrap_or_default();
        self.commit = text("git", "commit").unwrap_or_default();
        self.remote = text("git", "remote").unwrap_or_default();
        self.program = text("program", "executable").unwrap_or_default();
        *self != before
    }
}

/// W&B's projects have none of these in their names.
fn project_name(name: &str) -> String {
    let name = name.replace(['/', '\\', '#', '?', '%', ':'], "-");
    cut(&name, MAX_NAME)
}

fn tags(all: &[String]) -> Vec<String> {
    let tags = all.iter().map(|tag| cut(tag, MAX_TAG));
    tags.filter(|tag| !tag.is_empty()).collect()
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}
