//! What shipping costs and how far behind it is: `cresset sync` and `cresset serve`, as users run them, on one machine.
//!
//! `cargo xtask bench ship`, or `cargo run --release -p cresset-benches --bin ship -- --program cresset [--quick] [--json FILE]`
//!
//! A thousand runs log ten points a second each into one folder, by their logs alone, without the threads that a run in a program has.
//! One process carries all of them, one serves. The lag of a point is from its time in the log until its row can be read from the
//! server's own log, seen in every 25th run. Then a long run that nobody has sent is caught up with, a thread that trains is measured
//! with shipping and without, and so is the memory of a program with everything on.
//!
//! `check.rs` makes a test of less than a minute of the thousand runs: each must arrive once, byte for byte, in memory that does not grow.
#![allow(
    clippy::print_stdout,
    reason = "a benchmark reports on standard output"
)]

#[cfg(test)]
mod check;
mod cost;
mod fleet;
mod memory;

use std::env;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use clap::Parser;
use cresset_benches::{Budget, Figures, status_mib};
use cresset_record::Root;
use cresset_run::{Run, Series};
use fleet::Fleet;

#[derive(Parser)]
#[command(about = "Measures shipping to a server")]
struct Options {
    /// The `cresset` command.
    #[arg(long, value_name = "FILE", default_value = "cresset")]
    program: PathBuf,
    /// Also writes the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A minute instead of ten, for a first look.
    #[arg(long)]
    quick: bool,
    /// Is the program that trains.
    #[arg(long, hide = true, requires = "to")]
    train_in: Option<PathBuf>,
    #[arg(long, hide = true)]
    to: Option<String>,
    #[arg(long, hide = true, default_value_t = 1)]
    turns: usize,
    /// With everything on.
    #[arg(long, hide = true)]
    loaded: bool,
}

const RUNS: usize = 1000;
/// A log of so many points is caught up with.
const BACKLOG: u64 = 20_000_000;

fn main() -> Result<()> {
    let options = Options::parse();
    if let (Some(dir), Some(to)) = (&options.train_in, &options.to) {
        let told = match options.loaded {
            true => memory::train(dir, to)?.to_vec(),
            false => cost::train(dir, options.turns, to)?.to_vec(),
        };
        let told: Vec<String> = told.iter().map(f64::to_string).collect();
        println!("{}", told.join(" "));
        return Ok(());
    }
    let minutes = if options.quick { 1 } else { 10 };
    let mut figures = Figures::default();
    live(
        &options.program,
        Duration::from_secs(60 * minutes),
        &mut figures,
    )?;
    catch_up(&options.program, &mut figures)?;
    let turns = if options.quick { 5 } else { 25 };
    cost::measure(&options.program, turns, &mut figures)?;
    memory::measure(&options.program, &mut figures)?;
    figures.show(options.json.as_deref())
}

/// A server and its key.
struct Server {
    dir: tempfile::TempDir,
    address: String,
    key: String,
    process: Child,
}

impl Server {
    fn start(program: &Path) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut create = Command::new(program);
        create.arg("--dir").arg(dir.path());
        create.args(["key", "create", "bench", "--role", "write"]);
        let made = create.stderr(Stdio::null()).output()?;
        let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut serve = Command::new(program);
        serve.arg("--dir").arg(dir.path());
        serve.args(["serve", "--bind", &free.to_string(), "--log", "error"]);
        let process = serve.stdout(Stdio::null()).spawn()?;
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(free).is_err() {
            ensure!(Instant::now() < deadline, "the server does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Self {
            key: String::from_utf8(made.stdout)?.trim().to_owned(),
            address: format!("http://{free}"),
            dir,
            process,
        })
    }

    fn sync(&self, program: &Path, runs: &Path, options: &[&str]) -> Command {
        let mut sync = Command::new(program);
        sync.arg("--dir")
            .arg(runs)
            .args(["sync", "--to", &self.address]);
        sync.args(options).env("CRESSET_API_KEY", &self.key);
        sync.stdout(Stdio::null());
        sync
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn live(program: &Path, time: Duration, figures: &mut Figures) -> Result<()> {
    let here = tempfile::tempdir()?;
    let server = Server::start(program)?;
    let mut fleet = Fleet::begin(&Root::new(here.path()), RUNS)?;
    let mut sync = server.sync(program, here.path(), &["--watch"]).spawn()?;
    // The first frames of all of them, and the server's index of them.
    let warm_up = Duration::from_secs(20);
    fleet.log_for(warm_up)?;
    let processes = [("server", server.process.id()), ("sender", sync.id())];
    let before = processes.map(|(_, id)| (memory_mib(id), processor_seconds(id)));
    let watch = fleet.watch(server.dir.path(), 25);
    fleet.log_for(time)?;
    let mut lags = watch.end()?;
    lags.sort_by(f64::total_cmp);
    let at = |share: f64| lags[((lags.len() - 1) as f64 * share) as usize];
    let budget = Budget::AtMost(2.0);
    figures.note("1,000 runs × 10 points/s, lag, median".into(), at(0.5), "s");
    figures.add("the same, p99".into(), at(0.99), "s", budget);
    figures.note("the same, worst".into(), at(1.0), "s");
    for ((name, id), (memory, processor)) in processes.into_iter().zip(before) {
        let (memory, processor) = (memory?, processor?);
        let cores = (processor_seconds(id)? - processor) / time.as_secs_f64();
        figures.note(format!("{name}, processor"), 100.0 * cores, "% of a core");
        figures.note(format!("{name}, memory at the beginning"), memory, "MiB");
        figures.note(format!("{name}, memory at the end"), memory_mib(id)?, "MiB");
    }
    sync.kill()?;
    sync.wait()?;
    Ok(())
}

fn catch_up(program: &Path, figures: &mut Figures) -> Result<()> {
    let here = tempfile::tempdir()?;
    fleet::write_backlog(&Root::new(here.path()), BACKLOG)?;
    let server = Server::start(program)?;
    let began = Instant::now();
    let status = server.sync(program, here.path(), &[]).status()?;
    ensure!(status.success(), "the backlog was not carried");
    let rate = BACKLOG as f64 / began.elapsed().as_secs_f64() / 1e6;
    let name = "points a second, catching up with one backlog".into();
    figures.add(name, rate, "M/s", Budget::AtLeast(1.0));
    Ok(())
}

/// Five series, as a training has them.
fn five(run: &Run) -> [Series; 5] {
    let names = ["loss", "accuracy", "lr", "grad_norm", "tokens"];
    names.map(|name| run.series(&format!("train/{name}")))
}

/// Figures of a program that trains and ships to `server`: a process that finds the command and its key in its environment, as a
/// user's does.
fn trainer<const N: usize>(program: &Path, server: &Server, options: &[&str]) -> Result<[f64; N]> {
    let here = tempfile::tempdir()?;
    let mut trainer = Command::new(env::current_exe()?);
    trainer.arg("--train-in").arg(here.path());
    trainer.args(["--to", &server.address]).args(options);
    trainer
        .env("CRESSET_BIN", program)
        .env("CRESSET_API_KEY", &server.key);
    let trained = trainer.output()?;
    ensure!(
        trained.status.success(),
        "{}",
        String::from_utf8_lossy(&trained.stderr)
    );
    let said = String::from_utf8(trained.stdout)?;
    let figures: Vec<f64> = said
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .context("the trainer says no figures")?;
    let said = <[f64; N]>::try_from(figures);
    said.map_err(|said| anyhow!("the trainer says {} figures", said.len()))
}

/// Resident memory of a process.
fn memory_mib(id: u32) -> Result<f64> {
    status_mib(id, "VmRSS:").context("the system does not tell memory")
}

/// What all threads of a process have computed, in seconds.
fn processor_seconds(id: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("no process")?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|field| field.parse::<f64>().ok()).sum();
    // Linux tells these in hundredths, whatever its own ticks are.
    Ok(ticks / 100.0)
}
