//! Tests of the server behind a proxy that people have.

use anyhow::Result;

use crate::shell::{self, cargo};
use crate::tools;

/// The tests of `cresset-cli` that need nginx.
///
/// # Errors
/// If it is missing, or nothing can be built.
pub(crate) fn test() -> Result<(bool, Vec<String>)> {
    tools::nextest()?;
    let nginx = tools::nginx()?;
    let mut nextest = cargo(["nextest", "run", "--workspace", "--no-fail-fast"]);
    nextest.args(["--run-ignored", "only", "-E"]);
    nextest.arg("package(cresset-cli) & binary(https)");
    shell::run_and_keep(nextest.env("CRESSET_NGINX", nginx))
}
