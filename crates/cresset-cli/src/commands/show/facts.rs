//! The upper part of the page: what the run is, its config, and its summary.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use cresset_record::{Goal, SummaryRule, Timestamp};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use serde_json::{Map, Value as Json};

use super::{Page, section};
use crate::output::Output;
use crate::overview::gpu_models;
use crate::table::{Column, Table};
use crate::{flat, human, locate, select, theme};

/// Columns of the names before facts.
const LABEL: usize = 9;

/// Columns of a text in the summary; all of it is in the JSON.
const LONGEST_TEXT: usize = 60;

pub(super) fn print(page: &Page, out: &mut Output) -> io::Result<()> {
    print_head(page, out)?;
    print_config(page, out)?;
    print_summary(page, out)
}

fn print_head(page: &Page, out: &mut Output) -> io::Result<()> {
    let o = page.overview;
    out.line(Line::from(vec![
        Span::styled(human::clean(&o.name), theme::STRONG),
        Span::raw("  "),
        theme::state(&o.state),
    ]))?;
    out.blank()?;
    if let Some(reason) = &o.reason {
        fact(out, "reason", reason, theme::BAD)?;
    }
    if let Some(run) = page.trashed {
        let [since, until] = [run.deleted, run.purged_after].map(human::local_time);
        let text = format!("since {since}, gone for good after {until}");
        fact(out, "in trash", &text, theme::DOUBTFUL)?;
    }
    let project = o.project.as_deref().unwrap_or("?");
    fact(out, "run", &format!("{} in {project}", o.id), Style::new())?;
    if let Some(file) = &page.file {
        fact(out, "the file", file, Style::new())?;
    }
    if let Some(created) = o.created {
        fact(out, "started", &times(page, created), Style::new())?;
    }
    let facts = [
        ("command", command(&o.environment)),
        ("code", code(&o.environment)),
        ("host", host(&o.environment)),
        ("imported", imported(&o.environment)),
        ("group", o.group.clone()),
        ("job type", o.job_type.clone()),
        ("tags", Some(o.tags.join(", ")).filter(|t| !t.is_empty())),
    ];
    for (label, value) in facts {
        if let Some(value) = value {
            fact(out, label, &value, Style::new())?;
        }
    }
    for (i, line) in o.notes.lines().enumerate() {
        fact(out, if i == 0 { "notes" } else { "" }, line, Style::new())?;
    }
    Ok(())
}

fn fact(out: &mut Output, label: &str, value: &str, style: Style) -> io::Result<()> {
    out.line(Line::from(vec![
        Span::styled(format!("  {label:LABEL$}  "), theme::QUIET),
        Span::styled(human::clean(value), style),
    ]))
}

fn times(page: &Page, created: Timestamp) -> String {
    let o = page.overview;
    let ago = o.age().map(human::age).unwrap_or_default();
    let word = match o.state {
        cresset_record::State::Running => "runs for",
        _ => "took",
    };
    let duration = human::duration(o.duration);
    format!(
        "{} ({ago} ago), {word} {duration}",
        human::local_time(created)
    )
}

fn imported(environment: &Map<String, Json>) -> Option<String> {
    let from = locate::origin(environment)?;
    let path = text(environment, "import", "path");
    Some(path.map_or_else(
        || format!("from {from}"),
        |path| format!("from {from}, {path}"),
    ))
}

fn text<'a>(environment: &'a Map<String, Json>, place: &str, name: &str) -> Option<&'a str> {
    let text = environment.get(place)?.get(name)?.as_str()?;
    (!text.is_empty()).then_some(text)
}

fn command(environment: &Map<String, Json>) -> Option<String> {
    let program = environment.get("program")?;
    let path = program.get("executable")?.as_str()?;
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let mut command = name.to_owned();
    for argument in program.get("arguments").and_then(Json::as_array)? {
        let argument = argument.as_str().unwrap_or_default();
        command += &format!(" {}", shell_word(argument));
    }
    if let Some(profile) = text(environment, "program", "profile") {
        command += &format!("  ({profile})");
    }
    Some(command)
}

/// An argument as a shell needs it, so that the command can be typed again; without a quote before each `--option=value`.
fn shell_word(argument: &str) -> String {
    let quoted = |part| shlex::try_quote(part).unwrap_or(Cow::Borrowed(part));
    let parts: Vec<_> = argument.split('=').map(quoted).collect();
    parts.join("=")
}

fn code(environment: &Map<String, Json>) -> Option<String> {
    let git = environment.get("git")?;
    let commit = git.get("commit")?.as_str()?;
    let mut code: String = commit.chars().take(12).collect();
    if let Some(branch) = git.get("branch").and_then(Json::as_str) {
        code += &format!(" on {branch}");
    }
    if git.get("dirty") == Some(&Json::Bool(true)) {
        code += ", with changes that are not committed";
    }
    match git.get("untracked").and_then(Json::as_u64) {
        None | Some(0) => {}
        Some(n) => code += &format!(", {}", human::count(n, "untracked file")),
    }
    Some(code)
}

fn host(environment: &Map<String, Json>) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let [user, name] = ["user", "name"].map(|field| text(environment, "host", field));
    parts.extend(match (user, name) {
        (Some(user), Some(name)) => Some(format!("{user}@{name}")),
        (user, name) => user.or(name).map(str::to_owned),
    });
    parts.extend(text(environment, "host", "cpu_model").map(str::to_owned));
    parts.extend(gpu_models(environment));
    (!parts.is_empty()).then(|| parts.join(" · "))
}

fn print_config(page: &Page, out: &mut Output) -> io::Result<()> {
    let flat = flat::leaves(&page.overview.config);
    let flat = flat
        .into_iter()
        .map(|(path, value)| (human::clean(&path), human::json(value)));
    let flat: Vec<_> = flat.collect();
    if flat.is_empty() {
        return Ok(());
    }
    section(out, "Config", "")?;
    let widest = flat.iter().map(|(k, _)| human::width(k)).max().unwrap_or(0);
    for (key, value) in flat {
        let blanks = " ".repeat(widest - human::width(&key));
        out.line(Line::from(vec![
            Span::styled(format!("  {key}{blanks}  "), theme::QUIET),
            Span::raw(value),
        ]))?;
    }
    Ok(())
}

fn print_summary(page: &Page, out: &mut Output) -> io::Result<()> {
    let (own, reserved): (Vec<_>, Vec<_>) = page
        .overview
        .summary
        .iter()
        .partition(|(key, _)| page.all || !select::is_reserved(key));
    if own.is_empty() {
        return Ok(());
    }
    let mut note = folded(reserved.iter().map(|(key, _)| key.as_str()));
    let room = page.fits.map(|fits| fits.saturating_sub("Summary  ".len()));
    if room.is_some_and(|room| human::width(&note) > room) {
        note = format!("and {} more: --all", reserved.len());
    }
    section(out, "Summary", &note)?;
    let column = |title: &str, right| Column {
        title: title.to_owned(),
        right,
        cuttable: !right,
    };
    let mut table = Table::new(vec![
        column("  ", false),
        column("", true),
        column("", false),
        column("min", true),
        column("max", true),
        column("points", true),
    ]);
    for (key, value) in own {
        table.push(summary_row(page, key, value));
    }
    table.print(out).map(|_| ())
}

/// How many of which are not shown.
fn folded<'a>(keys: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for prefix in keys.filter_map(select::reserved) {
        *counts.entry(prefix).or_default() += 1;
    }
    let words = counts
        .iter()
        .map(|(prefix, count)| format!("{count} of {prefix}"));
    let words: Vec<String> = words.collect();
    match words.as_slice() {
        [] => String::new(),
        words => format!("and {}: --all", words.join(", ")),
    }
}

fn summary_row(page: &Page, key: &str, value: &Json) -> Vec<Span<'static>> {
    let definition = page.view.definition(key);
    let shown = match value.as_f64() {
        Some(n) if value.is_f64() => human::number(n, 5),
        _ => human::fit(&human::json(value), LONGEST_TEXT),
    };
    let mut about: Vec<String> = Vec::new();
    about.extend(definition.unit.as_deref().map(human::clean));
    about.extend(definition.goal.map(|goal| match goal {
        Goal::Minimize => "↓".to_owned(),
        Goal::Maximize => "↑".to_owned(),
    }));
    about.extend(rule_word(definition.summary.unwrap_or_default()).map(str::to_owned));
    let mut cells = vec![
        Span::raw(format!("  {}", human::clean(key))),
        Span::styled(shown, theme::STRONG),
        Span::styled(about.join(" "), theme::QUIET),
    ];
    if let Some(series) = page.view.series_of(key) {
        let extreme = |rule| {
            let value = series.summarise(rule, None);
            Span::raw(value.map(|v| human::number(v, 5)).unwrap_or_default())
        };
        cells.push(extreme(SummaryRule::Min));
        cells.push(extreme(SummaryRule::Max));
        let points = human::grouped(series.points().len() as u64);
        cells.push(Span::styled(points, theme::QUIET));
    }
    cells
}

/// The rule by which the value was chosen, unless it is simply the last.
fn rule_word(rule: SummaryRule) -> Option<&'static str> {
    match rule {
        SummaryRule::Last | SummaryRule::None => None,
        SummaryRule::Min => Some("min"),
        SummaryRule::Max => Some("max"),
        SummaryRule::Mean => Some("mean"),
        SummaryRule::Best => Some("best"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_can_be_typed_again() {
        for (argument, word) in [
            ("--epochs", "--epochs"),
            ("--lr=0.1", "--lr=0.1"),
            ("--name=a b", "--name='a b'"),
            ("x; rm -rf ~", "'x; rm -rf ~'"),
            ("$(id)", "'$(id)'"),
            ("it's", "\"it's\""),
            ("", "''"),
        ] {
            assert_eq!(shell_word(argument), word);
        }
    }
}
