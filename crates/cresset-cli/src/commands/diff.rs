//! `cresset diff`: what differs between runs.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use cresset_record::RunView;
use ratatui::text::{Line, Span};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::args::DiffArguments;
use crate::exit::Exit;
use crate::output::Output;
use crate::overview::{Overview, gpu_models};
use crate::table::{Column, Table};
use crate::{flat, human, locate, select, theme};

/// Columns of a value on a terminal; all of it is in the JSON.
const LONGEST: usize = 48;
/// Up to so many keys that the same runs lack have a row each.
const ROWS: usize = 4;
/// Paths of the environment that differ in any two runs.
const OWN: [&str; 2] = ["slurm.job_id", "program.pid"];

/// Runs the command.
pub(crate) fn run(a: &DiffArguments, dir: Option<&Path>, out: &mut Output) -> anyhow::Result<Exit> {
    let overviews = a.runs.iter().map(|run| {
        let dir = locate::run(dir, run)?;
        let view = RunView::open(dir).with_context(|| format!("cannot read {run}"))?;
        Ok(Overview::labelled(&view))
    });
    let overviews: Vec<Overview> = overviews.collect::<anyhow::Result<_>>()?;
    let differences = Differences::of(&overviews, a.all);
    if a.json {
        serde_json::to_writer_pretty(&mut *out, &differences)?;
        out.write_all(b"\n")?;
    } else {
        differences.print(a.all, out)?;
    }
    Ok(Exit::Ok)
}

/// What differs. Its JSON is what `cresset diff --json` prints.
#[derive(Serialize)]
struct Differences<'a> {
    runs: Vec<Compared<'a>>,
    run: Vec<Row>,
    config: Vec<Row>,
    environment: Vec<Row>,
    summary: Vec<Row>,
}

/// One of the runs.
#[derive(Serialize)]
struct Compared<'a> {
    id: &'a str,
    name: &'a str,
    project: Option<&'a str>,
}

/// A value that is not the same in all runs: one a run in their order, null where a run has none.
#[derive(Serialize)]
struct Row {
    key: String,
    values: Vec<Json>,
}

impl Row {
    /// Which runs have a value.
    fn has(&self) -> Vec<bool> {
        self.values.iter().map(|value| !value.is_null()).collect()
    }
}

impl<'a> Differences<'a> {
    fn of(runs: &'a [Overview], all: bool) -> Self {
        let facts: Vec<_> = runs.iter().map(facts).collect();
        let environments: Vec<_> = runs.iter().map(|run| environment(run, all)).collect();
        let summaries: Vec<_> = runs
            .iter()
            .map(|run| {
                let own = run.summary.iter();
                let own = own.filter(|(key, _)| all || !select::is_reserved(key));
                own.map(|(key, value)| (key.clone(), value.clone()))
                    .collect()
            })
            .collect();
        let configs: Vec<_> = runs.iter().map(|run| leaves(&run.config)).collect();
        Self {
            runs: runs
                .iter()
                .map(|run| Compared {
                    id: &run.id,
                    name: &run.name,
                    project: run.project.as_deref(),
                })
                .collect(),
            run: differing(&facts),
            config: differing(&configs),
            environment: differing(&environments),
            summary: differing(&summaries),
        }
    }

    fn print(&self, all: bool, out: &mut Output) -> io::Result<()> {
        let titles = self.titles();
        let parts = [
            ("Run", &self.run, String::new()),
            ("Config", &self.config, String::new()),
            ("Environment", &self.environment, self.git_hint()),
            ("Summary", &self.summary, String::new()),
        ];
        let mut is_first = true;
        for (title, rows, note) in parts {
            if rows.is_empty() {
                continue;
            }
            if !std::mem::take(&mut is_first) {
                out.blank()?;
            }
            out.line(Line::from(vec![
                Span::styled(title, theme::STRONG),
                Span::styled(format!("  {note}"), theme::QUIET),
            ]))?;
            let lists = match title {
                "Summary" if !all => missing(rows),
                _ => BTreeMap::new(),
            };
            let rows = rows.iter().filter(|row| !lists.contains_key(&row.has()));
            print_table(&titles, &rows.collect::<Vec<_>>(), out)?;
            for (has, keys) in lists {
                print_missing(&titles, &has, &keys, out)?;
            }
        }
        if is_first {
            out.line("nothing differs")?;
        }
        let parts = [
            ("config", &self.config),
            ("environment", &self.environment),
            ("summary", &self.summary),
        ];
        let same = parts.iter().filter(|(_, rows)| rows.is_empty());
        let same: Vec<&str> = same.map(|(title, _)| *title).collect();
        if !same.is_empty() && !is_first {
            out.blank()?;
            out.line(format!("The same in all: {}.", same.join(", ")))?;
        }
        Ok(())
    }

    /// Names, with the ids where two runs have one name.
    fn titles(&self) -> Vec<String> {
        let title = |run: &Compared<'_>| {
            let alike = self.runs.iter().filter(|other| other.name == run.name);
            match alike.count() {
                1 => human::clean(run.name),
                _ => human::clean(&format!("{} ({})", run.name, run.id)),
            }
        };
        self.runs.iter().map(title).collect()
    }

    /// How to see what differs in the code.
    fn git_hint(&self) -> String {
        let commits = self.environment.iter().find(|row| row.key == "git.commit");
        let commits: Vec<&str> = commits
            .into_iter()
            .flat_map(|row| row.values.iter().filter_map(Json::as_str))
            .filter(|commit| commit.chars().all(|c| c.is_ascii_hexdigit()))
            .map(|commit| commit.get(..12).unwrap_or(commit))
            .collect();
        match commits.as_slice() {
            [a, b] => format!("the code: git diff {a} {b}"),
            _ => String::new(),
        }
    }
}

/// What the run is, apart from its name and id.
fn facts(run: &Overview) -> BTreeMap<String, Json> {
    let facts = [
        ("project", Json::from(run.project.clone())),
        ("state", run.state.word().into()),
        ("started", run.created.map(human::local_time).into()),
        ("duration", human::duration(run.duration).into()),
        ("group", run.group.clone().into()),
        ("job type", run.job_type.clone().into()),
        ("tags", run.tags.clone().into()),
        ("notes", run.notes.clone().into()),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_null());
    facts.map(|(key, value)| (key.to_owned(), value)).collect()
}

/// What surrounded the run; of GPUs their models, unless all is asked for.
fn environment(run: &Overview, all: bool) -> BTreeMap<String, Json> {
    let mut leaves = leaves(&run.environment);
    if !all {
        leaves.retain(|key, _| !OWN.contains(&key.as_str()));
        if let Some(gpus) = leaves.get_mut("gpus") {
            *gpus = gpu_models(&run.environment).into();
        }
    }
    leaves
}

fn leaves(object: &Map<String, Json>) -> BTreeMap<String, Json> {
    let leaves = flat::leaves(object).into_iter();
    leaves.map(|(path, value)| (path, value.clone())).collect()
}

/// The keys of which not all runs have the same value.
fn differing(runs: &[BTreeMap<String, Json>]) -> Vec<Row> {
    let mut keys: Vec<&String> = runs.iter().flat_map(BTreeMap::keys).collect();
    keys.sort_unstable();
    keys.dedup();
    let differs = |key: &&String| {
        let first = runs.first().and_then(|run| run.get(*key));
        runs.iter().any(|run| run.get(*key) != first)
    };
    let row = |key: &String| Row {
        values: runs
            .iter()
            .map(|run| run.get(key).cloned().unwrap_or(Json::Null))
            .collect(),
        key: key.clone(),
    };
    keys.into_iter().filter(differs).map(row).collect()
}

/// Keys that some runs have and the others lack, where they are many: a run that ended early has none of what comes last, and
/// a row for each would hide what differs.
fn missing(rows: &[Row]) -> BTreeMap<Vec<bool>, Vec<&str>> {
    let mut lists: BTreeMap<Vec<bool>, Vec<&str>> = BTreeMap::new();
    for row in rows {
        lists.entry(row.has()).or_default().push(&row.key);
    }
    lists.retain(|has, keys| has.contains(&false) && keys.len() > ROWS);
    lists
}

fn print_missing(
    titles: &[String],
    has: &[bool],
    keys: &[&str],
    out: &mut Output,
) -> io::Result<()> {
    let having = titles.iter().zip(has).filter(|(_, has)| **has);
    let having: Vec<&str> = having.map(|(title, _)| title.as_str()).collect();
    let keys = human::clean(&keys.join(", "));
    let text = format!("only in {}: {keys}", having.join(", "));
    let columns = usize::from(out.width().unwrap_or(u16::MAX)).saturating_sub(2);
    for line in human::wrap(&text, columns) {
        out.line(Span::styled(format!("  {line}"), theme::QUIET))?;
    }
    Ok(())
}

fn print_table(titles: &[String], rows: &[&Row], out: &mut Output) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let first = Column::whole("");
    let columns = titles.iter().map(|title| Column::text(title));
    let mut table = Table::new(std::iter::once(first).chain(columns).collect());
    let exact = out.width().is_none();
    // About as much as the table will give each value.
    let keys = rows.iter().map(|row| human::width(&row.key) + 2);
    let rest = usize::from(out.width().unwrap_or(u16::MAX)).saturating_sub(keys.max().unwrap_or(0));
    let room = (rest / titles.len().max(1))
        .saturating_sub(2)
        .clamp(8, LONGEST);
    for row in rows {
        let key = Span::styled(format!("  {}", human::clean(&row.key)), theme::QUIET);
        let texts = |exact| -> Vec<String> {
            let texts = row.values.iter().map(|value| shown(value, exact));
            texts.collect()
        };
        // Values that differ must look so.
        let mut brief = texts(false);
        if brief.iter().any(|text| human::width(text) > room) {
            let whole = texts(true);
            brief = from_difference(&whole, room).unwrap_or(brief);
        }
        let are_alike = brief.windows(2).all(|pair| pair[0] == pair[1]);
        let texts = if exact || are_alike {
            texts(true)
        } else {
            brief
        };
        let values = row.values.iter().zip(texts);
        let values = values.map(|(value, text)| match value {
            Json::Null => Span::styled("–", theme::QUIET),
            _ => Span::raw(text),
        });
        table.push(std::iter::once(key).chain(values).collect());
    }
    table.print(out).map(|_| ())
}

/// Long values from a little before the place where they begin to differ, if a cut to `room` would hide that place.
fn from_difference(texts: &[String], room: usize) -> Option<Vec<String>> {
    let (first, others) = texts.split_first()?;
    let alike = |other: &String| {
        let pairs = first.chars().zip(other.chars());
        pairs.take_while(|(a, b)| a == b).count()
    };
    let shared = others.iter().map(alike).min()?;
    if shared + room / 2 < room {
        return None;
    }
    // A word is not begun in its middle.
    let head: Vec<char> = first.chars().take(shared).collect();
    let from = head
        .iter()
        .rposition(|c| *c == ' ')
        .map_or(shared, |at| at + 1);
    let tail = |text: &String| format!("…{}", text.chars().skip(from).collect::<String>());
    Some(
        texts
            .iter()
            .map(tail)
            .map(|text| human::fit(&text, LONGEST))
            .collect(),
    )
}

/// A value on one line; unless it is to be exact, neither with all digits nor too long.
fn shown(value: &Json, exact: bool) -> String {
    let lines = value.as_str().map_or(0, |text| text.lines().count());
    match value.as_f64().filter(|_| value.is_f64()) {
        _ if lines > 1 => format!("{}: see --json", human::count(lines as u64, "line")),
        Some(number) if !exact => human::number(number, 5),
        _ if exact => human::json(value),
        _ => human::fit(&human::json(value), LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(texts: [&str; 2], room: usize) -> Option<Vec<String>> {
        from_difference(&texts.map(str::to_owned), room)
    }

    #[test]
    fn a_cut_does_not_hide_what_differs() {
        let texts = [
            "[--data, data/small, --lr, 0.01]",
            "[--data, data/small, --lr, 0.03, --smoke]",
        ];
        assert_eq!(cut(texts, 20).unwrap(), ["…0.01]", "…0.03, --smoke]"]);
        assert_eq!(
            cut(["[--lr, 1, --data, data/small]", "[--lr, 2]"], 20),
            None
        );
        let one_is_longer = ["[--data, data/small]", "[--data, data/small, --smoke]"];
        assert_eq!(
            cut(one_is_longer, 20).unwrap(),
            ["…data/small]", "…data/small, --smoke]"]
        );
        let words = ["a-word-without-end-a", "a-word-without-end-b"];
        assert_eq!(cut(words, 10).unwrap(), ["…a", "…b"]);
    }
}
