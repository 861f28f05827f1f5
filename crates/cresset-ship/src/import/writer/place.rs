//! Where a run is until it is whole, and then.

use std::fs;

use cresset_record::{Holder, Project, Rank, Root, RunDir, RunId, Timestamp, WriterLock};

use super::ImportError;

/// A place for a run that nobody else writes.
#[derive(Debug)]
pub(super) struct Place {
    /// What the run is made from, for people.
    source: String,
    /// Where it will be.
    target: RunDir,
    /// Where it is until then.
    dir: RunDir,
    is_shown: bool,
    _lock: WriterLock,
}

impl Place {
    /// # Errors
    /// If the run is there, in whatever project, or somebody imports it at this moment.
    pub(super) fn take(
        into: &Root,
        source: &str,
        project: &Project,
        run: &RunId,
    ) -> Result<Self, ImportError> {
        let id = run.as_str();
        let known = into.find(id).unwrap_or_default();
        if let Some(run) = known.into_iter().find(|run| run.id_text() == id) {
            let source_name = source.to_owned();
            return Err(ImportError::AlreadyImported { source_name, run });
        }
        // Where nobody looks for runs: they are two folders deep.
        let dir = RunDir::new(into.path().join(format!(".import-{id}")));
        fs::create_dir_all(dir.path()).map_err(ImportError::disk(dir.path()))?;
        let holder = Holder {
            pid: std::process::id(),
            host: "this machine".to_owned(),
            since: Timestamp::now(),
        };
        let lock = WriterLock::acquire(&dir, Rank(0), &holder)?;
        // An import that was killed may have left some.
        for (rank, index) in dir.segments().map_err(ImportError::disk(dir.path()))? {
            let path = dir.segment(rank, index);
            fs::remove_file(&path).map_err(ImportError::disk(path))?;
        }
        Ok(Self {
            source: source.to_owned(),
            target: into.run(project, run),
            dir,
            is_shown: false,
            _lock: lock,
        })
    }

    /// Where to write.
    pub(super) fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// Puts the run where runs are, and returns that.
    ///
    /// # Errors
    /// If somebody else put it there meanwhile, or what the file system says.
    pub(super) fn show(mut self) -> Result<RunDir, ImportError> {
        let target = self.target.path();
        if let Some(project) = target.parent() {
            fs::create_dir_all(project).map_err(ImportError::disk(project))?;
        }
        // A folder that holds something is not replaced.
        match fs::rename(self.dir.path(), target) {
            Ok(()) => {
                self.is_shown = true;
                Ok(self.target.clone())
            }
            Err(_) if target.exists() => Err(ImportError::AlreadyImported {
                source_name: self.source.clone(),
                run: self.target.clone(),
            }),
            Err(source) => Err(ImportError::disk(target)(source)),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_shown {
            let _ = fs::remove_dir_all(self.dir.path());
        }
    }
}
