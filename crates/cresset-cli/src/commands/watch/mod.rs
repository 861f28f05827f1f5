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
use crate::locate;
use crate::output::Output;

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
    if std::io::stdout().is_terminal() {
        screen::run(app::App::new(view, a.key.clone()))
    } else {
        plain::run(view, &a.key, out)
    }
}
