//! What shipping costs the thread that trains: the same loop with and without, in turns, by that thread's own processor time. Whatever
//! else uses the machine costs it something, too: a third turn has other work beside it, and no shipping.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use cresset_benches::{Budget, Figures, finish, median, thread_cpu_seconds};
use cresset_run::{Run, init};

use crate::{Server, five, trainer};

/// Calls of a turn, five values each. So many that what a run pays once is no part of the cost of a call.
const CALLS: u64 = 60_000;
/// Other work computes this long, then sleeps as long.
const BUSY: Duration = Duration::from_millis(5);

/// Measures in a process of its own.
pub(crate) fn measure(program: &Path, turns: usize, figures: &mut Figures) -> Result<()> {
    let server = Server::start(program)?;
    let [alone, shipped, beside] = trainer(program, &server, &["--turns", &turns.to_string()])?;
    figures.note("a call of `log`, not shipped".into(), alone, "ns");
    figures.note("the same, shipped meanwhile".into(), shipped, "ns");
    let budget = Budget::AtMost(1.1);
    figures.add("the one over the other".into(), shipped / alone, "", budget);
    let name = "not shipped, other work on the machine half of the time";
    figures.note(name.into(), beside, "ns");
    Ok(())
}

/// The process that trains: nanoseconds of a call without shipping, with it, and without it beside other work.
pub(crate) fn train(dir: &Path, turns: usize, address: &str) -> Result<[f64; 3]> {
    let mut costs = [Vec::new(), Vec::new(), Vec::new()];
    for turn in 0..3 * turns {
        let kind = turn % 3;
        let mut run = init("cost").dir(dir).id(format!("turn-{turn}"));
        if kind == 1 {
            run = run.ship_to(address);
        }
        let run = run.start()?;
        // What begins a run is no part of it.
        thread::sleep(Duration::from_millis(300));
        costs[kind].push(match kind {
            2 => beside_other_work(|| log(&run)),
            _ => log(&run),
        });
        finish(run)?;
    }
    Ok(costs.map(|mut costs| median(&mut costs)))
}

fn beside_other_work<T>(work: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let began = Instant::now();
                while began.elapsed() < BUSY {}
                thread::sleep(BUSY);
            }
        });
        let result = work();
        is_over.store(true, Ordering::Relaxed);
        result
    })
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
