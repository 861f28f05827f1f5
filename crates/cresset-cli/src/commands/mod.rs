//! One file a command.

mod export;
mod key;
mod runs;
mod serve;
mod show;
mod ui;
mod verify;
mod watch;

use std::io::Write;

use crate::args::{Arguments, Command};
use crate::exit::Exit;
use crate::output::Output;

/// Does what the command line asks.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<Exit> {
    let dir = arguments.global.dir.as_deref();
    let mut out = Output::stdout(arguments.global.color);
    let exit = match arguments.command {
        Command::Ui(a) => ui::run(&a, dir, &mut out),
        Command::Runs(a) => runs::run(&a, dir, &mut out),
        Command::Show(a) => show::run(&a, dir, &mut out),
        Command::Watch(a) => watch::run(&a, dir, &mut out),
        Command::Export(a) => export::run(&a, dir, &mut out),
        Command::Verify(a) => verify::run(&a, dir, &mut out),
        Command::Serve(a) => serve::run(&a, dir, &mut out),
        Command::Key(a) => key::run(&a, dir, &mut out),
    }?;
    out.flush()?;
    Ok(exit)
}
