//! A server that never answers, and clocks that are wrong.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use cresset_record::{Outcome, Root, RunDir, RunView, State};
use cresset_run::init;

use super::{CRESSET, Server, assert_same, command, cresset, within};

/// This program again, as one that trains.
fn trainer(name: &str, dir: &Path) -> Command {
    let mut trainer = Command::new(std::env::current_exe().unwrap());
    let test = format!("trouble::{name}");
    trainer.args([&test, "--exact", "--include-ignored", "--nocapture"]);
    trainer.env("TROUBLE_DIR", dir).env_remove("CRESSET_TARGET");
    trainer.stdout(Stdio::null());
    trainer
}

fn count(folder: &str) -> usize {
    fs::read_dir(folder).unwrap().count()
}

/// Logs, and says how many threads and open files it has in the middle of it.
#[test]
#[ignore = "is started by another test"]
fn short_trainer() {
    let Some(dir) = std::env::var_os("TROUBLE_DIR") else {
        return;
    };
    let dir = PathBuf::from(dir);
    let run = init("silent").dir(&dir).id("one").start().unwrap();
    for step in 0..2000 {
        run.log(step, [("loss", 1.0 / (step + 1) as f64)]);
        thread::sleep(Duration::from_micros(500));
    }
    // What looks at the surroundings of the run ends by itself.
    let is_looking = || {
        let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
        let names =
            threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
        names
            .into_iter()
            .any(|name| name.starts_with("cresset-environ") || name.starts_with("cresset-command"))
    };
    assert!(within(30, || !is_looking()));
    let last = (count("/proc/self/task"), count("/proc/self/fd"));
    assert_eq!(run.finish().lost, 0);
    fs::write(dir.join("counts"), format!("{last:?}")).unwrap();
}

#[test]
fn a_server_that_never_answers_changes_nothing_for_who_trains() {
    let here = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    thread::spawn(move || {
        let mut kept = Vec::new();
        for connection in listener.incoming().flatten() {
            kept.push(connection);
            counted.store(kept.len(), Ordering::Relaxed);
        }
    });
    // Says its number, so that it can be ended: it would go on trying.
    let script = here.path().join("cresset");
    let pid = here.path().join("pid");
    let text = format!(
        "#!/bin/sh\necho $$ > '{}'\nexec '{CRESSET}' \"$@\"\n",
        pid.display()
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();

    let train = |name: &str, target: Option<&str>| {
        let dir = here.path().join(name);
        let mut trainer = trainer("short_trainer", &dir);
        trainer.env("CRESSET_BIN", &script);
        if let Some(target) = target {
            trainer.env("CRESSET_TARGET", target);
        }
        assert!(trainer.status().unwrap().success());
        let run = RunView::open(RunDir::new(dir.join("silent/one"))).unwrap();
        assert_eq!(run.state(), State::Finished);
        assert_eq!(run.series_of("loss").unwrap().points().len(), 2000);
        assert!(run.lost().is_empty() && run.alerts().is_empty());
        fs::read_to_string(dir.join("counts")).unwrap()
    };
    let alone = train("alone", None);
    let shipped = train("shipped", Some(&address));
    assert_eq!(shipped, alone, "threads and open files");
    // It was tried, and still is.
    let is_taken = || taken.load(Ordering::Relaxed) > 0;
    assert!(within(10, is_taken), "nobody came");
    let pid = fs::read_to_string(pid).unwrap();
    assert!(Path::new("/proc").join(pid.trim()).exists());
    Command::new("kill").arg(pid.trim()).status().unwrap();
}

/// Moves the clock of a process that has it preloaded, as `CLOCK_OFFSET` seconds say.
fn clock(folder: &Path) -> PathBuf {
    const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int said = real(clock, time);
    const char *offset = getenv("CLOCK_OFFSET");
    if (said == 0 && clock == CLOCK_REALTIME && offset) time->tv_sec += atol(offset);
    return said;
}
"#;
    let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
    fs::write(&source, SOURCE).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ldl");
    assert!(
        cc.status().unwrap().success(),
        "this test needs a C compiler"
    );
    library
}

/// Logs until somebody asks it to stop.
#[test]
#[ignore = "is started by another test"]
fn patient_trainer() {
    let Some(dir) = std::env::var_os("TROUBLE_DIR") else {
        return;
    };
    let run = init("clocks").dir(dir).id("one").start().unwrap();
    for step in 0..12_000 {
        run.log(step, [("loss", 1.0)]);
        if let Some(reason) = run.stop_requested() {
            return run.stop(reason);
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("nobody stopped the run");
}

struct Ends(Mutex<Child>);

impl Drop for Ends {
    fn drop(&mut self) {
        let child = self.0.get_mut().unwrap();
        let _ = (child.kill(), child.wait());
    }
}

fn hours_off(hours: i64) {
    let here = tempfile::tempdir().unwrap();
    let library = clock(here.path());
    let runs = here.path().join("runs");
    // Whichever of the two processes is the first.
    fs::create_dir(&runs).unwrap();
    let server = Server::start();
    let address = format!("http://127.0.0.1:{}", server.port);
    let skewed = |command: &mut Command| {
        let offset = (hours * 3600).to_string();
        command
            .env("LD_PRELOAD", &library)
            .env("CLOCK_OFFSET", offset);
    };
    let mut train = trainer("patient_trainer", &runs);
    skewed(&mut train);
    let train = Ends(Mutex::new(train.spawn().unwrap()));
    let mut sync = command(
        &runs,
        Some(&server.key),
        &["sync", "--watch", "--to", &address],
    );
    skewed(&mut sync);
    sync.stdout(Stdio::null()).stderr(Stdio::null());
    let mut sync = Ends(Mutex::new(sync.spawn().unwrap()));
    let there = || RunView::open(RunDir::new(server.dir.join("clocks/one")));
    let is_running = || {
        there().is_ok_and(|run| run.state() == State::Running && run.series_of("loss").is_some())
    };
    assert!(within(30, is_running), "the run does not appear");
    let start = there().unwrap().start().unwrap().time;
    let off = start.seconds_since(cresset_record::Timestamp::now()) / 3600.0;
    assert!(
        (off - hours as f64).abs() < 0.5,
        "the clock is {off} hours off"
    );

    // Whoever carries it dies: the writer holds its lease by the server's clock, and the run goes on where it was.
    sync.0.get_mut().unwrap().kill().unwrap();
    sync.0.get_mut().unwrap().wait().unwrap();
    let mut again = command(
        &runs,
        Some(&server.key),
        &["sync", "--watch", "--to", &address],
    );
    skewed(&mut again);
    again.stdout(Stdio::null()).stderr(Stdio::null());
    let _again = Ends(Mutex::new(again.spawn().unwrap()));
    let points = || {
        there().map_or(0, |run| {
            run.series_of("loss").map_or(0, |s| s.points().len())
        })
    };
    let known = points();
    assert!(within(30, || points() > known));
    assert_eq!(there().unwrap().state(), State::Running);

    let asked = cresset(&server.dir, None, &["stop", "one", "--reason", "enough"]);
    assert!(asked.status.success(), "{asked:?}");
    let has_ended = || train.0.lock().unwrap().try_wait().unwrap().is_some();
    assert!(within(30, has_ended), "the request did not reach the run");
    let stopped = State::of_run([(
        Some(&Outcome::Stopped {
            reason: "enough".into(),
        }),
        false,
    )]);
    let state = || there().ok().map(|run| run.state());
    assert!(within(30, || state() == stopped), "{:?}", state());
    assert_same(&Root::new(&runs), &server.root(), 1);
}

#[test]
fn a_clock_that_is_hours_late_changes_nothing() {
    hours_off(-5);
}

#[test]
fn a_clock_that_is_hours_early_changes_nothing() {
    hours_off(5);
}
