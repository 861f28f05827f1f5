//! Keys of servers: `$CRESSET_API_KEY`, else what `cresset login` keeps in a file that only its owner may read.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use cresset_ship::Destination;

const VARIABLE: &str = "CRESSET_API_KEY";

/// Keys by the addresses of their servers.
#[derive(Default)]
pub(crate) struct Credentials {
    keys: BTreeMap<String, String>,
}

impl Credentials {
    /// What `cresset login` has kept.
    pub(crate) fn read() -> Result<Self> {
        let path = path()?;
        let text = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let keys = serde_json::from_slice(&text)
            .with_context(|| format!("{} is no file of keys", path.display()))?;
        Ok(Self { keys })
    }

    /// The secret of this name for a place: what the environment has goes before.
    pub(crate) fn secret(&self, place: &Destination, name: &str) -> Option<String> {
        let set = env::var(name).ok().filter(|secret| !secret.is_empty());
        let kept = || match name {
            VARIABLE => self.keys.get(place.server()?).cloned(),
            _ => None,
        };
        set.or_else(kept)
    }

    /// The server that is meant where none is named: the only one.
    pub(crate) fn only_server(&self) -> Option<&str> {
        let mut servers = self.keys.keys();
        servers
            .next()
            .filter(|_| servers.next().is_none())
            .map(String::as_str)
    }

    /// Keeps a key, or forgets it.
    pub(crate) fn set(&mut self, address: &str, key: Option<String>) -> Result<PathBuf> {
        match key {
            Some(key) => self.keys.insert(address.to_owned(), key),
            None => self.keys.remove(address),
        };
        let path = path()?;
        self.write(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    fn write(&self, path: &std::path::Path) -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let beside = path.with_extension("new");
        // One that is there may have other rights.
        let _ = fs::remove_file(&beside);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(&serde_json::to_vec_pretty(&self.keys)?)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    }
}

/// `$XDG_CONFIG_HOME/cresset/keys.json`, else under `~/.config`.
fn path() -> Result<PathBuf> {
    let set = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = || set("HOME").map(|home| home.join(".config"));
    let config = set("XDG_CONFIG_HOME").or_else(home);
    let config = config.context("no place to keep keys: set HOME, or $CRESSET_API_KEY instead")?;
    Ok(config.join("cresset/keys.json"))
}
