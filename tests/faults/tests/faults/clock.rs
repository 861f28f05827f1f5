//! A clock that jumps by a day, forth and back, while a run goes on.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};

use cresset_record::{Root, State, StopRequest, Timestamp};
use cresset_store::Store;

use crate::support::{dir, faulty, place, steps, until, view};

const DAY: i64 = 86_400;

/// Sets the trainer's clock wrong by so many seconds, and waits until it has logged some steps more.
fn jump(runs: &Path, clock: &Path, seconds: i64) {
    let written = clock.with_extension("new");
    fs::write(&written, seconds.to_string()).unwrap();
    fs::rename(written, clock).unwrap();
    let before = steps(&view(runs)).len();
    until("some steps", || steps(&view(runs)).len() > before + 20);
}

fn begin(mut command: Command, clock: &Path, runs: &Path) -> Child {
    let child = command.env("FAULT_CLOCK", clock).spawn().unwrap();
    until("the run", || {
        Root::new(runs).runs().is_ok_and(|runs| !runs.is_empty())
    });
    child
}

#[test]
fn a_clock_that_jumps_by_a_day_moves_nothing() {
    let (place, runs) = place();
    let (clock, never) = (place.path().join("clock"), place.path().join("never"));
    let words = format!("until={} pause=2", never.display());
    let child = begin(faulty(&runs, "slow:0", &words), &clock, &runs);
    for seconds in [0, DAY, -DAY, 0] {
        jump(&runs, &clock, seconds);
    }
    jump(&runs, &clock, -DAY);
    // From a machine whose clock went back as well.
    let time = Timestamp(Timestamp::now().0 - DAY * 1_000_000);
    let request = StopRequest {
        time,
        reason: "enough".into(),
    };
    request.write(&dir(&runs)).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let stopped = view(&runs);
    assert_eq!(stopped.state(), State::Stopped("enough".into()));
    let points = stopped.series_of("loss").unwrap().points();
    assert!(points.is_sorted_by_key(|point| point.time));
    assert!(stopped.duration_seconds() < DAY as f64 / 2.0);
    let logged = steps(&stopped);
    assert_eq!(logged, (0..logged.len() as u64).collect::<Vec<_>>());

    // Taken up a day before it began: steps order the series, and times are as they were given.
    let child = begin(faulty(&runs, "slow:0", "resume steps=30"), &clock, &runs);
    assert!(child.wait_with_output().unwrap().status.success());
    let resumed = view(&runs);
    assert_eq!(resumed.state(), State::Finished);
    assert_eq!(steps(&resumed).len(), logged.len() + 30);
    let points = resumed.series_of("loss").unwrap().points();
    assert!(points[logged.len()].time < points[0].time);
    let store = Store::open(Root::new(&runs)).unwrap();
    store.refresh().unwrap();
    let fresh = tempfile::tempdir().unwrap();
    let checked = store.check(fresh.path()).unwrap();
    assert!(checked.differences.is_empty(), "{checked:?}");
}
