//! A run from the first log call to the reader.

use std::time::Duration;

use cresset_record::{Root, RunDir, RunView, State};
use cresset_run::{Definition, Durability, Image, Level, Overflow, StartError, SummaryRule, init};

fn view(run_dir: &std::path::Path) -> RunView {
    RunView::open(cresset_record::RunDir::new(run_dir)).unwrap()
}

#[test]
fn what_is_logged_is_there_to_read() {
    let dir = tempfile::tempdir().unwrap();
    let run = init("harbor/defects")
        .dir(dir.path())
        .name("first")
        .tags(["v4"])
        .group("g")
        .notes("n")
        .config(&serde_json::json!({"lr": 1e-3, "net": {"width": 16}, "api_key": "hunter2hunter2"}))
        .config(&std::collections::BTreeMap::from([("momentum", 0.1f32)]))
        .define(
            Definition::new("val/*")
                .maximize()
                .summary(SummaryRule::Best),
        )
        .start()
        .unwrap();
    let loss = run.series("train/loss");
    for step in 0..1000u64 {
        loss.log(step, 1.0 / (1.0 + step as f64));
        run.log(step, [("train/lr", 1e-3f32), ("train/images", 32.0)]);
    }
    run.log(10, [("val/auc", 0.9), ("val/acc", f64::NAN)]);
    run.log(20, [("val/auc", 0.8)]);
    run.log_histogram(3, "weights", &[0.5f32, -1.0, f32::NAN]);
    run.log_value(5, "note", "hello");
    run.log_value(
        5,
        "mistakes",
        Image::from_hwc_u8(vec![9u8; 12], 2, 2, 3)
            .unwrap()
            .caption("c"),
    );
    run.log_late(6, "late", || Some(4.5));
    run.alert_at(7, Level::Warn, "look", "here");
    run.set_summary("best_epoch", 3);
    run.update_config(&serde_json::json!({"lr": 2e-3}));
    let path = run.dir().unwrap().to_owned();
    assert_eq!(view(&path).state(), State::Running);
    let finished = run.finish();
    assert!(finished.complete && finished.lost == 0, "{finished:?}");

    let v = view(&path);
    assert_eq!(v.state(), State::Finished);
    let start = v.start().unwrap();
    assert_eq!(
        (start.name.as_str(), start.tags.as_slice()),
        ("first", &["v4".to_owned()][..])
    );
    assert_eq!(start.config["lr"], 2e-3);
    assert_eq!(start.config["net"]["width"], 16);
    assert_eq!(
        start.config["momentum"], 0.1,
        "an f32 keeps its decimal form"
    );
    assert_eq!(start.config["api_key"], "***");
    let points = v.series_of("train/loss").unwrap().points();
    assert_eq!(points.len(), 1000);
    assert!(
        points
            .iter()
            .enumerate()
            .all(|(i, p)| p.step == i as u64 && p.value == 1.0 / (1.0 + i as f64))
    );
    assert_eq!(v.series_of("late").unwrap().points()[0].value, 4.5);
    let summary = v.summary();
    assert_eq!(summary["val/auc"], 0.9);
    assert_eq!(summary["val/acc"], "NaN");
    assert_eq!(summary["best_epoch"], 3);
    let (_, _, histograms) = v.histograms().next().unwrap();
    assert_eq!((histograms[0].value.count, histograms[0].value.nan), (3, 1));
    assert_eq!(v.media().count(), 2);
    assert_eq!(v.alerts()[0].step, Some(7));
    assert!(!v.environment().is_empty());
    assert_eq!(
        std::fs::read_to_string(dir.path().join(".gitignore")).unwrap(),
        "*\n"
    );
    assert_eq!(Root::new(dir.path()).runs().unwrap().len(), 1);
    assert!(v.damage().is_empty());
}

#[test]
fn durable_modes_have_written_when_the_call_returns() {
    for durability in [Durability::Written, Durability::Synced] {
        let dir = tempfile::tempdir().unwrap();
        let run = init("p")
            .dir(dir.path())
            .durability(durability)
            .start()
            .unwrap();
        let path = run.dir().unwrap().to_owned();
        for step in 0..20u64 {
            run.log(step, [("a", step as f64)]);
            assert_eq!(
                view(&path).series_of("a").unwrap().points().len() as u64,
                step + 1
            );
        }
    }
}

#[test]
fn what_is_flushed_is_there_while_the_run_goes_on() {
    let patience = Duration::from_secs(60);
    for durability in [
        Durability::Buffered,
        Durability::Written,
        Durability::Synced,
    ] {
        let dir = tempfile::tempdir().unwrap();
        let run = init("flush")
            .dir(dir.path())
            .durability(durability)
            .start()
            .unwrap();
        for step in 0..20 {
            run.log(step, [("loss", 0.5)]);
            run.log_late(step, "late", || {
                std::thread::sleep(Duration::from_millis(5));
                Some(1.5)
            });
            run.defer(0, move |run| run.log_value(step, "note", "left by work"));
            assert!(run.flush(patience), "{durability:?}");
            let view = view(run.dir().unwrap());
            assert_eq!(view.state(), State::Running);
            for key in ["loss", "late"] {
                let points = view.series_of(key).map_or(0, |s| s.points().len());
                assert_eq!(points as u64, step + 1, "{durability:?} {key}");
            }
            let notes = view.media().map(|(_, _, notes)| notes.len()).sum::<usize>();
            assert_eq!(notes as u64, step + 1, "{durability:?}");
        }
        let (told, is_told) = std::sync::mpsc::channel();
        run.defer(0, move |run| told.send(run.flush(patience)).unwrap());
        assert!(is_told.recv().unwrap(), "work does not wait for itself");
        let other = run.clone();
        assert!(run.finish().complete);
        assert!(other.flush(patience), "the end left nothing to wait for");
    }
}

#[test]
fn a_panic_fails_the_run_with_its_message_and_place() {
    let dir = tempfile::tempdir().unwrap();
    let run = init("p").dir(dir.path()).start().unwrap();
    let path = run.dir().unwrap().to_owned();
    let thread = std::thread::spawn(move || {
        run.log(0, [("a", 1.0)]);
        panic!("loss is {}", f64::NAN);
    });
    assert!(thread.join().is_err());
    let v = view(&path);
    let State::Failed(reason) = v.state() else {
        panic!("{:?}", v.state())
    };
    assert!(
        reason.contains("loss is NaN") && reason.contains("recording.rs:"),
        "{reason}"
    );
    assert_eq!(v.series_of("a").unwrap().points().len(), 1);
}

#[test]
fn an_error_handed_through_fails_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let run = init("p").dir(dir.path()).start().unwrap();
    let path = run.dir().unwrap().to_owned();
    let result: Result<(), _> = Err(std::io::Error::other("no such crop"));
    assert!(run.conclude(result).is_err());
    drop(run);
    assert_eq!(view(&path).state(), State::Failed("no such crop".into()));
}

#[test]
fn the_last_handle_finishes_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let run = init("p").dir(dir.path()).start().unwrap();
    let path = run.dir().unwrap().to_owned();
    let clone = run.clone();
    drop(run);
    clone.log(1, [("a", 1.0)]);
    assert_eq!(view(&path).state(), State::Running);
    drop(clone);
    assert_eq!(view(&path).state(), State::Finished);
}

#[test]
fn a_resumed_run_supersedes_the_steps_that_it_logs_again() {
    let dir = tempfile::tempdir().unwrap();
    let run = init("p")
        .dir(dir.path())
        .id("abc")
        .name("kept")
        .config(&serde_json::json!({"a": 1}))
        .start()
        .unwrap();
    for step in 0..100u64 {
        run.log(step, [("x", step as f64)]);
    }
    drop(run);
    let again = || init("p").dir(dir.path());
    assert!(matches!(
        again().id("abc").start(),
        Err(StartError::Exists(_))
    ));
    assert!(matches!(
        again().resume("nope").start(),
        Err(StartError::NotFound { .. })
    ));
    let run = again().resume_from("abc", 50).start().unwrap();
    assert_eq!(run.name(), "kept");
    for step in 50..120u64 {
        run.log(step, [("y", 0.0), ("x", -1.0)]);
    }
    let path = run.dir().unwrap().to_owned();
    drop(run);
    let v = view(&path);
    let x = v.series_of("x").unwrap();
    assert_eq!((x.points().len(), x.superseded()), (120, 50));
    assert!(x.points()[50..].iter().all(|p| p.value == -1.0));
    assert_eq!(v.state(), State::Finished);
    assert_eq!(v.start().unwrap().config["a"], 1);
    assert!(v.damage().is_empty(), "{:?}", v.damage());
}

#[test]
fn two_writers_of_one_run_and_declared_ranks() {
    let dir = tempfile::tempdir().unwrap();
    let builder = || init("p").dir(dir.path()).id("one");
    assert!(matches!(
        init("p").dir(dir.path()).rank(0, 2).start(),
        Err(StartError::RankWithoutId)
    ));
    assert!(matches!(
        builder().rank(2, 2).start(),
        Err(StartError::Rank { .. })
    ));
    let rank0 = builder().rank(0, 2).start().unwrap();
    let Err(error) = builder().resume("one").start() else {
        panic!("two writers")
    };
    assert!(
        error
            .to_string()
            .contains(&format!("process {}", std::process::id())),
        "{error}"
    );
    let rank1 = builder().rank(1, 2).start().unwrap();
    rank0.log(0, [("x", 0.0)]);
    rank1.log(0, [("x", 1.0)]);
    let path = rank0.dir().unwrap().to_owned();
    drop((rank0, rank1));
    let v = view(&path);
    let values: Vec<(u32, f64)> = v
        .series()
        .map(|(_, rank, s)| (rank.0, s.points()[0].value))
        .collect();
    assert_eq!(values, [(0, 0.0), (1, 1.0)]);
    assert_eq!(v.state(), State::Finished);
}

#[test]
fn overflow_waits_or_drops_and_counts() {
    let dir = tempfile::tempdir().unwrap();
    let run = init("p")
        .dir(dir.path())
        .overflow(Overflow::Wait(Duration::from_secs(60)))
        .start()
        .unwrap();
    let x = run.series("x");
    for step in 0..400_000u64 {
        x.log(step, step as f64);
    }
    let path = run.dir().unwrap().to_owned();
    assert_eq!(run.finish().lost, 0);
    assert_eq!(view(&path).series_of("x").unwrap().points().len(), 400_000);

    let run = init("p").dir(dir.path()).start().unwrap();
    let x = run.series("x");
    for step in 0..2_000_000u64 {
        x.log(step, step as f64);
    }
    let path = run.dir().unwrap().to_owned();
    let lost = run.finish().lost;
    let v = view(&path);
    let kept = v.series_of("x").unwrap().points().len() as u64;
    assert_eq!(kept + lost, 2_000_000);
    let counted: u64 = v.lost().values().map(|l| l.points).sum();
    assert_eq!(counted, lost, "what is lost is counted in the log");
}

#[test]
fn an_evaluation_pass_is_logged_with_its_mistakes() {
    use cresset_record::{MediaDetail, RunDir};
    use cresset_run::samples::{Batch, Evaluation, Scores};

    let dir = tempfile::tempdir().unwrap();
    let run = init("p").dir(dir.path()).start().unwrap();
    let mut evaluation = Evaluation::new(["good", "void"]);
    let batch = Batch {
        scores: Scores::Logits(&[3.0, 0.0, 2.0, 0.0]),
        targets: &[0, 1],
        indices: &[40, 41],
    };
    for kept in evaluation.push(&batch).unwrap() {
        evaluation.attach(&kept, Image::from_hwc_u8(vec![7u8; 48], 4, 4, 3).unwrap());
    }
    run.log_evaluation(9, "val", evaluation.report());
    let path = run.dir().unwrap().to_owned();
    drop(run);
    let v = RunView::open(RunDir::new(path)).unwrap();
    assert_eq!(v.series_of("val/accuracy").unwrap().points()[0].value, 0.5);
    let mistakes: Vec<_> = v
        .media()
        .filter(|(k, _, _)| k.as_str() == "val/mistakes")
        .flat_map(|(_, _, m)| m)
        .collect();
    let MediaDetail::Image(image) = &mistakes[0].value.detail else {
        panic!("{mistakes:?}")
    };
    assert_eq!(image.sample.as_ref().unwrap().dataset_index, 41);
    assert!(
        mistakes[0]
            .value
            .caption
            .as_ref()
            .unwrap()
            .starts_with("void taken for good")
    );
    assert!(v.media().any(|(_, _, m)| matches!(&m[0].value.detail, MediaDetail::Figure { figure } if figure == "confusion_matrix")));
}

#[test]
fn a_run_whose_log_lost_everything_is_taken_up_all_the_same() {
    let root = tempfile::tempdir().unwrap();
    let run = init("p").dir(root.path()).id("r").start().unwrap();
    run.log(0, [("loss", 1.0)]);
    let dir = run.finish().dir.unwrap();
    // As a loss of power leaves a file whose name came to the disk and whose bytes did not.
    std::fs::write(dir.join("rank-0.000000.log"), "").unwrap();
    let again = init("p").dir(root.path()).resume("r").start().unwrap();
    again.log(1, [("loss", 2.0)]);
    assert!(again.finish().complete);
    let view = RunView::open(RunDir::new(dir)).unwrap();
    assert_eq!(view.state(), State::Finished);
    assert_eq!(view.series_of("loss").unwrap().points()[0].step, 1);
}

#[test]
fn the_first_loss_that_is_not_finite_is_told_of_once_whoever_sees_it() {
    for durability in [Durability::Buffered, Durability::Written] {
        let dir = tempfile::tempdir().unwrap();
        let run = init("p").dir(dir.path()).durability(durability).start();
        let run = run.unwrap();
        let [watch, other] = [(); 2].map(|()| cresset_run::watch::LossWatch::default());
        for step in 0..10u64 {
            let loss = if step < 7 { 0.5 } else { f64::NAN };
            run.log(step, [("train/loss", loss), ("val/recall/void", f64::NAN)]);
            run.log(step, [("nll_loss", 1.0 / (9.0 - step as f64))]);
            watch.see(&run, step, "train/loss", loss);
            other.see(&run, step, "objective", loss);
        }
        let path = run.dir().unwrap().to_owned();
        assert!(run.finish().complete);
        let view = view(&path);
        let mut found: Vec<_> = (view.alerts().iter())
            .map(|alert| (alert.step, alert.title.as_str()))
            .collect();
        found.sort_unstable();
        let expected = [
            (Some(7), "objective is NaN at step 7"),
            (Some(7), "train/loss is NaN at step 7"),
            (Some(9), "nll_loss is inf at step 9"),
        ];
        assert_eq!(found, expected);
        assert!(
            view.alerts()
                .iter()
                .all(|alert| alert.level == Level::Error)
        );
    }
}
