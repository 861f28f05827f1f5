//! What recording costs the thread that trains.
//!
//!     cargo test --release -p cresset-burn --test learner -- --ignored --nocapture cost

use std::time::{Duration, Instant};

use burn::optim::GradientsParams;
use burn::tensor::Device;
use cresset_burn::{Watch, Watcher, log_tensor};
use cresset_run::{Cadence, Run};

use crate::support::*;

const ROUNDS: usize = 9;
const STEPS: u64 = 150;

/// Processor time of the calling thread, by Linux's account of it.
fn thread_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = text.split(' ').next().unwrap().parse().unwrap();
    Duration::from_nanos(nanoseconds)
}

/// Processor time of this thread for some steps, wall time, and how many were observed.
fn train(watch: Option<(&Run, Cadence)>) -> (f64, f64, u64) {
    let device = Device::flex().autodiff();
    let (mut model, mut optim) = (Net::new(&device), adam());
    let mut watcher = watch.map(|(run, cadence)| Watcher::with(Watch::new(run).cadence(cadence)));
    let batch = Batch::new(0, 64, &device);
    let (began, cpu) = (Instant::now(), thread_time());
    for step in 0..STEPS {
        let loss = model.classify(batch.clone()).loss;
        let grads = GradientsParams::from_grads(loss.backward(), &model);
        let mut optimize = |model, grads| optim.step(0.01, model, grads);
        model = match (&mut watcher, watch) {
            (Some(watcher), Some((run, _))) => {
                log_tensor(run, step, "train/loss", loss);
                watcher.step(step, model, grads, optimize)
            }
            _ => optimize(model, grads),
        };
    }
    let times = (
        (thread_time() - cpu).as_secs_f64(),
        began.elapsed().as_secs_f64(),
    );
    (
        times.0,
        times.1,
        watcher.map_or(0, |watcher| watcher.account().observed),
    )
}

#[test]
#[ignore = "measures"]
fn cost() {
    recorded(|run, _| {
        train(None);
        let mut rows: [(&str, Vec<f64>, u64); 3] =
            ["off", "budget", "every step"].map(|n| (n, Vec::new(), 0));
        for _ in 0..ROUNDS {
            let cadences = [None, Some(Cadence::default()), Some(Cadence::Every(1))];
            for ((_, times, observed), cadence) in rows.iter_mut().zip(cadences) {
                let (thread, _, seen) = train(cadence.map(|cadence| (run, cadence)));
                times.push(thread * 1e6 / STEPS as f64);
                *observed += seen;
            }
        }
        for (name, times, observed) in &mut rows {
            times.sort_by(f64::total_cmp);
            let (least, median) = (times[0], times[ROUNDS / 2]);
            println!(
                "{name}: {median:.1} µs a step of the thread, least {least:.1}; {observed} observed"
            );
        }
    });
}
