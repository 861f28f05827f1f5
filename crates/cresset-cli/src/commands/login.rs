//! `cresset login`: keeps the key of a server.

use std::io::{self, BufRead, IsTerminal};

use anyhow::Context;
use cresset_ship::Destination;

use crate::args::LoginArguments;
use crate::credentials::Credentials;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(crate) fn run(arguments: &LoginArguments, out: &mut Output) -> anyhow::Result<Exit> {
    let server: Destination = arguments.server.parse().map_err(usage)?;
    let address = server.server().context(
        "a key is kept for a Cresset server; those of other trackers are in their own variables",
    )?;
    let mut credentials = Credentials::read()?;
    if arguments.forget {
        credentials.set(address, None)?;
        out.line(format!("the key for {address} is forgotten"))?;
        return Ok(Exit::Ok);
    }
    let key = ask(address)?;
    cresset_ship::check_key(address, &key)?;
    let path = credentials.set(address, Some(key))?;
    out.line(format!(
        "logged in to {address}; the key is in {}",
        path.display()
    ))?;
    Ok(Exit::Ok)
}

/// From standard input, so that it is neither in a list of processes nor in a history of commands.
fn ask(address: &str) -> anyhow::Result<String> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        eprintln!("The key for {address} (an administrator makes one with `cresset key create`):");
    }
    let mut line = String::new();
    stdin
        .lock()
        .read_line(&mut line)
        .context("no key was read")?;
    match line.trim() {
        "" => Err(Failure::usage("no key was given; pipe it in, or type it")),
        key => Ok(key.to_owned()),
    }
}

fn usage(error: cresset_ship::ShipError) -> anyhow::Error {
    Failure::usage(error.to_string())
}
