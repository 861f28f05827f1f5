//! `cresset export`: one run's data in an open format.

mod csv;
mod jsonl;
mod parquet;
mod sink;

use std::io::IsTerminal;
use std::path::Path;

use anyhow::Context;
use cresset_record::{Key, Point, Rank, RunDir, RunView, Series};

use crate::args::{ExportArguments, ExportFormat};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::select::is_chosen;
use crate::{human, locate};
use sink::Sink;

/// Runs the command.
pub(crate) fn run(a: &ExportArguments, dir: Option<&Path>, _: &mut Output) -> anyhow::Result<Exit> {
    let format = format(a)?;
    if a.long && format != ExportFormat::Csv {
        return Err(Failure::usage(
            "--long is for csv; jsonl and parquet are always one value a row",
        ));
    }
    let to_stdout = a.output == Path::new("-");
    if format == ExportFormat::Parquet && to_stdout && std::io::stdout().is_terminal() {
        return Err(Failure::usage(
            "parquet is not for terminals; name a file with --output",
        ));
    }
    let run = locate::run(dir, &a.run.run)?;
    let mut sink = match to_stdout {
        true => Sink::stdout(),
        false => Sink::file(&a.output)?,
    };
    write(a, format, run, &mut sink)?;
    sink.finish()?;
    Ok(Exit::Ok)
}

fn write(
    a: &ExportArguments,
    format: ExportFormat,
    run: RunDir,
    sink: &mut Sink,
) -> anyhow::Result<()> {
    if format == ExportFormat::Jsonl {
        return jsonl::write(run, &a.key, sink);
    }
    let view = RunView::open(run).context("cannot read the run")?;
    let series = Exported::of(&view, &a.key);
    if series.all.is_empty() {
        eprintln!(
            "cresset: {} has no scalars{}",
            human::clean(view.name()),
            if a.key.is_empty() { "" } else { " that match" }
        );
    }
    match format {
        ExportFormat::Csv if a.long => csv::write_long(&series, sink)?,
        ExportFormat::Csv => csv::write_wide(&series, sink)?,
        _ => parquet::write(&view, &series, sink)?,
    }
    Ok(())
}

/// As said, or as the name of the file says.
fn format(a: &ExportArguments) -> anyhow::Result<ExportFormat> {
    if let Some(format) = a.format {
        return Ok(format);
    }
    let ending = a.output.extension().and_then(|e| e.to_str());
    match ending.map(str::to_ascii_lowercase).as_deref() {
        None | Some("csv") => Ok(ExportFormat::Csv),
        Some("jsonl" | "ndjson") => Ok(ExportFormat::Jsonl),
        Some("parquet") => Ok(ExportFormat::Parquet),
        Some(other) => Err(Failure::usage(format!(
            "the ending .{other} names no format; say which with --format csv, jsonl or parquet"
        ))),
    }
}

/// The series that are exported, by rank and then by key.
struct Exported<'a> {
    all: Vec<(Rank, &'a Key, &'a Series)>,
}

impl<'a> Exported<'a> {
    fn of(view: &'a RunView, patterns: &[String]) -> Self {
        let mut all: Vec<_> = view
            .series()
            .filter(|(key, _, _)| patterns.is_empty() || is_chosen(patterns, key.as_str()))
            .map(|(key, rank, series)| (rank, key, series))
            .collect();
        all.sort_by_key(|(rank, key, _)| (*rank, *key));
        Self { all }
    }

    /// Every point: by rank, key and step, in order of arrival within a step.
    fn points(&self) -> impl Iterator<Item = (Rank, &'a Key, Point)> {
        self.all.iter().flat_map(|&(rank, key, series)| {
            series.by_step().into_iter().map(move |p| (rank, key, p))
        })
    }
}
