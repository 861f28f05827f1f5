//! Tables of numbers as runs.

mod rows;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use cresset_record::{Outcome, Rank, Record, Root, Start, Timestamp};
use serde_json::json;

use super::writer::{RunWriter, canonical, run_id};
use super::{ImportError, ImportOptions, Imported};
use rows::Rows;

/// Columns that are the time of their row, in seconds since 1970, as other trackers name them.
const TIMES: [&str; 4] = ["wall_time", "wall time", "timestamp", "_timestamp"];

/// Imports a file of comma-separated values (RFC 4180) as a run.
///
/// The first row names the columns. A column `step` is the step of its row, else rows are counted from 0; a column `wall_time` or `timestamp` is its
/// time in seconds since 1970, else it is the time at which the file was last written. Every other column is a series, of those of its values that are
/// numbers, NaN and infinities among them; an empty cell is no value, and texts are counted in [`Imported::left_out`].
///
/// # Errors
/// If the file cannot be read, is no such table, has no rows, or is imported already.
pub fn csv(file: &Path, into: &Root, options: &ImportOptions) -> Result<Imported, ImportError> {
    let path = canonical(file)?;
    let input = File::open(file).map_err(ImportError::disk(file))?;
    let written = input.metadata().and_then(|m| m.modified());
    let written = written.map_or_else(|_| Timestamp::now(), Timestamp::from);
    let mut rows = Rows::new(file, BufReader::new(input));
    let (Some(head), Some(first)) = (rows.next()?, rows.next()?) else {
        let path = file.to_owned();
        let why = "a first row of names and a row of values are needed";
        return Err(ImportError::Nothing { path, why });
    };
    let columns = Columns::of(head);

    let mut row = columns.read(&first, 0, written, &rows)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let identity = first.join("\u{1f}");
    let start = Start {
        run: run_id(
            "csv",
            &[path.as_os_str().as_encoded_bytes(), identity.as_bytes()],
        )?,
        project: options.project.clone(),
        name: options.name.clone().unwrap_or_else(|| stem.into_owned()),
        rank: Rank(0),
        world_size: None,
        time: row.time,
        group: options.group.clone(),
        job_type: None,
        tags: options.tags.clone(),
        notes: String::new(),
        config: options.config.clone(),
        cresset_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let source = path.to_string_lossy();
    let mut run = RunWriter::begin(into, &source, &start)?;
    let environment = json!({"import": {"from": "CSV", "path": source}});
    if let serde_json::Value::Object(environment) = environment {
        run.record(Record::Environment(environment))?;
    }
    let (mut count, mut latest) = (0, start.time);
    loop {
        latest = latest.max(row.time);
        for column in row.texts {
            let name = columns.names.get(column).map_or("", String::as_str);
            run.leave_out(format!("text in column {name:?}"));
        }
        let named = row.values.iter();
        let named = named.filter_map(|&(c, value)| Some((columns.names.get(c)?.as_str(), value)));
        run.scalars(row.step, row.time, named)?;
        count += 1;
        let Some(next) = rows.next()? else { break };
        row = columns.read(&next, count, written, &rows)?;
    }
    run.finish(latest, Outcome::Finished)
}

/// What each column is.
struct Columns {
    names: Vec<String>,
    step: Option<usize>,
    time: Option<usize>,
}

/// A row of values.
struct Row {
    step: u64,
    time: Timestamp,
    /// Columns with their numbers.
    values: Vec<(usize, f64)>,
    /// Columns that hold something else.
    texts: Vec<usize>,
}

impl Columns {
    fn of(names: Vec<String>) -> Self {
        let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
        let place = |wanted: &[&str]| {
            names
                .iter()
                .position(|name| wanted.contains(&name.to_lowercase().as_str()))
        };
        Self {
            step: place(&["step"]),
            time: place(&TIMES),
            names,
        }
    }

    fn read<R>(
        &self,
        cells: &[String],
        count: u64,
        written: Timestamp,
        rows: &Rows<'_, R>,
    ) -> Result<Row, ImportError> {
        if cells.len() > self.names.len() {
            let (found, named) = (cells.len(), self.names.len());
            return Err(rows.wrong(format!("{found} values for {named} names")));
        }
        let mut row = Row {
            step: count,
            time: written,
            values: Vec::new(),
            texts: Vec::new(),
        };
        for (column, cell) in cells.iter().enumerate() {
            let cell = cell.trim();
            let number = cell.parse::<f64>().ok();
            if Some(column) == self.step {
                row.step = step(cell).ok_or_else(|| rows.wrong(format!("{cell:?} is no step")))?;
            } else if Some(column) == self.time {
                let seconds = number.filter(|n| n.is_finite());
                let seconds = seconds.ok_or_else(|| rows.wrong(format!("{cell:?} is no time")))?;
                row.time = Timestamp((seconds * 1e6).round() as i64);
            } else if let Some(number) = number {
                row.values.push((column, number));
            } else if !cell.is_empty() {
                row.texts.push(column);
            }
        }
        Ok(row)
    }
}

/// A whole number, which may be written as others write one: `3.0`.
fn step(cell: &str) -> Option<u64> {
    let whole = |n: &f64| *n >= 0.0 && *n < 2f64.powi(53) && n.fract() == 0.0;
    let loose = || cell.parse().ok().filter(whole).map(|n: f64| n as u64);
    cell.parse().ok().or_else(loose)
}
