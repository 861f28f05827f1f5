//! A view of a run is what its records say, read at once or bit by bit.

mod common;

use common::naive::Naive;
use common::{append, samples, strategies};
use cresset_record::*;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

/// What a writer does next.
#[derive(Clone, Debug)]
enum Move {
    Frame(Vec<Record>),
    Rotate,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let frame = vec(strategies::record(), 1..6).prop_map(Move::Frame);
    vec(prop_oneof![6 => frame, 1 => Just(Move::Rotate)], 0..12)
}

fn make(log: &mut LogWriter, next: &Move) {
    match next {
        Move::Frame(records) => append(log, records),
        Move::Rotate => log.rotate().unwrap(),
    }
}

fn naively(dir: &RunDir) -> Naive {
    let mut follower = Follower::new(dir.clone());
    let mut naive = Naive::default();
    while let Some(batch) = follower.next_batch().unwrap() {
        naive.add(&batch);
    }
    naive
}

fn summary_of(view: &RunView) -> Vec<(String, serde_json::Value)> {
    let mut pairs: Vec<_> = view.summary().into_iter().collect();
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    pairs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_view_is_the_fold_of_its_records(ranks in vec(moves(), 1..3)) {
        let temp = tempfile::tempdir().unwrap();
        let dir = RunDir::new(temp.path());
        for (rank, moves) in (0u32..).zip(&ranks) {
            let mut log = LogWriter::create(&dir, Rank(rank)).unwrap();
            moves.iter().for_each(|next| make(&mut log, next));
        }
        let view = RunView::open(dir.clone()).unwrap();
        let naive = naively(&dir);
        let mut expected = naive.shown();
        let mut shown = Naive::shown_by(&view);
        // Console lines and alerts mix in the one and not in the other.
        expected.sort();
        shown.sort();
        prop_assert_eq!(shown, expected);
        prop_assert_eq!(summary_of(&view), naive.summary());
        for (key, _, _) in view.series() {
            prop_assert_eq!(view.definition(key.as_str()), naive.definition(key.as_str()));
        }
    }

    #[test]
    fn a_view_that_is_refreshed_is_the_view_that_is_opened(moves in moves(), looks in vec(any::<bool>(), 12)) {
        let temp = tempfile::tempdir().unwrap();
        let dir = RunDir::new(temp.path());
        let mut log = LogWriter::create(&dir, Rank(0)).unwrap();
        let mut followed = RunView::open(dir.clone()).unwrap();
        for (next, look) in moves.iter().zip(looks) {
            make(&mut log, next);
            if look {
                followed.refresh().unwrap();
            }
        }
        followed.refresh().unwrap();
        prop_assert!(!followed.refresh().unwrap(), "there is nothing more");
        let opened = RunView::open(dir).unwrap();
        prop_assert_eq!(Naive::shown_by(&followed), Naive::shown_by(&opened));
        prop_assert_eq!(followed.summary(), opened.summary());
        prop_assert_eq!(followed.state(), opened.state());
        prop_assert_eq!(followed.duration_seconds(), opened.duration_seconds());
    }
}

fn run(records: &[Record]) -> (tempfile::TempDir, RunView) {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path().join("some-id"));
    append(&mut LogWriter::create(&dir, Rank(0)).unwrap(), records);
    let view = RunView::open(dir).unwrap();
    (temp, view)
}

#[test]
fn the_sample_run() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path().join("fixture-1"));
    samples::write_run(&dir);
    let view = RunView::open(dir).unwrap();
    assert_eq!(
        (view.name(), view.state()),
        ("amber-harbor-7", State::Finished)
    );
    assert_eq!(view.start().unwrap().notes, "better");
    assert_eq!(view.start().unwrap().config["lr"], json!(0.01));
    assert_eq!(view.duration_seconds(), 0.03);
    let loss = view.series_of("train/loss").unwrap();
    let steps: Vec<u64> = loss.points().iter().map(|p| p.step).collect();
    assert_eq!(steps, [0, 1, 2, 3, 4, 2]);
    assert!(loss.points()[4].value.is_nan());
    assert_eq!(view.series_of("val/auc").unwrap().by_step()[3].value, 0.75);
    let summary = view.summary();
    assert_eq!(summary["train/loss"], json!("NaN"));
    assert_eq!(summary["val/auc"], json!(0.75));
    assert_eq!(summary["verdict"], json!("keep"));
    assert_eq!(summary["cresset/lost"], json!(13));
    assert_eq!(view.definition("val/auc").unit.as_deref(), Some("1"));
    assert_eq!(view.histograms().count(), 1);
    let (key, rank, media) = view.media().next().unwrap();
    assert_eq!((key.as_str(), rank, media.len()), ("examples", Rank(0), 9));
    assert_eq!(view.environment()["git"]["dirty"], json!(true));
    assert_eq!((view.console().len(), view.alerts().len()), (1, 1));
    assert_eq!(view.damage(), []);
}

#[test]
fn the_word_that_was_said_last_counts_though_it_was_said_before() {
    let define = |goal| {
        Record::Define(Definition {
            goal: Some(goal),
            ..Definition::new("a")
        })
    };
    let (_temp, view) = run(&[
        define(Goal::Minimize),
        define(Goal::Maximize),
        define(Goal::Minimize),
    ]);
    assert_eq!(view.definition("a").goal, Some(Goal::Minimize));
}

#[test]
fn losses_beyond_counting_are_as_many_as_can_be_counted() {
    let lost = |reason| {
        Record::Lost(Lost {
            time: samples::at(0),
            reason,
            points: u64::MAX,
            values: u64::MAX,
        })
    };
    let all = LossReason::ALL.map(lost);
    let (_temp, view) = run(&all);
    assert_eq!(view.summary()["cresset/lost"], json!(u64::MAX));
}

#[test]
fn numbers_of_keys_may_mean_something_else_after_a_resume() {
    let rows = |step| Record::Rows(vec![samples::row(step, 0, &[1.0, 2.0])]);
    let (_temp, view) = run(&[
        samples::key(0, "a"),
        samples::key(1, "b"),
        rows(0),
        Record::Resume(Resume {
            time: samples::at(1),
            from_step: None,
        }),
        samples::key(0, "b"),
        samples::key(1, "a"),
        rows(1),
    ]);
    let values = |key| {
        view.series_of(key)
            .unwrap()
            .points()
            .iter()
            .map(|p| p.value)
            .collect::<Vec<_>>()
    };
    assert_eq!((values("a"), values("b")), (vec![1.0, 2.0], vec![2.0, 1.0]));
}

#[test]
fn what_was_not_declared_is_shown_under_its_number() {
    let (_temp, view) = run(&[Record::Rows(vec![samples::row(0, 0, &[1.0])])]);
    assert_eq!(
        view.series_of("cresset/undeclared/0")
            .unwrap()
            .points()
            .len(),
        1
    );
    assert_eq!((view.name(), view.state()), ("some-id", State::Crashed));
}

#[test]
fn of_several_ranks_the_worst_state_counts() {
    let end = |outcome| {
        Record::End(End {
            time: samples::at(9),
            outcome,
        })
    };
    let failed = Outcome::Failed {
        reason: "out of memory".into(),
    };
    let stopped = Outcome::Stopped {
        reason: "sweep".into(),
    };
    for (records, state) in [
        (
            vec![vec![end(Outcome::Finished)], vec![end(Outcome::Finished)]],
            State::Finished,
        ),
        (
            vec![vec![end(Outcome::Finished)], vec![end(stopped)]],
            State::Stopped("sweep".into()),
        ),
        (
            vec![vec![end(Outcome::Finished)], vec![samples::start(1)]],
            State::Crashed,
        ),
        (
            vec![vec![samples::start(0)], vec![end(failed)]],
            State::Failed("out of memory".into()),
        ),
    ] {
        let temp = tempfile::tempdir().unwrap();
        let dir = RunDir::new(temp.path());
        for (rank, records) in (0..).zip(records) {
            append(&mut LogWriter::create(&dir, Rank(rank)).unwrap(), &records);
        }
        assert_eq!(RunView::open(dir).unwrap().state(), state);
    }
}
