//! The project's own commands: `cargo xtask test`, which is everything, and parts of it.
#![expect(
    clippy::print_stdout,
    reason = "what these commands print is what they are for"
)]

mod api;
mod bench;
mod browser;
mod dashboard;
mod dependencies;
mod failures;
mod fuzz;
mod gpu;
mod layers;
mod nightly;
mod packages;
mod proxy;
mod readers;
mod semver;
mod shell;
mod tally;
mod test;
mod tools;
mod trackers;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
enum Command {
    /// All checks and tests, the cheap ones first; this is what CI runs.
    Test(test::Options),
    /// Who depends on whom, against the rules; the map of the project, against the tree.
    Layers,
    /// What comes from outside, against the rules: licences, places, versions side by side, what nobody uses.
    Deny(dependencies::Deny),
    /// Measures what dependencies cost to build, and writes it into `docs/dependencies.md`.
    Costs(dependencies::Costs),
    /// What would be published.
    Packages(packages::Options),
    /// What a release would break for those who use the libraries.
    Semver(semver::Options),
    /// The tests of `unsafe` code under Miri; needs a nightly toolchain.
    Miri,
    /// The tests with the most threads under the thread sanitizer; needs a nightly toolchain.
    Threads,
    /// Measures recording, the index, the API and the dashboard.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    // cargo starts us in place of the compiler.
    if dependencies::is_measuring() {
        return dependencies::measure_one();
    }
    let result = match Command::parse() {
        Command::Test(options) => test::run(&options),
        Command::Layers => layers::run(root()),
        Command::Deny(options) => dependencies::deny(&options),
        Command::Costs(options) => dependencies::costs(&options),
        Command::Packages(options) => packages::run(&options),
        Command::Semver(options) => semver::run(&options),
        Command::Miri => nightly::miri(),
        Command::Threads => nightly::threads(),
        Command::Bench(options) => bench::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}
