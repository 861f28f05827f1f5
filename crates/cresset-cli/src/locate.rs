//! Finds the folder of runs, and one run in it.

use std::env;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use cresset_record::{Follower, Record, Root, RunDir, Start, Timestamp};

use crate::exit::Failure;
use crate::human;

/// How many runs an error message lists.
const SHOWN: usize = 8;

/// The folder of runs: as given, else `$CRESSET_DIR`, else the nearest `.cresset` here or above.
pub(crate) fn root(given: Option<&Path>) -> anyhow::Result<Root> {
    let (path, said) = match (given, env::var_os("CRESSET_DIR").filter(|v| !v.is_empty())) {
        (Some(path), _) => (path.to_owned(), "--dir"),
        (None, Some(path)) => (PathBuf::from(path), "$CRESSET_DIR"),
        (None, None) => return nearest(&env::current_dir().context("no working directory")?),
    };
    if !path.is_dir() {
        let message = format!("{said} is {}, which is no folder", path.display());
        return Err(Failure::not_found(message));
    }
    Ok(Root::new(path))
}

/// The folder of runs that is to be shown: `given` itself or the `.cresset` in it, else as [`root`] finds it. Where there
/// is none yet, it is made: a dashboard without runs shows how to record the first one.
pub(crate) fn folder_of_runs(given: Option<&Path>, dir: Option<&Path>) -> anyhow::Result<Root> {
    let path = match given {
        Some(folder) if !folder.is_dir() => {
            let message = format!("{} is no folder", folder.display());
            return Err(Failure::not_found(message));
        }
        Some(folder) => {
            let inside = folder.join(".cresset");
            let is_root = || {
                folder.canonicalize().is_ok_and(|f| f.ends_with(".cresset"))
                    || Root::new(folder).runs().is_ok_and(|runs| !runs.is_empty())
            };
            if !inside.is_dir() && is_root() {
                folder.to_owned()
            } else {
                inside
            }
        }
        None if dir.is_some() || env::var_os("CRESSET_DIR").is_some_and(|v| !v.is_empty()) => {
            root(dir)?.path().to_owned()
        }
        None => {
            let here = env::current_dir().context("no working directory")?;
            nearest(&here).map_or_else(|_| here.join(".cresset"), |root| root.path().to_owned())
        }
    };
    std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
    // The whole path, as messages and another dashboard of the same folder name it.
    let path = path
        .canonicalize()
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Root::new(path))
}

fn nearest(from: &Path) -> anyhow::Result<Root> {
    from.ancestors()
        .map(|folder| folder.join(".cresset"))
        .find(|candidate| candidate.is_dir())
        .map(Root::new)
        .ok_or_else(|| {
            Failure::not_found(format!(
                "no .cresset folder in {} or above it; go to where the training ran, \
                 or say where with --dir or $CRESSET_DIR",
                from.display()
            ))
        })
}

/// The run that a person means: by folder, id, beginning of an id, or name; `latest` or `-` is the newest.
pub(crate) fn run(given_root: Option<&Path>, wanted: &str) -> anyhow::Result<RunDir> {
    if let Some(dir) = by_path(wanted) {
        return Ok(dir);
    }
    let root = root(given_root)?;
    let runs = list(&root)?;
    if matches!(wanted, "latest" | "-") {
        let newest = runs.into_iter().max_by_key(Known::order);
        return newest.map(|k| k.dir).ok_or_else(|| {
            Failure::not_found(format!("{} holds no runs yet", root.path().display()))
        });
    }
    choose(&root, runs, wanted)
}

/// All runs of a folder.
pub(crate) fn runs(root: &Root) -> anyhow::Result<Vec<RunDir>> {
    root.runs()
        .with_context(|| format!("cannot read {}", root.path().display()))
}

/// A run and the head of its log, where it is readable.
struct Known {
    dir: RunDir,
    start: Option<Start>,
}

impl Known {
    fn order(&self) -> (Timestamp, String) {
        let time = self.start.as_ref().map(|s| s.time).unwrap_or_default();
        (time, self.dir.id_text().to_owned())
    }

    fn name(&self) -> &str {
        self.start.as_ref().map_or("", |s| &s.name)
    }
}

fn list(root: &Root) -> anyhow::Result<Vec<Known>> {
    Ok(runs(root)?
        .into_iter()
        .map(|dir| Known {
            start: head(&dir),
            dir,
        })
        .collect())
}

/// The head of a run, which stands in its first frames: a whole log need not be read for it.
fn head(dir: &RunDir) -> Option<Start> {
    let mut follower = Follower::new(dir.clone());
    for _ in 0..4 {
        let batch = follower.next_batch().ok()??;
        for record in batch.records {
            if let Record::Start(start) = record {
                return Some(*start);
            }
        }
    }
    None
}

fn by_path(wanted: &str) -> Option<RunDir> {
    let path = Path::new(wanted);
    if !wanted.contains(std::path::MAIN_SEPARATOR) && wanted != "." {
        return None;
    }
    // The folder's own name is the id, so `.` and `x/..` must be resolved.
    let dir = RunDir::new(path.canonicalize().ok()?);
    dir.segments().is_ok_and(|s| !s.is_empty()).then_some(dir)
}

fn choose(root: &Root, runs: Vec<Known>, wanted: &str) -> anyhow::Result<RunDir> {
    if let Some(exact) = runs.iter().find(|k| k.dir.id_text() == wanted) {
        return Ok(exact.dir.clone());
    }
    let fits = |k: &&Known| k.dir.id_text().starts_with(wanted) || k.name() == wanted;
    let mut fitting: Vec<&Known> = runs.iter().filter(fits).collect();
    let renamed;
    if fitting.is_empty() {
        // A name that was given later stands further on in the log.
        renamed = with_current_names(&runs);
        fitting = renamed.iter().filter(|k| k.name() == wanted).collect();
    }
    match fitting.as_slice() {
        [one] => Ok(one.dir.clone()),
        [] => Err(Failure::not_found(unknown(root, &runs, wanted))),
        many => Err(Failure::not_found(format!(
            "`{wanted}` may be any of {} runs; say which by id:{}",
            many.len(),
            listed(many)
        ))),
    }
}

fn with_current_names(runs: &[Known]) -> Vec<Known> {
    let current = |known: &Known| {
        let view = cresset_record::RunView::open(known.dir.clone()).ok();
        Known {
            dir: known.dir.clone(),
            start: view.and_then(|v| v.start().cloned()),
        }
    };
    runs.iter().map(current).collect()
}

fn unknown(root: &Root, runs: &[Known], wanted: &str) -> String {
    let place = root.path().display();
    if runs.is_empty() {
        return format!("no run `{wanted}`: {place} holds no runs yet");
    }
    // Runs that look alike first, then the newest.
    let alike = |k: &Known| k.name().contains(wanted) || k.dir.id_text().contains(wanted);
    let mut sorted: Vec<&Known> = runs.iter().collect();
    sorted.sort_by_key(|k| (!alike(k), std::cmp::Reverse(k.order())));
    format!(
        "no run in {place} has the id or name `{wanted}`; there {} {}:{}",
        if runs.len() == 1 { "is" } else { "are" },
        human::count(runs.len() as u64, "run"),
        listed(&sorted)
    )
}

fn listed(runs: &[&Known]) -> String {
    let mut text = String::new();
    let shown = &runs[..runs.len().min(SHOWN)];
    let widest = |of: fn(&Known) -> String| {
        let widths = shown.iter().map(|known| human::width(&of(known)));
        widths.max().unwrap_or(0)
    };
    let id = |known: &Known| known.dir.id_text().to_owned();
    let name = |known: &Known| human::clean(known.name());
    let (id_width, name_width) = (widest(id), widest(name));
    for known in shown {
        let (id, name) = (id(known), name(known));
        let (id_gap, name_gap) = (
            " ".repeat(id_width - human::width(&id)),
            " ".repeat(name_width - human::width(&name)),
        );
        let about = known.start.as_ref().map_or_else(String::new, |start| {
            let project = human::clean(start.project.as_str());
            format!("in {project}, {}", human::local_time(start.time))
        });
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {id}{id_gap}  {name}{name_gap}  {about}");
    }
    if runs.len() > SHOWN {
        let _ = write!(text, "\n  … and {} more", runs.len() - SHOWN);
    }
    text
}
