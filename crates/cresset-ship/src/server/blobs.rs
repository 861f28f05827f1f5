//! Blobs on their way: a few at once, and what was cut off goes on from there.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use cresset_record::{Digest, RunDir};
use ureq::SendBody;

use super::api::Api;
use crate::error::ShipError;

/// Of one run at once; a run must not take the whole line from others.
const AT_ONCE: usize = 4;

/// A blob that the server lacks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missing {
    pub(super) digest: Digest,
    /// So many bytes of its beginning are there.
    pub(super) begun: u64,
}

/// Sends blobs. Meanwhile `beat` is called at this interval, on this thread: a large blob takes hours, and nobody must think the run dead.
pub(super) fn send(
    api: &Api,
    run: &RunDir,
    missing: &[Missing],
    interval: Duration,
    mut beat: impl FnMut() -> Result<(), ShipError>,
) -> Result<(), ShipError> {
    let next = AtomicUsize::new(0);
    let (failed, failures) = mpsc::channel();
    let work = |failed: mpsc::Sender<ShipError>| {
        while let Some(blob) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = send_one(api, run, blob) {
                next.store(missing.len(), Ordering::Relaxed);
                // It is heard until the last of these threads has ended.
                let _ = failed.send(error);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..missing.len().min(AT_ONCE) {
            let failed = failed.clone();
            scope.spawn(|| work(failed));
        }
        drop(failed);
        let mut first = None;
        loop {
            let error = match failures.recv_timeout(interval) {
                Ok(error) => Some(error),
                Err(RecvTimeoutError::Timeout) => beat().err(),
                Err(RecvTimeoutError::Disconnected) => return first.map_or(Ok(()), Err),
            };
            if error.is_some() {
                next.store(missing.len(), Ordering::Relaxed);
            }
            first = first.or(error);
        }
    })
}

fn send_one(api: &Api, run: &RunDir, blob: &Missing) -> Result<(), ShipError> {
    // One that was damaged or deleted here cannot be had anywhere; the log says what it was.
    let path = run.blobs().path(&blob.digest);
    let Ok(file) = File::open(&path) else {
        return Ok(());
    };
    let total = file.metadata().map_err(ShipError::disk(&path))?.len();
    // All of it is there and was not found whole: it is sent anew.
    let from = if blob.begun < total { blob.begun } else { 0 };
    let sent = match put(api, &file, blob, from..total) {
        // What is there has become less meanwhile.
        Err(ShipError::Refused(_)) if from > 0 => put(api, &file, blob, 0..total),
        sent => sent,
    };
    match sent {
        Err(ShipError::Refused(_)) if !is_intact(&path, &blob.digest) => Ok(()),
        sent => sent,
    }
}

fn put(api: &Api, mut file: &File, blob: &Missing, range: Range<u64>) -> Result<(), ShipError> {
    let sought = file.seek(SeekFrom::Start(range.start));
    // Without it, other bytes would come than are said.
    sought.map_err(|error| ShipError::Refused(format!("blob {}: {error}", blob.digest)))?;
    let mut rest = file.take(range.end - range.start);
    let body = SendBody::from_reader(&mut rest);
    api.put_blob(&blob.digest, range, body)
}

fn is_intact(path: &Path, digest: &Digest) -> bool {
    Digest::of_file(path).is_ok_and(|(found, _)| found == *digest)
}
