//! What people say: labels, trash, stop requests, views, users and their keys, what is set for projects; and who did what. It has no log
//! and survives a rebuild.

mod admins;
mod audit;
mod keys;
mod labels;
mod logins;
mod projects;
mod stop;
#[cfg(test)]
mod tests;
mod trash;
mod users;
mod views;

use crate::document::RunKey;
use crate::engine::Transaction;
use crate::error::StoreError;

pub(crate) use audit::{About, note};
pub use audit::{Actor, AuditEntry, AuditQuery, Via};
pub use keys::{Access, AccessKey, KeyScope, NewKey, Role};
pub use labels::LabelPatch;
pub(crate) use labels::of as labels_of;
pub use projects::ProjectSettings;
pub use trash::Trashed;
pub(crate) use trash::{folder_bytes, holds as in_trash};
pub use users::{Grant, User};
pub use views::View;

/// The tables, for `engine::schema`.
pub(crate) const TABLES: &[(&str, &str)] = &[
    labels::TABLE,
    trash::TABLE,
    views::TABLE,
    keys::TABLE,
    users::TABLE,
    users::GRANTS,
    projects::TABLE,
    audit::TABLE,
];

/// Who is logged in, for `engine::schema`: kept as the tables above are, and in no backup, since what has ended must not begin again.
pub(crate) const LOGINS: (&str, &str) = logins::TABLE;

/// What a database of version 1 needs beside new tables.
pub(crate) const ADDED_IN_2: &[&str] = &keys::ADDED;

/// Refuses a run that is not known.
fn require(tx: &mut dyn Transaction, key: &RunKey) -> Result<(), StoreError> {
    let args = [key.project.as_str().into(), key.run.as_str().into()];
    let sql = "SELECT 1 FROM runs WHERE project = $1 AND run = $2";
    match tx.first(sql, &args, |_| Ok(()))? {
        Some(()) => Ok(()),
        None => Err(StoreError::NotFound(format!(
            "there is no run {} in project {}",
            key.run, key.project
        ))),
    }
}

/// Refuses a name that is empty, too long, or holds what does not show.
fn check_name(what: &str, name: &str, max: usize) -> Result<(), StoreError> {
    let reason = if name.trim().is_empty() {
        "is empty".to_owned()
    } else if name.len() > max {
        format!("has {} bytes; at most {max} are kept", name.len())
    } else if name.chars().any(char::is_control) {
        "holds a control character".to_owned()
    } else {
        return Ok(());
    };
    let shown: String = name.chars().take(40).collect();
    Err(StoreError::invalid(format!("{what} {shown:?} {reason}")))
}

/// A name from the database, where it was put after it had been checked.
pub(crate) fn name<T: TryFrom<String>>(text: &str) -> Result<T, StoreError> {
    T::try_from(text.to_owned())
        .map_err(|_| StoreError::Engine(format!("holds a name that cannot be: {text:?}")))
}
