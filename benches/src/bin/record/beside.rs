//! Figures of the other benchmarks, `stats` and `watch`: programs beside this one, which print a table of their own.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::figures::Figures;

/// Runs them; what cannot be had is left out, with a word why.
pub(crate) fn measure() -> Figures {
    let mut figures = Figures::new();
    for (name, program, find) in [
        (
            "stats.gb_per_s",
            "stats",
            gb_per_s as fn(&str) -> Option<f64>,
        ),
        ("watch.percent", "watch", percent),
    ] {
        match printed_by(program)
            .and_then(|text| find(&text).context("the figure is not in its output"))
        {
            Ok(value) => drop(figures.insert(name.into(), value)),
            Err(e) => eprintln!("{program}: {e:#}"),
        }
    }
    figures
}

fn printed_by(program: &str) -> Result<String> {
    let path = std::env::current_exe()?.with_file_name(program);
    let output = Command::new(&path)
        .env("CANDLE_NUM_THREADS", "1")
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", path.display()))?;
    anyhow::ensure!(output.status.success(), "{}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `normal f32, 64 Mi    least    median    ns/element    GB/s`: far more than any cache holds.
fn gb_per_s(table: &str) -> Option<f64> {
    let row = table
        .lines()
        .find_map(|line| line.strip_prefix("normal f32, 64 Mi "))?;
    row.split_whitespace().last()?.parse().ok()
}

fn percent(_table: &str) -> Option<f64> {
    None
}
