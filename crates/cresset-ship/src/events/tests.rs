//! The core of all sinks, with one that keeps what it is given and fails when it is told to.

use std::collections::VecDeque;

use cresset_record::{
    End, FrameBuilder, Key, KeyId, LogWriter, Outcome, Project, Rank, Record, Root, RunDir, RunId,
    Start, State, StopRequest, Timestamp,
};
use proptest::prelude::*;
use serde_json::Map;

use super::{Events, MANY};
use crate::error::ShipError;
use crate::event::Event;
use crate::ledger::Ledger;
use crate::sink::{Memory, Sink};
use crate::target::Target;

/// What comes of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Yes,
    /// It was taken, and nobody heard that it was.
    Lost,
    No,
}

#[derive(Default)]
struct Kept {
    /// Rank, step and value, as they came.
    points: Vec<(Rank, u64, f64)>,
    /// Of the calls that went well.
    answers: VecDeque<Answer>,
    ended: Vec<State>,
    /// What was remembered at the beginning of each call.
    recalled: Vec<u64>,
    stop: Option<String>,
}

impl Kept {
    fn answer(&mut self) -> Answer {
        self.answers.pop_front().unwrap_or(Answer::Yes)
    }
}

fn unreachable() -> ShipError {
    ShipError::Unreachable {
        message: "out".into(),
        retry_after: None,
    }
}

impl Sink for Kept {
    fn take(
        &mut self,
        _: &RunDir,
        events: &[(Rank, Event)],
        memory: &mut Memory,
    ) -> Result<(), ShipError> {
        let calls = memory.get("calls").and_then(serde_json::Value::as_u64);
        let calls = calls.unwrap_or(0);
        self.recalled.push(calls);
        memory.insert("calls".into(), (calls + 1).into());
        let answer = self.answer();
        if answer != Answer::No {
            for (rank, event) in events {
                if let Event::Scalars { step, points, .. } = event {
                    let points = points.iter();
                    self.points.extend(points.map(|(_, v)| (*rank, *step, *v)));
                }
            }
        }
        match answer {
            Answer::Yes => Ok(()),
            Answer::Lost | Answer::No => Err(unreachable()),
        }
    }

    fn stop_requested(&self) -> Option<String> {
        self.stop.clone()
    }

    fn end(&mut self, _: &RunDir, state: &State, _: &mut Memory) -> Result<(), ShipError> {
        match self.answer() {
            Answer::Yes => self.ended.push(state.clone()),
            Answer::Lost | Answer::No => return Err(unreachable()),
        }
        Ok(())
    }
}

struct Logged {
    _dir: tempfile::TempDir,
    run: RunDir,
}

/// A run of so many points a rank that has ended.
fn logged(ranks: u32, points: u64) -> Logged {
    let dir = tempfile::tempdir().unwrap();
    let (project, id) = ("p".to_owned(), "r".to_owned());
    let (project, id) = (
        Project::try_from(project).unwrap(),
        RunId::try_from(id).unwrap(),
    );
    let run = Root::new(dir.path()).run(&project, &id);
    std::fs::create_dir_all(run.path()).unwrap();
    for rank in (0..ranks).map(Rank) {
        let mut log = LogWriter::create(&run, rank).unwrap();
        let mut frame = FrameBuilder::default();
        let start = Start {
            run: id.clone(),
            project: project.clone(),
            name: "r".into(),
            rank,
            world_size: Some(ranks),
            time: Timestamp(1),
            group: None,
            job_type: None,
            tags: Vec::new(),
            notes: String::new(),
            config: Map::new(),
            cresset_version: String::new(),
        };
        frame.push(&Record::Start(Box::new(start))).unwrap();
        let key = Key::new("loss").unwrap();
        frame.push(&Record::Key { id: KeyId(0), key }).unwrap();
        for step in 0..points {
            frame.push_row(
                step,
                Timestamp(step as i64),
                &[(KeyId(0), step as f64 / 2.0)],
            );
            if step % 100 == 99 {
                log.append(&mut frame).unwrap();
            }
        }
        let outcome = Outcome::Finished;
        let time = Timestamp(1);
        frame.push(&Record::End(End { time, outcome })).unwrap();
        log.append(&mut frame).unwrap();
    }
    Logged { _dir: dir, run }
}

fn open(run: &RunDir, sink: Kept) -> Events<Kept> {
    let ledger = Ledger::open(run, "test", "test").unwrap();
    Events::new(run.clone(), ledger, sink).unwrap()
}

/// The points of a rank: each is there, in order, and what comes again goes on from somewhere before.
fn assert_at_least_once(points: &[(Rank, u64, f64)], rank: Rank, count: u64) {
    let mut next = 0;
    for (_, step, value) in points.iter().filter(|(r, ..)| *r == rank) {
        assert_eq!(*value, *step as f64 / 2.0);
        assert!(*step <= next, "{step} after {next}");
        next = next.max(step + 1);
    }
    assert_eq!(next, count);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn all_comes_in_order_at_least_once_through_failures_and_restarts(
        ranks in 1..4u32,
        points in prop_oneof![1..300u64, Just(3 * MANY as u64)],
        answers in proptest::collection::vec(
            prop_oneof![2 => Just(Answer::Yes), 1 => Just(Answer::Lost), 1 => Just(Answer::No)], 0..12),
        restarts in proptest::collection::vec(any::<bool>(), 12),
    ) {
        let log = logged(ranks, points);
        let any_lost = answers.contains(&Answer::Lost);
        let mut target = open(&log.run, Kept { answers: answers.into(), ..Kept::default() });
        let mut restarts = restarts.into_iter();
        let is_done = |carried: Result<_, _>| matches!(carried, Ok(crate::Progress { is_done: true, .. }));
        while !is_done(target.carry()) {
            if restarts.next() == Some(true) {
                // The process was killed: what it knew is in the ledger.
                let kept = std::mem::take(&mut target.sink);
                drop(target);
                target = open(&log.run, kept);
            }
        }
        for rank in (0..ranks).map(Rank) {
            assert_at_least_once(&target.sink().points, rank, points);
        }
        if !any_lost {
            prop_assert_eq!(target.sink().points.len() as u64, points * u64::from(ranks), "once");
        }
        prop_assert_eq!(&target.sink().ended, &[State::Finished]);
        // Nothing more comes.
        let before = target.sink().points.len();
        prop_assert!(is_done(target.carry()));
        prop_assert_eq!((target.sink().points.len(), target.sink().ended.len()), (before, 1));
    }
}

#[test]
fn what_was_remembered_in_a_call_that_failed_is_forgotten() {
    let log = logged(1, 10);
    let answers = [Answer::Lost, Answer::No, Answer::Yes];
    let mut target = open(
        &log.run,
        Kept {
            answers: answers.into(),
            ..Kept::default()
        },
    );
    for _ in 0..2 {
        assert!(target.carry().unwrap_err().is_temporary());
    }
    assert!(target.carry().unwrap().is_done);
    assert_eq!(target.sink().recalled, [0, 0, 0]);
    drop(target);
    let ledger = Ledger::open(&log.run, "test", "test").unwrap();
    assert_eq!(ledger.memory()["calls"], 1);
}

#[test]
fn a_request_to_stop_reaches_the_run_once() {
    let log = logged(1, 1);
    let stop = Some("enough".to_owned());
    let mut target = open(
        &log.run,
        Kept {
            stop,
            ..Kept::default()
        },
    );
    target.carry().unwrap();
    let request = StopRequest::read(&log.run).unwrap();
    assert_eq!(request.reason, "enough");
    target.carry().unwrap();
    assert_eq!(StopRequest::read(&log.run), Some(request));
}
