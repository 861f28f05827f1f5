//! Charts from an index that the process has not opened before.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use cresset_benches::Budget::{self, AtMost};
use cresset_benches::{Curve, Figures, process_cpu_seconds};
use cresset_record::{Root, RunId};
use cresset_store::{Axis, ChartQuery, RankChoice, Store};

use crate::index::Indexed;
use crate::runs::{self, Kind};

/// Points of the long series.
const LONG: u64 = 10_000_000;
/// Runs of the wide chart, and their points.
const RUNS: u64 = 100;
const RUN_STEPS: u64 = 10_000;
const BUCKETS: usize = 1000;
/// Processes that are started for one chart.
const TRIES: usize = 5;

/// Measures a long chart and wide ones.
pub(crate) fn measure(shrink: u64, figures: &mut Figures) -> Result<()> {
    long(LONG / shrink, figures)?;
    wide(figures)
}

fn long(points: u64, figures: &mut Figures) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let root = Root::new(folder.path());
    runs::write(&root, "run-0", 1, points, Kind::Noisy)?;
    let indexed = Indexed::new(folder.path())?;
    indexed.show(Kind::Noisy, "one long series of noisy f64", figures);
    for (name, axis, zoom, budget) in [
        ("all steps", "", None, AtMost(20.0)),
        ("all, relative time", "relative", None, Budget::None),
        (
            "a third of the steps, at odd edges",
            "",
            Some(points / 3),
            Budget::None,
        ),
    ] {
        let name = format!("chart of {} M points, {name}", indexed.points / 1_000_000);
        ask(folder.path(), axis, zoom)?.show(name, budget, figures);
    }
    Ok(())
}

/// How the index of one series and its chart grow with points.
pub(crate) fn grow(shrink: u64) -> Result<[Curve; 3]> {
    let size = "points of a series";
    let mut index = Curve::new("to index them, processor time", size, "s");
    let mut bytes = Curve::new("a point at rest", size, "B");
    let mut chart = Curve::new("chart of all at 1,000 buckets, a new process", size, "ms");
    let sizes = [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
    for points in sizes
        .into_iter()
        .filter(|size| *size <= 100_000_000 / shrink)
    {
        let folder = tempfile::tempdir()?;
        runs::write(&Root::new(folder.path()), "run-0", 1, points, Kind::Noisy)?;
        let indexed = Indexed::new(folder.path())?;
        index.push(points as f64, indexed.cpu_seconds);
        bytes.push(points as f64, indexed.bytes as f64 / points as f64);
        chart.push(points as f64, ask(folder.path(), "", None)?.wall);
    }
    Ok([index, bytes, chart])
}

fn wide(figures: &mut Figures) -> Result<()> {
    for steps in [BUCKETS as u64, RUN_STEPS] {
        let folder = tempfile::tempdir()?;
        let root = Root::new(folder.path());
        for run in 0..RUNS {
            runs::write(&root, &format!("run-{run}"), 10, steps, Kind::Single)?;
        }
        Indexed::new(folder.path())?;
        let name = format!("chart of {RUNS} runs of {steps} points");
        ask(folder.path(), "", None)?.show(name, AtMost(100.0), figures);
    }
    Ok(())
}

/// How long an answer took, in milliseconds.
struct Took {
    wall: f64,
    cpu: f64,
}

impl Took {
    fn show(&self, name: String, budget: Budget, figures: &mut Figures) {
        figures.note(format!("{name}, processor time"), self.cpu, "ms");
        figures.add(name, self.wall, "ms", budget);
    }
}

/// The least time for a chart in processes of their own.
fn ask(folder: &Path, axis: &str, zoom: Option<u64>) -> Result<Took> {
    let mut best = Took {
        wall: f64::INFINITY,
        cpu: 0.0,
    };
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
        if wall < best.wall {
            best = Took { wall, cpu };
        }
    }
    Ok(best)
}

/// Answers one chart, and prints milliseconds: by the clock, and of processor time.
pub(crate) fn answer(folder: &Path, axis: &str, zoom: Option<u64>) -> Result<()> {
    let (begun, cpu) = (Instant::now(), process_cpu_seconds());
    let store = Store::open(Root::new(folder))?;
    let ids = (0..RUNS).filter_map(|i| RunId::try_from(format!("run-{i}")).ok());
    let (from, to) = (zoom.map(|_| 1001.0), zoom.map(|steps| (steps + 7) as f64));
    let chart = store.chart(&ChartQuery {
        project: runs::project()?,
        runs: ids.collect(),
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
