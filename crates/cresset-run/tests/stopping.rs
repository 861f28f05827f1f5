//! Requests to stop, from the file to the end of the run.

use std::path::Path;
use std::time::{Duration, Instant};

use cresset_record::{RunDir, RunView, State, Timestamp};
use cresset_run::{Durability, Run, init};

fn request(dir: &Path, reason: &str) {
    let json = serde_json::json!({"time": Timestamp::now().0, "reason": reason});
    std::fs::write(dir.join("stop.new"), json.to_string()).unwrap();
    std::fs::rename(dir.join("stop.new"), dir.join("stop.json")).unwrap();
}

/// Waits until the run was told; only a failure takes long.
fn told(run: &Run) -> String {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(reason) = run.stop_requested() {
            return reason.to_owned();
        }
        assert!(Instant::now() < deadline, "nobody looked for the request");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_request_reaches_the_program_whether_it_logs_or_not() {
    for durability in [Durability::Buffered, Durability::Written] {
        let root = tempfile::tempdir().unwrap();
        let run = init("p")
            .dir(root.path())
            .durability(durability)
            .start()
            .unwrap();
        let dir = run.dir().unwrap().to_owned();
        run.log(0, [("train/loss", 1.0)]);
        assert_eq!(run.stop_requested(), None);
        request(&dir, "no better than the median");
        let reason = told(&run);
        assert_eq!(reason, "no better than the median");
        run.stop(&reason);
        run.finish();
        let view = RunView::open(RunDir::new(&dir)).unwrap();
        assert_eq!(view.state(), State::Stopped(reason));
    }
}

#[test]
fn a_run_taken_up_again_is_not_stopped_by_the_request_of_before() {
    let root = tempfile::tempdir().unwrap();
    let run = init("p").dir(root.path()).id("again").start().unwrap();
    let dir = run.dir().unwrap().to_owned();
    request(&dir, "enough");
    told(&run);
    run.finish();

    let run = init("p").dir(root.path()).resume("again").start().unwrap();
    assert!(!dir.join("stop.json").exists());
    assert_eq!(run.stop_requested(), None);
    request(&dir, "enough again");
    assert_eq!(told(&run), "enough again");
}

#[test]
fn a_disabled_run_is_never_stopped() {
    let run = init("p").disabled(true).start().unwrap();
    assert_eq!(run.stop_requested(), None);
}
