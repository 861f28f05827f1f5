//! People: what they may, and where.

use std::fmt;

use cresset_record::Timestamp;

use super::audit::{About, note};
use super::keys::{KeyScope, Role};
use super::{admins, check_name, logins, name as read_name};
use crate::engine::{Arg, Transaction};
use crate::error::StoreError;

pub(super) const TABLE: (&str, &str) = (
    "users",
    "name TEXT NOT NULL PRIMARY KEY, created BIGINT NOT NULL",
);

/// `project` is empty where the grant is for all.
pub(super) const GRANTS: (&str, &str) = (
    "grants",
    "holder TEXT NOT NULL, project TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (holder, project)",
);

/// Longest name, in bytes.
const MAX_NAME: usize = 128;
/// Most users.
const MAX_USERS: i64 = 10_000;
/// Most grants of a user.
const MAX_GRANTS: usize = 1_000;

/// What somebody may do somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Where.
    pub scope: KeyScope,
    /// What.
    pub role: Role,
}

/// Such as `write in solder`.
impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = self.role.word();
        match &self.scope {
            KeyScope::All => write!(f, "{role} everywhere"),
            KeyScope::Project(project) => write!(f, "{role} in {project}"),
        }
    }
}

/// Somebody who may hold keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name, unique; where people log in by OpenID Connect, what that calls them.
    pub name: String,
    /// Since when.
    pub created: Timestamp,
    /// What they may. A private project needs a grant of its own.
    pub grants: Vec<Grant>,
    /// How many keys they hold.
    pub keys: u64,
}

/// What a user may.
pub(super) fn grants_of(tx: &mut dyn Transaction, user: &str) -> Result<Vec<Grant>, StoreError> {
    let sql = "SELECT project, role FROM grants WHERE holder = $1 ORDER BY project";
    tx.all(sql, &[user.into()], |row| {
        Ok(Grant {
            scope: match row.text(0)? {
                "" => KeyScope::All,
                project => KeyScope::Project(read_name(project)?),
            },
            role: Role::read(row.text(1)?)?,
        })
    })
}

pub(super) fn require(tx: &mut dyn Transaction, user: &str) -> Result<(), StoreError> {
    let sql = "SELECT 1 FROM users WHERE name = $1";
    match tx.first(sql, &[user.into()], |_| Ok(()))? {
        Some(()) => Ok(()),
        None => Err(StoreError::NotFound(format!(
            "there is no user {user:?}; `cresset user set` makes one"
        ))),
    }
}

impl crate::Store {
    /// Says what a user may, in place of what was said before; makes the user where there is none of this name.
    ///
    /// # Errors
    /// `Invalid` for a name that is empty or too long, two grants for one place, or too many of either; `Conflict` where nobody would be
    /// left with a key that is admin everywhere, over the network.
    pub fn set_user(&self, user: &str, grants: &[Grant]) -> Result<(), StoreError> {
        check_name("the user's name", user, MAX_NAME)?;
        if grants.len() > MAX_GRANTS {
            return Err(StoreError::invalid(format!(
                "{} projects are too many for a user; at most {MAX_GRANTS} are kept",
                grants.len()
            )));
        }
        let place = |grant: &Grant| match &grant.scope {
            KeyScope::All => String::new(),
            KeyScope::Project(project) => project.to_string(),
        };
        let mut places: Vec<String> = grants.iter().map(place).collect();
        places.sort();
        if let Some(twice) = places.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(StoreError::invalid(format!(
                "two roles are given for {:?}; give one",
                twice[0]
            )));
        }
        let may: Vec<String> = grants.iter().map(Grant::to_string).collect();
        let may = if may.is_empty() {
            "nothing".to_owned()
        } else {
            may.join(", ")
        };
        let detail = format!("{user} may {may}");
        let grant_all = |tx: &mut dyn Transaction| {
            tx.execute("DELETE FROM grants WHERE holder = $1", &[user.into()])?;
            for grant in grants {
                let args = [user.into(), grant.role.word().into()];
                let place = place(grant);
                tx.execute(
                    "INSERT INTO grants (holder, role, project) VALUES ($1, $2, $3)",
                    &[args[0], args[1], place.as_str().into()],
                )?;
            }
            Ok(())
        };
        self.engine().write(|tx| {
            let made = tx.execute(
                "INSERT INTO users (name, created) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
                &[user.into(), Arg::Integer(Timestamp::now().0)],
            )?;
            let users = tx.first("SELECT COUNT(*) FROM users", &[], |row| row.integer(0))?;
            if made > 0 && users > Some(MAX_USERS) {
                return Err(StoreError::invalid(format!(
                    "there are {MAX_USERS} users; remove those who left"
                )));
            }
            admins::keep_one(tx, self.actor(), grant_all)?;
            let action = if made > 0 {
                "user.create"
            } else {
                "user.change"
            };
            note(tx, self.actor(), action, About::all(&detail))
        })
    }

    /// Removes a user, all keys of theirs, and what they are logged in with, at once. Gives the number of keys.
    ///
    /// # Errors
    /// `NotFound` where there is none of this name; `Conflict` where nobody would be left with a key that is admin everywhere, over
    /// the network.
    pub fn remove_user(&self, user: &str) -> Result<u64, StoreError> {
        self.engine().write(|tx| {
            require(tx, user)?;
            let keys = admins::keep_one(tx, self.actor(), |tx| {
                for sql in [
                    "DELETE FROM users WHERE name = $1",
                    "DELETE FROM grants WHERE holder = $1",
                ] {
                    tx.execute(sql, &[user.into()])?;
                }
                logins::end_all(tx, user)?;
                tx.execute("DELETE FROM access_keys WHERE owner = $1", &[user.into()])
            })?;
            note(tx, self.actor(), "user.remove", About::all(user))?;
            Ok(keys)
        })
    }

    /// All users, by name.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn users(&self) -> Result<Vec<User>, StoreError> {
        let sql = "SELECT name, created, (SELECT COUNT(*) FROM access_keys WHERE owner = users.name) \
                   FROM users ORDER BY name";
        self.engine().read(|tx| {
            let mut users = tx.all(sql, &[], |row| {
                Ok(User {
                    name: row.text(0)?.to_owned(),
                    created: Timestamp(row.integer(1)?),
                    grants: Vec::new(),
                    keys: u64::try_from(row.integer(2)?).unwrap_or_default(),
                })
            })?;
            for user in &mut users {
                user.grants = grants_of(tx, &user.name)?;
            }
            Ok(users)
        })
    }

    /// What a user may; `None` where there is no such user.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn user_grants(&self, user: &str) -> Result<Option<Vec<Grant>>, StoreError> {
        self.engine().read(|tx| match require(tx, user) {
            Ok(()) => grants_of(tx, user).map(Some),
            Err(StoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        })
    }
}
