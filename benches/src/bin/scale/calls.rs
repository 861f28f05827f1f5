//! The cost of a call.

use std::thread;

use anyhow::Result;
use cresset_benches::{Curve, finish, median, thread_cpu_seconds};
use cresset_run::{Run, Series};

use crate::start;

/// Values that are logged at each size, so many times over.
const VALUES: u64 = 500_000;
const ROUNDS: usize = 5;

/// With the keys of one call.
pub(crate) fn by_keys_of_a_call() -> Result<Curve> {
    let mut curve = Curve::new("a value, logged by handles", "keys of a call", "ns");
    for keys in [1, 5, 20, 100, 500, 1000] {
        let dir = tempfile::tempdir()?;
        let run = start(dir.path())?;
        let series = series(&run, keys);
        let steps = VALUES / keys;
        let cost = cost_of(ROUNDS, |round| {
            for step in 0..steps {
                run.log(round * steps + step, row(&series, step));
            }
            steps * keys
        });
        finish(run)?;
        curve.push(keys as f64, cost);
    }
    Ok(curve)
}

/// With the keys that a run has; each call is of another five of them.
pub(crate) fn by_keys_of_a_run(most: u64) -> Result<Curve> {
    let mut curve = Curve::new("a call of 5 values, logged by keys", "keys of a run", "ns");
    let sizes = [10, 100, 1000, 10_000, 100_000];
    for keys in sizes.into_iter().filter(|keys| *keys <= most) {
        let dir = tempfile::tempdir()?;
        let run = start(dir.path())?;
        let names: Vec<String> = (0..keys).map(|i| format!("train/value-{i}")).collect();
        let calls = VALUES.max(keys) / 5;
        let mut step = 0;
        let mut log = |calls: u64| {
            for names in names.chunks_exact(5).cycle().take(calls as usize) {
                run.log(step, names.iter().map(|name| (name.as_str(), step as f64)));
                step += 1;
            }
            calls
        };
        // Each key once, so that all are known.
        log(keys / 5);
        let cost = cost_of(ROUNDS, |_| log(calls));
        finish(run)?;
        curve.push(keys as f64, cost);
    }
    Ok(curve)
}

/// With the threads that log at once, each to five series of its own.
pub(crate) fn by_threads() -> Result<Curve> {
    let mut curve = Curve::new("a call of 5 values, logged by handles", "threads", "ns");
    for threads in [1, 2, 4, 8, 16] {
        let dir = tempfile::tempdir()?;
        let run = start(dir.path())?;
        let calls = VALUES / 5;
        let train = |thread: u64| {
            let series: Vec<Series> = (0..5)
                .map(|i| run.series(&format!("thread-{thread}/value-{i}")))
                .collect();
            cost_of(ROUNDS, |round| {
                for step in 0..calls {
                    run.log(round * calls + step, row(&series, step));
                }
                calls
            })
        };
        let train = &train;
        let mut costs: Vec<f64> = thread::scope(|scope| {
            let spawned = (0..threads).map(|thread| scope.spawn(move || train(thread)));
            // All of them, before the first is waited for.
            let spawned: Vec<_> = spawned.collect();
            spawned.into_iter().filter_map(|t| t.join().ok()).collect()
        });
        anyhow::ensure!(costs.len() as u64 == threads, "a thread has panicked");
        finish(run)?;
        curve.push(threads as f64, median(&mut costs));
    }
    Ok(curve)
}

fn series(run: &Run, keys: u64) -> Vec<Series> {
    (0..keys)
        .map(|i| run.series(&format!("train/value-{i}")))
        .collect()
}

fn row(series: &[Series], step: u64) -> impl Iterator<Item = (&Series, f64)> {
    let value = 1.0 / (1.0 + step as f64);
    series.iter().zip((0..).map(move |i| value + f64::from(i)))
}

/// The calling thread's processor time for one of what `work` says it did, in ns: the median over the rounds.
fn cost_of(rounds: usize, mut work: impl FnMut(u64) -> u64) -> f64 {
    let mut costs: Vec<f64> = (0..rounds as u64)
        .map(|round| {
            let began = thread_cpu_seconds();
            let done = work(round);
            (thread_cpu_seconds() - began) * 1e9 / done as f64
        })
        .collect();
    median(&mut costs)
}
