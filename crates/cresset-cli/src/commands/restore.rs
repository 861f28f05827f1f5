//! `cresset restore`: takes runs out of the trash.

use std::path::Path;

use cresset_store::{RunKey, Trashed};

use super::{project, report};
use crate::args::{RestoreArguments, WhichArguments};
use crate::exit::Exit;
use crate::index::Index;
use crate::locate;
use crate::output::Output;

pub(crate) fn run(
    a: &RestoreArguments,
    dir: Option<&Path>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let index = Index::write(&locate::root(dir)?)?;
    let store = index.store();
    let runs = chosen(&store.trash()?, &a.which)?;
    let done = report(&runs, out, "is back", |key| {
        let name = store.run(key).map(|run| run.name.clone())?;
        store.restore(key).map(|()| name)
    })?;
    Ok(done.exit)
}

fn chosen(trash: &[Trashed], which: &WhichArguments) -> anyhow::Result<Vec<RunKey>> {
    let Some(name) = &which.project else {
        let found = |run: &String| locate::trashed_run(trash, run);
        return which.runs.iter().map(found).collect();
    };
    let project = project(name)?;
    let of_project = trash.iter().filter(|run| run.key.project == project);
    Ok(of_project.map(|run| run.key.clone()).collect())
}
