//! One writer a rank: the second is told who the first is, and a writer that dies lets go.

mod common;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use cresset_record::*;

const FOLDER: &str = "CRESSET_TEST_LOCK_FOLDER";

/// Not a test of its own: what a second process does in the tests below.
#[test]
#[ignore = "run by the other tests in a process of its own"]
fn hold_the_lock_until_told() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let dir = RunDir::new(folder);
    let holder = Holder {
        pid: std::process::id(),
        host: "box".into(),
        since: Timestamp(1),
    };
    let _lock = WriterLock::acquire(&dir, Rank(0), &holder).unwrap();
    println!("held");
    // The test lets go of the pipe or kills us.
    let _ = std::io::stdin().read(&mut [0]);
}

/// A process that holds the lock.
fn other_process(folder: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "hold_the_lock_until_told",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    assert!(output.lines().any(|line| line.unwrap().ends_with("held")));
    child
}

fn me() -> Holder {
    Holder {
        pid: std::process::id(),
        host: "here".into(),
        since: Timestamp(2),
    }
}

#[test]
fn the_second_process_is_told_who_is_the_first() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path().join("my-run"));
    std::fs::create_dir(dir.path()).unwrap();
    assert!(!is_live(&dir, Rank(0)));
    let mut child = other_process(dir.path());
    assert!(is_live(&dir, Rank(0)));
    let error = WriterLock::acquire(&dir, Rank(0), &me()).unwrap_err();
    let pid = child.id();
    assert_eq!(
        error.to_string(),
        format!(
            "run my-run (rank 0) is already being written by process {pid} on box; \
             wait for it to end, choose another run id, or declare ranks"
        )
    );
    let LockError::Held {
        holder: Some(holder),
        ..
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(
        holder,
        Holder {
            pid,
            host: "box".into(),
            since: Timestamp(1)
        }
    );
    WriterLock::acquire(&dir, Rank(1), &me()).expect("another rank has a lock of its own");

    drop(child.stdin.take());
    child.wait().unwrap();
    assert!(!is_live(&dir, Rank(0)));
    WriterLock::acquire(&dir, Rank(0), &me()).unwrap();
}

#[test]
fn a_killed_process_lets_go() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    let mut child = other_process(dir.path());
    let mut log = LogWriter::create(&dir, Rank(0)).unwrap();
    common::append(&mut log, &[common::samples::start(0)]);
    let mut view = RunView::open(dir.clone()).unwrap();
    assert_eq!(view.state(), State::Running);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!is_live(&dir, Rank(0)));
    view.refresh().unwrap();
    assert_eq!(view.state(), State::Crashed);
    let mine = WriterLock::acquire(&dir, Rank(0), &me()).unwrap();
    view.refresh().unwrap();
    assert_eq!(view.state(), State::Running, "somebody took it up again");
    drop(mine);
}

#[test]
fn two_runs_of_one_process_exclude_each_other_too() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    let first = WriterLock::acquire(&dir, Rank(0), &me()).unwrap();
    let error = WriterLock::acquire(&dir, Rank(0), &me()).unwrap_err();
    assert!(matches!(error, LockError::Held { holder: Some(holder), .. } if holder == me()));
    drop(first);
    WriterLock::acquire(&dir, Rank(0), &me()).unwrap();
}

/// Readers that look whether a writer lives hold the lock for a moment.
#[test]
fn readers_do_not_keep_a_writer_out() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    drop(WriterLock::acquire(&dir, Rank(0), &me()).unwrap());
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let _ = is_live(&dir, Rank(0));
                }
            });
        }
        for _ in 0..50 {
            WriterLock::acquire(&dir, Rank(0), &me()).unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_lock_file_that_says_nothing_is_still_a_lock() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    let _first = WriterLock::acquire(&dir, Rank(0), &me()).unwrap();
    std::fs::write(dir.lock(Rank(0)), b"{\"pid\": \"no").unwrap();
    let error = WriterLock::acquire(&dir, Rank(0), &me()).unwrap_err();
    assert!(error.to_string().contains("by another process;"), "{error}");
}
