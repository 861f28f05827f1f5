//! `cresset user`: who may do what at `cresset serve`.

use std::path::Path;

use cresset_store::{Grant, KeyScope, Role, Store, User};
use ratatui::text::Span;

use super::project;
use crate::args::{KeyRole, UserArguments, UserCommand, UserSetArguments};
use crate::exit::{Exit, Failure};
use crate::human;
use crate::output::Output;
use crate::table::{Column, Table};

pub(crate) fn run(
    arguments: &UserArguments,
    dir: Option<&Path>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let store = super::store(dir)?;
    match &arguments.command {
        UserCommand::Set(a) => set(&store, a, out)?,
        UserCommand::Remove(a) => {
            let keys = store.remove_user(&a.user)?;
            let keys = human::count(keys, "key");
            out.line(human::clean(&format!(
                "{} is gone, and {keys} with them",
                a.user
            )))?;
        }
        UserCommand::List => list(&store.users()?, out)?,
    }
    Ok(Exit::Ok)
}

fn set(store: &Store, a: &UserSetArguments, out: &mut Output) -> anyhow::Result<()> {
    let everywhere = a.role.map(|role| Grant {
        scope: KeyScope::All,
        role: role.into(),
    });
    let mut grants: Vec<Grant> = everywhere.into_iter().collect();
    for text in &a.projects {
        grants.push(grant(text)?);
    }
    store.set_user(&a.user, &grants)?;
    out.line(human::clean(&format!("{} {}", a.user, may(&grants))))?;
    if store
        .users()?
        .iter()
        .any(|user| user.name == a.user && user.keys == 0)
    {
        let hint = format!(
            "`cresset key create NAME --user {}` makes a key for them",
            a.user
        );
        eprintln!("{}", human::clean(&hint));
    }
    Ok(())
}

/// Reads `PROJECT=ROLE`; a project's name may hold a `=`.
fn grant(text: &str) -> anyhow::Result<Grant> {
    let bad = || {
        Failure::usage(format!(
            "`--in {text}`: give a project and a role, such as --in solder=write; roles are read, write and admin"
        ))
    };
    let (name, word) = text.rsplit_once('=').ok_or_else(bad)?;
    let role = Role::ALL.into_iter().find(|role| role.word() == word);
    Ok(Grant {
        scope: KeyScope::Project(project(name)?),
        role: role.ok_or_else(bad)?,
    })
}

fn list(users: &[User], out: &mut Output) -> anyhow::Result<()> {
    if users.is_empty() {
        eprintln!("no users; `cresset user set NAME --role read` makes one");
        return Ok(());
    }
    let mut table = Table::new(vec![
        Column::text("user"),
        Column::text("may"),
        Column::number("keys"),
        Column::text("since"),
    ]);
    for user in users {
        table.push(vec![
            Span::raw(human::clean(&user.name)),
            Span::raw(human::clean(&may(&user.grants))),
            Span::raw(user.keys.to_string()),
            Span::raw(human::local_time(user.created)),
        ]);
    }
    table.print(out)?;
    Ok(())
}

/// What somebody may, in words.
fn may(grants: &[Grant]) -> String {
    if grants.is_empty() {
        return "may nothing yet".into();
    }
    let words: Vec<String> = grants.iter().map(Grant::to_string).collect();
    format!("may {}", words.join(", "))
}

impl From<KeyRole> for Role {
    fn from(role: KeyRole) -> Self {
        match role {
            KeyRole::Read => Self::Read,
            KeyRole::Write => Self::Write,
            KeyRole::Admin => Self::Admin,
        }
    }
}
