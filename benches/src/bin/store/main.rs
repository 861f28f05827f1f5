//! What the index of runs costs and how fast it answers.
//!
//! `cargo run --release -p cresset-benches --bin store -- [--quick] [--json FILE]`
//!
//! Indexing is measured by processor time, reading the logs included; charts in a process of their own that has never
//! opened the index before (the file is in the system's cache), by wall time, the least of a few.
#![expect(
    clippy::print_stdout,
    reason = "what a benchmark prints is what it is for"
)]

mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use cresset_benches::{PeakMemory, process_cpu_seconds};
use cresset_record::{
    End, FrameBuilder, Key, KeyId, LogWriter, Outcome, Project, Rank, Record, Root, Row, RunId,
    Start, Timestamp,
};
use cresset_store::{Axis, ChartQuery, RankChoice, Store};
use serde_json::{Map, Value, json};

#[derive(Parser)]
#[command(about = "Measures the index of runs")]
struct Options {
    /// Also writes the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A tenth of the points, for a first look.
    #[arg(long)]
    quick: bool,
    /// Answers one chart from the index in this folder, in this process.
    #[arg(long, hide = true)]
    chart: Option<PathBuf>,
    #[arg(long, hide = true, default_value = "")]
    axis: String,
    /// Only so many of the first steps, but for a few.
    #[arg(long, hide = true)]
    zoom: Option<u64>,
}

/// Steps and series of the runs that are indexed.
const SERIES: u32 = 50;
const STEPS: u64 = 100_000;
/// Points of the long series.
const LONG: u64 = 10_000_000;
/// Runs of the wide chart, and their points.
const RUNS: u64 = 100;
const RUN_STEPS: u64 = 10_000;
const BUCKETS: usize = 1000;
/// Runs of the table.
const TABLE: u64 = 10_000;
/// Processes that are started for one chart.
const TRIES: usize = 5;

fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(folder) = &options.chart {
        return answer(folder, &options.axis, options.zoom);
    }
    let shrink = if options.quick { 10 } else { 1 };
    let mut figures = Map::new();
    for kind in [Kind::Noisy, Kind::Single, Kind::Smooth] {
        index(kind, STEPS / shrink, &mut figures)?;
    }
    long(LONG / shrink, &mut figures)?;
    wide(&mut figures)?;
    table::measure(TABLE / shrink, &mut figures)?;
    for (name, value) in &figures {
        println!("{name:<76}{value:>9}");
    }
    if let Some(path) = &options.json {
        fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(())
}

/// What values look like.
#[derive(Clone, Copy)]
enum Kind {
    /// A decay with noise in every digit.
    Noisy,
    /// The same out of an `f32`, as losses are.
    Single,
    /// A decay without noise out of an `f32`, as schedules and running means are.
    Smooth,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Noisy => "noisy f64",
            Self::Single => "noisy f32",
            Self::Smooth => "smooth f32",
        }
    }

    fn value(self, step: u64, series: u32, random: &mut u64) -> f64 {
        *random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let noise = (*random >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
        let curve = (-(step as f64) / 3e4).exp() * (1.0 + f64::from(series));
        match self {
            Self::Noisy => curve * (1.0 + 0.1 * noise),
            Self::Single => f64::from((curve * (1.0 + 0.1 * noise)) as f32),
            Self::Smooth => f64::from(curve as f32),
        }
    }
}

fn project() -> Result<Project> {
    Ok(Project::try_from("bench".to_owned())?)
}

/// Writes a finished run; a frame holds 20 rows, as the recorder makes of a loop of a thousand steps a second.
fn write(root: &Root, id: &str, series: u32, steps: u64, kind: Kind) -> Result<()> {
    let run = RunId::try_from(id.to_owned())?;
    let dir = root.run(&project()?, &run);
    fs::create_dir_all(dir.path())?;
    let mut log = LogWriter::create(&dir, Rank(0))?;
    let mut frame = FrameBuilder::default();
    let start = Timestamp(1_700_000_000_000_000);
    frame.push(&Record::Start(Box::new(Start {
        run,
        project: project()?,
        name: id.to_owned(),
        rank: Rank(0),
        world_size: None,
        time: start,
        group: None,
        job_type: None,
        tags: Vec::new(),
        notes: String::new(),
        config: Map::new(),
        cresset_version: "0.1.0".into(),
    })))?;
    for id in 0..series {
        let key = Key::new(&format!("train/series-{id:03}"))?;
        frame.push(&Record::Key { id: KeyId(id), key })?;
    }
    log.append(&mut frame)?;
    let mut random = 7u64;
    let mut time = start.0;
    for batch in 0..steps.div_ceil(20) {
        let rows = (batch * 20..steps.min(batch * 20 + 20)).map(|step| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            time += 1000 + (random >> 54) as i64;
            Row {
                step,
                time: Timestamp(time),
                points: (0..series)
                    .map(|s| (KeyId(s), kind.value(step, s, &mut random)))
                    .collect(),
            }
        });
        frame.push(&Record::Rows(rows.collect()))?;
        log.append(&mut frame)?;
    }
    frame.push(&Record::End(End {
        time: Timestamp(time),
        outcome: Outcome::Finished,
    }))?;
    log.append(&mut frame)?;
    Ok(())
}

/// Indexes the folder; gives points, processor seconds and bytes at rest.
fn measure_index(folder: &Path) -> Result<(u64, f64, u64)> {
    let cpu = process_cpu_seconds();
    let store = Store::open(Root::new(folder))?;
    let refreshed = store.refresh()?;
    ensure!(
        refreshed.refused.is_empty(),
        "refused: {:?}",
        refreshed.refused
    );
    let cpu = process_cpu_seconds() - cpu;
    // The last connection to close folds the write-ahead log into the file.
    drop(store);
    Ok((
        refreshed.points,
        cpu,
        fs::metadata(folder.join("index.sqlite"))?.len(),
    ))
}

fn index(kind: Kind, steps: u64, figures: &mut Map<String, Value>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let root = Root::new(folder.path());
    write(&root, "run", SERIES, steps, kind)?;
    let memory = PeakMemory::begin();
    let (points, cpu, bytes) = measure_index(folder.path())?;
    let word = kind.word();
    figures.insert(
        format!("index {word}, M points/s of CPU"),
        rounded(points as f64 / cpu / 1e6),
    );
    figures.insert(
        format!("at rest {word}, bytes/point"),
        rounded(bytes as f64 / points as f64),
    );
    if let Some(added) = memory.and_then(|m| m.added_mib()) {
        figures.insert(format!("index {word}, MiB added"), rounded(added));
    }
    Ok(())
}

fn long(points: u64, figures: &mut Map<String, Value>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let root = Root::new(folder.path());
    write(&root, "run-0", 1, points, Kind::Noisy)?;
    let (read, cpu, bytes) = measure_index(folder.path())?;
    figures.insert(
        "index one long series, M points/s of CPU".into(),
        rounded(read as f64 / cpu / 1e6),
    );
    figures.insert(
        "at rest one long series, bytes/point".into(),
        rounded(bytes as f64 / read as f64),
    );
    for (name, axis, zoom) in [
        ("all steps", "", None),
        ("all, relative time", "relative", None),
        ("a third of the steps, at odd edges", "", Some(points / 3)),
    ] {
        let (wall, cpu) = ask(folder.path(), axis, zoom)?;
        figures.insert(
            format!("chart of {} M points, {name}, ms", read / 1_000_000),
            rounded(wall),
        );
        figures.insert(
            format!("chart of {} M points, {name}, CPU ms", read / 1_000_000),
            rounded(cpu),
        );
    }
    Ok(())
}

fn wide(figures: &mut Map<String, Value>) -> Result<()> {
    for steps in [BUCKETS as u64, RUN_STEPS] {
        let folder = tempfile::tempdir()?;
        let root = Root::new(folder.path());
        for run in 0..RUNS {
            write(&root, &format!("run-{run}"), 10, steps, Kind::Single)?;
        }
        measure_index(folder.path())?;
        let (wall, cpu) = ask(folder.path(), "", None)?;
        figures.insert(
            format!("chart of {RUNS} runs of {steps} points, ms"),
            rounded(wall),
        );
        figures.insert(
            format!("chart of {RUNS} runs of {steps} points, CPU ms"),
            rounded(cpu),
        );
    }
    Ok(())
}

fn rounded(x: f64) -> Value {
    json!((x * 100.0).round() / 100.0)
}

/// The least wall time, and the processor time with it, of a chart in processes of their own; milliseconds.
fn ask(folder: &Path, axis: &str, zoom: Option<u64>) -> Result<(f64, f64)> {
    let mut best = (f64::INFINITY, 0.0);
    for _ in 0..TRIES {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--chart").arg(folder).arg("--axis").arg(axis);
        if let Some(steps) = zoom {
            command.arg("--zoom").arg(steps.to_string());
        }
        let output = command.output()?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout)?;
        let mut numbers = text.split_whitespace().map(str::parse::<f64>);
        let wall = numbers.next().context("no figure")??;
        let cpu = numbers.next().context("no figure")??;
        if wall < best.0 {
            best = (wall, cpu);
        }
    }
    Ok(best)
}

fn answer(folder: &Path, axis: &str, zoom: Option<u64>) -> Result<()> {
    let (begun, cpu) = (Instant::now(), process_cpu_seconds());
    let store = Store::open(Root::new(folder))?;
    let runs = (0..RUNS).filter_map(|i| RunId::try_from(format!("run-{i}")).ok());
    let (from, to) = (zoom.map(|_| 1001.0), zoom.map(|steps| (steps + 7) as f64));
    let chart = store.chart(&ChartQuery {
        project: project()?,
        runs: runs.collect(),
        key: "train/series-000".into(),
        axis: if axis == "relative" {
            Axis::Relative
        } else {
            Axis::Step
        },
        from,
        to,
        buckets: BUCKETS,
        ranks: RankChoice::Lowest,
    })?;
    let (wall, cpu) = (begun.elapsed().as_secs_f64(), process_cpu_seconds() - cpu);
    let points: u64 = chart.series.iter().map(|s| s.points).sum();
    ensure!(points > 0, "no points");
    println!("{} {}", wall * 1e3, cpu * 1e3);
    Ok(())
}
