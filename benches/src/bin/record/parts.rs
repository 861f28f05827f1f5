//! The measurements of Cresset itself, each for a process of its own.

use std::fmt;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::ValueEnum;
use cresset_benches::{PeakMemory, finish, percentile, process_cpu_seconds, thread_cpu_seconds};
use cresset_record::{Root, RunView};
use cresset_run::{Durability, Image, Overflow, Run, Series, init};

use crate::crash;
use crate::figures::{Figures, bytes_in, medians, of_process};
use crate::workplace::Workplace;

/// Five series, as a training has them; the peers log the same.
const KEYS: [&str; 5] = [
    "train/loss",
    "train/accuracy",
    "train/grad_norm",
    "optim/lr",
    "perf/tokens_per_s",
];
const STEPS: u64 = 20_000;
/// No call waits that long: every point is kept, none dropped.
const PATIENT: Overflow = Overflow::Wait(Duration::from_secs(60));

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Calls by handles: latency, memory, and bytes on disk of noisy values.
    Scalars,
    /// Calls by keys.
    Keys,
    /// Bytes on disk of values that were `f32`.
    Narrow,
    /// Calls at 1,000 a second: latency and bytes on disk when the writer sleeps in between.
    Paced,
    /// Calls that return when the value is written.
    Written,
    /// Points a second of processor time, all threads counted, until everything is on the disk.
    Throughput,
    /// Images of 64×64 pixels.
    Images,
    /// Histograms of a million values.
    Histograms,
    /// The beginning and the end of a run of 100 points.
    Short,
    /// Calls when nothing is recorded.
    Disabled,
    /// For [`crash`]: logs until it is killed.
    Killed,
    /// As [`Self::Killed`], each call returning when the value is written.
    KilledWritten,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value()
            .map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

impl Part {
    /// Those that end by themselves.
    pub(crate) const ALL: [Self; 10] = [
        Self::Scalars,
        Self::Keys,
        Self::Narrow,
        Self::Paced,
        Self::Written,
        Self::Throughput,
        Self::Images,
        Self::Histograms,
        Self::Short,
        Self::Disabled,
    ];

    /// Takes the measurement in several processes; the names of the figures begin with the part's.
    pub(crate) fn repeat(self, workplace: &Workplace, repetitions: usize) -> Result<Figures> {
        let runs = (0..repetitions)
            .map(|_| self.once(workplace))
            .collect::<Result<Vec<_>>>()?;
        let named = medians(&runs)
            .into_iter()
            .map(|(name, value)| (format!("{self}.{name}"), value));
        Ok(named.collect())
    }

    fn once(self, workplace: &Workplace) -> Result<Figures> {
        let folder = workplace.fresh_folder()?;
        let dir = folder.path();
        let mut figures = of_process(&mut workplace.process(self, dir))?;
        if let Some(points) = figures.remove("points") {
            let found = points_in(dir)?;
            ensure!(
                found == points,
                "{points} points were logged, {found} are there"
            );
            figures.insert("bytes_per_point".into(), bytes_in(dir)? as f64 / points);
        }
        if self == Self::Short {
            // Its program is in memory by now and its folders are there.
            let again = of_process(&mut workplace.process(self, dir))?;
            // The program in this project's `target`: what surrounds the run is then a git repository.
            let mut here = Command::new(std::env::current_exe()?);
            here.args(["--part", &self.to_string(), "--dir"]).arg(dir);
            for (prefix, more) in [("again", again), ("git", of_process(&mut here)?)] {
                figures.extend(
                    more.into_iter()
                        .map(|(name, value)| (format!("{prefix}_{name}"), value)),
                );
            }
        }
        Ok(figures)
    }

    /// Takes the measurement in this process.
    pub(crate) fn measure(self, dir: &Path) -> Result<Figures> {
        match self {
            Self::Scalars => scalars(dir, wide, Durability::Buffered),
            Self::Narrow => scalars(dir, narrow, Durability::Buffered),
            Self::Written => scalars(dir, wide, Durability::Written),
            Self::Keys => keys(dir),
            Self::Paced => paced(dir),
            Self::Throughput => throughput(dir),
            Self::Images => images(dir),
            Self::Histograms => histograms(dir),
            Self::Short => short(dir),
            Self::Disabled => disabled(),
            Self::Killed => crash::log_until_killed(dir, Durability::Buffered),
            Self::KilledWritten => crash::log_until_killed(dir, Durability::Written),
        }
    }
}

/// How many points a reader finds in the one run of a folder.
fn points_in(dir: &Path) -> Result<f64> {
    let runs = Root::new(dir).runs()?;
    ensure!(runs.len() == 1, "{} runs", runs.len());
    let view = RunView::open(runs[0].clone())?;
    let points = KEYS.map(|key| view.series_of(key).map_or(0, |s| s.points().len()));
    Ok(points.iter().sum::<usize>() as f64)
}

fn start(dir: &Path, durability: Durability) -> Result<(Run, [Series; 5])> {
    let run = init("bench")
        .dir(dir)
        .durability(durability)
        .overflow(PATIENT)
        .start()?;
    let series = KEYS.map(|key| run.series(key));
    Ok((run, series))
}

fn figures<const N: usize>(named: [(&str, f64); N]) -> Figures {
    named.map(|(name, value)| (name.to_owned(), value)).into()
}

fn latencies(prefix: &str, ns: &mut [f64]) -> Figures {
    figures([
        (&format!("{prefix}_p50_us"), percentile(ns, 0.5) / 1e3),
        (&format!("{prefix}_p99_us"), percentile(ns, 0.99) / 1e3),
    ])
}

/// How long each of `n` calls takes, in ns; what a call is given is made before its clock starts.
fn time_calls<T>(ns: &mut Vec<f64>, n: u64, make: impl Fn(u64) -> T, mut call: impl FnMut(u64, T)) {
    for step in 0..n {
        let given = make(step);
        let began = Instant::now();
        call(step, given);
        ns.push(began.elapsed().as_nanos() as f64);
    }
}

/// Room for so many times, its memory touched, so that it does not count as the recorder's.
fn touched(n: u64) -> Vec<f64> {
    let mut ns = vec![1.0; n as usize];
    black_box(&mut ns).clear();
    ns
}

/// 4,096 values in [0, 1), by a xorshift generator.
fn pool() -> Vec<f64> {
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    std::iter::repeat_with(next).take(4096).collect()
}

/// Noise over a slope, with all 52 bits of the mantissa in use.
fn wide(pool: &[f64], step: u64) -> [f64; 5] {
    std::array::from_fn(|j| pool[(step as usize * 5 + j) % pool.len()] + step as f64 * 1e-3)
}

/// The same, computed in `f32` as most losses are.
fn narrow(pool: &[f64], step: u64) -> [f64; 5] {
    wide(pool, step).map(|value| f64::from(value as f32))
}

fn row(series: &[Series; 5], values: [f64; 5]) -> [(&Series, f64); 5] {
    std::array::from_fn(|i| (&series[i], values[i]))
}

fn scalars(
    dir: &Path,
    values: fn(&[f64], u64) -> [f64; 5],
    durability: Durability,
) -> Result<Figures> {
    let pool = pool();
    let mut ns = touched(STEPS);
    let memory = PeakMemory::begin();
    let (run, series) = start(dir, durability)?;
    let cpu = thread_cpu_seconds();
    time_calls(
        &mut ns,
        STEPS,
        |step| row(&series, values(&pool, step)),
        |step, row| run.log(step, row),
    );
    let cpu = (thread_cpu_seconds() - cpu) / STEPS as f64;
    finish(run)?;
    let mut found = figures([("points", STEPS as f64 * 5.0), ("call_cpu_us", cpu * 1e6)]);
    if let Some(mib) = memory.and_then(|memory| memory.added_mib()) {
        found.insert("memory_mib".into(), mib);
    }
    found.extend(latencies("call", &mut ns));
    Ok(found)
}

fn keys(dir: &Path) -> Result<Figures> {
    let pool = pool();
    let mut ns = touched(STEPS);
    let (run, _) = start(dir, Durability::Buffered)?;
    time_calls(
        &mut ns,
        STEPS,
        |step| {
            let values = wide(&pool, step);
            std::array::from_fn::<_, 5, _>(|i| (KEYS[i], values[i]))
        },
        |step, row| run.log(step, row),
    );
    finish(run)?;
    Ok(latencies("call", &mut ns))
}

fn paced(dir: &Path) -> Result<Figures> {
    const STEPS: u64 = 3_000;
    let pool = pool();
    let mut ns = touched(STEPS);
    let (run, series) = start(dir, Durability::Buffered)?;
    let began = Instant::now();
    time_calls(
        &mut ns,
        STEPS,
        |step| {
            let due = Duration::from_millis(step);
            std::thread::sleep(due.saturating_sub(began.elapsed()));
            row(&series, wide(&pool, step))
        },
        |step, row| run.log(step, row),
    );
    finish(run)?;
    let mut found = latencies("call", &mut ns);
    found.insert("points".into(), STEPS as f64 * 5.0);
    Ok(found)
}

fn throughput(dir: &Path) -> Result<Figures> {
    const STEPS: u64 = 2_000_000;
    let pool = pool();
    let (run, series) = start(dir, Durability::Buffered)?;
    let (wall, cpu) = (Instant::now(), process_cpu_seconds());
    for step in 0..STEPS {
        run.log(step, row(&series, wide(&pool, step)));
    }
    finish(run)?;
    let points = STEPS as f64 * 5.0;
    Ok(figures([
        ("points_per_cpu_s", points / (process_cpu_seconds() - cpu)),
        ("points_per_s", points / wall.elapsed().as_secs_f64()),
    ]))
}

fn images(dir: &Path) -> Result<Figures> {
    const IMAGES: u64 = 500;
    let (run, series) = start(dir, Durability::Buffered)?;
    let pool = pool();
    let mut ns = touched(IMAGES);
    let (mut broken, key) = (None, &series[0]);
    time_calls(
        &mut ns,
        IMAGES,
        |step| {
            let pixel = |i: usize| (pool[(step as usize * 31 + i * 7) % pool.len()] * 256.0) as u8;
            (0..64 * 64 * 3).map(pixel).collect::<Vec<u8>>()
        },
        |step, pixels| match Image::from_hwc_u8(pixels, 64, 64, 3) {
            Ok(image) => run.log_value(step, key, image),
            Err(e) => broken = Some(e),
        },
    );
    if let Some(e) = broken {
        return Err(e.into());
    }
    finish(run)?;
    Ok(latencies("image", &mut ns))
}

fn histograms(dir: &Path) -> Result<Figures> {
    const CALLS: usize = 200;
    let (run, series) = start(dir, Durability::Buffered)?;
    let values = normal(1_000_000);
    let mut times: Vec<f64> = (0..CALLS)
        .map(|step| {
            let began = thread_cpu_seconds();
            run.log_histogram(step as u64, &series[0], black_box(&values[..]));
            (thread_cpu_seconds() - began) * 1e3
        })
        .collect();
    finish(run)?;
    Ok(figures([("histogram_ms", percentile(&mut times, 0.5))]))
}

/// Normal values by the Box-Muller transform.
fn normal(n: usize) -> Vec<f32> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    };
    (0..n)
        .map(|_| {
            ((-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()) as f32
        })
        .collect()
}

fn short(dir: &Path) -> Result<Figures> {
    let pool = pool();
    let began = Instant::now();
    let (run, series) = start(dir, Durability::Buffered)?;
    run.log(0, row(&series, wide(&pool, 0)));
    let started = began.elapsed();
    for step in 1..20 {
        run.log(step, row(&series, wide(&pool, step)));
    }
    let began = Instant::now();
    finish(run)?;
    Ok(figures([
        ("start_ms", started.as_secs_f64() * 1e3),
        ("finish_ms", began.elapsed().as_secs_f64() * 1e3),
    ]))
}

fn disabled() -> Result<Figures> {
    const CALLS: u64 = 20_000_000;
    let run = init("bench").disabled(true).start()?;
    let series = KEYS.map(|key| run.series(key));
    let [one, ..] = &series;
    let price = |call: &dyn Fn(u64)| {
        let cpu = thread_cpu_seconds();
        call(CALLS);
        (thread_cpu_seconds() - cpu) / CALLS as f64 * 1e9
    };
    let handle = price(&|calls| {
        for step in 0..calls {
            black_box(one).log(black_box(step), black_box(0.5));
        }
    });
    let rows = price(&|calls| {
        for step in 0..calls {
            black_box(&run).log(black_box(step), row(&series, black_box([0.5; 5])));
        }
    });
    Ok(figures([("handle_ns", handle), ("row_ns", rows)]))
}
