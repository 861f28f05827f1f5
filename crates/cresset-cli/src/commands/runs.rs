//! `cresset runs`: the table of runs.

use std::cmp::Ordering;
use std::io::Write;
use std::path::Path;

use cresset_record::Goal;
use ratatui::text::Span;
use serde_json::Value as Json;

use crate::args::RunsArguments;
use crate::exit::{Exit, Failure};
use crate::filter::{Fields, Filter, built_in};
use crate::output::Output;
use crate::overview::{Overview, read_all};
use crate::table::{Column, Table};
use crate::{human, locate, theme};

/// Columns of the summary that are shown where no series has a goal.
const FIRST_FEW: usize = 3;

/// Runs the command.
pub(crate) fn run(a: &RunsArguments, dir: Option<&Path>, out: &mut Output) -> anyhow::Result<Exit> {
    let filter = a.filter.as_deref().map(Filter::parse).transpose();
    let filter = filter.map_err(|e| Failure::usage(e.to_string()))?;
    let order = a
        .sort
        .iter()
        .map(|text| SortField::parse(text))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let root = locate::root(dir)?;
    let all = read(&root)?;
    let known = all.len();
    let sorted_by = order.iter().map(|by| by.path.as_str());
    let asked = filter.iter().flat_map(Filter::fields).chain(sorted_by);
    warn_of_unknown(&all, asked.chain(a.columns.iter().map(String::as_str)));
    let mut runs: Vec<Overview> = all
        .into_iter()
        .filter(|run| a.project.is_none() || run.project == a.project)
        .filter(|run| filter.as_ref().is_none_or(|f| f.matches(run)))
        .collect();
    runs.sort_by(|a, b| compare(&order, a, b));
    runs.truncate(a.limit.unwrap_or(usize::MAX));
    if a.json {
        serde_json::to_writer_pretty(&mut *out, &runs)?;
        out.write_all(b"\n")?;
        return Ok(Exit::Ok);
    }
    if runs.is_empty() {
        explain_nothing(known, root.path());
        return Ok(Exit::Ok);
    }
    let left_out = print_table(a, &runs, out)?;
    if !left_out.is_empty() {
        let text = format!(
            "(no room for {}; choose with --columns)",
            left_out.join(", ")
        );
        out.line(Span::styled(text, theme::QUIET))?;
    }
    Ok(Exit::Ok)
}

/// All runs that can be read; those that cannot are named on standard error.
fn read(root: &cresset_record::Root) -> anyhow::Result<Vec<Overview>> {
    let mut runs = Vec::new();
    for (dir, overview) in read_all(locate::runs(root)?) {
        match overview {
            Ok(overview) => runs.push(overview),
            Err(error) => eprintln!("cresset: run {} is left out: {error}", dir.id_text()),
        }
    }
    Ok(runs)
}

/// A field that no run has is mostly a slip of the pen, and would go unnoticed: it passes no test and sorts nothing.
fn warn_of_unknown<'a>(runs: &[Overview], fields: impl Iterator<Item = &'a str>) {
    let mut unknown: Vec<&str> = fields
        .filter(|field| built_in(field).is_none())
        .filter(|field| !runs.is_empty() && runs.iter().all(|run| run.field(field).is_none()))
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    for field in unknown {
        eprintln!("cresset: no run has a field `{}`", human::clean(field));
    }
}

fn explain_nothing(known: usize, root: &Path) {
    if known == 0 {
        eprintln!("{} holds no runs yet", root.display());
    } else {
        let runs = human::count(known as u64, "run");
        eprintln!("none of the {runs} in {} passes", root.display());
    }
}

/// A field to sort by.
struct SortField {
    path: String,
    descending: bool,
}

impl SortField {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let (path, descending) = match text.strip_prefix('-') {
            Some(path) => (path, true),
            None => (text, false),
        };
        if path.is_empty() || path.starts_with('-') {
            return Err(Failure::usage(format!(
                "--sort takes fields such as name or -val/auc, not `{text}`"
            )));
        }
        Ok(Self {
            path: path.to_owned(),
            descending,
        })
    }
}

/// By the fields in turn, then newest first. Runs without the field come last, either way, and NaN just before them.
fn compare(order: &[SortField], a: &Overview, b: &Overview) -> Ordering {
    order
        .iter()
        .map(|by| {
            let (a, b) = (sort_key(a, &by.path), sort_key(b, &by.path));
            let by_place = a.place().cmp(&b.place());
            let by_value = a.compare(&b);
            by_place.then(if by.descending {
                by_value.reverse()
            } else {
                by_value
            })
        })
        .find(|order| order.is_ne())
        .unwrap_or_else(|| (b.created, &b.id).cmp(&(a.created, &a.id)))
}

enum SortKey {
    Number(f64),
    Text(String),
    Missing,
}

fn sort_key(run: &Overview, path: &str) -> SortKey {
    match run.field(path).as_deref() {
        None | Some(Json::Null) => SortKey::Missing,
        Some(Json::Number(n)) => SortKey::Number(n.as_f64().unwrap_or(f64::NAN)),
        // JSON has no NaN and no infinities, so they come as words.
        Some(Json::String(text)) => match text.as_str() {
            "NaN" | "inf" | "-inf" => SortKey::Number(text.parse().unwrap_or(f64::NAN)),
            _ => SortKey::Text(text.clone()),
        },
        Some(other) => SortKey::Text(human::json(other)),
    }
}

impl SortKey {
    fn place(&self) -> u8 {
        match self {
            Self::Number(n) if n.is_nan() => 2,
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::Missing => 3,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }
}

fn print_table(
    a: &RunsArguments,
    runs: &[Overview],
    out: &mut Output,
) -> anyhow::Result<Vec<String>> {
    let fields = if a.columns.is_empty() {
        default_columns(runs)
    } else {
        a.columns.clone()
    };
    let exact = out.width().is_none();
    let columns = fields.iter().map(|field| column(field, runs)).collect();
    let mut table = Table::new(columns);
    let best: Vec<Option<f64>> = fields.iter().map(|field| best_of(field, runs)).collect();
    for run in runs {
        let cells = fields
            .iter()
            .zip(&best)
            .map(|(field, best)| cell(run, field, *best, exact));
        table.push(cells.collect());
    }
    let left_out = table.print(out)?;
    Ok(left_out.into_iter().map(str::to_owned).collect())
}

fn default_columns(runs: &[Overview]) -> Vec<String> {
    let mut columns: Vec<String> = ["name", "id", "state", "duration", "age"]
        .map(str::to_owned)
        .into();
    let mut add = |key: &str| {
        if !columns.iter().any(|c| c == key) {
            columns.push(key.to_owned());
        }
    };
    runs.iter()
        .flat_map(|r| r.goals.keys())
        .for_each(|key| add(key));
    if runs.iter().all(|run| run.goals.is_empty()) {
        let mut keys: Vec<&String> = runs
            .iter()
            .flat_map(|run| run.summary.keys())
            .filter(|key| !crate::select::is_reserved(key))
            .collect();
        keys.sort();
        keys.dedup();
        keys.iter().take(FIRST_FEW).for_each(|key| add(key));
    }
    columns
}

fn column(field: &str, runs: &[Overview]) -> Column {
    let numeric = runs
        .iter()
        .filter_map(|run| run.field(field))
        .all(|v| v.is_number() || matches!(v.as_str(), Some("NaN" | "inf" | "-inf")));
    Column {
        title: human::clean(field),
        right: numeric,
        // Ids are there to be copied.
        cuttable: !numeric && !matches!(field, "id" | "state"),
    }
}

/// The best value of a column whose series has a goal.
fn best_of(field: &str, runs: &[Overview]) -> Option<f64> {
    let goal = runs.iter().find_map(|run| run.goals.get(field))?;
    let values = runs
        .iter()
        .filter_map(|run| run.field(field)?.as_f64())
        .filter(|v| !v.is_nan());
    match goal {
        Goal::Minimize => values.reduce(f64::min),
        Goal::Maximize => values.reduce(f64::max),
    }
}

fn cell(run: &Overview, field: &str, best: Option<f64>, exact: bool) -> Span<'static> {
    if field == "state" {
        return theme::state(&run.state);
    }
    let Some(value) = run.field(field) else {
        return Span::styled("–", theme::QUIET);
    };
    let number = value.as_f64();
    let text = match (field, number) {
        ("duration", Some(seconds)) => human::duration(seconds),
        ("age", Some(seconds)) => human::age(seconds),
        ("created", _) => run.created.map(human::local_time).unwrap_or_default(),
        (_, Some(n)) if exact && value.is_f64() => human::exact_number(n),
        (_, Some(n)) if value.is_f64() => human::number(n, 5),
        _ => match &*value {
            Json::Array(list) => list.iter().map(human::json).collect::<Vec<_>>().join(", "),
            other => human::json(other),
        },
    };
    if matches!(&*value, Json::String(t) if matches!(t.as_str(), "NaN" | "inf" | "-inf")) {
        return Span::styled(text, theme::BAD);
    }
    match number {
        Some(n) if best == Some(n) => Span::styled(text, theme::STRONG),
        _ if field == "id" || field == "age" => Span::styled(text, theme::QUIET),
        _ => Span::raw(text),
    }
}
