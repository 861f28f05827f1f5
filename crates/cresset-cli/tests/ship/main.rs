//! `cresset sync` and `cresset serve`, as processes that are killed and a network that fails: in the end the server has each run once, frame
//! for frame.

mod blobs;
mod proxy;
mod selection;
#[cfg(target_os = "linux")]
mod trouble;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cresset_record::{Batch, Follower, Record, Root, RunDir, RunView, State};
use cresset_run::{Durability, Image, Run, init};
use proxy::Proxy;
use tempfile::TempDir;

const CRESSET: &str = env!("CARGO_BIN_EXE_cresset");

/// A server with a key, at a port that stays its own.
struct Server {
    dir: PathBuf,
    /// Where that is, unless it is elsewhere.
    _own: Option<TempDir>,
    key: String,
    port: u16,
    process: Option<Child>,
}

impl Server {
    fn start() -> Self {
        let own = tempfile::tempdir().unwrap();
        Self::start_in(own.path().to_owned(), Some(own))
    }

    fn start_in(dir: PathBuf, own: Option<TempDir>) -> Self {
        let made = cresset(&dir, None, &["key", "create", "team", "--role", "write"]);
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut server = Self {
            dir,
            _own: own,
            key: String::from_utf8(made.stdout).unwrap().trim().to_owned(),
            port: free.local_addr().unwrap().port(),
            process: None,
        };
        drop(free);
        server.begin();
        server
    }

    fn begin(&mut self) {
        let address = format!("127.0.0.1:{}", self.port);
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.dir.join("log"));
        let mut serve = Command::new(CRESSET);
        serve
            .arg("--dir")
            .arg(&self.dir)
            .args(["serve", "--bind", &address]);
        serve.stdout(Stdio::null()).stderr(log.unwrap());
        self.process = Some(serve.spawn().unwrap());
        let is_up = || TcpStream::connect(&address).is_ok();
        assert!(within(20, is_up), "the server does not listen");
    }

    fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    fn root(&self) -> Root {
        Root::new(&self.dir)
    }

    /// How many pieces of logs it was sent.
    fn pieces(&self) -> u64 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let key = &self.key;
        let head = format!(
            "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n",
            self.port
        );
        stream.write_all(head.as_bytes()).unwrap();
        let answer = std::io::read_to_string(stream).unwrap();
        let counts = answer.lines().filter(|line| {
            line.starts_with("cresset_http_requests_total")
                && line.contains("/intake/{rank}/{index}")
        });
        let counts = counts.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap());
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        counts.sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn within(seconds: u64, is_so: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < deadline {
        if is_so() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    is_so()
}

fn command(dir: &Path, key: Option<&str>, arguments: &[&str]) -> Command {
    let mut command = Command::new(CRESSET);
    command.arg("--dir").arg(dir).args(arguments);
    command
        .env_remove("CRESSET_TARGET")
        .env("XDG_CONFIG_HOME", dir.join("config"));
    match key {
        Some(key) => command.env("CRESSET_API_KEY", key),
        None => command.env_remove("CRESSET_API_KEY"),
    };
    command
}

fn cresset(dir: &Path, key: Option<&str>, arguments: &[&str]) -> Output {
    command(dir, key, arguments).output().unwrap()
}

/// By rank and number.
type Frames = BTreeMap<(u32, u64), Vec<Record>>;

/// What a run's log says, by writer and frame; and its blobs.
fn content(run: &RunDir) -> (Frames, Vec<PathBuf>) {
    let mut follower = Follower::new(run.clone());
    let mut frames = BTreeMap::new();
    while let Some(Batch {
        rank,
        sequence,
        records,
        ..
    }) = follower.next_batch().unwrap()
    {
        let earlier = frames.insert((rank.0, sequence), records);
        assert!(earlier.is_none(), "frame {sequence} of {rank} came twice");
    }
    let mut blobs = Vec::new();
    let mut folders = vec![run.path().join("blobs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                // What a kill left half written has no digest for a name.
                false if entry.file_name().to_string_lossy().starts_with(".tmp-") => {}
                false => blobs.push(entry.path().strip_prefix(run.path()).unwrap().to_owned()),
            }
        }
    }
    blobs.sort();
    (frames, blobs)
}

fn assert_same(here: &Root, there: &Root, runs: usize) {
    let sent = here.runs().unwrap();
    assert_eq!((sent.len(), there.runs().unwrap().len()), (runs, runs));
    for run in sent {
        let project = run.path().parent().unwrap().file_name().unwrap();
        let arrived = RunDir::new(there.path().join(project).join(run.id_text()));
        let (sent, arrived) = (content(&run), content(&arrived));
        assert!(!sent.0.is_empty());
        assert_eq!(sent.0.len(), arrived.0.len(), "frames of {}", run.id_text());
        assert_eq!(sent, arrived);
    }
}

/// Logs for a while, now and then an image.
fn train(run: &Run, seed: u64, time: Duration) {
    let mut dice = fastrand::Rng::with_seed(seed);
    let loss = run.series("train/loss");
    let until = Instant::now() + time;
    let mut step = 0;
    while Instant::now() < until {
        for _ in 0..dice.u64(1..200) {
            loss.log(step, dice.f64());
            step += 1;
        }
        if dice.u8(..8) == 0 {
            let pixels: Vec<u8> = std::iter::repeat_with(|| dice.u8(..))
                .take(3 * 64 * 64)
                .collect();
            let image = Image::from_hwc_u8(pixels, 64, 64, 3).unwrap();
            run.log_value(step, "sample", image);
        }
        thread::sleep(Duration::from_millis(dice.u64(1..60)));
    }
}

#[test]
fn twenty_writers_through_kills_and_a_network_that_fails() {
    let seed = std::env::var("CRESSET_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(7);
    println!("CRESSET_SEED={seed} repeats this");
    let mut dice = fastrand::Rng::with_seed(seed);
    let here = tempfile::tempdir().unwrap();
    let mut server = Server::start();
    let proxy = Proxy::start(server.port, seed);
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let key = server.key.clone();
    let watch = || {
        let mut watch = command(
            here.path(),
            Some(&key),
            &["sync", "--watch", "--to", &address],
        );
        watch
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut sender = watch();
    let writers: Vec<_> = (0..20)
        .map(|number| {
            let dir = here.path().to_owned();
            let time = Duration::from_secs(8);
            thread::spawn(move || {
                let run = init("chaos")
                    .dir(dir)
                    .id(format!("run-{number}"))
                    .start()
                    .unwrap();
                train(&run, number, time);
                run.finish().lost
            })
        })
        .collect();
    while writers.iter().any(|writer| !writer.is_finished()) {
        thread::sleep(Duration::from_millis(dice.u64(100..700)));
        match dice.u8(..3) {
            0 => {
                server.kill();
                thread::sleep(Duration::from_millis(dice.u64(..500)));
                server.begin();
            }
            1 => {
                sender.kill().unwrap();
                sender.wait().unwrap();
                sender = watch();
            }
            _ => {
                proxy.mute(true);
                thread::sleep(Duration::from_millis(dice.u64(..800)));
                proxy.mute(false);
            }
        }
    }
    for writer in writers {
        assert_eq!(writer.join().unwrap(), 0);
    }
    sender.kill().unwrap();
    sender.wait().unwrap();
    proxy.calm_down();
    let synced = cresset(here.path(), Some(&key), &["sync", "--to", &address]);
    assert!(synced.status.success(), "{synced:?}");
    let (cut, repeated) = proxy.counts();
    assert!(
        cut > 5 && repeated > 5,
        "{cut} cut, {repeated} repeated: too calm to prove anything"
    );
    assert_same(&Root::new(here.path()), &server.root(), 20);
    let nothing = cresset(here.path(), Some(&key), &["sync", "--to", &address]);
    assert!(String::from_utf8_lossy(&nothing.stdout).contains("nothing was missing"));
    server.kill();
    let checked = cresset(&server.dir, None, &["index", "check"]);
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn a_run_is_shipped_live_stopped_from_there_and_carried_to_its_end() {
    let here = tempfile::tempdir().unwrap();
    let server = Server::start();
    let address = format!("http://127.0.0.1:{}", server.port);
    let mut trainer = Command::new(std::env::current_exe().unwrap());
    trainer.args(["trainer", "--exact", "--include-ignored", "--nocapture"]);
    trainer
        .env("SHIP_TRAINER", here.path())
        .env("CRESSET_BIN", CRESSET);
    trainer
        .env("CRESSET_TARGET", &address)
        .env("CRESSET_API_KEY", &server.key);
    let mut trainer = trainer.spawn().unwrap();
    let there = || RunDir::new(server.dir.join("live/followed"));
    let is_live = || {
        RunView::open(there())
            .is_ok_and(|run| run.state() == State::Running && run.series_of("loss").is_some())
    };
    assert!(within(20, is_live), "the run does not appear at the server");
    let stopped = cresset(
        &server.dir,
        None,
        &["stop", "followed", "--reason", "seen enough"],
    );
    assert!(stopped.status.success(), "{stopped:?}");
    assert!(trainer.wait().unwrap().success());
    let state = || RunView::open(there()).unwrap().state();
    assert!(within(20, || state() == State::Finished), "{:?}", state());
    assert_same(&Root::new(here.path()), &server.root(), 1);
}

/// The program of the test above.
#[test]
#[ignore = "is started by another test"]
fn trainer() {
    let Some(dir) = std::env::var_os("SHIP_TRAINER") else {
        return;
    };
    let run = init("live").dir(dir).id("followed").start().unwrap();
    let begun = Instant::now();
    for step in 0.. {
        run.log(step, [("loss", 1.0 / step as f64)]);
        if let Some(reason) = run.stop_requested() {
            return assert_eq!(reason, "seen enough");
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "nobody stopped the run"
        );
        thread::sleep(Duration::from_millis(5));
    }
}

/// Each piece is a request, and the log is synchronised for it: what comes meanwhile goes with the next look, a fifth of a second later.
#[test]
fn a_run_that_writes_all_the_time_is_carried_with_few_requests() {
    let here = tempfile::tempdir().unwrap();
    let server = Server::start();
    let address = format!("http://127.0.0.1:{}", server.port);
    let run = init("busy").dir(here.path()).id("busy");
    let run = run.durability(Durability::Written).start().unwrap();
    let (key, sync) = (Some(server.key.as_str()), ["sync", "--to", &address]);
    let mut watch = command(here.path(), key, &sync);
    let mut watch = watch.arg("--watch").stdout(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    for step in 0..2_000 {
        run.log(step, [("loss", 1.0)]);
        // Slower than a sender carries, faster than it looks.
        thread::sleep(Duration::from_micros(500));
    }
    watch.kill().unwrap();
    watch.wait().unwrap();
    let looks = begun.elapsed().as_millis() as u64 / 200;
    let pieces = server.pieces();
    assert!(
        (1..=looks + 2).contains(&pieces),
        "{pieces} pieces in {looks} looks"
    );
    run.finish();
    let rest = cresset(here.path(), key, &sync);
    assert!(rest.status.success(), "{rest:?}");
    assert_same(&Root::new(here.path()), &server.root(), 1);
}

#[test]
fn a_server_that_was_restored_from_a_backup_gets_the_rest_again() {
    let (here, away) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut server = Server::start();
    let address = format!("http://127.0.0.1:{}", server.port);
    let key = server.key.clone();
    let record = |id: &str| {
        let run = init("p").dir(here.path()).id(id).start().unwrap();
        train(&run, 7, Duration::from_millis(200));
        assert!(run.finish_within(Duration::from_secs(20)).complete);
    };
    let sync = |more: &[&str]| {
        let arguments = [&["sync", "--to", &address], more].concat();
        let synced = cresset(here.path(), Some(&key), &arguments);
        assert!(synced.status.success(), "{synced:?}");
    };
    record("before");
    sync(&[]);
    let backups = away.path().to_str().unwrap();
    let made = cresset(&server.dir, None, &["backup", "create", backups]);
    assert!(made.status.success(), "{made:?}");
    record("after");
    sync(&[]);
    assert_same(&Root::new(here.path()), &server.root(), 2);
    // The disk of the server is gone; its users have the keys that they had.
    server.kill();
    let backup = fs::read_dir(away.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let restored = server.dir.join("restored");
    let arguments = [
        "backup",
        "restore",
        backup.to_str().unwrap(),
        restored.to_str().unwrap(),
    ];
    let done = cresset(away.path(), None, &arguments);
    assert!(done.status.success(), "{done:?}");
    server.dir = restored;
    server.begin();
    sync(&[]);
    assert_eq!(server.root().runs().unwrap().len(), 1);
    sync(&["--again"]);
    assert_same(&Root::new(here.path()), &server.root(), 2);
}

#[test]
fn what_is_wrong_is_said() {
    let here = tempfile::tempdir().unwrap();
    let run = init("clear").dir(here.path()).id("one").start().unwrap();
    run.log(0, [("loss", 1.0)]);
    run.finish();
    let server = Server::start();
    let address = format!("http://127.0.0.1:{}", server.port);
    let sync = |key: Option<&str>, to: &str| {
        let arguments = ["sync", "--patience", "1", "--to", to];
        let output = cresset(here.path(), key, &arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    };
    let (code, said) = sync(None, &address);
    assert!(code == Some(1) && said.contains("needs a key"), "{said}");
    let (code, said) = sync(Some("crs_wrong"), &address);
    assert!(code == Some(1) && said.contains("no such key"), "{said}");
    let (code, said) = sync(None, "ftp://example.org");
    assert!(
        code == Some(2) && said.contains("no place where runs can go"),
        "{said}"
    );
    let read = cresset(
        &server.dir,
        None,
        &["key", "create", "eyes", "--role", "read"],
    );
    let read = String::from_utf8(read.stdout).unwrap();
    let (code, said) = sync(Some(read.trim()), &address);
    assert!(code == Some(1) && said.contains("403"), "{said}");
    // Nobody listens at this port.
    let (code, said) = sync(Some(&server.key), "http://127.0.0.1:9");
    assert!(code == Some(1) && said.contains("again in"), "{said}");
    let nowhere = cresset(here.path(), None, &["sync"]);
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("where to?"));
    // After all that, the run goes whole.
    assert_eq!(sync(Some(&server.key), &address).0, Some(0));
    assert_same(&Root::new(here.path()), &server.root(), 1);
}

/// A small file system, unmounted at the end. Needs root, as CI has; a skipped test would prove nothing.
#[cfg(target_os = "linux")]
struct Tmpfs(TempDir);

#[cfg(target_os = "linux")]
impl Tmpfs {
    fn new(size: &str) -> Self {
        let tmpfs = Self(tempfile::tempdir().unwrap());
        assert!(
            tmpfs.mount(&format!("size={size}")),
            "this test mounts a small tmpfs: run it as root, or in `unshare --user --map-root-user --mount`"
        );
        tmpfs
    }

    fn mount(&self, options: &str) -> bool {
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(self.0.path());
        mount.status().is_ok_and(|status| status.success())
    }
}

#[cfg(target_os = "linux")]
impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_at_the_server_delays_and_loses_nothing() {
    let here = tempfile::tempdir().unwrap();
    let run = init("full").dir(here.path()).id("large").start().unwrap();
    let loss = run.series("loss");
    let mut dice = fastrand::Rng::with_seed(1);
    for step in 0..300_000 {
        loss.log(step, dice.f64());
        if step % 1000 == 0 {
            thread::sleep(Duration::from_millis(2));
        }
    }
    let image = Image::from_hwc_u8(vec![7; 3 << 16], 256, 256, 3).unwrap();
    run.log_value(0, "image", image);
    assert_eq!(run.finish().lost, 0);

    let disk = Tmpfs::new("1500k");
    let server = Server::start_in(disk.0.path().to_owned(), None);
    let address = format!("http://127.0.0.1:{}", server.port);
    let arguments = ["sync", "--patience", "3", "--to", &address];
    let output = cresset(here.path(), Some(&server.key), &arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("disk is full"),
        "{said}"
    );
    assert!(disk.mount("remount,size=64m"));
    let output = cresset(here.path(), Some(&server.key), &["sync", "--to", &address]);
    assert!(output.status.success(), "{output:?}");
    assert_same(&Root::new(here.path()), &server.root(), 1);
}
