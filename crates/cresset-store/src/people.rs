//! What people say: labels, trash, stop requests, views, access keys. It has no log and survives a rebuild. (Helper "runs")

use cresset_record::{Project, Timestamp};
use serde_json::Value as Json;

use crate::document::RunKey;
use crate::error::StoreError;

/// A change of labels; `None` leaves a field as it is. What a person sets wins over what the program says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelPatch {
    /// A new name.
    pub name: Option<String>,
    /// A new group, or none.
    pub group: Option<Option<String>>,
    /// New notes.
    pub notes: Option<String>,
    /// All tags.
    pub tags: Option<Vec<String>>,
}

/// A run in the trash.
#[derive(Clone, Debug)]
pub struct Trashed {
    /// Which.
    pub key: RunKey,
    /// Its name.
    pub name: String,
    /// Since when.
    pub deleted: Timestamp,
    /// When it goes for good.
    pub purged_after: Timestamp,
    /// Bytes of its folder.
    pub bytes: u64,
}

/// Somebody asked a run to stop: `<run folder>/stop.json`, which the recorder looks for.
#[derive(Clone, Debug)]
pub struct StopRequest {
    /// When.
    pub time: Timestamp,
    /// Why, or who.
    pub reason: String,
}

/// A saved view of a project.
#[derive(Clone, Debug)]
pub struct View {
    /// Its name; `default` is the one that the project opens with.
    pub name: String,
    /// When it was saved.
    pub updated: Timestamp,
    /// What the dashboard keeps in it, at most 256 KiB of JSON.
    pub body: Json,
}

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Looking.
    Read,
    /// Labels, views, trash, stop.
    Write,
    /// Keys, and deleting for good.
    Admin,
}

/// Where a key is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyScope {
    /// Everywhere.
    All,
    /// In one project.
    Project(Project),
}

/// A key to a server, without its secret: of that only a hash is kept.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// For people, unique.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// Where.
    pub scope: KeyScope,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used, to the minute.
    pub used: Option<Timestamp>,
}

impl crate::Store {
    /// Changes the labels of a run.
    pub fn label(&self, _key: &RunKey, _patch: &LabelPatch) -> Result<(), StoreError> {
        todo!()
    }
    /// Puts a run into the trash. `Conflict` while it is being written.
    pub fn delete(&self, _key: &RunKey) -> Result<(), StoreError> {
        todo!()
    }
    /// Takes a run out of the trash.
    pub fn restore(&self, _key: &RunKey) -> Result<(), StoreError> {
        todo!()
    }
    /// What is in the trash, newest first.
    pub fn trash(&self) -> Result<Vec<Trashed>, StoreError> {
        todo!()
    }
    /// Removes a run that is in the trash for good, its folder and blobs included.
    pub fn purge(&self, _key: &RunKey) -> Result<(), StoreError> {
        todo!()
    }
    /// Purges what has been in the trash for longer than the delay; the indexer does so from time to time.
    pub fn purge_expired(&self) -> Result<Vec<RunKey>, StoreError> {
        todo!()
    }
    /// Asks a run to stop. `Conflict` if nobody writes it.
    pub fn request_stop(&self, _key: &RunKey, _reason: &str) -> Result<(), StoreError> {
        todo!()
    }
    /// Whether a running run was asked to stop.
    pub fn stop_requested(&self, _key: &RunKey) -> Result<Option<StopRequest>, StoreError> {
        todo!()
    }
    /// All views of a project, by name.
    pub fn views(&self, _project: &Project) -> Result<Vec<View>, StoreError> {
        todo!()
    }
    /// Saves a view.
    pub fn save_view(
        &self,
        _project: &Project,
        _name: &str,
        _body: &Json,
    ) -> Result<View, StoreError> {
        todo!()
    }
    /// Removes a view.
    pub fn remove_view(&self, _project: &Project, _name: &str) -> Result<(), StoreError> {
        todo!()
    }
    /// Makes a key; gives its secret, which is never shown again.
    pub fn create_key(
        &self,
        _name: &str,
        _role: Role,
        _scope: KeyScope,
    ) -> Result<(AccessKey, String), StoreError> {
        todo!()
    }
    /// Takes a key back.
    pub fn revoke_key(&self, _name: &str) -> Result<(), StoreError> {
        todo!()
    }
    /// All keys.
    pub fn keys(&self) -> Result<Vec<AccessKey>, StoreError> {
        todo!()
    }
    /// The key with this secret.
    pub fn verify_key(&self, _secret: &str) -> Result<Option<AccessKey>, StoreError> {
        todo!()
    }
}
