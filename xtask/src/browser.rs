//! The dashboard in a real browser: `tests/browser`.

use anyhow::Result;

use crate::{dashboard, shell, tools};

pub(crate) const TESTS: &str = "tests/browser";

/// Builds what the tests start, and runs them; their output kept.
///
/// # Errors
/// If a program is missing or cannot be built.
pub(crate) fn test() -> Result<(bool, Vec<String>)> {
    tools::node()?;
    tools::browser()?;
    let nginx = tools::nginx()?;
    test_programs()?;
    dashboard::install(TESTS)?;
    shell::run(dashboard::npm(TESTS).args(["run", "check"]))?;
    shell::run_and_keep(
        dashboard::npm(TESTS)
            .args(["test"])
            .env("CARGO_TARGET_DIR", shell::target())
            .env("CRESSET_NGINX", nginx)
            .env("FORCE_COLOR", "0"),
    )
}

/// `cresset`, and `fixtures`, which writes folders of runs, as the workspace's tests are built with them: a build of these two
/// alone would give their dependencies other features, and build all of them a second time.
///
/// # Errors
/// If they cannot be built.
pub(crate) fn test_programs() -> Result<()> {
    tools::nextest()?;
    shell::run(&mut shell::cargo([
        "nextest",
        "run",
        "--workspace",
        "--no-run",
    ]))
}

/// The same two for themselves, as benchmarks want them.
///
/// # Errors
/// If they cannot be built.
pub(crate) fn release_programs() -> Result<()> {
    let programs = ["--package", "cresset-cli", "--package", "cresset-tests"];
    shell::run(shell::cargo(["build", "--release"]).args(programs))
}
