//! `cresset key`: keys for `cresset serve`.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use cresset_record::{Project, Timestamp};
use cresset_store::{AccessKey, KeyScope, NewKey, Role, Store};

use crate::args::{KeyArguments, KeyCommand, KeyCreateArguments};
use crate::exit::{Exit, Failure};
use crate::human;
use crate::output::Output;

pub(crate) fn run(
    arguments: &KeyArguments,
    dir: Option<&Path>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let store = super::store(dir)?;
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
    // With a user, what they may is the limit.
    let role = arguments.role.map_or(Role::Admin, Role::from);
    let scope = match &arguments.project {
        None => KeyScope::All,
        Some(name) => {
            let project = Project::try_from(name.clone());
            KeyScope::Project(project.map_err(|e| Failure::usage(e.to_string()))?)
        }
    };
    let days = arguments.days.map(|days| i64::from(days) * 86_400_000_000);
    let new = NewKey {
        owner: arguments.user.clone(),
        expires: days.map(|days| Timestamp(Timestamp::now().0.saturating_add(days))),
        ..NewKey::new(&arguments.name, role, scope)
    };
    let (key, secret) = store.create_key(new).context("no key was made")?;
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
    let role = key.role.word();
    let place = match &key.scope {
        KeyScope::All => format!("{role}, all projects"),
        KeyScope::Project(project) => {
            format!("{role}, project {}", human::clean(project.as_str()))
        }
    };
    let owner = key.owner.as_deref().map(human::clean);
    let owner = owner.map_or_else(String::new, |owner| format!(", as far as {owner} may"));
    let until = key.expires.map(human::rfc3339);
    let until = until.map_or_else(String::new, |until| format!(", until {until}"));
    format!("{place}{owner}{until}")
}
