//! `cresset trash`: what was deleted and can still be taken back.

use std::path::Path;

use cresset_store::{RunKey, Trashed};
use ratatui::text::Span;

use super::report;
use crate::args::TrashArguments;
use crate::exit::Exit;
use crate::index::Index;
use crate::output::Output;
use crate::table::{Column, Table};
use crate::{human, locate};

pub(crate) fn run(
    a: &TrashArguments,
    dir: Option<&Path>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let index = Index::write(&locate::root(dir)?)?;
    let store = index.store();
    let trash = store.trash()?;
    if trash.is_empty() {
        eprintln!("the trash is empty");
        return Ok(Exit::Ok);
    }
    if !a.empty {
        print(&trash, out)?;
        return Ok(Exit::Ok);
    }
    let runs: Vec<RunKey> = trash.iter().map(|run| run.key.clone()).collect();
    let name = |key: &RunKey| {
        let run = trash.iter().find(|run| run.key == *key);
        run.map_or_else(String::new, |run| run.name.clone())
    };
    let done = report(&runs, out, "is gone for good", |key| {
        store.purge(key).map(|()| name(key))
    })?;
    Ok(done.exit)
}

fn print(trash: &[Trashed], out: &mut Output) -> anyhow::Result<()> {
    let mut table = Table::new(vec![
        Column::text("name"),
        Column::whole("id"),
        Column::text("project"),
        Column::number("size"),
        Column::text("deleted"),
        Column::text("gone after"),
    ]);
    for run in trash {
        table.push(vec![
            Span::raw(human::clean(&run.name)),
            Span::raw(run.key.run.as_str().to_owned()),
            Span::raw(human::clean(run.key.project.as_str())),
            Span::raw(human::bytes(run.bytes)),
            Span::raw(human::local_time(run.deleted)),
            Span::raw(human::local_time(run.purged_after)),
        ]);
    }
    table.print(out)?;
    Ok(())
}
