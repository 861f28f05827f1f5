//! The server against requests that nobody would send: Schemathesis makes them up from the OpenAPI document.
//!
//! Whatever comes, the server must answer without failing: no status from 500 on, no panic, and it must still be there
//! afterwards.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value as Json;

use crate::{browser, root, shell, tools};

/// Folders of runs that are served: what the dashboard was made for, and what nobody should have logged.
const FOLDERS: [&str; 2] = ["reference", "hostile"];
/// Questions first, as changes take away what can be asked for.
const PASSES: [(&str, &[&str], &str); 2] = [
    ("questions", &["--include-method", "GET"], "40"),
    ("changes", &["--exclude-method", "GET"], "40"),
];
/// Most requests are answered at once; those that never end are tested elsewhere.
const COMMON: [&str; 16] = [
    "--checks",
    "not_a_server_error",
    "--exclude-path",
    "/api/v1/events",
    "--header",
    "x-cresset: 1",
    "--phases",
    "examples,coverage,fuzzing",
    "--suppress-health-check",
    "all",
    "--request-timeout",
    "20",
    // Python 3.11 loses count when two threads parse its own language at once, as two workers do, and gives up.
    "--workers",
    "1",
    "--seed",
    "1",
];

/// Tries the API on every folder; a line for each pass tells how many operations held.
///
/// # Errors
/// If a program is missing or cannot be started.
pub(crate) fn test() -> Result<(bool, Vec<String>)> {
    let schemathesis = tools::schemathesis()?;
    browser::test_programs()?;
    let mut lines = Vec::new();
    let mut held = true;
    for folder in FOLDERS {
        let place = shell::target().join("api").join(folder);
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        fs::create_dir_all(&place)?;
        let mut server = Server::start(folder, &place)?;
        for (pass, methods, examples) in PASSES {
            let report = place.join(format!("{pass}.json"));
            let mut command = Command::new(&schemathesis);
            command
                .arg("run")
                .arg(format!("{}/api/v1/openapi.json", server.url))
                .args(COMMON)
                .args(methods)
                .args(["--max-examples", examples])
                .args(["--report", "json", "--report-json-path"])
                .arg(&report)
                .current_dir(root().join("tests/api"))
                .envs([("PYTHONPATH", "."), ("SCHEMATHESIS_HOOKS", "hooks")])
                .envs([("NO_COLOR", "1"), ("PYTHONDONTWRITEBYTECODE", "1")])
                .env("CRESSET_URL", &server.url);
            let (succeeded, _) = shell::run_and_keep(&mut command)?;
            let (passed, failed) = read(&report)?;
            let line = format!("test result: {folder}, {pass}: {passed} passed; {failed} failed");
            println!("{line}");
            lines.push(line);
            held &= succeeded;
        }
        let survived = server.end();
        if let Err(error) = &survived {
            eprintln!("error: {folder}: {error:#}");
        }
        let line = format!(
            "test result: {folder}, the server survived: {} passed; {} failed",
            u8::from(survived.is_ok()),
            u8::from(survived.is_err())
        );
        println!("{line}");
        lines.push(line);
        held &= survived.is_ok();
    }
    Ok((held, lines))
}

/// Operations that held, and those that did not, from a report of Schemathesis.
fn read(report: &Path) -> Result<(u64, u64)> {
    let text = fs::read(report).with_context(|| format!("no report in {}", report.display()))?;
    let report: Json = serde_json::from_slice(&text)?;
    let tested = report["operations"]["tested"].as_u64().unwrap_or(0);
    let errored = report["operations"]["errored"].as_u64().unwrap_or(0);
    let failures = report["failures"].as_array().map_or(&[][..], Vec::as_slice);
    let operations: BTreeSet<String> = failures
        .iter()
        .map(|failure| failure["operation"].to_string())
        .collect();
    let failed = operations.len() as u64 + errored;
    if tested == 0 {
        bail!("no operation was tested");
    }
    Ok((tested.saturating_sub(failed), failed))
}

/// A server of a folder of runs, what it says kept in a file.
struct Server {
    child: Child,
    url: String,
    log: PathBuf,
}

impl Server {
    fn start(what: &str, place: &Path) -> Result<Self> {
        let programs = shell::target().join("debug");
        let runs = place.join(".cresset");
        shell::run(
            Command::new(programs.join("fixtures"))
                .arg(what)
                .arg("--out")
                .arg(&runs),
        )?;
        let log = place.join("server.log");
        let mut child = Command::new(programs.join("cresset"))
            .arg("ui")
            .arg(&runs)
            .args(["--port", "0", "--no-open"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .context("cannot start `cresset ui`")?;
        let mut first = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut first)?;
        }
        let url = first
            .split_whitespace()
            .find(|word| word.starts_with("http://"));
        let Some(url) = url else {
            let said = fs::read_to_string(&log).unwrap_or_default();
            bail!("`cresset ui` did not start: {first}{said}");
        };
        let url = url.to_owned();
        Ok(Self { child, url, log })
    }

    /// Ends it.
    ///
    /// # Errors
    /// If it had ended before, or a thread of it had panicked.
    fn end(&mut self) -> Result<()> {
        let ended = self.child.try_wait()?;
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(status) = ended {
            bail!("the server ended: {status}; see {}", self.log.display());
        }
        let said = fs::read(&self.log)?;
        if String::from_utf8_lossy(&said).contains("panicked") {
            bail!("the server panicked; see {}", self.log.display());
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
