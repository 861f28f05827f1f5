//! `cargo xtask bench`: builds the benchmarks and runs them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::shell::{self, cargo};
use crate::{browser, dashboard, readers, root, tools};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to measure; all of it unless it is said.
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Keeps the figures in `benches/results`, and writes the tables of `docs/performance.md` anew.
    #[arg(long, conflicts_with = "quick")]
    keep: bool,
    /// Fewer repetitions of smaller measurements, for a first look.
    #[arg(long)]
    quick: bool,
    /// Also measures how other trackers record and answer, installed from PyPI into the user's cache.
    #[arg(long)]
    peers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// What recording costs the program that trains.
    Record,
    /// What watching costs a training on burn.
    Burn,
    /// The index of runs: its rate, its size, charts and tables.
    Store,
    /// How the cost of recording grows with keys, threads, parameters and hours.
    Scale,
    /// The API and the dashboard in a browser.
    Dashboard,
    /// Shipping to a server: how late a thousand runs arrive, and how fast a backlog does.
    Ship,
}

const OF_BENCHES: [&str; 3] = ["--release", "--package", "cresset-benches"];

/// Builds the benchmarks and runs them.
///
/// # Errors
/// If they cannot be built or run. A budget that does not hold is shown, and is no error: machines differ.
pub(crate) fn run(options: &Options) -> Result<()> {
    let is_wanted = |part| options.parts.is_empty() || options.parts.contains(&part);
    let today = shell::read(Command::new("date").arg("+%F"))?;
    let json = |name: &str| {
        let file = root().join(format!("benches/results/{}-{name}.json", today.trim()));
        options.keep.then_some(file)
    };
    if is_wanted(Part::Record) {
        // It starts these two itself, from the folder that it lies in.
        build(&["stats", "watch"])?;
        let mut record = program("record")?;
        if options.peers {
            record.arg("--peers");
        }
        measure(record, json("record").as_deref(), options.quick)?;
    }
    if is_wanted(Part::Burn) {
        burn(json("burn").as_deref())?;
    }
    if is_wanted(Part::Store) {
        let store = program("store")?;
        measure(store, json("store").as_deref(), options.quick)?;
    }
    if is_wanted(Part::Scale) {
        let scale = program("scale")?;
        measure(scale, json("scale").as_deref(), options.quick)?;
    }
    if is_wanted(Part::Ship) {
        browser::release_programs()?;
        let mut ship = program("ship")?;
        ship.arg("--program")
            .arg(shell::target().join("release/cresset"));
        measure(ship, json("ship").as_deref(), options.quick)?;
    }
    if is_wanted(Part::Dashboard) {
        in_browser(json("dashboard").as_deref(), options.quick)?;
        if options.peers {
            readers::measure(json("readers").as_deref())?;
        }
    }
    if options.keep {
        // Of the whole workspace, as `cargo xtask test` builds it: by itself it would be built anew, with other features.
        let mut tables = cargo(["test", "--workspace", "--test", "performance"]);
        shell::run(tables.env("CRESSET_UPDATE", "1"))?;
    }
    Ok(())
}

/// A program of `benches`, built.
fn program(name: &str) -> Result<Command> {
    // Not in one go with running it, so that only the benchmark runs while it measures.
    build(&[name])?;
    let mut run = cargo(["run", "--quiet"]);
    run.args(OF_BENCHES).args(["--bin", name, "--"]);
    Ok(run)
}

fn build(programs: &[&str]) -> Result<()> {
    let mut build = cargo(["build"]);
    build.args(OF_BENCHES);
    for name in programs {
        build.args(["--bin", name]);
    }
    shell::run(&mut build)
}

fn measure(mut program: Command, json: Option<&Path>, quick: bool) -> Result<()> {
    if let Some(file) = json {
        program.arg("--json").arg(file);
    }
    if quick {
        program.arg("--quick");
    }
    shell::run(&mut program)
}

/// The benchmark lies with the workload, whose network it trains; it says a figure a line.
fn burn(json: Option<&Path>) -> Result<()> {
    const WHICH: [&str; 4] = ["--package", "defect-classifier-burn", "--bench", "cost"];
    shell::run(cargo(["bench", "--no-run"]).args(WHICH))?;
    let said = shell::read(cargo(["bench", "--quiet"]).args(WHICH))?;
    print!("{said}");
    if let Some(file) = json {
        let figures: Vec<serde_json::Value> = said
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .context("a figure is no JSON")?;
        fs::write(file, serde_json::to_string_pretty(&figures)? + "\n")?;
    }
    Ok(())
}

fn in_browser(json: Option<&Path>, quick: bool) -> Result<()> {
    tools::node()?;
    tools::browser()?;
    browser::release_programs()?;
    dashboard::install(browser::TESTS)?;
    let mut npm = dashboard::npm(browser::TESTS);
    npm.args(["run", "bench"])
        .env("CARGO_TARGET_DIR", shell::target())
        .env("CRESSET_PROFILE", "release")
        .env("FORCE_COLOR", "0");
    if let Some(file) = json {
        npm.env("CRESSET_BENCH_JSON", file);
    }
    if quick {
        npm.env("CRESSET_BENCH_QUICK", "1");
    }
    shell::run(&mut npm)
}
