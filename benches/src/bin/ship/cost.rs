//! What shipping costs the thread that trains: the same loop with and without, in turns, by that thread's own processor time.

use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use cresset_benches::{Budget, Figures, finish, median, thread_cpu_seconds};
use cresset_run::{Run, init};

use crate::{Server, five, trainer};

/// Calls of a turn, five values each. So many that what a run pays once (its buffers grow while the sender synchronises its own files, about
/// 80 µs in all) is no part of the cost of a call.
const CALLS: u64 = 60_000;

/// Measures in a process of its own.
pub(crate) fn measure(program: &Path, turns: usize, figures: &mut Figures) -> Result<()> {
    let server = Server::start(program)?;
    let [alone, shipped] = trainer(program, &server, &["--turns", &turns.to_string()])?;
    figures.note("a call of `log`, not shipped".into(), alone, "ns");
    figures.note("the same, shipped meanwhile".into(), shipped, "ns");
    let budget = Budget::AtMost(1.1);
    figures.add("the one over the other".into(), shipped / alone, "", budget);
    Ok(())
}

/// The process that trains: nanoseconds of a call without and with shipping.
pub(crate) fn train(dir: &Path, turns: usize, address: &str) -> Result<[f64; 2]> {
    let mut costs = [Vec::new(), Vec::new()];
    for turn in 0..2 * turns {
        let is_shipped = turn % 2 == 1;
        let mut run = init("cost").dir(dir).id(format!("turn-{turn}"));
        if is_shipped {
            run = run.ship_to(address);
        }
        let run = run.start()?;
        // What begins a run is no part of it.
        thread::sleep(Duration::from_millis(300));
        costs[usize::from(is_shipped)].push(log(&run));
        finish(run)?;
    }
    Ok(costs.map(|mut costs| median(&mut costs)))
}

/// Logs as a fast loop does; nanoseconds a call.
fn log(run: &Run) -> f64 {
    let series = five(run);
    let began = thread_cpu_seconds();
    let mut slept = 0.0;
    for step in 0..CALLS {
        let value = 1.0 / (1.0 + step as f64);
        run.log(step, series.each_ref().map(|series| (series, value)));
        if step % 100 == 99 {
            // About 20,000 calls a second, so that what is logged is shipped meanwhile.
            let before = thread_cpu_seconds();
            thread::sleep(Duration::from_millis(5));
            slept += thread_cpu_seconds() - before;
        }
    }
    (thread_cpu_seconds() - began - slept) / CALLS as f64 * 1e9
}
