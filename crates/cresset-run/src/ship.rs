//! Ships a run while it goes on, by `cresset sync` in a process of its own: no network comes into the program that trains, and what is
//! left when that ends is carried all the same.

use std::env;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::process::{Command, Stdio};

use cresset_record::{Root, RunDir, is_live};
use serde_json::Value as Json;

use crate::run::Run;

/// The command, where it is not the `cresset` that the system finds.
const PROGRAM: &str = "CRESSET_BIN";

/// Starts to ship a run to these places; not on the thread that trains. What goes wrong is said, and costs nothing else.
pub(crate) fn begin(run: &Run, root: &Root, dir: &RunDir, places: &[String]) {
    let program = env::var_os(PROGRAM).filter(|program| !program.is_empty());
    let program = program.unwrap_or_else(|| OsString::from("cresset"));
    if let Err(error) = start(&program, root, dir, places) {
        let title = format!("the run is not shipped while it goes on: {error}");
        let text = format!(
            "Nothing is lost: `cresset sync` carries it later. `{}` could not be started; install it with `cargo install \
             cresset-cli`, or set {PROGRAM} to its path.",
            program.display()
        );
        run.warn(title, text);
    }
    let left = left_behind(root, dir);
    if left > 0 {
        let runs = if left == 1 { "run is" } else { "runs are" };
        eprintln!(
            "cresset: {left} earlier {runs} not carried to the end; `cresset sync` does that"
        );
    }
}

fn start(program: &OsString, root: &Root, dir: &RunDir, places: &[String]) -> io::Result<()> {
    let log = dir.path().join("ship.log");
    let log = OpenOptions::new().create(true).append(true).open(log)?;
    let mut sync = Command::new(program);
    sync.arg("--dir")
        .arg(root.path())
        .arg("sync")
        .arg(dir.path())
        .arg("--watch");
    for place in places {
        sync.arg("--to").arg(place);
    }
    // Away from this program's interrupts, so that it can carry what comes last.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut sync, 0);
    // It ends by itself, after the run.
    let spawned = sync
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    spawned.map(drop)
}

/// Runs beside this one that began to be carried, have ended, and are not all there.
fn left_behind(root: &Root, dir: &RunDir) -> usize {
    let runs = root.runs().unwrap_or_default().into_iter();
    runs.filter(|run| run.path() != dir.path() && is_left(run))
        .count()
}

fn is_left(run: &RunDir) -> bool {
    let files = fs::read_dir(run.path()).into_iter().flatten().flatten();
    let mut ledgers = files.filter(|file| {
        let name = file.file_name();
        let name = name.to_string_lossy();
        name.starts_with("ship-") && name.ends_with(".json")
    });
    let is_open = ledgers.any(|file| {
        let read = fs::read(file.path()).unwrap_or_default();
        let ledger: Json = serde_json::from_slice(&read).unwrap_or_default();
        ledger["is_done"] == false
    });
    let segments = || run.segments().unwrap_or_default();
    is_open && !segments().into_iter().any(|(rank, _)| is_live(run, rank))
}
