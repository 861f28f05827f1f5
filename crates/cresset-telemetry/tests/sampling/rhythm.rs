//! When samples are taken, and what they cost.

use std::time::Duration;

use cresset_record::{Rank, RunDir};

use crate::fake::{Fake, finish};

/// Keeps all cores busy for a while.
fn busy<T>(work: impl FnOnce() -> T) -> T {
    let stop = std::sync::atomic::AtomicBool::new(false);
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    std::hint::black_box((0..1000u64).sum::<u64>());
                }
            });
        }
        let result = work();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        result
    })
}

#[test]
fn samples_do_not_drift_while_all_cores_are_busy() {
    let fake = Fake::new("device\nname A\nuuid GPU-0\npower 1000\n");
    let recorded = busy(|| fake.record(|r| r.values("system/host/memory_used").len() >= 30));
    let series = recorded.view.series_of("system/host/memory_used").unwrap();
    let times: Vec<f64> = series
        .points()
        .iter()
        .map(|p| p.time.seconds_since(series.points()[0].time))
        .collect();
    let late: f64 = recorded.values("system/telemetry/late").iter().sum();
    let missed: f64 = recorded.values("system/telemetry/missed").iter().sum();
    // The last sample is that of the end, at any time.
    let on_grid = &times[..times.len() - 1];
    let last = on_grid[on_grid.len() - 1];
    let expected = (on_grid.len() - 1) as f64 / 10.0 + missed / 10.0;
    // However late single samples are, and they say so, the grid stays where it was.
    let slack = 0.05 + late.max(0.1);
    assert!(
        (last - expected).abs() < slack,
        "{last} {expected} {late} {missed}"
    );
}

/// Processor time of the threads of telemetry in this process, in seconds.
pub(crate) fn cpu_of_telemetry() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks
        .filter_map(|task| {
            let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
            let stat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            let ours = ["cresset-telemet", "cresset-gpu"].contains(&name.trim());
            let nanoseconds: f64 = stat.split_whitespace().next()?.parse().ok()?;
            ours.then_some(nanoseconds / 1e9)
        })
        .sum()
}

fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<f64>()
        .unwrap()
        * 4096.0
}

/// Prints what telemetry costs with eight GPUs that offer everything: run with `--nocapture`. Takes half a minute.
#[test]
#[ignore = "a measurement"]
fn cost_with_eight_gpus() {
    const SECONDS: f64 = 30.0;
    let card = "device\nname H100\nuuid GPU-N\nutilization 97,41 96,40 95,42\nmemory 85899345920,42949672960\ntemperature 61\n\
        power 412345 423456\npower_limit 700000\nenergy 1000000\nclock_sm 1755\nclock_sm_max 1980\nclock_memory 2619\nthrottle 0\n\
        ecc_corrected 0\necc_uncorrected 0\nprocesses self:10737418240\nprocess_utilization self:90\n\
        gpm 55.5,30.25,20,44,3,2,1,0.5\nxid 0\n";
    let script: String = (0..8)
        .map(|i| card.replace("GPU-N", &format!("GPU-{i}")))
        .collect();
    let fake = Fake::new(&script);
    // What a run costs by itself is not telemetry's.
    drop(crate::fake::start(cresset_telemetry::Telemetry::off()));
    let before = resident();
    let run = fake.run_with(|t| t.rate(1.0));
    std::thread::sleep(Duration::from_secs(3));
    let segment = RunDir::new(run.dir().unwrap()).segment(Rank(0), 0);
    let written = || std::fs::metadata(&segment).map_or(0, |m| m.len());
    let (begun, bytes) = (cpu_of_telemetry(), written());
    std::thread::sleep(Duration::from_secs_f64(SECONDS));
    let spent = cpu_of_telemetry() - begun;
    let bytes = written() - bytes;
    let memory = resident() - before;
    let points = finish(run).keys("system/").len();
    println!(
        "8 GPUs, 1 Hz: {:.4} % of one core, {:.2} MiB with the run's own, {points} series, {:.0} bytes of log a second",
        100.0 * spent / SECONDS,
        memory / 1_048_576.0,
        bytes as f64 / SECONDS
    );
    assert!(spent / SECONDS < 0.005, "{spent} s of {SECONDS} s");
}
