//! The fleet for less than a minute, as a test: what must hold whatever the machine, and the rest only told.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use cresset_benches::percentile;
use cresset_record::Root;

use crate::fleet::{self, Fleet};
use crate::{RUNS, Server, memory_mib, processor_seconds};

const TIME: Duration = Duration::from_secs(30);
/// A machine that is busy with other things makes all of it late; one that never gets there is wrong.
const LAG: f64 = 60.0;
/// Memory must not grow with what has passed: by this at most from a third of the time to its end.
const GROWTH_MIB: f64 = 48.0;

/// Ships a thousand runs for half a minute: each arrives once, byte for byte, and memory stays what it was.
pub(crate) fn run(program: &Path) -> Result<()> {
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
    let missing = || fleet::missing(&root, server.dir.path());
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
    fleet::assert_same(&root, server.dir.path())?;

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
