//! Which runs are in a folder.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cresset_record::{Project, Root, RunDir, RunId};

use crate::document::RunKey;

/// A folder that changed this lately may have changed again without its time telling.
const UNSETTLED: Duration = Duration::from_secs(2);

/// Looks for runs; a project's folder is read again only where it changed.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    projects: HashMap<PathBuf, ProjectFolder>,
}

#[derive(Debug, Default)]
struct ProjectFolder {
    project: Option<Project>,
    /// Nanoseconds since 1970; 0 if it is to be read again.
    stamp: i64,
    runs: HashSet<RunId>,
    /// Folders that have no log yet.
    waiting: HashSet<RunId>,
}

/// What changed.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Runs that were not seen before.
    pub(super) new: Vec<RunKey>,
    /// Runs whose folder is not there any more.
    pub(super) gone: Vec<RunKey>,
    /// Folders that cannot be read or are none of ours, and why.
    pub(super) refused: Vec<(String, String)>,
}

impl Scanner {
    pub(super) fn scan(&mut self, root: &Root) -> Scan {
        let mut scan = Scan::default();
        let entries = match fs::read_dir(root.path()) {
            Ok(entries) => entries,
            Err(e) => {
                scan.refused
                    .push((root.path().display().to_string(), e.to_string()));
                return scan;
            }
        };
        let mut seen = HashSet::new();
        for entry in entries.filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                self.project(root, &path, &mut scan);
                seen.insert(path);
            }
        }
        self.projects.retain(|path, folder| {
            let stays = seen.contains(path);
            if let (false, Some(project)) = (stays, &folder.project) {
                scan.gone.extend(folder.runs.iter().map(|run| RunKey {
                    project: project.clone(),
                    run: run.clone(),
                }));
            }
            stays
        });
        scan
    }

    fn project(&mut self, root: &Root, path: &Path, scan: &mut Scan) {
        let folder = self
            .projects
            .entry(path.to_owned())
            .or_insert_with(|| ProjectFolder {
                project: project_of(path),
                ..ProjectFolder::default()
            });
        // A folder of something else is no mistake; one that holds runs is.
        let Some(project) = folder.project.clone() else {
            return;
        };
        let stamp = stamp(path);
        if stamp == 0 || stamp != folder.stamp {
            match fs::read_dir(path) {
                Ok(entries) => folder.read(&project, entries, scan),
                Err(e) => {
                    scan.refused
                        .push((path.display().to_string(), e.to_string()));
                    return;
                }
            }
            folder.stamp = if is_settled(stamp) { stamp } else { 0 };
        }
        folder.begin(&project, root, scan);
    }

    /// Reads all project folders again the next time.
    pub(super) fn forget(&mut self) {
        self.projects.clear();
    }

    /// Looks for this run's folder again: it is not where it was.
    pub(super) fn forget_run(&mut self, root: &Root, key: &RunKey) {
        let path = root.path().join(key.project.folder_name());
        if let Some(folder) = self.projects.get_mut(&path) {
            folder.runs.remove(&key.run);
            folder.stamp = 0;
        }
    }
}

impl ProjectFolder {
    /// Finds which runs are there, and which are not any more.
    fn read(&mut self, project: &Project, entries: fs::ReadDir, scan: &mut Scan) {
        let mut found = HashSet::new();
        for entry in entries.filter_map(Result::ok) {
            let run = entry
                .file_name()
                .into_string()
                .ok()
                .and_then(|n| RunId::try_from(n).ok());
            if let Some(run) = run.filter(|_| entry.file_type().is_ok_and(|t| !t.is_file())) {
                if !self.runs.contains(&run) {
                    self.waiting.insert(run.clone());
                }
                found.insert(run);
            }
        }
        self.waiting.retain(|run| found.contains(run));
        self.runs.retain(|run| {
            let stays = found.contains(run);
            if !stays {
                scan.gone.push(RunKey {
                    project: project.clone(),
                    run: run.clone(),
                });
            }
            stays
        });
    }

    /// Takes in those that waited for a log and have one now.
    fn begin(&mut self, project: &Project, root: &Root, scan: &mut Scan) {
        let begun = self.waiting.iter().filter(|run| {
            let segments = root.run(project, run).segments();
            match segments {
                Ok(segments) => !segments.is_empty(),
                Err(e) => {
                    let path = root.run(project, run).path().display().to_string();
                    if path_is_folder(&path) {
                        scan.refused.push((path, e.to_string()));
                    }
                    false
                }
            }
        });
        let begun: Vec<RunId> = begun.cloned().collect();
        for run in begun {
            self.waiting.remove(&run);
            self.runs.insert(run.clone());
            scan.new.push(RunKey {
                project: project.clone(),
                run,
            });
        }
    }
}

fn path_is_folder(path: &str) -> bool {
    Path::new(path).is_dir()
}

/// The project whose folder this is.
fn project_of(path: &Path) -> Option<Project> {
    let name = path.file_name()?.to_str()?;
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    let project = Project::try_from(String::from_utf8(bytes).ok()?).ok()?;
    // One project must not have two folders.
    (project.folder_name() == name).then_some(project)
}

/// When a file or folder last changed, nanoseconds since 1970; 0 if that cannot be told.
pub(super) fn stamp(path: &Path) -> i64 {
    let modified = fs::metadata(path).and_then(|m| m.modified());
    let since = modified
        .ok()
        .and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    since
        .and_then(|d| i64::try_from(d.as_nanos()).ok())
        .unwrap_or(0)
}

/// Whether a stamp is old enough that a later change has another.
pub(super) fn is_settled(stamp: i64) -> bool {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let then = Duration::from_nanos(u64::try_from(stamp).unwrap_or(0));
    stamp > 0 && now.saturating_sub(then) > UNSETTLED
}

/// Where a run is.
pub(super) fn dir_of(root: &Root, key: &RunKey) -> RunDir {
    root.run(&key.project, &key.run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_name_gives_its_project_back() {
        for name in ["harbor-defects", "a/b", "löt", "...", "100%"] {
            let project = Project::try_from(name.to_owned()).unwrap();
            let path = Path::new("/x").join(project.folder_name());
            assert_eq!(project_of(&path), Some(project));
        }
        for foreign in ["a b", "%zz", "%2", ".git"] {
            assert_eq!(
                project_of(&Path::new("/x").join(foreign)),
                None,
                "{foreign}"
            );
        }
    }
}
