//! What users should not do, and do.

use std::path::Path;

use cresset_record::{LossReason, RunDir, RunView};
use cresset_run::{Run, StartError, init};

fn start(dir: &Path) -> Run {
    init("misuse").dir(dir).start().unwrap()
}

fn finish(run: Run) -> RunView {
    let path = run.dir().unwrap().to_owned();
    let _ = run.finish();
    RunView::open(RunDir::new(path)).unwrap()
}

#[test]
fn values_that_are_not_finite_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let run = start(dir.path());
    let odd = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        f64::MIN_POSITIVE / 2.0,
        f64::MAX,
    ];
    for (step, value) in odd.into_iter().enumerate() {
        run.log(step as u64, [("x", value)]);
    }
    let view = finish(run);
    let kept: Vec<u64> = view
        .series_of("x")
        .unwrap()
        .points()
        .iter()
        .map(|p| p.value.to_bits())
        .collect();
    assert_eq!(kept, odd.map(f64::to_bits));
}

#[test]
fn keys_that_cannot_be_used_are_counted_and_the_others_kept() {
    let dir = tempfile::tempdir().unwrap();
    let run = start(dir.path());
    let long = "k".repeat(1 << 20);
    run.log(
        0,
        [
            ("", 1.0),
            ("good", 2.0),
            (long.as_str(), 3.0),
            ("cresset/own", 4.0),
            ("tab\t", 5.0),
        ],
    );
    run.series("").log(1, 1.0);
    let view = finish(run);
    assert_eq!(
        view.series()
            .map(|(k, _, _)| k.as_str())
            .collect::<Vec<_>>(),
        ["good"]
    );
    assert_eq!(view.lost()[&LossReason::BadKey].points, 5);
    assert_eq!(view.summary()["cresset/lost"], 5);
}

#[test]
fn ten_thousand_keys() {
    let dir = tempfile::tempdir().unwrap();
    let run = start(dir.path());
    for step in 0..3u64 {
        run.log(step, (0..10_000).map(|i| (format!("layer/{i}"), i as f64)));
    }
    let view = finish(run);
    assert_eq!(view.series().count(), 10_000);
    assert!(view.series().all(|(_, _, s)| s.points().len() == 3));
}

#[test]
fn strings_of_a_megabyte() {
    let dir = tempfile::tempdir().unwrap();
    let long = "ü".repeat(1 << 19);
    let run = init("misuse")
        .dir(dir.path())
        .notes(long.clone())
        .tags([long.clone()])
        .start()
        .unwrap();
    run.log_value(0, "text", long.clone());
    run.set_summary(&long, &long);
    run.alert(cresset_run::Level::Info, long.clone(), long.clone());
    let view = finish(run);
    assert_eq!(view.start().unwrap().notes, long);
    assert_eq!(view.alerts()[0].text, long);
    assert_eq!(view.media().count(), 1);
    assert!(view.lost().is_empty(), "{:?}", view.lost());
}

#[test]
fn records_too_large_for_the_log_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let run = start(dir.path());
    run.alert(cresset_run::Level::Info, "big", "x".repeat(16 << 20));
    run.log(0, [("x", 1.0)]);
    let view = finish(run);
    assert_eq!(view.lost()[&LossReason::BadValue].values, 1);
    assert_eq!(view.series_of("x").unwrap().points().len(), 1);
}

#[test]
fn steps_in_any_order() {
    let dir = tempfile::tempdir().unwrap();
    let run = start(dir.path());
    let steps = [5, 3, 3, u64::MAX, 0, 7, 7];
    for (i, step) in steps.into_iter().enumerate() {
        run.log(step, [("x", i as f64)]);
    }
    let view = finish(run);
    let series = view.series_of("x").unwrap();
    assert_eq!(
        series.points().iter().map(|p| p.step).collect::<Vec<_>>(),
        steps
    );
    assert_eq!(
        series.by_step().iter().map(|p| p.value).collect::<Vec<_>>(),
        [4.0, 1.0, 2.0, 0.0, 5.0, 6.0, 3.0]
    );
}

#[test]
fn logging_after_finish_is_counted_and_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let run = start(dir.path());
    let series = run.series("x");
    let other = run.clone();
    series.log(0, 1.0);
    let view = finish(run);
    series.log(1, 2.0);
    other.log(2, [("x", 3.0)]);
    other.log_value(3, "text", "late");
    assert!(!other.is_recording());
    assert_eq!(other.lost(), 3);
    assert_eq!(view.series_of("x").unwrap().points().len(), 1);
}

#[test]
fn sixteen_threads() {
    let dir = tempfile::tempdir().unwrap();
    let run = init("misuse")
        .dir(dir.path())
        .overflow(cresset_run::Overflow::Wait(std::time::Duration::from_secs(
            60,
        )))
        .start()
        .unwrap();
    std::thread::scope(|scope| {
        for thread in 0..16u64 {
            let run = &run;
            scope.spawn(move || {
                let own = run.series(&format!("own/{thread}"));
                for step in 0..5_000 {
                    own.log(step, thread as f64);
                    run.log(step, [("shared", thread as f64), ("also", 0.5)]);
                }
            });
        }
    });
    let view = finish(run);
    assert_eq!(view.series_of("shared").unwrap().points().len(), 80_000);
    for thread in 0..16 {
        let own = view.series_of(&format!("own/{thread}")).unwrap();
        assert!(
            own.points()
                .iter()
                .enumerate()
                .all(|(i, p)| p.step == i as u64 && p.value == f64::from(thread))
        );
        assert_eq!(own.points().len(), 5_000);
    }
    assert!(view.lost().is_empty());
}

#[test]
fn a_value_whose_iterator_logs_or_panics() {
    let dir = tempfile::tempdir().unwrap();
    let run = start(dir.path());
    run.log(
        0,
        (0..3).map(|i| {
            run.log(1, [("inner", i as f64)]);
            ("outer", i as f64)
        }),
    );
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run.log(
            2,
            (0..3).map(|i| {
                if i == 1 {
                    panic!("in the iterator")
                } else {
                    ("lost", i as f64)
                }
            }),
        );
    }));
    assert!(caught.is_err());
    run.log(3, [("outer", 9.0)]);
    let view = finish(run);
    assert_eq!(view.series_of("inner").unwrap().points().len(), 3);
    assert_eq!(view.series_of("outer").unwrap().points().len(), 4);
    assert!(view.series_of("lost").is_none());
}

#[test]
fn names_and_config_that_cannot_be_used() {
    let dir = tempfile::tempdir().unwrap();
    let error =
        |builder: cresset_run::Builder| builder.dir(dir.path()).start().unwrap_err().to_string();
    assert!(error(init(" ")).contains("project name"));
    assert!(error(init("p").id("../x")).contains("run id"));
    assert!(error(init("p").config(&7)).contains("a number, not an object"));
    let not_json = std::collections::HashMap::from([((1, 2), 3)]);
    assert!(matches!(
        init("p").config(&not_json).start(),
        Err(StartError::Config(_))
    ));
    assert!(!dir.path().join("p").exists());
}

#[test]
fn a_disabled_run_does_nothing_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let run = init("").dir(dir.path()).disabled(true).start().unwrap();
    run.series("x").log(0, 1.0);
    run.log(0, [("", 1.0)]);
    run.log_value(0, "x", "text");
    run.log_histogram(0, "x", &[1.0f32]);
    run.fail("no");
    assert!(!run.is_enabled() && run.dir().is_none());
    assert_eq!(run.finish().lost, 0);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
