//! Asking a run to stop: a file in its folder, `stop.json`, which the recorder looks for.

use std::fs::{self, File};
use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::layout::RunDir;
use crate::time::Timestamp;

/// A request is read up to so many bytes.
const MAX_FILE: u64 = 64 << 10;

/// Somebody asked a run to stop. `docs/run-log.md` describes the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopRequest {
    /// When.
    pub time: Timestamp,
    /// Why, or who.
    #[serde(default)]
    pub reason: String,
}

impl StopRequest {
    /// Puts the request into a run's folder, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, dir: &RunDir) -> io::Result<()> {
        let path = dir.stop_request();
        let temporary = path.with_extension(format!("tmp-{}", self.time.0));
        let text = serde_json::to_vec(self)?;
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
    #[must_use]
    pub fn read(dir: &RunDir) -> Option<Self> {
        let file = File::open(dir.stop_request()).ok()?;
        let modified = file.metadata().ok()?.modified().ok()?;
        let mut text = Vec::new();
        let read = file.take(MAX_FILE).read_to_end(&mut text);
        let request = read.ok().and_then(|_| serde_json::from_slice(&text).ok());
        Some(request.unwrap_or_else(|| Self {
            time: modified.into(),
            reason: String::new(),
        }))
    }
}
