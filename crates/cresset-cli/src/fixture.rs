//! Runs for tests, written as a training process would write them. Also used by the tests of the binary.

#![allow(dead_code, reason = "each test program uses a part")]

use std::collections::BTreeMap;
use std::path::Path;

use cresset_record::{
    End, FrameBuilder, Holder, Key, KeyId, LogWriter, Outcome, Project, Rank, Record, Root, RunDir,
    RunId, RunView, Start, Timestamp, WriterLock,
};
use serde_json::Map;
use tempfile::TempDir;

/// 2026-11-01 10:00:00 UTC.
pub(crate) const EPOCH: Timestamp = Timestamp(1_793_527_200_000_000);

/// The head of a run of project `solder`.
pub(crate) fn start(id: &str, name: &str) -> Start {
    Start {
        run: RunId::try_from(id.to_owned()).unwrap(),
        project: Project::try_from("solder".to_owned()).unwrap(),
        name: name.to_owned(),
        rank: Rank(0),
        world_size: None,
        time: EPOCH,
        group: None,
        job_type: None,
        tags: Vec::new(),
        notes: String::new(),
        config: Map::new(),
        cresset_version: "0.1.0".into(),
    }
}

/// The log of one writer, being written.
pub(crate) struct Log {
    writer: LogWriter,
    frame: FrameBuilder,
    keys: BTreeMap<String, KeyId>,
    begin: Timestamp,
    dir: RunDir,
    _lock: WriterLock,
}

impl Log {
    /// Begins a run under `root`.
    pub(crate) fn begin(root: &Path, start: Start) -> Self {
        let dir = Root::new(root).run(&start.project, &start.run);
        let mut log = Self::reopen(dir, start.rank, start.time);
        log.record(Record::Start(Box::new(start)));
        log
    }

    /// Goes on with a run.
    pub(crate) fn reopen(dir: RunDir, rank: Rank, begin: Timestamp) -> Self {
        std::fs::create_dir_all(dir.path()).unwrap();
        let holder = Holder {
            pid: std::process::id(),
            host: "gpu-box".into(),
            since: begin,
        };
        Self {
            _lock: WriterLock::acquire(&dir, rank, &holder).unwrap(),
            writer: LogWriter::create(&dir, rank).unwrap(),
            frame: FrameBuilder::default(),
            keys: BTreeMap::new(),
            begin,
            dir,
        }
    }

    /// Where the run is.
    pub(crate) fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// The time `seconds` after the run began.
    pub(crate) fn at(&self, seconds: f64) -> Timestamp {
        Timestamp(self.begin.0 + (seconds * 1e6) as i64)
    }

    /// The number of a key.
    pub(crate) fn key(&mut self, key: &str) -> KeyId {
        if let Some(&id) = self.keys.get(key) {
            return id;
        }
        let id = KeyId(self.keys.len() as u32);
        self.keys.insert(key.to_owned(), id);
        let key = Key::new(key).unwrap();
        self.record(Record::Key { id, key });
        id
    }

    /// Logs scalars of one step, a second after the step before it.
    pub(crate) fn step(&mut self, step: u64, values: &[(&str, f64)]) {
        let time = self.at(step as f64);
        let points: Vec<_> = values.iter().map(|&(k, v)| (self.key(k), v)).collect();
        self.frame.push_row(step, time, &points);
        if self.frame.len() > 1 << 20 {
            self.flush();
        }
    }

    /// Logs anything else.
    pub(crate) fn record(&mut self, record: Record) {
        self.frame.push(&record).unwrap();
    }

    /// Makes everything visible to readers.
    pub(crate) fn flush(&mut self) {
        self.writer.append(&mut self.frame).unwrap();
    }

    /// Ends the run.
    pub(crate) fn end(mut self, seconds: f64, outcome: Outcome) -> RunDir {
        let time = self.at(seconds);
        self.record(Record::End(End { time, outcome }));
        self.flush();
        self.dir
    }

    /// The process dies without a word.
    pub(crate) fn die(mut self) -> RunDir {
        self.flush();
        self.dir
    }
}

/// One series.
pub(crate) struct Points {
    key: String,
    values: Vec<(u64, f64)>,
}

impl Points {
    /// The points of a key, in order of arrival.
    pub(crate) fn of(key: &str, values: impl IntoIterator<Item = (u64, f64)>) -> Self {
        Self {
            key: key.to_owned(),
            values: values.into_iter().collect(),
        }
    }
}

/// A finished run with one series, read back.
pub(crate) fn view_of(points: &Points) -> (TempDir, RunView) {
    let root = TempDir::new().unwrap();
    let mut log = Log::begin(root.path(), start("one", "one-series"));
    for &(step, value) in &points.values {
        log.step(step, &[(&points.key, value)]);
    }
    let dir = log.end(1.0, Outcome::Finished);
    (root, RunView::open(dir).unwrap())
}
