//! `cresset delete`: puts runs into the trash.

use std::path::Path;

use cresset_store::{RunKey, Store, TableQuery};

use super::{project, report};
use crate::args::{DeleteArguments, WhichArguments};
use crate::exit::Exit;
use crate::index::Index;
use crate::output::Output;
use crate::{human, locate};

pub(crate) fn run(
    a: &DeleteArguments,
    dir: Option<&Path>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let index = Index::write(&locate::root(dir)?)?;
    let store = index.store();
    let runs = chosen(store, &a.which)?;
    let done = report(&runs, out, "is in the trash", |key| {
        let name = store.run(key).map(|run| run.name.clone())?;
        store.delete(key).map(|()| name)
    })?;
    if done.count > 0 {
        let delay = human::duration(store.trash_delay().as_secs_f64());
        eprintln!("`cresset restore` takes back what is in the trash, for {delay}");
    }
    Ok(done.exit)
}

/// All runs are found before the first one goes.
fn chosen(store: &Store, which: &WhichArguments) -> anyhow::Result<Vec<RunKey>> {
    let Some(name) = &which.project else {
        let found = |run: &String| locate::known_run(store, run);
        return which.runs.iter().map(found).collect();
    };
    let all = TableQuery {
        limit: usize::MAX,
        ..TableQuery::default()
    };
    let page = store.runs(&project(name)?, &all)?;
    Ok(page.runs.iter().map(|run| run.head.key.clone()).collect())
}
