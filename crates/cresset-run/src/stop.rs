//! Requests to stop, which come as a file in the run's folder: any process that sees the folder can make one, and no port is open.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use cresset_record::{RunDir, Timestamp};
use serde_json::Value as Json;

/// Time between looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Most bytes of a request that are read.
const MAX_BYTES: u64 = 64 << 10;
/// Most characters of a reason that are kept.
const MAX_REASON: usize = 1000;
/// What a request that gives no reason is taken for.
const NO_REASON: &str = "asked to stop";

/// What the thread that trains sees of a request: one atomic load.
#[derive(Debug, Default)]
pub(crate) struct StopSignal(OnceLock<String>);

impl StopSignal {
    pub(crate) fn reason(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

/// Looks for a request; on the writer's thread, as a file system may hang.
#[derive(Debug)]
pub(crate) struct StopWatch {
    file: PathBuf,
    /// The time of a request that was meant for an earlier process and could not be taken away. Any other counts, whatever its time:
    /// it comes from another machine's clock, or from before this one's was set.
    stale: Option<Timestamp>,
    next: Instant,
}

impl StopWatch {
    /// Begins to watch; what was left for an earlier process of the run is removed, so that nobody takes it for a request
    /// to this one.
    pub(crate) fn begin(dir: &RunDir, since: Timestamp, resuming: bool) -> Self {
        let file = dir.stop_request();
        let stale = read(&file).filter(|request| request.time < since);
        let is_removed = stale.is_some() && resuming && fs::remove_file(&file).is_ok();
        Self {
            file,
            stale: stale.filter(|_| !is_removed).map(|request| request.time),
            next: Instant::now() + LOOK_EVERY,
        }
    }

    /// Looks, if that is due and nothing was found yet. Gives how long until the next look; `None` if there is none.
    pub(crate) fn look(&mut self, signal: &StopSignal) -> Option<Duration> {
        if signal.0.get().is_some() {
            return None;
        }
        let now = Instant::now();
        if now >= self.next {
            self.next = now + LOOK_EVERY;
            if let Some(request) =
                read(&self.file).filter(|request| Some(request.time) != self.stale)
            {
                let _ = signal.0.set(request.reason);
                return None;
            }
        }
        Some(self.next.saturating_duration_since(now))
    }
}

struct Request {
    time: Timestamp,
    reason: String,
}

/// The request in `file`, if there is one. A file that is none of ours counts all the same, with its own time.
fn read(file: &Path) -> Option<Request> {
    let metadata = match fs::metadata(file) {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return None,
        Err(e) if e.kind() == ErrorKind::NotFound => return None,
        // Looked for again a second later.
        Err(_) => return None,
    };
    let mut text = String::new();
    let read = File::open(file).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
    let json: Json = match read {
        Ok(_) => serde_json::from_str(&text).unwrap_or_default(),
        Err(_) => Json::Null,
    };
    let time = json["time"].as_i64().map(Timestamp).unwrap_or_else(|| {
        Timestamp::from(metadata.modified().unwrap_or_else(|_| SystemTime::now()))
    });
    let reason = json["reason"].as_str().map(str::trim).unwrap_or_default();
    let reason = match reason {
        "" => NO_REASON.to_owned(),
        reason => reason.chars().take(MAX_REASON).collect(),
    };
    Some(Request { time, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(dir: &Path, since: i64, resuming: bool) -> StopWatch {
        let mut watch = StopWatch::begin(&RunDir::new(dir), Timestamp(since), resuming);
        watch.next = Instant::now();
        watch
    }

    /// What a process that begins at time 1,000 makes of a file.
    fn heeded(content: &[u8], resuming: bool) -> (Option<String>, bool) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("stop.json");
        fs::write(&file, content).unwrap();
        let signal = StopSignal::default();
        watch(dir.path(), 1000, resuming).look(&signal);
        (signal.reason().map(str::to_owned), file.exists())
    }

    #[test]
    fn a_request_is_heeded_by_the_process_that_it_is_meant_for() {
        let request = br#"{"time": 1000, "reason": " enough ", "by": "mira"}"#;
        assert_eq!(heeded(request, false), (Some("enough".into()), true));
        assert_eq!(heeded(request, true), (Some("enough".into()), true));
        let earlier = br#"{"time": 999, "reason": "enough"}"#;
        assert_eq!(heeded(earlier, false), (None, true));
        assert_eq!(heeded(earlier, true), (None, false), "it is taken away");
    }

    #[test]
    fn a_request_that_comes_later_counts_whatever_the_clock_of_its_sender_says() {
        let dir = tempfile::tempdir().unwrap();
        let signal = StopSignal::default();
        let mut watch = watch(dir.path(), 1000, false);
        fs::write(
            dir.path().join("stop.json"),
            r#"{"time": 5, "reason": "slow"}"#,
        )
        .unwrap();
        watch.look(&signal);
        assert_eq!(signal.reason(), Some("slow"));
    }

    #[test]
    fn any_file_is_a_request() {
        for content in [
            &b""[..],
            b"{ not json",
            b"[]",
            b"\xFF",
            br#"{"time": "x", "reason": 7}"#,
        ] {
            assert_eq!(heeded(content, false).0.as_deref(), Some(NO_REASON));
        }
        let long = format!(r#"{{"time": 1000, "reason": "{}"}}"#, "ä".repeat(5000));
        assert_eq!(
            heeded(long.as_bytes(), false).0.unwrap().chars().count(),
            MAX_REASON
        );
    }

    #[test]
    fn looks_are_a_second_apart_and_end_with_the_request() {
        let dir = tempfile::tempdir().unwrap();
        let signal = StopSignal::default();
        let mut watch = watch(dir.path(), 0, false);
        let pause = watch.look(&signal).unwrap();
        assert!(pause <= LOOK_EVERY && !pause.is_zero(), "{pause:?}");
        fs::create_dir(dir.path().join("stop.json")).unwrap();
        watch.next = Instant::now();
        assert!(watch.look(&signal).is_some(), "a folder is no request");
        fs::remove_dir(dir.path().join("stop.json")).unwrap();
        fs::write(dir.path().join("stop.json"), "").unwrap();
        assert!(watch.look(&signal).is_some(), "not due yet");
        watch.next = Instant::now();
        assert_eq!(watch.look(&signal), None);
        assert_eq!(watch.look(&signal), None);
        assert_eq!(signal.reason(), Some(NO_REASON));
    }
}
