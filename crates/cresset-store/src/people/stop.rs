//! Asking a run to stop.

use std::fs::{self, File};
use std::io::{self, Read, Write};

use cresset_record::{RunDir, State, Timestamp};
use serde::{Deserialize, Serialize};

use super::invalid;
use super::trash::any_writer;
use crate::document::RunKey;
use crate::error::StoreError;

/// Longest reason, in bytes.
const MAX_REASON: usize = 4 << 10;
/// A request is read up to so many bytes.
const MAX_FILE: u64 = 64 << 10;

/// Somebody asked a run to stop: `<run folder>/stop.json`, which the recorder looks for. `docs/run-log.md` describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopRequest {
    /// When.
    pub time: Timestamp,
    /// Why, or who.
    #[serde(default)]
    pub reason: String,
}

impl crate::Store {
    /// Asks a run to stop.
    ///
    /// # Errors
    /// `Conflict` if nobody writes it; `NotFound` where there is no such run.
    pub fn request_stop(&self, key: &RunKey, reason: &str) -> Result<(), StoreError> {
        if reason.len() > MAX_REASON {
            return Err(invalid(format!(
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
        write(&dir, &request).map_err(|source| StoreError::Io {
            path: dir.stop_request(),
            source,
        })
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
        Ok(read(&dir).filter(|request| request.time >= begun))
    }
}

fn write(dir: &RunDir, request: &StopRequest) -> io::Result<()> {
    let path = dir.stop_request();
    let temporary = path.with_extension(format!("tmp-{}", request.time.0));
    let text = serde_json::to_vec(request)?;
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(&text))
        .and_then(|()| fs::rename(&temporary, &path));
    if written.is_err() {
        // The error that matters is the first one.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// The request in a run's folder. One that cannot be read counts with the time of its file: `touch` makes a request too.
fn read(dir: &RunDir) -> Option<StopRequest> {
    let file = File::open(dir.stop_request()).ok()?;
    let modified = file.metadata().ok()?.modified().ok()?;
    let mut text = Vec::new();
    let read = file.take(MAX_FILE).read_to_end(&mut text);
    let request = read.ok().and_then(|_| serde_json::from_slice(&text).ok());
    Some(request.unwrap_or_else(|| StopRequest {
        time: modified.into(),
        reason: String::new(),
    }))
}
