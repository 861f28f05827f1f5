//! How much room projects take, for their quotas.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cresset_record::Project;

use crate::error::StoreError;
use crate::people::folder_bytes;
use crate::store::Store;

/// What was counted holds for so long; what this process adds meanwhile is added to it.
const FRESH: Duration = Duration::from_mins(1);

/// Bytes by project, as last counted.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    known: Mutex<HashMap<Project, (Instant, u64)>>,
}

impl Usage {
    fn known(&self) -> MutexGuard<'_, HashMap<Project, (Instant, u64)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Bytes of a project's folders, at most a minute old.
    #[must_use]
    pub fn project_bytes(&self, project: &Project) -> u64 {
        if let Some((at, bytes)) = self.usage().known().get(project)
            && at.elapsed() < FRESH
        {
            return *bytes;
        }
        // Not under the lock: a large folder takes its time, and others have theirs.
        let bytes = folder_bytes(&self.root().project(project));
        let counted = (Instant::now(), bytes);
        self.usage().known().insert(project.clone(), counted);
        bytes
    }

    /// Takes room in a project for what is about to come.
    ///
    /// # Errors
    /// `Full` if its quota does not have it.
    pub(crate) fn take_room(&self, project: &Project, bytes: u64) -> Result<(), StoreError> {
        if let Some(quota) = self.project_settings(project)?.quota
            && let used = self.project_bytes(project)
            && used.saturating_add(bytes) > quota
        {
            return Err(StoreError::Full(format!(
                "project {project} holds {used} bytes, and its quota is {quota}: remove runs for good, or ask an admin for more \
                 (`cresset project set`)"
            )));
        }
        if let Some((_, known)) = self.usage().known().get_mut(project) {
            *known += bytes;
        }
        Ok(())
    }

    /// Something was removed: the next question counts anew.
    pub(crate) fn recount(&self, project: &Project) {
        self.usage().known().remove(project);
    }
}
