//! What building each package costs: processor time of the compiler, of build scripts, and of what they start.
//!
//! cargo starts the compiler by this program, and so does it each build script, in whose place a script of two lines is put. Both
//! are timed by what the system counts of a process that has ended, so that other work on the machine does not matter.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use super::graph::{Built, Graph};
use crate::shell::{self, cargo};

/// The file that what was measured is written to; set for cargo and what it starts.
const LOG: &str = "CRESSET_COSTS";
/// Set for what is measured: a build script that starts the compiler is measured as a whole.
const WITHIN: &str = "CRESSET_COSTS_WITHIN";
/// The system counts time in hundredths of a second, for programs on any processor.
const TICKS: f64 = 100.0;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Costs {
    /// Only what these packages bring; all that are published otherwise.
    #[arg(long, short, value_name = "NAME")]
    package: Vec<String>,
    /// Measures nothing, and writes what is declared only.
    #[arg(long)]
    no_build: bool,
}

impl Costs {
    /// Builds as users do, optimised and without debug information, from nothing; gives seconds.
    pub(super) fn measure(&self, graph: &Graph) -> Result<BTreeMap<Built, f64>> {
        if self.no_build {
            return Ok(BTreeMap::new());
        }
        let folder = shell::target().join("costs");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let log = folder.join("costs.tsv");
        let mut build = cargo([
            "build",
            "--release",
            "--config",
            "profile.release.debug=false",
        ]);
        build.arg("--target-dir").arg(&folder);
        let published = graph.published().into_iter().map(|(name, _)| name);
        let packages = match self.package.is_empty() {
            true => published.collect(),
            false => self.package.clone(),
        };
        for package in packages {
            build.args(["--package", &package]);
        }
        build
            .env("RUSTC_WRAPPER", env::current_exe()?)
            .env(LOG, &log);
        shell::run(&mut build)?;
        let log = fs::read_to_string(&log).context("nothing was measured")?;
        // It is large, and nothing else would use it.
        fs::remove_dir_all(&folder)?;
        Ok(sums(&log))
    }
}

/// Seconds by package.
pub(super) fn sums(log: &str) -> BTreeMap<Built, f64> {
    let mut sums = BTreeMap::new();
    for line in log.lines() {
        let mut parts = line.split('\t');
        if let (Some(name), Some(version), Some(seconds)) =
            (parts.next(), parts.next(), parts.next())
        {
            let seconds: f64 = seconds.parse().unwrap_or(0.0);
            *sums
                .entry((name.to_owned(), version.to_owned()))
                .or_default() += seconds;
        }
    }
    sums
}

/// Whether this process was started by cargo, in place of a program that is to be measured.
pub(crate) fn is_measuring() -> bool {
    env::var_os(LOG).is_some()
}

/// Runs the program that the arguments name, and writes down what it took.
pub(crate) fn measure_one() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let program = args.next().unwrap_or_default();
    let args: Vec<OsString> = args.collect();
    let status = Command::new(&program).args(&args).env(WITHIN, "1").status();
    let code = match status {
        Ok(status) => status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
        Err(error) => {
            eprintln!("{}: {error}", program.display());
            1
        }
    };
    if env::var_os(WITHIN).is_none()
        && let Err(error) = write_down().and_then(|()| stand_before_build_script(&args))
    {
        eprintln!("what {} costs is not known: {error:#}", program.display());
        return ExitCode::FAILURE;
    }
    ExitCode::from(code)
}

fn write_down() -> Result<()> {
    // The compiler is also asked for its version, for no package.
    let (Ok(name), Ok(version)) = (env::var("CARGO_PKG_NAME"), env::var("CARGO_PKG_VERSION"))
    else {
        return Ok(());
    };
    let log = env::var_os(LOG).context(LOG)?;
    let mut log = OpenOptions::new().create(true).append(true).open(log)?;
    // One write: others append to it at the same time.
    Ok(log.write_all(format!("{name}\t{version}\t{}\n", seconds_of_children()?).as_bytes())?)
}

/// Processor time of the processes that this one has started and that have ended, theirs included.
fn seconds_of_children() -> Result<f64> {
    let stat =
        fs::read_to_string("/proc/self/stat").context("processor time is read on Linux only")?;
    // Behind the name, which may have spaces, the first is field 3 of proc(5): 16 and 17 are meant.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields
        .split_whitespace()
        .skip(13)
        .take(2)
        .map(str::parse::<f64>);
    let ticks: f64 = ticks.sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS)
}

/// If the compiler has made a build script: puts another in its place that runs it by way of this program.
fn stand_before_build_script(args: &[OsString]) -> Result<()> {
    let Some(script) = build_script(args).filter(|script| script.is_file()) else {
        return Ok(());
    };
    let real = script.with_extension("real");
    fs::rename(&script, &real)?;
    let us = env::current_exe()?;
    fs::write(
        &script,
        format!(
            "#!/bin/sh\nexec '{}' '{}' \"$@\"\n",
            us.display(),
            real.display()
        ),
    )?;
    fs::set_permissions(&script, fs::metadata(&real)?.permissions())?;
    Ok(())
}

/// Where the compiler with these arguments puts a build script, if it makes one.
pub(super) fn build_script(args: &[OsString]) -> Option<PathBuf> {
    let args: Vec<&str> = args
        .iter()
        .map(|arg| arg.to_str().unwrap_or_default())
        .collect();
    let after = |name: &str| {
        let at = args.iter().position(|arg| *arg == name)?;
        args.get(at + 1).copied()
    };
    let name = after("--crate-name").filter(|name| name.starts_with("build_script_"))?;
    let mut codegen = args
        .iter()
        .filter_map(|arg| arg.strip_prefix("extra-filename="));
    let suffix = codegen.next().unwrap_or_default();
    Some(Path::new(after("--out-dir")?).join(format!("{name}{suffix}")))
}
