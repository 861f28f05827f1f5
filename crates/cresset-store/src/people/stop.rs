//! Asking a run to stop.

use cresset_record::{State, StopRequest, Timestamp};

use super::audit::{About, note};
use super::trash::any_writer;
use crate::document::RunKey;
use crate::error::StoreError;

/// Longest reason, in bytes.
const MAX_REASON: usize = 4 << 10;

impl crate::Store {
    /// Asks a run to stop.
    ///
    /// # Errors
    /// `Conflict` if nobody writes it; `NotFound` where there is no such run.
    pub fn request_stop(&self, key: &RunKey, reason: &str) -> Result<(), StoreError> {
        if reason.len() > MAX_REASON {
            return Err(StoreError::invalid(format!(
                "the reason has {} bytes; at most {MAX_REASON} are kept",
                reason.len()
            )));
        }
        let run = self.run(key)?;
        let dir = self.root().run(&key.project, &key.run);
        if !any_writer(&dir) {
            return Err(StoreError::Conflict(format!(
                "run {} is not running, so there is nothing to stop",
                run.name
            )));
        }
        let request = StopRequest {
            time: Timestamp::now(),
            reason: reason.to_owned(),
        };
        let written = request.write(&dir);
        written.map_err(StoreError::io(&dir.stop_request()))?;
        self.engine()
            .write(|tx| note(tx, self.actor(), "run.stop", About::run(key, reason)))
    }

    /// The request that a running run was asked to stop by, if it was.
    ///
    /// # Errors
    /// `NotFound` where there is no such run.
    pub fn stop_requested(&self, key: &RunKey) -> Result<Option<StopRequest>, StoreError> {
        let run = self.run(key)?;
        if run.state != State::Running {
            return Ok(None);
        }
        // A request from before the process took the run up was meant for an earlier one.
        let resumed = run.resumed.iter().map(|(time, _, _)| *time).max();
        let begun = resumed.max(run.created).unwrap_or_default();
        let dir = self.root().run(&key.project, &key.run);
        Ok(StopRequest::read(&dir).filter(|request| request.time >= begun))
    }
}
