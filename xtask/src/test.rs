//! `cargo xtask test`: everything that must hold, the cheap checks first.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::shell::{self, cargo};
use crate::tally::Tally;
use crate::{
    api, browser, dashboard, dependencies, failures, fuzz, gpu, layers, packages, proxy, root,
    tools, trackers,
};

/// How much to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Formatting, layers, lints of the default features, and unit tests only.
    #[arg(long)]
    fast: bool,
    /// Afterwards runs each fuzz target for so many seconds.
    #[arg(long, value_name = "SECONDS")]
    fuzz: Option<u32>,
}

/// Runs the checks and, where they hold, the tests.
///
/// # Errors
/// If any of them failed; all that can still be learnt is shown first.
pub(crate) fn run(options: &Options) -> Result<()> {
    tools::name_missing_programs();
    let mut steps = Steps::default();

    steps.run("format", || {
        shell::run(&mut cargo(["fmt", "--all", "--check"]))?;
        // A workspace of its own.
        shell::run(cargo(["fmt", "--check"]).current_dir(root().join("tests/burn-gpu")))
    });
    steps.run("layers", || layers::run(root()));
    steps.run("lint", || shell::run(&mut clippy(&["--workspace"])));
    steps.run("packages", || packages::run(&packages::Options::default()));
    if !options.fast {
        steps.run("dependencies", || {
            dependencies::deny(&dependencies::Deny::default())
        });
        steps.run("lint without tracing", || {
            shell::run(&mut clippy(&WITHOUT_TRACING))
        });
        steps.run("dashboard", dashboard::check);
        steps.run("docs", || {
            // Programs have no API, and one of them shares its name with a library.
            let mut doc = cargo(["doc", "--no-deps", "--workspace", "--lib", "--keep-going"]);
            shell::run(doc.env("RUSTDOCFLAGS", "-D warnings"))
        });
    }

    if steps.all_passed() {
        steps.test("tests", || {
            tools::nextest()?;
            let kinds: &[&str] = if options.fast {
                &["--lib", "--bins"]
            } else {
                &[]
            };
            let mut nextest = cargo(["nextest", "run", "--workspace", "--no-fail-fast"]);
            shell::run_and_keep(nextest.args(kinds))
        });
        if !options.fast {
            steps.test("doctests", || {
                let mut doc = cargo(["test", "--doc", "--workspace", "--no-fail-fast"]);
                // The guides' programs record where they run, as their readers' do.
                shell::run_and_keep(doc.env("CRESSET_DIR", shell::target().join("doctests")))
            });
        }
        if !options.fast {
            steps.test("dashboard units", dashboard::test);
            steps.test("browser", browser::test);
            steps.test("api", api::test);
            steps.test("behind nginx", proxy::test);
            steps.test("other trackers", trackers::test);
            steps.test("a thousand runs", || {
                // The command that the tests of `cresset-cli` are built with: a build of its own would be one of candle, too.
                let program = shell::target().join("debug/cresset");
                let mut nextest = tools::ignored("package(cresset-benches) & binary(ship)")?;
                nextest.args(["--success-output", "immediate"]);
                shell::run_and_keep(nextest.env("CRESSET_PROGRAM", program))
            });
            steps.test("burn on a GPU", gpu::test);
        }
        if let Some(seconds) = options.fuzz {
            steps.run("fuzz", || fuzz::run(seconds));
        }
    } else {
        println!("\nA check failed, so the tests were not run.");
    }
    steps.conclude()
}

/// What a build of the whole workspace does not show: there, features add up.
const WITHOUT_TRACING: [&str; 5] = [
    "--package",
    "cresset-run",
    "--package",
    "cresset",
    "--no-default-features",
];

fn clippy(packages: &[&str]) -> std::process::Command {
    let mut command = cargo(["clippy", "--all-targets"]);
    command.args(packages).args(["--", "-D", "warnings"]);
    command
}

/// What was done, in order.
#[derive(Default)]
struct Steps {
    done: Vec<Step>,
    tally: Tally,
}

struct Step {
    name: String,
    took: Duration,
    error: Option<String>,
}

impl Steps {
    fn run(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        let began = Instant::now();
        let error = work().err().map(|e| format!("{e:#}"));
        if let Some(error) = &error {
            eprintln!("error: {name}: {error}");
        }
        self.done.push(Step {
            name: name.to_owned(),
            took: began.elapsed(),
            error,
        });
    }

    /// A step that tells of tests in its output.
    fn test(&mut self, name: &str, work: impl FnOnce() -> Result<(bool, Vec<String>)>) {
        let mut tally = Tally::default();
        self.run(name, || {
            let (succeeded, lines) = work()?;
            tally = Tally::read(&lines);
            match succeeded {
                true => Ok(()),
                false => match &*failures::read(&lines) {
                    [] => bail!("see above"),
                    names => bail!("{}", names.join("\n    ")),
                },
            }
        });
        self.tally += tally;
    }

    fn all_passed(&self) -> bool {
        self.done.iter().all(|step| step.error.is_none())
    }

    /// Shows what was done and how long it took.
    fn conclude(&self) -> Result<()> {
        println!();
        for step in &self.done {
            let word = if step.error.is_some() { "FAILED" } else { "ok" };
            println!(
                "{:24} {word:6} {:7.1} s",
                step.name,
                step.took.as_secs_f64()
            );
            if let Some(error) = &step.error {
                println!("    {error}");
            }
        }
        if self.tally != Tally::default() {
            println!("\n{}", self.tally);
        }
        let failed: Vec<&str> = self
            .done
            .iter()
            .filter(|step| step.error.is_some())
            .map(|step| step.name.as_str())
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        bail!("failed: {}", failed.join(", "))
    }
}
