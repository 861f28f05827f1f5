//! Where things are: `.cresset/<project>/<run id>/`, in it segments, locks and blobs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::blob::BlobFolder;
use crate::durable::{sync_ancestors, sync_folder};
use crate::ids::{Project, Rank, RunId};

/// The folder that holds projects, `.cresset` by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root(PathBuf);

impl Root {
    /// The folder at `path`, which need not exist yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where a run of a project is, or would be.
    #[must_use]
    pub fn run(&self, project: &Project, run: &RunId) -> RunDir {
        RunDir(self.project(project).join(run.as_str()))
    }

    /// Where the runs of a project are, or would be.
    #[must_use]
    pub fn project(&self, project: &Project) -> PathBuf {
        self.0.join(project.folder_name())
    }

    /// All runs under the folder, oldest id first. A folder that cannot be read is left out.
    ///
    /// # Errors
    /// If the root itself cannot be read.
    pub fn runs(&self) -> io::Result<Vec<RunDir>> {
        let mut found: Vec<RunDir> = Vec::new();
        for project in folders(&self.0)? {
            let Ok(runs) = folders(&project) else {
                continue;
            };
            found.extend(runs.into_iter().map(RunDir).filter(RunDir::has_log));
        }
        found.sort_by(|a, b| a.0.file_name().cmp(&b.0.file_name()));
        Ok(found)
    }

    /// The runs whose id is `id` or begins with it.
    ///
    /// # Errors
    /// If the root cannot be read.
    pub fn find(&self, id: &str) -> io::Result<Vec<RunDir>> {
        let mut found = self.runs()?;
        found.retain(|run| run.id_text().starts_with(id));
        if let Some(exact) = found.iter().position(|run| run.id_text() == id) {
            found = vec![found.swap_remove(exact)];
        }
        Ok(found)
    }
}

/// The folder of one run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunDir(PathBuf);

impl RunDir {
    /// The run folder at `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder's name, which is the run's id.
    #[must_use]
    pub fn id_text(&self) -> &str {
        self.0
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default()
    }

    /// The run's blobs.
    #[must_use]
    pub fn blobs(&self) -> BlobFolder {
        BlobFolder::new(self.0.join("blobs"))
    }

    /// The segment file of a writer.
    #[must_use]
    pub fn segment(&self, rank: Rank, index: u32) -> PathBuf {
        self.0.join(format!("rank-{}.{index:06}.log", rank.0))
    }

    /// The file whose lock a writer holds.
    #[must_use]
    pub fn lock(&self, rank: Rank) -> PathBuf {
        self.0.join(format!("rank-{}.lock", rank.0))
    }

    /// The file by which somebody asks the run to stop.
    #[must_use]
    pub fn stop_request(&self) -> PathBuf {
        self.0.join("stop.json")
    }

    /// The list of blobs that were removed on purpose.
    #[must_use]
    pub fn removed(&self) -> PathBuf {
        self.0.join("removed.jsonl")
    }

    /// Waits until the names in the folder, and its own in those above it, would survive a loss of power.
    ///
    /// # Errors
    /// What the file system says.
    pub fn sync_names(&self) -> io::Result<()> {
        sync_folder(&self.0)?;
        sync_ancestors(&self.0)
    }

    /// All segments, by writer and then in order. Other files are left out.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn segments(&self) -> io::Result<Vec<(Rank, u32)>> {
        self.list().map(|listing| listing.segments)
    }

    pub(crate) fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing::default();
        for entry in fs::read_dir(&self.0)?.filter_map(Result::ok) {
            // Opening a pipe or a device could block or do worse.
            if !entry.file_type().is_ok_and(|t| t.is_file()) {
                continue;
            }
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            // One segment must not have two names: only the one that we would give it counts.
            let is_ours = |path: PathBuf| path.file_name().is_some_and(|n| n == name);
            match parse(name) {
                Some((rank, Some(index))) if is_ours(self.segment(rank, index)) => {
                    listing.segments.push((rank, index));
                }
                Some((rank, None)) if is_ours(self.lock(rank)) => listing.locks.push(rank),
                _ => {}
            }
        }
        listing.segments.sort_unstable();
        Ok(listing)
    }

    fn has_log(&self) -> bool {
        self.segments().is_ok_and(|s| !s.is_empty())
    }
}

/// What the folder of a run holds.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// By writer and then in order.
    pub(crate) segments: Vec<(Rank, u32)>,
    /// Writers that have a lock file.
    pub(crate) locks: Vec<Rank>,
}

/// Rank and index of a segment, or the rank alone of a lock.
fn parse(name: &str) -> Option<(Rank, Option<u32>)> {
    let name = name.strip_prefix("rank-")?;
    if let Some(rank) = name.strip_suffix(".lock") {
        return Some((Rank(rank.parse().ok()?), None));
    }
    let (rank, index) = name.strip_suffix(".log")?.split_once('.')?;
    Some((Rank(rank.parse().ok()?), Some(index.parse().ok()?)))
}

fn folders(path: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(fs::read_dir(path)?
        .filter_map(|entry| Some(entry.ok()?.path()).filter(|p| p.is_dir()))
        .collect())
}
