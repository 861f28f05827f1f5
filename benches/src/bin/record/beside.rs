//! Figures of the other benchmarks, `stats` and `watch`: programs beside this one, which print a table of their own.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::figures::Figures;

/// Runs them; what cannot be had is left out, with a word why.
pub(crate) fn measure() -> Figures {
    let mut figures = Figures::new();
    for (program, read) in [
        ("stats", of_stats as fn(&str) -> Option<Figures>),
        ("watch", of_watch),
    ] {
        match printed_by(program)
            .and_then(|text| read(&text).context("its figures are not in its output"))
        {
            Ok(more) => figures.extend(more),
            Err(e) => eprintln!("{program}: {e:#}"),
        }
    }
    figures
}

fn printed_by(program: &str) -> Result<String> {
    let path = std::env::current_exe()?.with_file_name(program);
    let output = Command::new(&path)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", path.display()))?;
    anyhow::ensure!(output.status.success(), "{}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Of its table the row `normal f32, 64 Mi    least    median    ns/element    GB/s`: far more than any cache holds.
fn of_stats(table: &str) -> Option<Figures> {
    let row = table
        .lines()
        .find_map(|line| line.strip_prefix("normal f32, 64 Mi "))?;
    let rate = row.split_whitespace().last()?.parse().ok()?;
    Some([("stats.gb_per_s".to_owned(), rate)].into())
}

/// A line of JSON a figure.
fn of_watch(lines: &str) -> Option<Figures> {
    #[derive(serde::Deserialize)]
    struct Figure {
        name: String,
        value: f64,
    }
    let figures = lines.lines().map(serde_json::from_str::<Figure>);
    let figures = figures.map(|figure| figure.map(|f| (f.name, f.value)));
    figures.collect::<Result<_, _>>().ok()
}
