//! Where measurements are taken: in the user's cache.
//!
//! That is on a disk, as runs are, where a temporary folder may be in memory; and it is outside this project, whose
//! uncommitted changes would become part of each measured run.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::parts::Part;

/// A folder with this program in it, deleted in the end.
pub(crate) struct Workplace {
    folder: TempDir,
    program: PathBuf,
}

impl Workplace {
    pub(crate) fn new() -> Result<Self> {
        let cache = cache()?;
        fs::create_dir_all(&cache)?;
        let folder = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(cache)?;
        let program = folder.path().join("record");
        fs::copy(env::current_exe()?, &program)?;
        Ok(Self { folder, program })
    }

    /// An empty folder.
    pub(crate) fn fresh_folder(&self) -> Result<TempDir> {
        TempDir::new_in(&self.folder).context("cannot make a folder")
    }

    /// The process that takes the measurement `part` in `dir`, its working directory as well.
    pub(crate) fn process(&self, part: Part, dir: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["--part", &part.to_string(), "--dir"])
            .arg(dir)
            .current_dir(dir);
        command
    }
}

/// The project's folder in the user's cache.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME") {
        Some(dir) => PathBuf::from(dir),
        None => Path::new(&env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    };
    Ok(base.join("cresset"))
}
