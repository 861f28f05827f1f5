//! `cresset watch`: one run, live.
//!
//! `app` has what the screen shows and what keys do, `draw` puts it into cells, `screen` owns the terminal, and `plain`
//! is for where there is none.

mod app;
mod draw;
mod plain;
mod screen;
#[cfg(test)]
mod tests;

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use cresset_record::RunView;

use crate::args::WatchArguments;
use crate::exit::Exit;
use crate::output::Output;
use crate::{index, locate};

/// How often a run is looked at.
const POLL: Duration = Duration::from_millis(250);

/// Runs the command.
pub(crate) fn run(
    a: &WatchArguments,
    dir: Option<&Path>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let dir = locate::run(dir, &a.run.run)?;
    let view = RunView::open(dir).context("cannot read the run")?;
    let given = index::labels_of(view.dir()).and_then(|set| set.name);
    if std::io::stdout().is_terminal() {
        screen::run(app::App::new(view, given, a.key.clone()))
    } else {
        plain::run(view, given.as_deref(), &a.key, out)
    }
}
