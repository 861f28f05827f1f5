//! Many runs that log.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;
use cresset_record::{
    End, Follower, FrameBuilder, Holder, Key, KeyId, LogWriter, Outcome, Project, Rank, Record,
    Root, RunDir, RunId, Start, Timestamp, WriterLock,
};
use serde_json::Map;

/// Each run logs one point at this interval.
const INTERVAL: Duration = Duration::from_millis(100);
pub(crate) const PROJECT: &str = "fleet";

pub(crate) struct Fleet {
    runs: Vec<Logging>,
    step: u64,
}

struct Logging {
    id: RunId,
    log: LogWriter,
    _lock: WriterLock,
    frame: FrameBuilder,
}

impl Fleet {
    pub(crate) fn begin(root: &Root, runs: usize) -> Result<Self> {
        let runs = (0..runs).map(|number| Logging::begin(root, &format!("run-{number}")));
        Ok(Self {
            runs: runs.collect::<Result<_>>()?,
            step: 0,
        })
    }

    /// Logs, spread evenly over each interval.
    pub(crate) fn log_for(&mut self, time: Duration) -> Result<()> {
        let began = Instant::now();
        let pause = INTERVAL / self.runs.len() as u32;
        let mut due = Duration::ZERO;
        while began.elapsed() < time {
            for run in &mut self.runs {
                run.log(self.step)?;
                due += pause;
                if let Some(left) = due.checked_sub(began.elapsed()) {
                    thread::sleep(left);
                }
            }
            self.step += 1;
        }
        Ok(())
    }

    /// All runs come to their end.
    #[cfg(test)]
    pub(crate) fn end(self) -> Result<()> {
        for mut run in self.runs {
            run.end()?;
        }
        Ok(())
    }

    /// Follows every so many of the runs at the server.
    pub(crate) fn watch(&self, server: &Path, every: usize) -> Watch {
        let folder = server.join(PROJECT);
        let runs = self.runs.iter().step_by(every);
        let runs = runs.map(|run| RunDir::new(folder.join(run.id.as_str())));
        let (runs, ends) = (runs.collect(), Arc::new(AtomicBool::new(false)));
        let (ended, from) = (Arc::clone(&ends), Timestamp::now());
        Watch {
            thread: thread::spawn(move || lags(runs, from, &ended)),
            ends,
        }
    }
}

impl Logging {
    fn begin(root: &Root, id: &str) -> Result<Self> {
        let (run, project) = (
            RunId::try_from(id.to_owned())?,
            Project::try_from(PROJECT.to_owned())?,
        );
        let dir = root.run(&project, &run);
        fs::create_dir_all(dir.path())?;
        let holder = Holder {
            pid: std::process::id(),
            host: "bench".into(),
            since: Timestamp::now(),
        };
        let mut logging = Self {
            _lock: WriterLock::acquire(&dir, Rank(0), &holder)?,
            log: LogWriter::create(&dir, Rank(0))?,
            frame: FrameBuilder::default(),
            id: run.clone(),
        };
        logging.frame.push(&Record::Start(Box::new(Start {
            run,
            project,
            name: id.to_owned(),
            rank: Rank(0),
            world_size: None,
            time: Timestamp::now(),
            group: None,
            job_type: None,
            tags: Vec::new(),
            notes: String::new(),
            config: Map::new(),
            cresset_version: env!("CARGO_PKG_VERSION").into(),
        })))?;
        logging.frame.push(&Record::Key {
            id: KeyId(0),
            key: Key::new("loss")?,
        })?;
        logging.write()?;
        Ok(logging)
    }

    fn log(&mut self, step: u64) -> Result<()> {
        let loss = 1.0 / (1.0 + step as f64);
        self.frame
            .push_row(step, Timestamp::now(), &[(KeyId(0), loss)]);
        self.write()
    }

    fn end(&mut self) -> Result<()> {
        self.frame.push(&Record::End(End {
            time: Timestamp::now(),
            outcome: Outcome::Finished,
        }))?;
        self.write()
    }

    fn write(&mut self) -> Result<()> {
        self.log.append(&mut self.frame)?;
        Ok(())
    }
}

/// Sees how late points are.
pub(crate) struct Watch {
    thread: JoinHandle<Result<Vec<f64>>>,
    ends: Arc<AtomicBool>,
}

impl Watch {
    /// The lags of all points that were seen, in seconds.
    pub(crate) fn end(self) -> Result<Vec<f64>> {
        self.ends.store(true, Ordering::Relaxed);
        let seen = self.thread.join();
        seen.map_err(|_| anyhow::anyhow!("the thread that watches panicked"))?
    }
}

fn lags(runs: Vec<RunDir>, from: Timestamp, ends: &AtomicBool) -> Result<Vec<f64>> {
    let mut followers: Vec<Follower> = runs.into_iter().map(Follower::new).collect();
    let mut lags = Vec::new();
    while !ends.load(Ordering::Relaxed) {
        for follower in &mut followers {
            while let Some(batch) = follower.next_batch()? {
                let now = Timestamp::now();
                let rows = batch.records.iter().filter_map(|record| match record {
                    Record::Rows(rows) => Some(rows),
                    _ => None,
                });
                let rows = rows.flatten().filter(|row| row.time >= from);
                lags.extend(rows.map(|row| now.seconds_since(row.time)));
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(lags)
}

/// A run of so many points that has ended, five noisy series a row.
pub(crate) fn write_backlog(root: &Root, points: u64) -> Result<()> {
    const SERIES: u32 = 5;
    let mut run = Logging::begin(root, "backlog")?;
    for id in 1..SERIES {
        let key = Key::new(&format!("metric/{id}"))?;
        run.frame.push(&Record::Key { id: KeyId(id), key })?;
    }
    let mut state = 1u64;
    let mut noise = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    for step in 0..points / u64::from(SERIES) {
        let row: Vec<(KeyId, f64)> = (0..SERIES).map(|id| (KeyId(id), noise())).collect();
        run.frame.push_row(step, Timestamp::now(), &row);
        if run.frame.is_full() {
            run.write()?;
        }
    }
    run.end()
}
