//! Runs another program with a limit on its time and its output.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// A program that has closed its output is asked so soon whether it has ended, then less and less often.
const FIRST_POLL: Duration = Duration::from_micros(50);
const LONGEST_POLL: Duration = Duration::from_millis(2);

/// What a program wrote on its standard output.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) bytes: Vec<u8>,
    /// Whether it wrote more than the limit.
    pub(super) cut: bool,
}

/// The first `limit` bytes that a program writes, if it succeeds before the deadline; it is killed otherwise.
///
/// It has no input, and its error output goes nowhere.
pub(super) fn output(command: &mut Command, limit: usize, deadline: Instant) -> Option<Output> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let result = read_and_wait(&mut child, limit, deadline);
    if result.is_none() || result.as_ref().is_some_and(|output| output.cut) {
        // It may have ended on its own by now, which is as good.
        let _ = child.kill();
        let _ = child.wait();
    }
    result
}

fn read_and_wait(child: &mut Child, limit: usize, deadline: Instant) -> Option<Output> {
    let stdout = child.stdout.take()?;
    let (sender, answer) = mpsc::channel();
    // Left behind, not joined, if a grandchild keeps the output open.
    thread::Builder::new()
        .name("cresset-command".into())
        .spawn(move || {
            let mut bytes = Vec::new();
            let read = stdout.take(limit as u64 + 1).read_to_end(&mut bytes);
            let _ = sender.send(read.ok().map(|_| bytes));
        })
        .ok()?;
    let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
    let mut bytes = answer.recv_timeout(left(deadline)).ok()??;
    let cut = bytes.len() > limit;
    bytes.truncate(limit);
    if cut {
        return Some(Output { bytes, cut });
    }
    let mut poll = FIRST_POLL;
    loop {
        match child.try_wait().ok()? {
            Some(status) => return status.success().then_some(Output { bytes, cut }),
            None if left(deadline).is_zero() => return None,
            None => thread::sleep(poll),
        }
        poll = (poll * 2).min(LONGEST_POLL);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, limit: usize, wait: Duration) -> Option<Output> {
        let deadline = Instant::now() + wait;
        output(Command::new("sh").args(["-c", script]), limit, deadline)
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn output_is_bounded() {
        let whole = shell("printf abc", 3, LONG).unwrap();
        assert_eq!((whole.bytes.as_slice(), whole.cut), (&b"abc"[..], false));
        let cut = shell("yes", 1000, LONG).unwrap();
        assert_eq!((cut.bytes.len(), cut.cut), (1000, true));
    }

    #[test]
    fn failure_and_absence_give_nothing() {
        assert!(shell("printf abc; exit 3", 10, LONG).is_none());
        let mut missing = Command::new("/nonexistent/program");
        assert!(output(&mut missing, 10, Instant::now() + LONG).is_none());
    }

    #[test]
    fn a_program_that_hangs_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        // The second would also hang after closing its output.
        for (name, close) in [("open", ""), ("closed", "exec >&-;")] {
            let mark = folder.path().join(name);
            let script = format!("echo $$ > {}; {close} exec sleep 600", mark.display());
            assert!(shell(&script, 10, Duration::from_secs(1)).is_none());
            let process = std::fs::read_to_string(&mark).unwrap_or_default();
            if process.is_empty() {
                continue; // killed before it could say who it is
            }
            let process = std::path::Path::new("/proc").join(process.trim());
            assert!(
                !process.join("stat").is_file(),
                "{name} goes on as {process:?}"
            );
        }
    }
}
