//! On a terminal of our own: what `watch` draws, and that it leaves the terminal as it was.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use cresset_record::Outcome;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::command::Project;
use crate::fixture::{Log, start};

/// What a terminal is told on the way into and out of the alternate screen.
const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?1049l";
/// Long enough for the busiest machine; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal, the command that runs on it, and all that it has written.
struct Session {
    keyboard: File,
    terminal: OwnedFd,
    child: Child,
    output: Receiver<Vec<u8>>,
    seen: String,
}

impl Session {
    fn start(project: &Project, arguments: &[&str]) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap();
        let open = || {
            let path = name.to_str().unwrap();
            OwnedFd::from(File::options().read(true).write(true).open(path).unwrap())
        };
        let terminal = open();
        let size = Winsize {
            ws_row: 30,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&terminal, size).unwrap();
        let child = project
            .command(arguments)
            .stdin(Stdio::from(open()))
            .stdout(Stdio::from(open()))
            .stderr(Stdio::from(open()))
            .spawn()
            .unwrap();
        let mut screen = File::from(controller.try_clone().unwrap());
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Ends with the last holder of the terminal.
            while let Ok(n @ 1..) = screen.read(&mut bytes) {
                if sender.send(bytes[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            keyboard: File::from(controller),
            terminal,
            child,
            output,
            seen: String::new(),
        }
    }

    /// Waits until the text was written to the terminal after what was waited for before.
    #[track_caller]
    fn wait_for(&mut self, text: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.seen += &String::from_utf8_lossy(&bytes),
                Err(_) => panic!("no {text:?} in {:?}", self.seen),
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// Lines are edited and keys echoed, as in a shell.
    fn is_cooked(&self) -> bool {
        let modes = tcgetattr(self.terminal.as_fd()).unwrap().local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Waits for the end of the command.
    fn end(mut self) -> ExitStatus {
        self.wait_for(LEAVE);
        let status = self.child.wait().unwrap();
        assert!(self.is_cooked(), "the terminal was left raw");
        status
    }
}

impl Drop for Session {
    /// A test that failed leaves no process behind.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A live run, and a command that watches it.
fn watching() -> (Project, Log, Session) {
    let project = Project::new();
    let mut log = Log::begin(&project.root(), start("live", "radiant-buoy-1"));
    log.step(0, &[("train/loss", 2.0), ("val/auc", 0.5)]);
    log.flush();
    let mut session = Session::start(&project, &["watch"]);
    session.wait_for(ENTER);
    session.wait_for("running");
    assert!(!session.is_cooked());
    (project, log, session)
}

#[test]
fn watch_follows_reacts_to_keys_and_leaves() {
    let (_project, mut log, mut session) = watching();
    log.step(1234, &[("train/loss", 1.5)]);
    log.flush();
    session.wait_for("1,234");
    session.press("/val");
    session.wait_for("enter keeps");
    session.press("\r");
    session.press("?");
    // Only cells that changed are written: words, not sentences.
    session.wait_for("logarithmic");
    session.press("xq");
    assert_eq!(session.end().code(), Some(0));
    log.end(1.0, Outcome::Finished);
}

#[test]
fn watch_leaves_the_terminal_as_it_was_when_told_to_end() {
    use std::os::unix::process::ExitStatusExt;
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let (_project, log, session) = watching();
        session.signal(signal);
        let status = session.end();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status}");
        drop(log);
    }
    let (_project, _log, mut session) = watching();
    session.press("\x03");
    assert_eq!(session.end().code(), Some(0));
}

#[test]
fn a_table_is_cut_to_the_terminal_and_has_colour() {
    let project = Project::new();
    let name = "a-name-that-is-so-long-that-no-terminal-of-a-hundred-columns-has-room-for-all-of-it-and-more";
    Log::begin(&project.root(), start("done", name)).end(1.0, Outcome::Finished);
    let mut session = Session::start(&project, &["runs"]);
    session.wait_for("…");
    session.wait_for("\x1b[36m✓ finished\x1b[0m");
    assert_eq!(session.child.wait().unwrap().code(), Some(0));
}

#[test]
fn sync_shows_how_far_it_is_and_leaves_only_lines() {
    let project = Project::new();
    Log::begin(&project.root(), start("done", "radiant-buoy-1")).end(1.0, Outcome::Finished);
    // Nobody listens at this port.
    let place = ["--to", "http://127.0.0.1:9"];
    let arguments = [&["sync", "--patience", "1"][..], &place].concat();
    let mut session = Session::start(&project, &arguments);
    session.wait_for("of log, 0 frames, ");
    session.wait_for("127.0.0.1:9");
    session.wait_for("not carried to the end");
    assert_eq!(session.child.wait().unwrap().code(), Some(1));
}
