//! Keys, interned once a run.

use std::sync::RwLock;

use cresset_record::{Key, KeyId};
use rustc_hash::FxHashMap;

use crate::sync::{read, write};

/// More keys than this a run does not take: each costs memory here and in every reader.
pub(crate) const MAX_KEYS: usize = 100_000;

/// Numbers of keys, in order of first use.
#[derive(Debug, Default)]
pub(crate) struct Keys(RwLock<FxHashMap<Box<str>, KeyId>>);

impl Keys {
    /// The number of `name`. For a new key, `declare` is called once, before any other thread can learn the number.
    /// `None` if the key cannot be used or is one too many.
    pub(crate) fn intern(&self, name: &str, declare: impl FnOnce(KeyId, Key)) -> Option<KeyId> {
        if let Some(&id) = read(&self.0).get(name) {
            return Some(id);
        }
        let key = Key::new(name).ok()?;
        let mut known = write(&self.0);
        if let Some(&id) = known.get(name) {
            return Some(id);
        }
        if known.len() >= MAX_KEYS {
            return None;
        }
        let id = KeyId(known.len() as u32);
        declare(id, key);
        known.insert(name.into(), id);
        Some(id)
    }
}
