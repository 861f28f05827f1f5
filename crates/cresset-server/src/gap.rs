//! What the store does not offer yet.
use cresset_record::{Digest, Project, RunId};
use cresset_store::{RunHead, RunKey, Store, StoreError};
use std::sync::Arc;
pub(crate) trait Gap {
    fn heads(
        &self,
        project: &Project,
        ids: &[RunId],
    ) -> Result<Vec<Option<Arc<RunHead>>>, StoreError>;
    fn blob_present(&self, key: &RunKey, digest: &Digest) -> bool;
}
impl Gap for Store {
    fn heads(
        &self,
        project: &Project,
        ids: &[RunId],
    ) -> Result<Vec<Option<Arc<RunHead>>>, StoreError> {
        ids.iter()
            .map(|run| {
                let key = RunKey {
                    project: project.clone(),
                    run: run.clone(),
                };
                match self.run(&key) {
                    Ok(document) => Ok(Some(Arc::new(document.head()))),
                    Err(StoreError::NotFound(_)) => Ok(None),
                    Err(error) => Err(error),
                }
            })
            .collect()
    }
    fn blob_present(&self, key: &RunKey, digest: &Digest) -> bool {
        let path = self.root().run(&key.project, &key.run).blobs().path(digest);
        path.is_file()
    }
}
pub(crate) const TRASH_SECONDS: u64 = 7 * 24 * 3600;
