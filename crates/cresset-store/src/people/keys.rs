//! Keys to a server, and what their holders may.

use std::fmt::Write;

use cresset_record::{Project, Timestamp};

use super::audit::{About, note};
use super::users::{self, Grant};
use super::{admins, check_name, logins, name as read_name, projects};
use crate::engine::{Arg, Row, Transaction};
use crate::error::StoreError;

/// `project` is null where the key is good for all, `owner` where it is nobody's, `expires` where it never does. `hash` is the
/// BLAKE3 digest of the secret.
pub(super) const TABLE: (&str, &str) = (
    "access_keys",
    "name TEXT NOT NULL PRIMARY KEY, role TEXT NOT NULL, project TEXT, created BIGINT NOT NULL, used BIGINT, \
     hash BYTES NOT NULL, owner TEXT, expires BIGINT",
);

/// What the first version did not have.
pub(super) const ADDED: [&str; 2] = [
    "ALTER TABLE access_keys ADD COLUMN owner TEXT",
    "ALTER TABLE access_keys ADD COLUMN expires BIGINT",
];

const COLUMNS: &str = "name, role, project, created, used, owner, expires";

/// Longest name, in bytes.
const MAX_NAME: usize = 128;
/// Most keys.
const MAX_KEYS: i64 = 10_000;
/// Most keys of one user, who can make them without asking an admin.
const MAX_OWNED: i64 = 200;
/// What secrets begin with, so that people and scanners know them when they see one.
const PREFIX: &str = "crs_";
/// That a key was used is noted as often, in microseconds.
const MINUTE: i64 = 60_000_000;

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looking.
    Read,
    /// Labels, views, trash, stop.
    Write,
    /// Keys, and deleting for good.
    Admin,
}

impl Role {
    /// All roles; each may do what those before it may.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// The role in one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    pub(super) fn read(word: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.into_iter().find(|known| known.word() == word);
        found.ok_or_else(|| StoreError::Engine(format!("holds an unknown role, {word:?}")))
    }
}

/// Where a key is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyScope {
    /// Everywhere.
    All,
    /// In one project.
    Project(Project),
}

/// A key to a server, without its secret: of that only a hash is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// For people, unique.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// Where.
    pub scope: KeyScope,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used, to the minute.
    pub used: Option<Timestamp>,
    /// Whose it is: it allows no more than they may. A key that is nobody's allows what it says.
    pub owner: Option<String>,
    /// When it opens nothing any more, if ever.
    pub expires: Option<Timestamp>,
}

/// A key that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// For people, unique.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// Where.
    pub scope: KeyScope,
    /// Whose it is.
    pub owner: Option<String>,
    /// When it opens nothing any more.
    pub expires: Option<Timestamp>,
}

impl NewKey {
    /// A key that is nobody's and good until it is taken back.
    #[must_use]
    pub fn new(name: impl Into<String>, role: Role, scope: KeyScope) -> Self {
        Self {
            name: name.into(),
            role,
            scope,
            owner: None,
            expires: None,
        }
    }
}

/// What the holder of a key may, at the moment when it was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The key. For a login, the one that it stands for: it has the name of its user, and ends as the login does.
    pub key: AccessKey,
    /// Whether it is a login.
    pub is_login: bool,
    grants: Vec<Grant>,
    /// Projects that a grant for all does not open.
    private: Vec<Project>,
}

impl Access {
    /// The highest role in a project; `None` where not even that it exists may be known.
    #[must_use]
    pub fn role_in(&self, project: &Project) -> Option<Role> {
        let role = |grant: &Grant| match &grant.scope {
            KeyScope::Project(own) => (own == project).then_some(grant.role),
            KeyScope::All if grant.role == Role::Admin => Some(grant.role),
            KeyScope::All => (!self.private.contains(project)).then_some(grant.role),
        };
        self.grants.iter().filter_map(role).max()
    }

    /// The highest role anywhere.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.grants.iter().map(|grant| grant.role).max()
    }

    /// The role in all projects that there are and will be; `None` without one.
    #[must_use]
    pub fn role_everywhere(&self) -> Option<Role> {
        let everywhere = |grant: &Grant| {
            let all = grant.scope == KeyScope::All;
            (all && (grant.role == Role::Admin || self.private.is_empty())).then_some(grant.role)
        };
        self.grants.iter().filter_map(everywhere).max()
    }

    /// The projects that it is for; `None` for all.
    #[must_use]
    pub fn projects(&self) -> Option<Vec<&Project>> {
        let project = |scope| match scope {
            &KeyScope::All => None,
            KeyScope::Project(project) => Some(project),
        };
        self.grants
            .iter()
            .map(|grant| project(&grant.scope))
            .collect()
    }
}

/// What is left of the grants of a key's owner within what the key itself allows.
fn narrowed(grants: Vec<Grant>, key: &AccessKey) -> Vec<Grant> {
    let within = |grant: Grant| {
        let scope = match (&key.scope, grant.scope) {
            (KeyScope::All, scope) => scope,
            (own, KeyScope::All) => own.clone(),
            (own, scope) if *own == scope => scope,
            _ => return None,
        };
        Some(Grant {
            scope,
            role: grant.role.min(key.role),
        })
    };
    grants.into_iter().filter_map(within).collect()
}

impl AccessKey {
    /// What its holder may, in words: `write everywhere`, `read in solder`, `what alice may`.
    #[must_use]
    pub fn may(&self) -> String {
        let grant = Grant {
            scope: self.scope.clone(),
            role: self.role,
        };
        match (&self.owner, self.role, &self.scope) {
            (None, ..) => grant.to_string(),
            (Some(owner), Role::Admin, KeyScope::All) => format!("what {owner} may"),
            (Some(owner), Role::Admin, KeyScope::Project(project)) => {
                format!("what {owner} may in {project}")
            }
            (Some(owner), ..) => format!("{grant}, as far as {owner} may"),
        }
    }

    fn read(row: &dyn Row) -> Result<Self, StoreError> {
        Ok(Self {
            name: row.text(0)?.to_owned(),
            role: Role::read(row.text(1)?)?,
            scope: match row.optional_text(2)? {
                Some(project) => KeyScope::Project(read_name(project)?),
                None => KeyScope::All,
            },
            created: Timestamp(row.integer(3)?),
            used: row.optional_integer(4)?.map(Timestamp),
            owner: row.optional_text(5)?.map(str::to_owned),
            expires: row.optional_integer(6)?.map(Timestamp),
        })
    }
}

impl crate::Store {
    /// Makes a key; gives its secret, which is never shown again.
    ///
    /// # Errors
    /// `Conflict` where there is a key of this name, or where the first one of a server that asks for none is not admin everywhere;
    /// `Invalid` where the name is empty or too long, or there are too many; `NotFound` where there is no such owner.
    pub fn create_key(&self, new: NewKey) -> Result<(AccessKey, String), StoreError> {
        check_name("the key's name", &new.name, MAX_NAME)?;
        let secret = secret(PREFIX)?;
        let key = AccessKey {
            name: new.name,
            role: new.role,
            scope: new.scope,
            created: Timestamp::now(),
            used: None,
            owner: new.owner,
            expires: new.expires,
        };
        let project = match &key.scope {
            KeyScope::All => None,
            KeyScope::Project(project) => Some(project),
        };
        let insert = |tx: &mut dyn Transaction| {
            tx.execute(
                "INSERT INTO access_keys (name, role, project, created, hash, owner, expires) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING",
                &[
                    key.name.as_str().into(),
                    key.role.word().into(),
                    project.map(Project::as_str).into(),
                    Arg::Integer(key.created.0),
                    blake3::hash(secret.as_bytes()).as_bytes().as_slice().into(),
                    key.owner.as_deref().into(),
                    key.expires.map(|time| time.0).into(),
                ],
            )
        };
        self.engine().write(|tx| {
            if let Some(owner) = &key.owner {
                users::require(tx, owner)?;
            }
            make_room(tx, key.owner.as_deref())?;
            let made = admins::begin_with_one(tx, self.actor(), insert)?;
            if made == 0 {
                return Err(StoreError::Conflict(format!(
                    "there is a key {:?} already; choose another name, or revoke it first",
                    key.name
                )));
            }
            let about = About {
                project,
                run: None,
                detail: &format!("{} ({})", key.name, key.may()),
            };
            note(tx, self.actor(), "key.create", about)
        })?;
        Ok((key, secret))
    }

    /// Takes a key back.
    ///
    /// # Errors
    /// `NotFound` where there is none of this name; `Conflict` where it is the last that is admin everywhere, over the network.
    pub fn revoke_key(&self, name: &str) -> Result<(), StoreError> {
        self.revoke(name, None)
    }

    /// Takes a key back that is this user's.
    ///
    /// # Errors
    /// `NotFound` where they have none of this name; `Conflict` where it is the last that is admin everywhere, over the network.
    pub fn revoke_key_of(&self, owner: &str, name: &str) -> Result<(), StoreError> {
        self.revoke(name, Some(owner))
    }

    fn revoke(&self, name: &str, owner: Option<&str>) -> Result<(), StoreError> {
        let sql = "DELETE FROM access_keys WHERE name = $1 AND ($2 = '' OR owner = $2)";
        let args = [name.into(), owner.unwrap_or_default().into()];
        self.engine().write(|tx| {
            let gone = admins::keep_one(tx, self.actor(), |tx| tx.execute(sql, &args))?;
            match gone {
                0 => Err(StoreError::NotFound(format!("there is no key {name:?}"))),
                _ => note(tx, self.actor(), "key.revoke", About::all(name)),
            }
        })
    }

    /// All keys, by name.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn keys(&self) -> Result<Vec<AccessKey>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM access_keys ORDER BY name");
        self.engine().read(|tx| tx.all(&sql, &[], AccessKey::read))
    }

    /// Whether there is any key.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn has_keys(&self) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM access_keys)";
        let found = self
            .engine()
            .read(|tx| tx.first(sql, &[], |row| row.integer(0)))?;
        Ok(found == Some(1))
    }

    /// What the holder of this secret may, be it of a key or of a login; `None` where nobody has it, or its time is over.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn verify_key(&self, secret: &str) -> Result<Option<Access>, StoreError> {
        let is_login = logins::is_of_login(secret);
        let now = Timestamp::now();
        let mut found = self.engine().read(|tx| {
            let found = match is_login {
                true => logins::find(tx, secret)?,
                false => find(tx, secret)?,
            };
            let Some(key) = found.filter(|key| key.expires.is_none_or(|end| now < end)) else {
                return Ok(None);
            };
            let grants = match &key.owner {
                Some(owner) => narrowed(users::grants_of(tx, owner)?, &key),
                None => vec![Grant {
                    scope: key.scope.clone(),
                    role: key.role,
                }],
            };
            let private = projects::private(tx)?;
            Ok(Some(Access {
                key,
                is_login,
                grants,
                private,
            }))
        })?;
        if let Some(Access {
            key,
            is_login: false,
            ..
        }) = &mut found
        {
            let minute = Timestamp(now.0.div_euclid(MINUTE) * MINUTE);
            if key.used != Some(minute) {
                key.used = Some(minute);
                let sql = "UPDATE access_keys SET used = $1 WHERE name = $2";
                let args = [Arg::Integer(minute.0), key.name.as_str().into()];
                // The key is good, whether that can be noted or not.
                let _ = self.engine().write(|tx| tx.execute(sql, &args));
            }
        }
        Ok(found)
    }
}

/// The key with this secret.
fn find(tx: &mut dyn Transaction, secret: &str) -> Result<Option<AccessKey>, StoreError> {
    let hash = blake3::hash(secret.as_bytes());
    let sql = format!("SELECT {COLUMNS}, hash FROM access_keys");
    let mut found = None;
    tx.query(&sql, &[], &mut |row| {
        // `Hash` compares in constant time, and each key is looked at.
        let kept = <[u8; 32]>::try_from(row.bytes(7)?)
            .ok()
            .map(blake3::Hash::from_bytes);
        if kept.is_some_and(|kept| kept == hash) {
            found = Some(AccessKey::read(row)?);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Refuses one key more than there may be.
fn make_room(tx: &mut dyn Transaction, owner: Option<&str>) -> Result<(), StoreError> {
    let count = |tx: &mut dyn Transaction, of: &str| {
        let sql = "SELECT COUNT(*) FROM access_keys WHERE $1 = '' OR owner = $1";
        let found = tx.first(sql, &[of.into()], |row| row.integer(0))?;
        Ok::<_, StoreError>(found.unwrap_or_default())
    };
    if count(tx, "")? >= MAX_KEYS {
        return Err(StoreError::invalid(format!(
            "there are {MAX_KEYS} keys; revoke those that nobody uses"
        )));
    }
    match owner {
        Some(owner) if count(tx, owner)? >= MAX_OWNED => Err(StoreError::invalid(format!(
            "{owner} has {MAX_OWNED} keys; revoke those that nobody uses"
        ))),
        _ => Ok(()),
    }
}

/// 256 random bits in words that a terminal selects with a double click.
pub(super) fn secret(prefix: &str) -> Result<String, StoreError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|e| StoreError::Engine(format!("the system gives no random bytes: {e}")))?;
    let mut secret = String::from(prefix);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(secret, "{byte:02x}");
    }
    Ok(secret)
}
