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
    build_programs(&[])?;
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

/// `cresset`, and `fixtures`, which writes folders of runs; `profile` as cargo is told it.
///
/// # Errors
/// If they cannot be built.
pub(crate) fn build_programs(profile: &[&str]) -> Result<()> {
    let programs = ["--package", "cresset-cli", "--package", "cresset-tests"];
    shell::run(shell::cargo(["build"]).args(programs).args(profile))
}
