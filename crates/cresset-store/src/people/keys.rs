//! Keys to a server.

use std::fmt::Write;

use cresset_record::{Project, Timestamp};

use super::{check_name, invalid, name as read_name};
use crate::engine::{Arg, Row};
use crate::error::StoreError;

/// `project` is null where the key is good for all. `hash` is the BLAKE3 digest of the secret.
pub(super) const TABLE: (&str, &str) = (
    "access_keys",
    "name TEXT NOT NULL PRIMARY KEY, role TEXT NOT NULL, project TEXT, created BIGINT NOT NULL, used BIGINT, \
     hash BYTES NOT NULL",
);

const COLUMNS: &str = "name, role, project, created, used";

/// Longest name, in bytes.
const MAX_NAME: usize = 128;
/// Most keys.
const MAX_KEYS: usize = 10_000;
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
}

impl AccessKey {
    fn read(row: &dyn Row) -> Result<Self, StoreError> {
        let role = row.text(1)?;
        let role = Role::ALL.into_iter().find(|known| known.word() == role);
        Ok(Self {
            name: row.text(0)?.to_owned(),
            role: role
                .ok_or_else(|| StoreError::Engine("holds a key with an unknown role".into()))?,
            scope: match row.optional_text(2)? {
                Some(project) => KeyScope::Project(read_name(project)?),
                None => KeyScope::All,
            },
            created: Timestamp(row.integer(3)?),
            used: row.optional_integer(4)?.map(Timestamp),
        })
    }
}

impl crate::Store {
    /// Makes a key; gives its secret, which is never shown again.
    ///
    /// # Errors
    /// `Conflict` where there is a key of this name; `Invalid` where the name is empty or too long.
    pub fn create_key(
        &self,
        name: &str,
        role: Role,
        scope: KeyScope,
    ) -> Result<(AccessKey, String), StoreError> {
        check_name("the key's name", name, MAX_NAME)?;
        let secret = secret()?;
        let key = AccessKey {
            name: name.to_owned(),
            role,
            scope,
            created: Timestamp::now(),
            used: None,
        };
        let project = match &key.scope {
            KeyScope::All => None,
            KeyScope::Project(project) => Some(project.as_str()),
        };
        let known = self.keys()?.len();
        if known >= MAX_KEYS {
            return Err(invalid(format!(
                "there are {known} keys; revoke those that nobody uses"
            )));
        }
        let made = self.engine().write(|tx| {
            tx.execute(
                "INSERT INTO access_keys (name, role, project, created, hash) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (name) DO NOTHING",
                &[
                    name.into(),
                    role.word().into(),
                    project.into(),
                    Arg::Integer(key.created.0),
                    blake3::hash(secret.as_bytes()).as_bytes().as_slice().into(),
                ],
            )
        })?;
        if made == 0 {
            return Err(StoreError::Conflict(format!(
                "there is a key {name:?} already; choose another name, or revoke it first"
            )));
        }
        Ok((key, secret))
    }

    /// Takes a key back.
    ///
    /// # Errors
    /// `NotFound` where there is none of this name.
    pub fn revoke_key(&self, name: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM access_keys WHERE name = $1";
        match self.engine().write(|tx| tx.execute(sql, &[name.into()]))? {
            0 => Err(StoreError::NotFound(format!("there is no key {name:?}"))),
            _ => Ok(()),
        }
    }

    /// All keys, by name.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn keys(&self) -> Result<Vec<AccessKey>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM access_keys ORDER BY name");
        self.engine().read(|tx| tx.all(&sql, &[], AccessKey::read))
    }

    /// The key with this secret.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn verify_key(&self, secret: &str) -> Result<Option<AccessKey>, StoreError> {
        let hash = blake3::hash(secret.as_bytes());
        let sql = format!("SELECT {COLUMNS}, hash FROM access_keys");
        let mut found = None;
        self.engine().read(|tx| {
            tx.query(&sql, &[], &mut |row| {
                // `Hash` compares in constant time, and each key is looked at.
                let kept = <[u8; 32]>::try_from(row.bytes(5)?)
                    .ok()
                    .map(blake3::Hash::from_bytes);
                if kept.is_some_and(|kept| kept == hash) {
                    found = Some(AccessKey::read(row)?);
                }
                Ok(())
            })
        })?;
        let Some(mut key) = found else {
            return Ok(None);
        };
        let minute = Timestamp(Timestamp::now().0.div_euclid(MINUTE) * MINUTE);
        if key.used != Some(minute) {
            key.used = Some(minute);
            let sql = "UPDATE access_keys SET used = $1 WHERE name = $2";
            let args = [Arg::Integer(minute.0), key.name.as_str().into()];
            // The key is good, whether that can be noted or not.
            let _ = self.engine().write(|tx| tx.execute(sql, &args));
        }
        Ok(Some(key))
    }
}

/// 256 random bits in words that a terminal selects with a double click.
fn secret() -> Result<String, StoreError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|e| StoreError::Engine(format!("the system gives no random bytes: {e}")))?;
    let mut secret = String::from(PREFIX);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(secret, "{byte:02x}");
    }
    Ok(secret)
}
