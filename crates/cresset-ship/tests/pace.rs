//! A tracker that asks for few requests gets what there is together, and nothing is entered that it has not got.
#![expect(
    clippy::unwrap_used,
    reason = "these tests must fail where they cannot go on"
)]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cresset_record::{Rank, RunDir, State};
use cresset_run::{Durability, Run};
use cresset_ship::{Event, Events, Ledger, Memory, ShipError, Sink, Target};

/// What a sink was given: the steps of each call, and the end.
#[derive(Clone, Debug, Default, PartialEq)]
struct Given {
    calls: Vec<Vec<u64>>,
    is_ended: bool,
}

#[derive(Clone)]
struct Paced {
    interval: Duration,
    stop: Arc<Mutex<Option<String>>>,
    given: Arc<Mutex<Given>>,
}

impl Paced {
    fn new(interval: Duration) -> Self {
        Self {
            interval,
            stop: Arc::default(),
            given: Arc::default(),
        }
    }

    fn given(&self) -> Given {
        self.given.lock().unwrap().clone()
    }
}

impl Sink for Paced {
    fn take(
        &mut self,
        _run: &RunDir,
        events: &[(Rank, Event)],
        _memory: &mut Memory,
    ) -> Result<(), ShipError> {
        let steps = events.iter().filter_map(|(_, event)| match event {
            Event::Scalars { step, .. } => Some(*step),
            _ => None,
        });
        self.given.lock().unwrap().calls.push(steps.collect());
        Ok(())
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    fn stop_requested(&self) -> Option<String> {
        self.stop.lock().unwrap().clone()
    }

    fn end(
        &mut self,
        _run: &RunDir,
        _state: &State,
        _memory: &mut Memory,
    ) -> Result<(), ShipError> {
        self.given.lock().unwrap().is_ended = true;
        Ok(())
    }
}

/// What is logged is in the log when the call returns.
fn begin(root: &Path) -> (Run, RunDir) {
    let run = cresset_run::init("paced").dir(root);
    let run = run.durability(Durability::Written).start().unwrap();
    let dir = RunDir::new(run.dir().unwrap());
    (run, dir)
}

fn events(dir: &RunDir, sink: &Paced) -> Events<Paced> {
    let ledger = Ledger::open(dir, "paced", "a test").unwrap();
    Events::new(dir.clone(), ledger, sink.clone()).unwrap()
}

/// Carries until a look finds nothing new.
fn level(events: &mut Events<Paced>) {
    while !events.carry().unwrap().is_level {}
    assert!(events.carry().unwrap().is_level);
}

const LONG: Duration = Duration::from_secs(1 << 30);

#[test]
fn what_is_logged_while_a_run_goes_on_waits_and_its_end_waits_for_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (run, dir) = begin(root.path());
    let sink = Paced::new(LONG);
    run.log(0, [("loss", 1.0)]);
    let mut target = events(&dir, &sink);
    level(&mut target);
    let steps = |given: &Given| given.calls.concat();
    assert_eq!(steps(&sink.given()), [0]);

    let calls = sink.given().calls.len();
    for step in 1..20 {
        run.log(step, [("loss", 1.0)]);
        level(&mut target);
    }
    assert_eq!(sink.given().calls.len(), calls);
    // As after a kill: what waited was not entered.
    drop(target);
    let mut target = events(&dir, &sink);
    level(&mut target);
    assert_eq!(steps(&sink.given()), (0..20).collect::<Vec<_>>());

    run.log(20, [("loss", 1.0)]);
    level(&mut target);
    assert_eq!(steps(&sink.given()).len(), 20);
    drop(run);
    while !target.carry().unwrap().is_done {}
    let given = sink.given();
    assert_eq!(steps(&given), (0..21).collect::<Vec<_>>());
    assert!(given.is_ended);
}

#[test]
fn a_run_that_died_waits_for_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (run, dir) = begin(root.path());
    let sink = Paced::new(LONG);
    let mut target = events(&dir, &sink);
    level(&mut target);
    run.log(1, [("loss", 1.0)]);
    level(&mut target);
    assert!(sink.given().calls.concat().is_empty());
    // A lock that nobody holds, as after a kill.
    let path = dir.segment(Rank(0), 0);
    let before = std::fs::read(&path).unwrap();
    drop(run);
    std::fs::write(&path, before).unwrap();
    while !target.carry().unwrap().is_done {}
    assert_eq!(sink.given().calls.concat(), [1]);
    assert!(sink.given().is_ended);
}

#[test]
fn much_at_once_a_stop_and_no_interval_do_not_wait() {
    let root = tempfile::tempdir().unwrap();
    let (run, dir) = begin(root.path());
    let sink = Paced::new(LONG);
    let mut target = events(&dir, &sink);
    level(&mut target);
    for step in 0..2500 {
        run.log(step, [("loss", 1.0)]);
    }
    level(&mut target);
    assert_eq!(sink.given().calls.concat().len(), 2500);

    run.log(2500, [("loss", 1.0)]);
    level(&mut target);
    assert_eq!(sink.given().calls.concat().len(), 2500);
    *sink.stop.lock().unwrap() = Some("enough".to_owned());
    level(&mut target);
    assert_eq!(sink.given().calls.concat().len(), 2501);

    let at_once = Paced::new(Duration::ZERO);
    let ledger = Ledger::open(&dir, "at-once", "a test").unwrap();
    let mut target = Events::new(dir, ledger, at_once.clone()).unwrap();
    level(&mut target);
    run.log(2501, [("loss", 1.0)]);
    level(&mut target);
    assert_eq!(at_once.given().calls.concat().len(), 2502);
}
