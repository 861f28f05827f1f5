//! `cresset audit`: who changed what.

use std::path::Path;

use cresset_record::RunId;
use cresset_store::{AuditEntry, AuditQuery, Via};
use ratatui::text::Span;
use serde_json::json;

use super::project;
use crate::args::AuditArguments;
use crate::exit::{Exit, Failure};
use crate::human;
use crate::output::Output;
use crate::table::{Column, Table};

pub(crate) fn run(
    a: &AuditArguments,
    dir: Option<&Path>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let store = super::store(dir)?;
    let run = a.run.clone().map(RunId::try_from).transpose();
    let query = AuditQuery {
        who: a.who.clone(),
        project: a.project.as_deref().map(project).transpose()?,
        run: run.map_err(|error| Failure::usage(error.to_string()))?,
        limit: a.limit,
        ..AuditQuery::default()
    };
    let entries = store.audit(&query)?;
    if a.json {
        for entry in &entries {
            out.line(json(entry).to_string())?;
        }
        return Ok(Exit::Ok);
    }
    if entries.is_empty() {
        eprintln!("nobody changed anything");
        return Ok(Exit::Ok);
    }
    print(&entries, out)?;
    Ok(Exit::Ok)
}

fn json(entry: &AuditEntry) -> serde_json::Value {
    json!({
        "number": entry.number,
        "time": human::rfc3339(entry.time),
        "who": entry.actor.name,
        "via": entry.actor.via.word(),
        "address": entry.actor.address.map(|address| address.to_string()),
        "action": entry.action,
        "project": entry.project,
        "run": entry.run,
        "detail": entry.detail,
    })
}

fn print(entries: &[AuditEntry], out: &mut Output) -> anyhow::Result<()> {
    let mut table = Table::new(vec![
        Column::whole("when"),
        Column::text("who"),
        Column::whole("what"),
        Column::text("to"),
        Column::text("detail"),
    ]);
    for entry in entries {
        let place = match (&entry.project, &entry.run) {
            (Some(project), Some(run)) => format!("{project}/{run}"),
            (Some(project), None) => project.to_string(),
            (None, _) => String::new(),
        };
        let who = match (entry.actor.via, entry.actor.address) {
            (Via::Rule, _) => format!("the rule {}", entry.actor.name),
            (_, Some(address)) => format!("{} at {address}", entry.actor.name),
            (_, None) => entry.actor.name.clone(),
        };
        table.push(vec![
            Span::raw(human::local_time(entry.time)),
            Span::raw(human::clean(&who)),
            Span::raw(entry.action.clone()),
            Span::raw(human::clean(&place)),
            Span::raw(human::clean(&entry.detail_in_words())),
        ]);
    }
    table.print(out)?;
    Ok(())
}
