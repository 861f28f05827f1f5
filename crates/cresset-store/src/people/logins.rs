//! Logins: people whom an issuer of OpenID Connect vouched for, each for some hours. A login is no key: nobody named it, no list of
//! keys has it, and no backup brings it back.

use std::time::Duration;

use cresset_record::Timestamp;

use super::audit::{About, note};
use super::keys::{AccessKey, KeyScope, Role, secret};
use super::users;
use crate::engine::{Arg, Transaction};
use crate::error::StoreError;

/// `hash` is the BLAKE3 digest of the secret.
pub(super) const TABLE: (&str, &str) = (
    "logins",
    "hash BYTES NOT NULL PRIMARY KEY, holder TEXT NOT NULL, created BIGINT NOT NULL, expires BIGINT NOT NULL",
);

/// What secrets of logins begin with.
const PREFIX: &str = "crl_";
/// Most logins of a user at once; with one more the oldest ends.
const MAX_LOGINS: i64 = 20;

/// Whether this is the secret of a login, if of anything.
pub(super) fn is_of_login(secret: &str) -> bool {
    secret.starts_with(PREFIX)
}

fn hash(secret: &str) -> [u8; 32] {
    *blake3::hash(secret.as_bytes()).as_bytes()
}

/// The login as the key that it stands for: all that its user may, until it ends.
///
/// It is found by its hash: how long that takes tells nothing of a secret, as nobody can choose a secret by its hash.
pub(super) fn find(
    tx: &mut dyn Transaction,
    secret: &str,
) -> Result<Option<AccessKey>, StoreError> {
    let sql = "SELECT holder, created, expires FROM logins WHERE hash = $1";
    tx.first(sql, &[hash(secret).as_slice().into()], |row| {
        let holder = row.text(0)?.to_owned();
        Ok(AccessKey {
            name: holder.clone(),
            role: Role::Admin,
            scope: KeyScope::All,
            created: Timestamp(row.integer(1)?),
            used: None,
            owner: Some(holder),
            expires: Some(Timestamp(row.integer(2)?)),
        })
    })
}

/// Ends all logins of a user.
pub(super) fn end_all(tx: &mut dyn Transaction, user: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM logins WHERE holder = $1";
    tx.execute(sql, &[user.into()]).map(drop)
}

impl crate::Store {
    /// Lets a user in for so long; gives the secret of the login, of which only a hash is kept.
    ///
    /// # Errors
    /// `NotFound` where there is no such user.
    pub fn log_in(&self, user: &str, life: Duration) -> Result<String, StoreError> {
        let secret = secret(PREFIX)?;
        let now = Timestamp::now();
        let life = i64::try_from(life.as_micros()).unwrap_or(i64::MAX);
        self.engine().write(|tx| {
            users::require(tx, user)?;
            tx.execute(
                "DELETE FROM logins WHERE expires <= $1",
                &[Arg::Integer(now.0)],
            )?;
            tx.execute(
                "INSERT INTO logins (hash, holder, created, expires) VALUES ($1, $2, $3, $4)",
                &[
                    hash(&secret).as_slice().into(),
                    user.into(),
                    Arg::Integer(now.0),
                    Arg::Integer(now.0.saturating_add(life)),
                ],
            )?;
            tx.execute(
                "DELETE FROM logins WHERE holder = $1 AND hash NOT IN \
                 (SELECT hash FROM logins WHERE holder = $1 ORDER BY created DESC, hash LIMIT $2)",
                &[user.into(), Arg::Integer(MAX_LOGINS)],
            )?;
            note(tx, self.actor(), "login", About::all(user))
        })?;
        Ok(secret)
    }

    /// Ends a login; whether there was one.
    ///
    /// # Errors
    /// If the index cannot be written.
    pub fn log_out(&self, secret: &str) -> Result<bool, StoreError> {
        self.engine().write(|tx| {
            let Some(login) = find(tx, secret)? else {
                return Ok(false);
            };
            let sql = "DELETE FROM logins WHERE hash = $1";
            tx.execute(sql, &[hash(secret).as_slice().into()])?;
            note(tx, self.actor(), "logout", About::all(&login.name))?;
            Ok(true)
        })
    }
}
