//! Runs on their way, with more than they can log themselves.

use std::fs;
use std::path::{Path, PathBuf};

use cresset_record::{ConsoleLine, Key, Level, Rank, RunDir, State, Timestamp};
use cresset_ship::{Event, Events, Ledger, Memory, ShipError, Sink, Target};
use serde_json::Map;

pub(crate) fn carry(run: &RunDir, sink: impl Sink) {
    let ledger = Ledger::open(run, "wandb", "a test").unwrap();
    let mut target = Events::new(run.clone(), ledger, sink).unwrap();
    while !target.carry().unwrap().is_done {}
}

/// The folder of the only run in `within`.
pub(crate) fn only_folder(within: &Path) -> PathBuf {
    let mut folders = fs::read_dir(within).unwrap();
    let folder = folders.next().unwrap().unwrap().path();
    assert!(folders.next().is_none());
    folder
}

/// Gives a sink events that the little run cannot log: what is printed, and what telemetry says.
pub(crate) struct With<S> {
    pub(crate) sink: S,
    pub(crate) more: Vec<(Rank, Event)>,
}

impl<S: Sink> Sink for With<S> {
    fn take(
        &mut self,
        run: &RunDir,
        events: &[(Rank, Event)],
        memory: &mut Memory,
    ) -> Result<(), ShipError> {
        let mut events = events.to_vec();
        events.append(&mut self.more);
        self.sink.take(run, &events, memory)
    }

    fn end(&mut self, run: &RunDir, state: &State, memory: &mut Memory) -> Result<(), ShipError> {
        self.sink.end(run, state, memory)
    }
}

pub(crate) fn more() -> Vec<(Rank, Event)> {
    let line = ConsoleLine {
        time: Timestamp::now(),
        level: Level::Info,
        target: String::new(),
        message: "hello".into(),
        fields: Map::new(),
    };
    let figures = [
        ("host/threads", 9.0),
        ("host/memory_process", 2097152.0),
        ("host/memory_limit", 8388608.0),
    ];
    let points = figures.map(|(key, value)| (Key::new(&format!("system/{key}")).unwrap(), value));
    let stats = Event::Scalars {
        step: 0,
        time: Timestamp::now(),
        points: points.to_vec(),
    };
    vec![(Rank(0), Event::Console(line)), (Rank(0), stats)]
}
