//! Storage that fails under a run: training ends normally, the loss is counted and shown.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use cresset_record::{LossReason, RunDir, RunView, State};
use cresset_run::{Definition, Run, SummaryRule, init};

/// Trains: logs `steps` steps over a while.
fn train(run: &Run, from: u64, steps: u64) {
    for step in from..from + steps {
        run.log(step, [("train/loss", step as f64), ("train/lr", 0.1)]);
        if step % 64 == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// A file system of its own, unmounted at the end. Needs root, as CI has; a skipped test would prove nothing.
struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    fn new(size: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(dir.path())
            .status()
            .expect("`mount` runs");
        assert!(
            status.success(),
            "this test mounts a small tmpfs: run it as root, or in `unshare --user --map-root-user --mount`"
        );
        Self(dir)
    }

    fn remount(&self, options: &str) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(self.0.path())
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn view(path: &Path) -> RunView {
    RunView::open(RunDir::new(path)).unwrap()
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "waited too long for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_full_disk_loses_points_and_recovers() {
    let disk = Tmpfs::new("256k");
    let run = init("p").dir(disk.0.path().join("runs")).start().unwrap();
    let path = run.dir().unwrap().to_owned();
    let filler = disk.0.path().join("filler");
    train(&run, 0, 500);
    wait_until("the first points", || {
        view(&path)
            .series_of("train/loss")
            .is_some_and(|s| s.points().len() == 500)
    });
    // Fills the disk to the last byte.
    let _ = fs::write(&filler, vec![0; 1 << 20]);
    train(&run, 500, 100_000);
    wait_until("losses", || run.lost() > 0);
    fs::remove_file(&filler).unwrap();
    disk.remount("size=64m");
    wait_until("recovery", || {
        train(&run, 200_000, 1);
        view(&path)
            .series_of("train/loss")
            .is_some_and(|s| s.last().unwrap().step == 200_000)
    });
    train(&run, 300_000, 500);
    let finished = run.finish();
    let v = view(&path);
    assert_eq!(v.state(), State::Finished);
    let points: Vec<u64> = v
        .series_of("train/loss")
        .unwrap()
        .points()
        .iter()
        .map(|p| p.step)
        .collect();
    assert!(
        points.starts_with(&(0..500).collect::<Vec<_>>())
            && points.ends_with(&(300_000..300_500).collect::<Vec<_>>())
    );
    let lost = v.lost()[&LossReason::Storage];
    assert!(lost.points > 0 && finished.lost >= lost.points);
    assert_eq!(
        v.summary()["cresset/lost"],
        finished.lost,
        "what is lost is shown"
    );
    assert!(finished.complete);
}

#[test]
fn a_read_only_folder_is_no_reason_not_to_train() {
    let disk = Tmpfs::new("1m");
    disk.remount("ro");
    let run = init("p").dir(disk.0.path().join("runs")).start().unwrap();
    let path = run.dir().unwrap().to_owned();
    train(&run, 0, 100);
    let began = Instant::now();
    assert!(
        !run.flush(Duration::from_secs(600)),
        "there is nothing that could have taken it"
    );
    let waited = began.elapsed();
    assert!(waited < Duration::from_secs(300), "{waited:?}");
    disk.remount("rw");
    while !run.flush(Duration::from_secs(1)) {
        assert!(began.elapsed() < Duration::from_secs(400));
        thread::sleep(Duration::from_millis(10));
    }
    let points = view(&path).series_of("train/loss").unwrap().points().len();
    assert_eq!(points, 100, "what waited in memory is there");
    train(&run, 100, 100);
    let finished = run.finish();
    let v = view(&path);
    assert_eq!(v.state(), State::Finished);
    assert_eq!(
        v.series_of("train/loss").unwrap().points().len() as u64 + finished.lost / 2,
        200
    );
    assert_eq!(finished.lost, 0, "what was logged before waited in memory");
}

#[test]
fn a_folder_that_stays_read_only_costs_the_recording_only() {
    let disk = Tmpfs::new("1m");
    disk.remount("ro");
    let run = init("p").dir(disk.0.path().join("runs")).start().unwrap();
    train(&run, 0, 1000);
    let finished = run.finish();
    assert!(finished.lost >= 2000, "{finished:?}");
}

#[test]
fn a_deleted_folder_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let run = init("p")
        .dir(dir.path())
        .config(&serde_json::json!({"lr": 1.0}))
        .start()
        .unwrap();
    let path = run.dir().unwrap().to_owned();
    train(&run, 0, 1000);
    wait_until("the first points", || {
        view(&path)
            .series_of("train/loss")
            .is_some_and(|s| s.points().len() == 1000)
    });
    fs::remove_dir_all(&path).unwrap();
    // A server may have the frames of the segment that is gone: neither its number nor theirs are given again.
    wait_until("a new folder", || {
        train(&run, 2000, 1);
        path.join("rank-0.000001.log").exists()
    });
    train(&run, 3000, 1000);
    let finished = run.finish();
    let v = view(&path);
    assert_eq!(v.state(), State::Finished);
    assert_eq!(
        v.start().unwrap().config["lr"],
        1.0,
        "the head is written again"
    );
    let points = v.series_of("train/loss").unwrap().points();
    assert!(points.iter().filter(|p| p.step >= 3000).count() == 1000);
    assert!(finished.complete);
}

#[test]
fn a_folder_without_permission() {
    let dir = tempfile::tempdir().unwrap();
    let closed = dir.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::write(closed.join("runs"), "a file where a folder should be").unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    let run = init("p").dir(closed.join("runs")).start().unwrap();
    train(&run, 0, 10);
    let finished = run.finish();
    assert_eq!(
        finished.lost, 21,
        "ten rows of two points, and the environment"
    );
}

#[test]
fn what_was_said_last_is_true_in_the_segment_that_begins_anew() {
    let root = tempfile::tempdir().unwrap();
    let run = init("p").dir(root.path()).start().unwrap();
    let path = run.dir().unwrap().to_owned();
    for best in [1, 2, 1] {
        run.set_summary("best_epoch", best);
    }
    run.define(Definition::new("train/loss").maximize());
    run.define(Definition::new("train/loss").minimize());
    run.define(Definition::new("train/loss").summary(SummaryRule::Best));
    train(&run, 0, 100);
    wait_until("the summary", || {
        view(&path).summary().get("train/loss").is_some()
    });
    fs::remove_dir_all(&path).unwrap();
    wait_until("recovery", || {
        train(&run, 100, 1);
        path.join("rank-0.000001.log").exists()
    });
    run.finish();
    let v = view(&path);
    assert_eq!(v.summary()["best_epoch"], 1);
    assert_eq!(
        v.summary()["train/loss"],
        v.series_of("train/loss").unwrap().points()[0].value,
        "the lowest: it rises"
    );
}
