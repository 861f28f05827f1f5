//! A process that logs 1,000 steps a second is killed at random moments.
#![cfg(unix)]

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cresset_record::{Root, RunDir, RunView, State};
use cresset_run::{Durability, init};

const CHILD: &str = "CRESSET_TEST_CRASH_CHILD";
const KILLS: u32 = 50;

/// Not a test of its own: the process that the others kill. It tells on stderr of each step that a log call has returned for.
#[test]
fn logger() {
    let Ok(mode) = std::env::var(CHILD) else {
        return;
    };
    let durability = if mode == "written" {
        Durability::Written
    } else {
        Durability::Buffered
    };
    let run = init("crash").durability(durability).start().unwrap();
    let [a, b] = ["train/loss", "train/lr"].map(|key| run.series(key));
    let began = Instant::now();
    let mut stderr = std::io::stderr();
    for step in 0u64.. {
        let now = began.elapsed().as_micros() as u64;
        a.log(step, now as f64);
        b.log(step, 0.5);
        let mut line = [0; 16];
        line[..8].copy_from_slice(&step.to_le_bytes());
        line[8..].copy_from_slice(&now.to_le_bytes());
        stderr.write_all(&line).unwrap();
        std::thread::sleep(
            Duration::from_micros((step + 1) * 1000).saturating_sub(began.elapsed()),
        );
    }
}

/// Kills the logger after `alive`; gives the acknowledged steps with their times in µs.
fn kill_after(dir: &Path, mode: &str, alive: Duration) -> Vec<(u64, u64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "logger", "--nocapture"])
        .env(CHILD, mode)
        .env("CRESSET_DIR", dir)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let mut told = vec![0; 16];
    stderr.read_exact(&mut told).unwrap();
    std::thread::sleep(alive);
    child.kill().unwrap();
    stderr.read_to_end(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    told.chunks_exact(16)
        .map(|line| (number(&line[..8]), number(&line[8..])))
        .collect()
}

/// The run, once nobody holds its lock. The logger asks `git` about the code: killed between the fork and the exec of such
/// a child, it leaves the lock to the child for that moment.
fn once_let_go(dir: &RunDir) -> RunView {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let view = RunView::open(dir.clone()).unwrap();
        if view.state() != State::Running || Instant::now() > deadline {
            return view;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The longest time, in ms, from the first lost step to the last acknowledged one.
fn worst_loss(mode: &str) -> f64 {
    let root = tempfile::tempdir().unwrap();
    let mut worst: f64 = 0.0;
    let mut random = 0x2545_F491_4F6C_DD1Du64;
    for kill in 0..KILLS {
        let dir = root.path().join(kill.to_string());
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let acknowledged = kill_after(&dir, mode, Duration::from_micros(random % 250_000));
        let runs = Root::new(&dir).runs().unwrap();
        let view = once_let_go(&runs[0]);
        assert_eq!(view.state(), State::Crashed);
        let points = view.series_of("train/loss").map_or(&[][..], |s| s.points());
        for (i, point) in points.iter().enumerate() {
            assert_eq!(point.step, i as u64, "no hole before the loss");
        }
        let (_, last) = acknowledged[acknowledged.len() - 1];
        if let Some(&(_, first_lost)) = acknowledged.get(points.len()) {
            worst = worst.max((last - first_lost) as f64 / 1e3 + 1.0);
        }
        let resumed = init("crash")
            .dir(&dir)
            .resume(runs[0].id_text())
            .start()
            .unwrap();
        resumed.log(1 << 40, [("after", 1.0)]);
        drop(resumed);
        let view = RunView::open(runs[0].clone()).unwrap();
        assert_eq!(view.state(), State::Finished);
        assert!(view.series_of("after").is_some());
    }
    worst
}

#[test]
fn buffered_loses_five_milliseconds_at_most() {
    let worst = worst_loss("buffered");
    println!("{KILLS} kills, worst loss {worst:.1} ms");
    assert!(worst <= 5.0, "{worst} ms of steps were lost");
}

#[test]
fn written_loses_nothing() {
    assert_eq!(worst_loss("written"), 0.0);
}
