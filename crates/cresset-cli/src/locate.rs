//! Finds the folder of runs, and one run in it.

use std::env;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use cresset_record::{Digest, Follower, Record, Removed, Root, RunDir, RunView, Start, Timestamp};
use cresset_store::{RunKey, Store, TableQuery, Trashed};
use serde_json::{Map, Value as Json};

use crate::exit::Failure;
use crate::{human, index};

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

/// The run that a person means: by folder, id, beginning of an id, or name, or by a file that it recorded, such as a checkpoint
/// that is now elsewhere; `latest` or `-` is the newest.
pub(crate) fn run(given_root: Option<&Path>, wanted: &str) -> anyhow::Result<RunDir> {
    if let Some(dir) = by_path(wanted) {
        return Ok(dir);
    }
    let root = root(given_root)?;
    let place = root.path().display().to_string();
    let mut runs = list(&root)?;
    if !is_newest(wanted) && !runs.iter().any(|run| run.is_called(wanted)) {
        // A name that was given later stands further on in the log, or is what a person set.
        runs = with_current_names(&root, runs);
    }
    let is_a_run = is_newest(wanted) || runs.iter().any(|run| run.is_called(wanted));
    let file = Path::new(wanted);
    if !is_a_run && file.is_file() {
        return by_content(&root, file);
    }
    choose(&place, runs, wanted, origin_of_log)
}

/// Where an imported run comes from, by its log.
fn origin_of_log(dir: &RunDir) -> Option<String> {
    origin(RunView::open(dir.clone()).ok()?.environment())
}

/// The tracker that a run was imported from, which may have had it from here.
pub(crate) fn origin(environment: &Map<String, Json>) -> Option<String> {
    let from = environment.get("import")?.get("from")?.as_str()?;
    Some(human::clean(from))
}

/// The run that a person means, as [`run`], among those that the index knows, by the names that people gave them.
pub(crate) fn known_run(store: &Store, wanted: &str) -> anyhow::Result<RunKey> {
    let all = TableQuery {
        limit: usize::MAX,
        ..TableQuery::default()
    };
    let root = store.root();
    let dir = by_path(wanted);
    let mut runs: Vec<Known<RunKey>> = Vec::new();
    for run in store.all_runs(&all)?.runs {
        let head = &run.head;
        let is_here = |dir: &RunDir| {
            let path = root.run(&head.key.project, &head.key.run);
            path.path()
                .canonicalize()
                .is_ok_and(|path| path == dir.path())
        };
        if dir.as_ref().is_some_and(is_here) {
            return Ok(head.key.clone());
        }
        runs.push(Known::<RunKey>::of(
            head.key.clone(),
            &head.name,
            head.created,
        ));
    }
    let from = |key: &RunKey| origin(&store.run(key).ok()?.environment);
    choose(&root.path().display().to_string(), runs, wanted, from)
}

/// The run that a person means among those in the trash.
pub(crate) fn trashed_run(trash: &[Trashed], wanted: &str) -> anyhow::Result<RunKey> {
    let known = |run: &Trashed| Known::<RunKey>::of(run.key.clone(), &run.name, Some(run.deleted));
    choose(
        "the trash",
        trash.iter().map(known).collect(),
        wanted,
        |_| None,
    )
}

/// All runs of a folder.
pub(crate) fn runs(root: &Root) -> anyhow::Result<Vec<RunDir>> {
    root.runs()
        .with_context(|| format!("cannot read {}", root.path().display()))
}

/// A run as people find it.
struct Known<T> {
    run: T,
    id: String,
    name: String,
    /// Another name, which a person gave it.
    given: Option<String>,
    /// Empty where it is not known.
    project: String,
    time: Option<Timestamp>,
}

impl<T> Known<T> {
    fn order(&self) -> (Timestamp, &str) {
        (self.time.unwrap_or_default(), &self.id)
    }

    fn is_called(&self, wanted: &str) -> bool {
        let is_given = self.given.as_deref() == Some(wanted);
        self.id.starts_with(wanted) || self.name == wanted || is_given
    }
}

impl Known<RunKey> {
    fn of(key: RunKey, name: &str, time: Option<Timestamp>) -> Self {
        Self {
            id: key.run.as_str().to_owned(),
            name: name.to_owned(),
            given: None,
            project: key.project.as_str().to_owned(),
            time,
            run: key,
        }
    }
}

impl Known<RunDir> {
    fn of(dir: RunDir, start: Option<Start>) -> Self {
        Self {
            id: dir.id_text().to_owned(),
            time: start.as_ref().map(|start| start.time),
            project: start
                .as_ref()
                .map_or("", |start| start.project.as_str())
                .to_owned(),
            name: start.map_or_else(String::new, |start| start.name),
            given: None,
            run: dir,
        }
    }
}

fn list(root: &Root) -> anyhow::Result<Vec<Known<RunDir>>> {
    Ok(runs(root)?.into_iter().map(known).collect())
}

fn known(dir: RunDir) -> Known<RunDir> {
    let start = head(&dir);
    Known::<RunDir>::of(dir, start)
}

/// The head of a run, which stands in its first frames: a whole log need not be read for it.
pub(crate) fn head(dir: &RunDir) -> Option<Start> {
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

/// The run that recorded a file with this content, whatever its name is now.
fn by_content(root: &Root, file: &Path) -> anyhow::Result<RunDir> {
    let read = Digest::of_file(file).with_context(|| format!("cannot read {}", file.display()));
    let (digest, _) = read?;
    let has_it = |dir: &RunDir| {
        // What a rule removed was there, too.
        let was_removed = || Removed::read(dir).is_ok_and(|removed| removed.contains_key(&digest));
        dir.blobs().path(&digest).is_file() || was_removed()
    };
    let mut found: Vec<RunDir> = runs(root)?.into_iter().filter(has_it).collect();
    match found.len() {
        1 => Ok(found.swap_remove(0)),
        0 => Err(Failure::not_found(format!(
            "no run in {} recorded a file with the content of {} (BLAKE3 {digest})",
            root.path().display(),
            file.display()
        ))),
        many => {
            let known: Vec<_> = found.into_iter().map(known).collect();
            let all: Vec<_> = known.iter().collect();
            Err(Failure::not_found(format!(
                "{many} runs recorded this very file; say which by id:{}",
                listed(&all, origin_of_log)
            )))
        }
    }
}

fn is_newest(wanted: &str) -> bool {
    matches!(wanted, "latest" | "-")
}

/// `origin` says where an imported run comes from.
fn choose<T>(
    place: &str,
    mut runs: Vec<Known<T>>,
    wanted: &str,
    origin: impl Fn(&T) -> Option<String>,
) -> anyhow::Result<T> {
    if is_newest(wanted) {
        let newest = runs.into_iter().max_by(|a, b| a.order().cmp(&b.order()));
        let newest = newest.map(|known| known.run);
        return newest.ok_or_else(|| Failure::not_found(format!("{place} holds no runs yet")));
    }
    if let Some(exact) = runs.iter().position(|known| known.id == wanted) {
        return Ok(runs.swap_remove(exact).run);
    }
    let fitting: Vec<&Known<T>> = runs
        .iter()
        .filter(|known| known.is_called(wanted))
        .collect();
    match fitting.len() {
        0 => Err(Failure::not_found(unknown(place, &runs, wanted, origin))),
        1 => {
            runs.retain(|known| known.is_called(wanted));
            Ok(runs.swap_remove(0).run)
        }
        many => Err(Failure::not_found(format!(
            "`{wanted}` may be any of {many} runs; say which by id:{}",
            listed(&fitting, origin)
        ))),
    }
}

fn with_current_names(root: &Root, runs: Vec<Known<RunDir>>) -> Vec<Known<RunDir>> {
    let labels = index::labels(root);
    let current = |known: Known<RunDir>| {
        let view = RunView::open(known.run.clone()).ok();
        let given = index::labels_in(&labels, root, &known.run).and_then(|set| set.name.clone());
        Known {
            given,
            ..Known::<RunDir>::of(known.run, view.and_then(|v| v.start().cloned()))
        }
    };
    runs.into_iter().map(current).collect()
}

fn unknown<T>(
    place: &str,
    runs: &[Known<T>],
    wanted: &str,
    origin: impl Fn(&T) -> Option<String>,
) -> String {
    if runs.is_empty() {
        return format!("no run `{wanted}`: {place} holds no runs yet");
    }
    // Runs that look alike first, then the newest.
    let alike = |k: &Known<T>| k.name.contains(wanted) || k.id.contains(wanted);
    let mut sorted: Vec<&Known<T>> = runs.iter().collect();
    sorted.sort_by(|a, b| {
        let by_likeness = alike(b).cmp(&alike(a));
        by_likeness.then_with(|| b.order().cmp(&a.order()))
    });
    format!(
        "no run in {place} has the id or name `{wanted}`; there {} {}:{}",
        if runs.len() == 1 { "is" } else { "are" },
        human::count(runs.len() as u64, "run"),
        listed(&sorted, origin)
    )
}

fn listed<T>(runs: &[&Known<T>], origin: impl Fn(&T) -> Option<String>) -> String {
    let mut text = String::new();
    let shown = &runs[..runs.len().min(SHOWN)];
    let widest = |of: fn(&Known<T>) -> String| {
        let widths = shown.iter().map(|known| human::width(&of(known)));
        widths.max().unwrap_or(0)
    };
    let id = |known: &Known<T>| known.id.clone();
    let name = |known: &Known<T>| human::clean(known.given.as_ref().unwrap_or(&known.name));
    let (id_width, name_width) = (widest(id), widest(name));
    for known in shown {
        let (id, name) = (id(known), name(known));
        let (id_gap, name_gap) = (
            " ".repeat(id_width - human::width(&id)),
            " ".repeat(name_width - human::width(&name)),
        );
        let mut about = known.time.map_or_else(String::new, |time| {
            let project = human::clean(&known.project);
            format!("in {project}, {}", human::local_time(time))
        });
        if let Some(from) = origin(&known.run) {
            about += &format!(", imported from {from}");
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {id}{id_gap}  {name}{name_gap}  {about}");
    }
    if runs.len() > SHOWN {
        let _ = write!(text, "\n  … and {} more", runs.len() - SHOWN);
    }
    text
}
