//! The fleet for less than a minute, as a test: what must hold whatever the machine, and the rest only told.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cresset_benches::percentile;
use cresset_record::{Rank, Root, RunDir};

use crate::fleet::{self, Fleet};
use crate::{RUNS, Server, memory_mib, processor_seconds};

const TIME: Duration = Duration::from_secs(30);
/// A machine that is busy with other things makes all of it late; one that never gets there is wrong.
const LAG: f64 = 60.0;
/// Memory must not grow with what has passed: by this at most from a third of the time to its end.
const GROWTH_MIB: f64 = 48.0;

/// Ships a thousand runs for half a minute: each arrives once, byte for byte, and memory stays what it was.
#[test]
#[ignore = "takes most of a minute and both cores; `cargo xtask test` runs it by itself"]
fn a_thousand_runs_arrive_once() -> Result<()> {
    let program = env::var_os("CRESSET_PROGRAM").map(PathBuf::from);
    let program = &program.context("CRESSET_PROGRAM is to be the path of the `cresset` command")?;
    let here = tempfile::tempdir()?;
    let root = Root::new(here.path());
    let server = Server::start(program)?;
    let mut fleet = Fleet::begin(&root, RUNS)?;
    let mut sync = server.sync(program, here.path(), &["--watch"]).spawn()?;
    let processes = [("server", server.process.id()), ("sender", sync.id())];
    let watch = fleet.watch(server.dir.path(), 25);
    fleet.log_for(TIME / 3)?;
    let before = memory(processes)?;
    fleet.log_for(TIME / 3 * 2)?;
    let after = memory(processes)?;
    fleet.end()?;
    let deadline = Instant::now() + Duration::from_secs_f64(LAG);
    let missing = || missing_runs(&root, server.dir.path());
    while missing()? > 0 {
        ensure!(
            Instant::now() < deadline,
            "{} of {RUNS} runs are not there after {LAG} s",
            missing()?
        );
        thread::sleep(Duration::from_millis(200));
    }
    let mut lags = watch.end()?;
    let [server_took, sender_took] = processes.map(|(_, id)| processor_seconds(id));
    let took = [server_took?, sender_took?];
    sync.kill()?;
    sync.wait()?;
    assert_same(&root, server.dir.path())?;

    let (median, p99) = (percentile(&mut lags, 0.5), percentile(&mut lags, 0.99));
    println!(
        "{RUNS} runs × 10 points/s for {} s, each once and byte for byte",
        TIME.as_secs()
    );
    println!("lag: median {median:.2} s, p99 {p99:.2} s");
    for (((name, _), took), (before, after)) in processes
        .into_iter()
        .zip(took)
        .zip(before.into_iter().zip(after))
    {
        println!("{name}: {before:.0} MiB, then {after:.0} MiB; {took:.1} s of processor");
        let grown = after - before;
        ensure!(
            grown < GROWTH_MIB,
            "the {name}'s memory grew by {grown:.0} MiB"
        );
    }
    ensure!(p99 < LAG, "points are {p99:.0} s late");
    Ok(())
}

fn memory(processes: [(&str, u32); 2]) -> Result<[f64; 2]> {
    let [server, sender] = processes.map(|(_, id)| memory_mib(id));
    Ok([server?, sender?])
}

/// How many of the runs here the server does not have all of.
fn missing_runs(here: &Root, server: &Path) -> Result<usize> {
    let mut missing = 0;
    for run in here.runs()? {
        let length = |path: PathBuf| fs::metadata(path).map_or(0, |data| data.len());
        let sent = length(run.segment(Rank(0), 0));
        missing += usize::from(length(arrived(server, &run).segment(Rank(0), 0)) < sent);
    }
    Ok(missing)
}

/// Holds the server's logs against those here, byte for byte.
fn assert_same(here: &Root, server: &Path) -> Result<()> {
    for run in here.runs()? {
        let there = arrived(server, &run);
        let segments = run.segments()?;
        ensure!(
            there.segments()? == segments,
            "segments of {}",
            run.id_text()
        );
        for (rank, index) in segments {
            let sent = fs::read(run.segment(rank, index))?;
            let found = fs::read(there.segment(rank, index))?;
            ensure!(sent == found, "{} is another at the server", run.id_text());
        }
    }
    Ok(())
}

fn arrived(server: &Path, run: &RunDir) -> RunDir {
    RunDir::new(server.join(fleet::PROJECT).join(run.id_text()))
}
