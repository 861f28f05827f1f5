//! Tests of the server behind a proxy that people have.

use anyhow::Result;

use crate::{shell, tools};

/// The tests of `cresset-cli` that need nginx.
///
/// # Errors
/// If it is missing, or nothing can be built.
pub(crate) fn test() -> Result<(bool, Vec<String>)> {
    let nginx = tools::nginx()?;
    let mut nextest = tools::ignored("package(cresset-cli) & binary(https)")?;
    shell::run_and_keep(nextest.env("CRESSET_NGINX", nginx))
}
