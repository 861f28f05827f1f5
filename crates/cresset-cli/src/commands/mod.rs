//! One file a command.

mod audit;
mod backup;
mod delete;
mod diff;
mod export;
mod gpu;
mod import;
mod index;
mod key;
mod login;
mod projects;
mod restore;
mod runs;
mod serve;
mod show;
mod stop;
mod sync;
mod tag;
mod trash;
mod ui;
mod user;
mod verify;
mod watch;

use std::io::Write;
use std::path::Path;

use cresset_record::Project;
use cresset_store::{RunKey, Store, StoreError};

use crate::args::{Arguments, Command};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::{human, locate};

/// Does what the command line asks.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<Exit> {
    let dir = arguments.global.dir.as_deref();
    let mut out = Output::stdout(arguments.global.color);
    let exit = match arguments.command {
        Command::Ui(a) => ui::run(&a, dir, &mut out),
        Command::Runs(a) => runs::run(&a, dir, &mut out),
        Command::Show(a) => show::run(&a, dir, &mut out),
        Command::Diff(a) => diff::run(&a, dir, &mut out),
        Command::Watch(a) => watch::run(&a, dir, &mut out),
        Command::Export(a) => export::run(&a, dir, &mut out),
        Command::Verify(a) => verify::run(&a, dir, &mut out),
        Command::Tag(a) => tag::run(&a, dir, &mut out),
        Command::Stop(a) => stop::run(&a, dir, &mut out),
        Command::Delete(a) => delete::run(&a, dir, &mut out),
        Command::Restore(a) => restore::run(&a, dir, &mut out),
        Command::Trash(a) => trash::run(&a, dir, &mut out),
        Command::Sync(a) => sync::run(&a, dir, &mut out),
        Command::Login(a) => login::run(&a, &mut out),
        Command::Import(a) => import::run(&a, dir, &mut out),
        Command::Index(a) => index::run(&a, dir, &mut out),
        Command::Gpu(a) => gpu::run(&a, dir, &mut out),
        Command::Serve(a) => serve::run(&a, dir, &mut out),
        Command::Key(a) => key::run(&a, dir, &mut out),
        Command::User(a) => user::run(&a, dir, &mut out),
        Command::Project(a) => projects::run(&a, dir, &mut out),
        Command::Audit(a) => audit::run(&a, dir, &mut out),
        Command::Backup(a) => backup::run(&a, dir, &mut out),
    }?;
    out.flush()?;
    Ok(exit)
}

/// The store of the folder that a server serves, for whoever runs it.
fn store(dir: Option<&Path>) -> anyhow::Result<Store> {
    Ok(Store::open(locate::folder_of_runs(None, dir)?)?)
}

/// What became of several runs.
struct Done {
    count: usize,
    exit: Exit,
}

/// Does something with each run, which gives its name, and says of each whether it was done or why not.
fn report(
    runs: &[RunKey],
    out: &mut Output,
    done: &str,
    mut act: impl FnMut(&RunKey) -> Result<String, StoreError>,
) -> anyhow::Result<Done> {
    let mut count = 0;
    for key in runs {
        match act(key) {
            Ok(name) => {
                count += 1;
                out.line(human::clean(&format!("{name} ({}) {done}", key.run)))?;
            }
            Err(error) => eprintln!("cresset: {}", human::clean(&error.to_string())),
        }
    }
    out.flush()?;
    let exit = if count == runs.len() {
        Exit::Ok
    } else {
        Exit::Error
    };
    Ok(Done { count, exit })
}

/// A project by its name.
fn project(name: &str) -> anyhow::Result<Project> {
    Project::try_from(name.to_owned()).map_err(|error| Failure::usage(error.to_string()))
}
