//! That nobody locks everybody out over the network: there, the last key that is admin everywhere cannot be taken away.

use cresset_record::Timestamp;

use super::audit::{Actor, Via};
use crate::engine::{Arg, Transaction};
use crate::error::StoreError;

/// Makes a change after which somebody is still admin everywhere, if somebody was. Whoever owns the machine may make any: they can
/// also make another key.
///
/// # Errors
/// `Conflict` where nobody would be; then nothing is changed.
pub(super) fn keep_one<T>(
    tx: &mut dyn Transaction,
    actor: &Actor,
    change: impl FnOnce(&mut dyn Transaction) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let is_guarded = actor.via != Via::Shell && is_one(tx, actor)?;
    let done = change(tx)?;
    if is_guarded && !is_one(tx, actor)? {
        return Err(StoreError::Conflict(
            "no key would be left that is admin everywhere, and nobody could make one here any more; make another first, or use `cresset key` \
             and `cresset user` on the server's machine"
                .into(),
        ));
    }
    Ok(done)
}

/// Makes a key. Where none was needed the first one must be admin everywhere: from then on they are, and nobody could make another.
///
/// # Errors
/// `Conflict` where it is not; then nothing is changed.
pub(super) fn begin_with_one<T>(
    tx: &mut dyn Transaction,
    actor: &Actor,
    make: impl FnOnce(&mut dyn Transaction) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let any = "SELECT 1 FROM access_keys LIMIT 1";
    let is_first = actor.via == Via::Open && tx.first(any, &[], |_| Ok(()))?.is_none();
    let made = make(tx)?;
    if is_first && !is_one(tx, actor)? {
        return Err(StoreError::Conflict(
            "the first key has to be admin everywhere: a server that has keys asks for one, and nobody could make another; make that one first"
                .into(),
        ));
    }
    Ok(made)
}

/// Whether a key is admin everywhere by now: by itself, or as far as its owner is. Where whoever asks logged in by OpenID Connect, so can
/// a user who is.
fn is_one(tx: &mut dyn Transaction, actor: &Actor) -> Result<bool, StoreError> {
    if actor.via == Via::Login {
        let sql = "SELECT 1 FROM grants WHERE project = '' AND role = 'admin'";
        if tx.first(sql, &[], |_| Ok(()))?.is_some() {
            return Ok(true);
        }
    }
    let sql = "SELECT 1 FROM access_keys WHERE role = 'admin' AND project IS NULL AND (expires IS NULL OR expires > $1) \
               AND (owner IS NULL OR EXISTS (SELECT 1 FROM grants WHERE holder = access_keys.owner AND project = '' AND role = 'admin'))";
    let now = [Arg::Integer(Timestamp::now().0)];
    Ok(tx.first(sql, &now, |_| Ok(()))?.is_some())
}
