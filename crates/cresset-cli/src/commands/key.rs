//! `cresset key`: keys for `cresset serve`.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use cresset_record::Project;
use cresset_store::{AccessKey, KeyScope, Role, Store};

use crate::args::{KeyArguments, KeyCommand, KeyCreateArguments, KeyRole};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::{human, locate};

pub(crate) fn run(
    arguments: &KeyArguments,
    dir: Option<&Path>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let store = Store::open(locate::folder_of_runs(None, dir)?)?;
    match &arguments.command {
        KeyCommand::Create(arguments) => create(&store, arguments, out)?,
        KeyCommand::Revoke(arguments) => {
            store.revoke_key(&arguments.name)?;
            out.line(format!(
                "the key `{}` opens nothing any more",
                arguments.name
            ))?;
        }
        KeyCommand::List => list(&store.keys()?, out)?,
    }
    Ok(Exit::Ok)
}

fn create(store: &Store, arguments: &KeyCreateArguments, out: &mut Output) -> anyhow::Result<()> {
    let role = match arguments.role {
        KeyRole::Read => Role::Read,
        KeyRole::Write => Role::Write,
        KeyRole::Admin => Role::Admin,
    };
    let scope = match &arguments.project {
        None => KeyScope::All,
        Some(name) => {
            let project = Project::try_from(name.clone());
            KeyScope::Project(project.map_err(|e| Failure::usage(e.to_string()))?)
        }
    };
    let (key, secret) = store
        .create_key(&arguments.name, role, scope)
        .context("no key was made")?;
    // The key alone is on standard output, so that it can be sent into a file or a secret store.
    out.line(secret)?;
    out.flush()?;
    eprintln!(
        "the key `{}` ({}) is above and will not be shown again",
        key.name,
        reach(&key)
    );
    Ok(())
}

fn list(keys: &[AccessKey], out: &mut Output) -> anyhow::Result<()> {
    if keys.is_empty() {
        out.line("no keys; `cresset key create NAME --role read` makes one")?;
        return Ok(());
    }
    let name = |key: &AccessKey| human::clean(&key.name);
    let rows: Vec<[String; 4]> = keys
        .iter()
        .map(|key| {
            let used = key.used.map_or_else(
                || "never used".to_owned(),
                |time| format!("used {}", human::rfc3339(time)),
            );
            [
                name(key),
                reach(key),
                format!("created {}", human::rfc3339(key.created)),
                used,
            ]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..4).map(|c| width(c).unwrap_or_default()).collect();
    for row in &rows {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells.map(|(cell, &w)| format!("{cell:w$}")).collect();
        out.line(cells.join("  "))?;
    }
    Ok(())
}

/// What a key allows, and where.
fn reach(key: &AccessKey) -> String {
    let role = match key.role {
        Role::Read => "read",
        Role::Write => "write",
        Role::Admin => "admin",
    };
    match &key.scope {
        KeyScope::All => format!("{role}, all projects"),
        KeyScope::Project(project) => {
            format!("{role}, project {}", human::clean(project.as_str()))
        }
    }
}
