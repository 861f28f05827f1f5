//! `cresset project`: who sees a project, how much it may hold, and what of it goes with time.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;

use cresset_store::{ProjectSettings, Store};
use ratatui::text::Span;

use super::project;
use crate::args::{ProjectArguments, ProjectCommand, ProjectSetArguments};
use crate::exit::{Exit, Failure};
use crate::human;
use crate::output::Output;
use crate::table::{Column, Table};

pub(crate) fn run(
    arguments: &ProjectArguments,
    dir: Option<&Path>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let store = super::store(dir)?;
    store.refresh()?;
    match &arguments.command {
        ProjectCommand::List => list(&store, out)?,
        ProjectCommand::Set(a) => set(&store, a, out)?,
    }
    Ok(Exit::Ok)
}

fn list(store: &Store, out: &mut Output) -> anyhow::Result<()> {
    let mut table = Table::new(vec![
        Column::text("project"),
        Column::number("runs"),
        Column::number("size"),
        Column::text("set"),
    ]);
    let mut names: Vec<_> = store
        .projects()?
        .into_iter()
        .map(|overview| (overview.project, overview.states.values().sum::<u64>()))
        .collect();
    let settings = store.all_project_settings()?;
    for (name, _) in &settings {
        if names.iter().all(|(known, _)| known != name) {
            names.push((name.clone(), 0));
        }
    }
    if names.is_empty() {
        eprintln!("no projects yet");
        return Ok(());
    }
    for (name, runs) in names {
        let set = settings.iter().find(|(project, _)| *project == name);
        let words = set.map_or_else(String::new, |(_, set)| set.to_string());
        table.push(vec![
            Span::raw(human::clean(name.as_str())),
            Span::raw(runs.to_string()),
            Span::raw(human::bytes(store.project_bytes(&name))),
            Span::raw(words),
        ]);
    }
    table.print(out)?;
    Ok(())
}

fn set(store: &Store, a: &ProjectSetArguments, out: &mut Output) -> anyhow::Result<()> {
    let name = project(&a.project)?;
    let before = store.project_settings(&name)?;
    let mut settings = before.clone();
    if let Some(private) = a.private {
        settings.private = private;
    }
    if let Some(text) = &a.quota {
        settings.quota = or_none(text, "--quota", "a size such as 50GB", human::parse_bytes)?;
    }
    if let Some(text) = &a.keep_checkpoints {
        settings.keep_checkpoints = or_none(text, "--keep-checkpoints", "a number", number)?;
    }
    if let Some(text) = &a.media_days {
        settings.media_days = or_none(text, "--media-days", "a number of days", number)?;
    }
    let expired = store.expired(&name, &settings)?;
    let rules = |settings: &ProjectSettings| (settings.keep_checkpoints, settings.media_days);
    let is_new_rule = settings.removes() && rules(&settings) != rules(&before);
    if is_new_rule {
        let runs: BTreeSet<&str> = expired.iter().map(|blob| blob.run.run.as_str()).collect();
        let would = match expired.len() as u64 {
            0 => "nothing of what there is now".to_owned(),
            values => format!(
                "{} of {}, {}",
                human::count(values, "checkpoint or media value"),
                human::count(runs.len() as u64, "run"),
                human::bytes(expired.iter().map(|blob| blob.bytes).sum())
            ),
        };
        if !a.yes {
            out.line(format!(
                "would remove {would}; nothing is set yet, --yes sets it"
            ))?;
            for blob in expired.iter().take(10) {
                let line = format!(
                    "  {} {} step {}: {} ({})",
                    blob.run.run,
                    blob.key,
                    blob.step,
                    human::bytes(blob.bytes),
                    blob.why
                );
                out.line(human::clean(&line))?;
            }
            if expired.len() > 10 {
                out.line(format!("  and {} more", expired.len() - 10))?;
            }
            return Ok(());
        }
        out.line(format!("removes {would}, within the hour"))?;
    }
    store.set_project(&name, &settings)?;
    out.line(human::clean(&format!("{name}: {settings}")))?;
    Ok(())
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn or_none<T>(
    text: &str,
    option: &str,
    wanted: &str,
    read: impl Fn(&str) -> Option<T>,
) -> anyhow::Result<Option<T>> {
    if text == "none" {
        return Ok(None);
    }
    let bad = || Failure::usage(format!("`{option} {text}`: give {wanted}, or none"));
    read(text).map(Some).ok_or_else(bad)
}
