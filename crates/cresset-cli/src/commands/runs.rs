//! `cresset runs`: the table of runs.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use cresset_record::{Goal, Project, Timestamp};
use cresset_store::{Field, FieldSource, Filter, RunHead, RunPage, RunRow, Store, TableQuery};
use ratatui::text::Span;
use serde_json::Value as Json;

use crate::args::RunsArguments;
use crate::exit::{Exit, Failure};
use crate::index::Index;
use crate::output::Output;
use crate::overview::Overview;
use crate::table::{Column, Table};
use crate::{human, locate, theme};

/// Columns of the summary that are shown where no series has a goal.
const FIRST_FEW: usize = 3;

/// Runs the command.
pub(crate) fn run(a: &RunsArguments, dir: Option<&Path>, out: &mut Output) -> anyhow::Result<Exit> {
    let filter = a.filter.as_deref().map(Filter::parse).transpose();
    let filter = filter.map_err(|e| Failure::usage(e.to_string()))?;
    check_order(&a.sort)?;
    let root = locate::root(dir)?;
    let index = Index::read(&root)?;
    for (run, why) in &index.refused {
        eprintln!("cresset: run {run} is left out: {why}");
    }
    let asked = asked_for(a, filter.as_ref());
    let named = asked.iter().chain(&a.columns).map(String::as_str);
    warn_of_unknown(index.store(), named)?;
    let page = ask(index.store(), a, &asked)?;
    if a.json {
        print_json(index.store(), &page, out)?;
        return Ok(Exit::Ok);
    }
    if page.runs.is_empty() {
        explain_nothing(index.store(), root.path())?;
        return Ok(Exit::Ok);
    }
    let left_out = print_table(index.store(), a, &asked, &page.runs, out)?;
    if !left_out.is_empty() {
        let text = format!(
            "(no room for {}; choose with --columns)",
            left_out.join(", ")
        );
        out.line(Span::styled(text, theme::QUIET))?;
    }
    Ok(Exit::Ok)
}

fn check_order(sort: &[String]) -> anyhow::Result<()> {
    for text in sort {
        let path = text.strip_prefix('-').unwrap_or(text);
        if path.is_empty() || path.starts_with('-') {
            return Err(Failure::usage(format!(
                "--sort takes fields such as name or -val/auc, not `{text}`"
            )));
        }
    }
    Ok(())
}

/// The fields by which runs are sorted and picked: whoever names one wants to see it.
fn asked_for(a: &RunsArguments, filter: Option<&Filter>) -> Vec<String> {
    let sorted = a.sort.iter().map(|field| field.trim_start_matches('-'));
    let mut asked: Vec<String> = Vec::new();
    for field in sorted.chain(filter.into_iter().flat_map(Filter::fields)) {
        if !asked.iter().any(|known| known == field) {
            asked.push(field.to_owned());
        }
    }
    asked
}

/// The runs that were asked for, with the values of the columns, or of all where nobody chose.
fn ask(store: &Store, a: &RunsArguments, asked: &[String]) -> anyhow::Result<RunPage> {
    let columns = match a.columns.as_slice() {
        [] => std::iter::once("*".to_owned())
            .chain(asked.iter().cloned())
            .collect(),
        chosen => chosen.to_vec(),
    };
    let query = TableQuery {
        filter: a.filter.clone().unwrap_or_default(),
        sort: a.sort.clone(),
        columns: if a.json { Vec::new() } else { columns },
        limit: a.limit.unwrap_or(usize::MAX),
        ..TableQuery::default()
    };
    let page = match &a.project {
        None => store.all_runs(&query),
        Some(name) => store.runs(&super::project(name)?, &query),
    };
    Ok(page?)
}

fn print_json(store: &Store, page: &RunPage, out: &mut Output) -> anyhow::Result<()> {
    let mut runs = Vec::with_capacity(page.runs.len());
    for RunRow { head, .. } in &page.runs {
        let path = store.root().run(&head.key.project, &head.key.run);
        let run = store.run(&head.key)?;
        runs.push(Overview::of_document(&run, path.path().to_owned()));
    }
    serde_json::to_writer_pretty(&mut *out, &runs)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// A field that no run has is mostly a slip of the pen, and would go unnoticed: it passes no test and sorts nothing.
fn warn_of_unknown<'a>(store: &Store, fields: impl Iterator<Item = &'a str>) -> anyhow::Result<()> {
    let mut fields: Vec<&str> = fields.collect();
    fields.sort_unstable();
    for field in store.unknown_fields(&fields)? {
        eprintln!("cresset: no run has a field `{}`", human::clean(&field));
    }
    Ok(())
}

fn explain_nothing(store: &Store, root: &Path) -> anyhow::Result<()> {
    let known = store.all_runs(&TableQuery::default())?.total;
    if known == 0 {
        eprintln!("{} holds no runs yet", root.display());
    } else {
        let runs = human::count(known as u64, "run");
        eprintln!("none of the {runs} in {} passes", root.display());
    }
    Ok(())
}

/// A run as it is printed.
struct Shown<'a> {
    head: &'a RunHead,
    values: BTreeMap<&'a str, &'a Json>,
}

impl<'a> Shown<'a> {
    fn of(run: &'a RunRow) -> Self {
        let values = run.values.iter().map(|(path, value)| (&**path, value));
        Self {
            head: &run.head,
            values: values.collect(),
        }
    }
}

fn print_table(
    store: &Store,
    a: &RunsArguments,
    asked: &[String],
    runs: &[RunRow],
    out: &mut Output,
) -> anyhow::Result<Vec<String>> {
    let runs: Vec<Shown<'_>> = runs.iter().map(Shown::of).collect();
    let known = fields_of(store, &runs)?;
    let fields = if a.columns.is_empty() {
        default_columns(&known, asked, &runs)
    } else {
        a.columns.clone()
    };
    let exact = out.width().is_none();
    let columns = fields.iter().map(|field| column(field, &runs)).collect();
    let mut table = Table::new(columns);
    let best: Vec<Option<f64>> = fields
        .iter()
        .map(|field| best_of(field, &known, &runs))
        .collect();
    for run in &runs {
        let cells = fields
            .iter()
            .zip(&best)
            .map(|(field, best)| cell(run, field, *best, exact));
        table.push(cells.collect());
    }
    let left_out = table.print(out)?;
    Ok(left_out.into_iter().map(str::to_owned).collect())
}

/// What the projects of these runs say of their summaries, by path.
fn fields_of(store: &Store, runs: &[Shown<'_>]) -> anyhow::Result<BTreeMap<String, Field>> {
    let mut projects: Vec<&Project> = runs.iter().map(|run| &run.head.key.project).collect();
    projects.sort_unstable();
    projects.dedup();
    let mut known: BTreeMap<String, Field> = BTreeMap::new();
    for project in projects {
        for field in store.fields(project)? {
            if field.source == FieldSource::Summary {
                known.entry(field.path.clone()).or_insert(field);
            }
        }
    }
    Ok(known)
}

fn default_columns(
    known: &BTreeMap<String, Field>,
    asked: &[String],
    runs: &[Shown<'_>],
) -> Vec<String> {
    let shown = |field: &&Field| {
        let path = field.path.as_str();
        runs.iter().any(|run| run.values.contains_key(path))
    };
    let with_goal = known.values().filter(|field| field.goal.is_some());
    let mut chosen: Vec<&Field> = with_goal.filter(shown).collect();
    if chosen.is_empty() {
        let own = |field: &&Field| !crate::select::is_reserved(&field.path);
        chosen = known.values().filter(own).filter(shown).collect();
        chosen.truncate(FIRST_FEW);
    }
    let mut columns: Vec<String> = ["name", "id", "state", "duration", "age"]
        .map(str::to_owned)
        .into();
    // Before the others, which a narrow terminal has no room for. When a run was created, its age says.
    let asked = asked.iter().filter(|field| {
        let path = field.as_str();
        path != "created" && runs.iter().any(|run| run.values.contains_key(path))
    });
    let chosen = chosen.into_iter().map(|field| &field.path);
    for field in asked.chain(chosen) {
        if !columns.contains(field) {
            columns.push(field.clone());
        }
    }
    columns
}

/// The value of a field; those that every run has come without being asked for.
fn value(run: &Shown<'_>, field: &str) -> Option<Json> {
    let head = run.head;
    match field {
        "name" => Some(Json::from(head.name.as_str())),
        "id" => Some(Json::from(head.key.run.as_str())),
        "state" => Some(Json::from(head.state.word())),
        "duration" => Some(Json::from(head.duration_seconds(Timestamp::now()))),
        "age" => {
            let age = Timestamp::now().seconds_since(head.created?);
            Some(Json::from(age.max(0.0)))
        }
        _ => run.values.get(field).map(|value| (*value).clone()),
    }
}

fn column(field: &str, runs: &[Shown<'_>]) -> Column {
    let numeric = runs
        .iter()
        .filter_map(|run| value(run, field))
        .all(|v| v.is_number() || matches!(v.as_str(), Some("NaN" | "inf" | "-inf")));
    Column {
        title: human::clean(field),
        right: numeric,
        // Ids are there to be copied.
        cuttable: !numeric && !matches!(field, "id" | "state"),
    }
}

/// The best value of a column whose series has a goal.
fn best_of(field: &str, known: &BTreeMap<String, Field>, runs: &[Shown<'_>]) -> Option<f64> {
    let goal = known.get(field)?.goal?;
    let values = runs
        .iter()
        .filter_map(|run| value(run, field)?.as_f64())
        .filter(|v| !v.is_nan());
    match goal {
        Goal::Minimize => values.reduce(f64::min),
        Goal::Maximize => values.reduce(f64::max),
    }
}

fn cell(run: &Shown<'_>, field: &str, best: Option<f64>, exact: bool) -> Span<'static> {
    if field == "state" {
        return theme::state(&run.head.state);
    }
    let Some(value) = value(run, field) else {
        return Span::styled("–", theme::QUIET);
    };
    let number = value.as_f64();
    let text = match (field, number) {
        ("duration", Some(seconds)) => human::duration(seconds),
        ("age", Some(seconds)) => human::age(seconds),
        ("created", _) => run.head.created.map(human::local_time).unwrap_or_default(),
        (_, Some(n)) if exact && value.is_f64() => human::exact_number(n),
        (_, Some(n)) if value.is_f64() => human::number(n, 5),
        _ => match &value {
            Json::Array(list) => list.iter().map(human::json).collect::<Vec<_>>().join(", "),
            other => human::json(other),
        },
    };
    if matches!(&value, Json::String(t) if matches!(t.as_str(), "NaN" | "inf" | "-inf")) {
        return Span::styled(text, theme::BAD);
    }
    match number {
        Some(n) if best == Some(n) => Span::styled(text, theme::STRONG),
        _ if field == "id" || field == "age" => Span::styled(text, theme::QUIET),
        _ => Span::raw(text),
    }
}
