//! `cresset key`: keys for `cresset serve`.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use cresset_record::{Project, Timestamp};
use cresset_store::{AccessKey, KeyScope, NewKey, Role, Store};
use ratatui::text::Span;

use crate::args::{KeyArguments, KeyCommand, KeyCreateArguments};
use crate::exit::{Exit, Failure};
use crate::human;
use crate::output::Output;
use crate::table::{Column, Table};

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
    let mut table = Table::new(vec![
        Column::text("key"),
        Column::text("may"),
        Column::whole("created"),
        Column::whole("last used"),
        Column::whole("until"),
    ]);
    for key in keys {
        let time = |time: Option<Timestamp>, none: &str| {
            Span::raw(time.map_or_else(|| none.to_owned(), human::local_time))
        };
        table.push(vec![
            Span::raw(human::clean(&key.name)),
            Span::raw(human::clean(&key.may())),
            time(Some(key.created), ""),
            time(key.used, "never"),
            time(key.expires, ""),
        ]);
    }
    table.print(out)?;
    Ok(())
}

/// What a key allows, and until when.
fn reach(key: &AccessKey) -> String {
    let until = key.expires.map(human::local_time);
    let until = until.map_or_else(String::new, |until| format!(", until {until}"));
    format!("{}{until}", human::clean(&key.may()))
}
