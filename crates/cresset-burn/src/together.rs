//! What the parts of this crate tell each other: the user gives each of them the run only.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use cresset_run::watch::LossWatch;

/// One of each run, by [`Run::shared`](cresset_run::Run::shared).
#[derive(Debug, Default)]
pub(crate) struct Together {
    /// The loss of the learner: its logger sees it, and a bad one is a reason to look at the gradients.
    pub(crate) loss: LossWatch,
    /// Keys of whole passes that burn's own metrics have.
    keys: Mutex<HashSet<String>>,
}

impl Together {
    pub(crate) fn claim(&self, key: String) {
        self.keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key);
    }

    pub(crate) fn is_claimed(&self, key: &str) -> bool {
        self.keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(key)
    }
}
