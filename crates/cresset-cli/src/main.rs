//! The `cresset` command: list, show, watch, export and verify runs.
//!
//! `args` has the command line, `commands` one file a command, `chart`, `heat`
//! and `table` draw, `output` prints, and `exit` has the exit codes. `README.md` documents what scripts rely on.

mod args;
mod chart;
mod commands;
mod credentials;
mod exit;
#[cfg(test)]
mod fixture;
mod flat;
mod heat;
mod human;
mod index;
mod locate;
mod messages;
mod output;
mod overview;
mod select;
mod table;
mod theme;

use std::process::ExitCode;

use clap::Parser;

use args::Arguments;
use exit::Exit;

fn main() -> ExitCode {
    let exit = commands::run(Arguments::parse()).unwrap_or_else(|error| {
        let code = exit::code_of(&error);
        if code != Exit::Ok {
            eprintln!("cresset: {error:#}");
        }
        code
    });
    exit.into()
}
