//! How the cost of recording grows: with keys, threads, parameters that are watched, and the length of a run.
//!
//! `cargo xtask bench scale`, or `cargo run --release -p cresset-benches --bin scale -- [--quick] [--json FILE]`
//!
//! Costs are processor time of the threads that train. How the index and its answers grow is measured by `store`.

mod calls;
mod length;
mod parameters;

use std::path::PathBuf;
use std::process::{Command, exit};
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use cresset_benches::Figures;
use cresset_run::{Overflow, Run};

#[derive(Parser)]
#[command(about = "Measures how the cost of recording grows")]
struct Options {
    /// Also writes the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A tenth of the sizes, for a first look.
    #[arg(long)]
    quick: bool,
}

/// Read by candle once, before anything is computed.
const THREADS: &str = "CANDLE_NUM_THREADS";

fn main() -> Result<()> {
    if std::env::var_os(THREADS).is_none() {
        let mut again = Command::new(std::env::current_exe()?);
        again.args(std::env::args_os().skip(1)).env(THREADS, "1");
        exit(again.status()?.code().unwrap_or(1));
    }
    let options = Options::parse();
    let shrink = if options.quick { 10 } else { 1 };
    let mut figures = Figures::default();
    // First, while nothing else has touched memory.
    figures.draw(length::measure(24 / shrink)?);
    figures.draw(calls::by_keys_of_a_call()?);
    figures.draw(calls::by_keys_of_a_run(100_000 / shrink)?);
    figures.draw(calls::by_threads()?);
    // Parallel parts of a step run on the pool's one thread, so that is where to train.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    for curve in pool.install(|| parameters::measure(100_000_000 / shrink))? {
        figures.draw(curve);
    }
    figures.show(options.json.as_deref())
}

/// A run that loses nothing: no call waits that long.
fn start(dir: &std::path::Path) -> Result<Run> {
    let run = cresset_run::init("scale")
        .dir(dir)
        .overflow(Overflow::Wait(Duration::from_secs(60)));
    Ok(run.start()?)
}
