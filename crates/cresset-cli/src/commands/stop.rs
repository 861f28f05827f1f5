//! `cresset stop`: asks a run to stop.

use std::path::Path;

use crate::args::StopArguments;
use crate::exit::Exit;
use crate::index::Index;
use crate::output::Output;
use crate::{human, locate};

pub(crate) fn run(a: &StopArguments, dir: Option<&Path>, out: &mut Output) -> anyhow::Result<Exit> {
    let index = Index::write(&locate::root(dir)?)?;
    let store = index.store();
    let key = locate::known_run(store, &a.run)?;
    let run = store.run(&key)?;
    store.request_stop(&key, &a.reason)?;
    let line = format!("{} ({}) was asked to stop", run.name, key.run);
    out.line(human::clean(&line))?;
    Ok(Exit::Ok)
}
