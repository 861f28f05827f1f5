//! What a run takes up that has everything on: telemetry, and shipping by a process beside it.

use std::fs;
use std::path::Path;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cresset_benches::{Budget, Figures, PeakMemory, finish, status_mib};

use crate::{Server, five, trainer};

/// How long it goes on, at a thousand calls of five values a second.
const TIME: Duration = Duration::from_secs(15);

/// Measures in a process of its own.
pub(crate) fn measure(program: &Path, figures: &mut Figures) -> Result<()> {
    let server = Server::start(program)?;
    let [own, beside] = trainer(program, &server, &["--loaded"])?;
    let name = "memory added with telemetry and shipping, in the program that trains";
    figures.add(name.into(), own, "MiB", Budget::AtMost(16.0));
    let name = "the same, with the process that ships";
    figures.note(name.into(), own + beside, "MiB");
    Ok(())
}

/// The process that trains: MiB that it added, and MiB of the process that ships for it.
pub(crate) fn train(dir: &Path, address: &str) -> Result<[f64; 2]> {
    let memory = PeakMemory::begin().context("the system does not tell memory")?;
    let run = cresset::init("memory").dir(dir).ship_to(address).start()?;
    let series = five(&run);
    let began = Instant::now();
    for step in 0.. {
        let now = began.elapsed();
        if now > TIME {
            break;
        }
        thread::sleep(Duration::from_millis(step).saturating_sub(now));
        run.log(
            step,
            series.each_ref().map(|series| (series, now.as_secs_f64())),
        );
    }
    let own = memory.added_mib().context("the system does not tell")?;
    let shippers = children()?;
    ensure!(shippers.len() == 1, "{} processes ship", shippers.len());
    let beside = status_mib(shippers[0], "VmHWM:").context("the system does not tell")?;
    finish(run)?;
    Ok([own, beside])
}

/// Processes that this one has started, by whichever thread.
fn children() -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for task in fs::read_dir(format!("/proc/{}/task", process::id()))? {
        let children = fs::read_to_string(task?.path().join("children"))?;
        found.extend(
            children
                .split_whitespace()
                .filter_map(|id| id.parse::<u32>().ok()),
        );
    }
    Ok(found)
}
