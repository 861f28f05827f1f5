//! 30 runs of the reference workload (`examples/defect-classifier`), as it would have recorded them over three days.

mod environment;
mod evaluation;
mod extras;
mod plan;
mod system;
mod tensors;
mod training;

use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::Result;

use plan::plans;
use training::Training;

const PROJECT: &str = "harbor-defect-classifier";

pub(crate) fn write(out: &Path, seed: u64, live: bool) -> Result<()> {
    let images = evaluation::Images::read()?;
    let mut plans = plans(seed);
    let last = plans.pop();
    for plan in &plans {
        Training::begin(out, plan, seed, &images)?.run_to_end()?;
    }
    let Some(last) = last else { return Ok(()) };
    let mut training = Training::begin(out, &last, seed, &images)?;
    if live {
        training.hold()?;
    }
    // The last run is under way: nobody ended it.
    training.run_for(0.4)?;
    println!("{} runs in {}", plans.len() + 1, out.display());
    while live && training.is_going_on() {
        training.step()?;
        training.flush()?;
        thread::sleep(Duration::from_millis(100));
    }
    training.flush()
}
