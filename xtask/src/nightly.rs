//! What only the nightly toolchain checks: `cargo xtask miri` and `cargo xtask threads`.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{root, shell};

/// What Miri runs: the statistics, whose code is `unsafe`, on `f32`; it lacks the instruction that converts `f16`.
const UNSAFE: [&str; 4] = [
    "stats::tests::finish_starts",
    "stats::tests::any_values",
    "stats::tests::parts_merge",
    "stats::tests::this_machine",
];

/// `cargo` of the nightly toolchain.
pub(crate) fn cargo<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new("rustup");
    command
        .args(["run", "nightly", "cargo"])
        .args(args)
        .current_dir(root())
        // Of the toolchain that runs us.
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN");
    command
}

/// Runs the tests of `unsafe` code under Miri.
///
/// # Errors
/// If Miri is missing, or finds something.
pub(crate) fn miri() -> Result<()> {
    needs(&["miri", "rust-src"])?;
    let mut miri = cargo(["miri", "test", "--package", "cresset-run", "--lib", "--"]);
    shell::run(
        miri.args(UNSAFE)
            .env("RUSTFLAGS", "-Ctarget-feature=+avx2,+fma,+f16c")
            .env("MIRIFLAGS", "-Zmiri-disable-isolation")
            .env("PROPTEST_CASES", "3"),
    )
}

/// Runs the tests with the most threads under the thread sanitizer, which the standard library is built with, too.
///
/// # Errors
/// If the sources of the standard library are missing, or it finds something.
pub(crate) fn threads() -> Result<()> {
    needs(&["rust-src"])?;
    // With a target named, build scripts are built without it.
    let target = format!("--target={}", host()?);
    let mut tests = cargo(["test", "-Zbuild-std", &target, "--package", "cresset-run"]);
    tests.args([
        "--test",
        "misuse",
        "--test",
        "recording",
        "--test",
        "stopping",
    ]);
    shell::run(tests.env("RUSTFLAGS", "-Zsanitizer=thread"))
}

fn host() -> Result<String> {
    let told = shell::read(Command::new("rustc").arg("-vV"))?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map_or_else(
        || bail!("rustc does not say for what it builds"),
        |host| Ok(host.to_owned()),
    )
}

/// # Errors
/// If one of these components is not installed, with what installs it.
fn needs(components: &[&str]) -> Result<()> {
    let mut list = Command::new("rustup");
    list.args(["component", "list", "--installed", "--toolchain", "nightly"]);
    let installed = shell::read(&mut list).unwrap_or_default();
    let is_missing = |name: &&&str| !installed.lines().any(|line| line.starts_with(**name));
    let missing: Vec<&str> = components.iter().filter(is_missing).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "{} of the nightly toolchain is missing: rustup toolchain install nightly --profile minimal --component {}",
        missing.join(" and "),
        components.join(",")
    )
}
