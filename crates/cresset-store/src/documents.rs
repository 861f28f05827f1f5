//! Runs without their points, as logs and people say they are.

use std::collections::HashMap;
use std::sync::Arc;

use cresset_record::{Project, RunId, State, Timestamp};
use serde_json::{Map, Value as Json};

use crate::document::{RunDocument, RunKey};
use crate::engine::{Row, Transaction};
use crate::error::StoreError;
use crate::index::{StoredHead, from_json, run_key};
use crate::store::{Change, ChangeKind, ProjectOverview, Store};

/// Tags that an overview of a project names.
const MAX_TAGS: usize = 20;
/// Keys that a change names.
const MAX_KEYS: usize = 200;

/// A document as it is now.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) document: RunDocument,
    /// Whether it is in the trash.
    pub(crate) trashed: bool,
}

/// `runs` as `r` with what people say of them.
const COLUMNS: &str = "r.project, r.run, r.ordinal, r.version, r.head, r.summary, t.deleted, \
     l.name, l.has_group, l.run_group, l.notes, l.tags";
const TABLES: &str = "runs r LEFT JOIN labels l ON l.project = r.project AND l.run = r.run \
     LEFT JOIN trash t ON t.project = r.project AND t.run = r.run";

impl Store {
    /// Gives all documents of a project that are newer than a version, those in the trash included; and the version that
    /// they are of. The long parts of the environment are left out of them.
    pub(crate) fn documents_since(
        &self,
        project: &Project,
        version: u64,
        each: &mut dyn FnMut(Loaded) -> Result<(), StoreError>,
    ) -> Result<u64, StoreError> {
        self.engine().read(|tx| {
            let now = crate::engine::schema::counter(tx, "version")? as u64;
            if now > version {
                let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE r.project = $1 AND r.version > $2 ORDER BY r.ordinal");
                tx.query(&sql, &[project.as_str().into(), (version as i64).into()], &mut |row| each(load(row)?))?;
            }
            Ok(now)
        })
    }

    /// Runs of a project that are gone since a version: purged, or their folder is not there any more.
    pub(crate) fn gone_since(
        &self,
        project: &Project,
        version: u64,
    ) -> Result<Vec<RunId>, StoreError> {
        self.engine().read(|tx| {
            tx.all(
                "SELECT project, run FROM gone WHERE project = $1 AND version > $2",
                &[project.as_str().into(), (version as i64).into()],
                |row| Ok(run_key(row.text(0)?, row.text(1)?)?.run),
            )
        })
    }

    /// The highest version of any run.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn version(&self) -> Result<u64, StoreError> {
        self.engine()
            .read(|tx| Ok(crate::engine::schema::counter(tx, "version")? as u64))
    }

    /// One run; runs in the trash are found too.
    ///
    /// # Errors
    /// `NotFound`, or if the index cannot be read.
    pub fn run(&self, key: &RunKey) -> Result<Arc<RunDocument>, StoreError> {
        let found = self.engine().read(|tx| {
            let sql = format!(
                "SELECT {COLUMNS}, r.environment FROM {TABLES} WHERE r.project = $1 AND r.run = $2"
            );
            tx.first(
                &sql,
                &[key.project.as_str().into(), key.run.as_str().into()],
                |row| {
                    let mut loaded = load(row)?;
                    loaded.document.environment = from_json(row.text(12)?, "a run's environment")?;
                    Ok(loaded.document)
                },
            )
        })?;
        found.map(Arc::new).ok_or_else(|| no_run(key))
    }

    /// All projects, the latest activity first. Runs in the trash do not count.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn projects(&self) -> Result<Vec<ProjectOverview>, StoreError> {
        let mut found: HashMap<String, (ProjectOverview, HashMap<String, u64>)> = HashMap::new();
        self.engine().read(|tx| {
            let sql = format!(
                "SELECT r.project, r.state, r.created, r.active, r.alerts, COALESCE(l.tags, r.tags) FROM {TABLES} WHERE t.deleted IS NULL"
            );
            tx.query(&sql, &[], &mut |row| {
                let name = row.text(0)?;
                if !found.contains_key(name) {
                    let project = Project::try_from(name.to_owned()).map_err(|_| crate::varint::damaged("a project"))?;
                    found.insert(name.to_owned(), (ProjectOverview::new(project), HashMap::new()));
                }
                let Some((overview, tags)) = found.get_mut(name) else { return Ok(()) };
                *overview.states.entry(state_word(row.text(1)?)).or_default() += 1;
                let created = row.optional_integer(2)?.map(Timestamp);
                overview.created = [overview.created, created].into_iter().flatten().min();
                overview.active = overview.active.max(row.optional_integer(3)?.map(Timestamp));
                overview.alerts += row.integer(4)? as u64;
                let text = row.text(5)?;
                if text != "[]" {
                    for tag in from_json::<Vec<String>>(text, "tags")? {
                        *tags.entry(tag).or_default() += 1;
                    }
                }
                Ok(())
            })
        })?;
        let mut projects: Vec<ProjectOverview> = found
            .into_values()
            .map(|(mut overview, tags)| {
                let mut tags: Vec<(u64, String)> =
                    tags.into_iter().map(|(tag, n)| (n, tag)).collect();
                tags.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
                overview.tags = tags
                    .into_iter()
                    .take(MAX_TAGS)
                    .map(|(_, tag)| tag)
                    .collect();
                overview
            })
            .collect();
        projects.sort_by(|a, b| {
            b.active
                .cmp(&a.active)
                .then_with(|| a.project.as_str().cmp(b.project.as_str()))
        });
        Ok(projects)
    }
}

/// The error for a run that the index does not have.
pub(crate) fn no_run(key: &RunKey) -> StoreError {
    StoreError::NotFound(format!(
        "there is no run {} in project {}",
        key.run, key.project
    ))
}

fn state_word(word: &str) -> &'static str {
    let states = [
        State::Running,
        State::Finished,
        State::Failed(String::new()),
        State::Stopped(String::new()),
    ];
    let known = states.iter().map(State::word).find(|w| *w == word);
    known.unwrap_or(State::Crashed.word())
}

fn load(row: &dyn Row) -> Result<Loaded, StoreError> {
    let key = run_key(row.text(0)?, row.text(1)?)?;
    let head: StoredHead = from_json(row.text(4)?, "a run's head")?;
    let summary: Map<String, Json> = from_json(row.text(5)?, "a run's summary")?;
    let mut document = head.document(key, row.integer(2)? as u64, row.integer(3)? as u64, summary);
    if let Some(name) = row.optional_text(7)? {
        name.clone_into(&mut document.name);
    }
    if row.optional_integer(8)?.unwrap_or(0) != 0 {
        document.group = row.optional_text(9)?.map(str::to_owned);
    }
    if let Some(notes) = row.optional_text(10)? {
        notes.clone_into(&mut document.notes);
    }
    if let Some(tags) = row.optional_text(11)? {
        document.tags = from_json(tags, "tags")?;
    }
    Ok(Loaded {
        document,
        trashed: row.optional_integer(6)?.is_some(),
    })
}

/// Tells what changed since it was last asked, whoever changed it.
#[derive(Debug)]
pub(crate) struct Watcher {
    version: u64,
    /// Runs that are known and not in the trash, and whether they were running.
    known: HashMap<RunKey, bool>,
}

impl Watcher {
    /// Begins with what is there now.
    pub(crate) fn new(tx: &mut dyn Transaction) -> Result<Self, StoreError> {
        let version = crate::engine::schema::counter(tx, "version")? as u64;
        let mut known = HashMap::new();
        let sql = format!("SELECT r.project, r.run, r.state FROM {TABLES} WHERE t.deleted IS NULL");
        tx.query(&sql, &[], &mut |row| {
            let running = row.text(2)? == State::Running.word();
            known.insert(run_key(row.text(0)?, row.text(1)?)?, running);
            Ok(())
        })?;
        Ok(Self { version, known })
    }

    /// What changed since, each run once, in the order of versions.
    pub(crate) fn changes(&mut self, tx: &mut dyn Transaction) -> Result<Vec<Change>, StoreError> {
        let now = crate::engine::schema::counter(tx, "version")? as u64;
        if now == self.version {
            return Ok(Vec::new());
        }
        let since = self.version as i64;
        let mut changes = self.written(tx, since)?;
        changes.extend(self.removed(tx, since)?);
        changes.sort_by_key(|change| change.version);
        self.version = now;
        Ok(changes)
    }

    /// Of runs that are in the index.
    fn written(&mut self, tx: &mut dyn Transaction, since: i64) -> Result<Vec<Change>, StoreError> {
        let mut written = Vec::new();
        let sql = format!(
            "SELECT {COLUMNS}, r.log_version, r.id FROM {TABLES} WHERE r.version > $1 ORDER BY r.version"
        );
        tx.query(&sql, &[since.into()], &mut |row| {
            written.push((load(row)?, row.integer(12)?, row.integer(13)?));
            Ok(())
        })?;
        let mut changes = Vec::new();
        for (Loaded { document, trashed }, log_version, id) in written {
            let running = document.state == State::Running;
            let was = if trashed {
                self.known.remove(&document.key)
            } else {
                self.known.insert(document.key.clone(), running)
            };
            let kind = match was {
                None if trashed => continue,
                Some(_) if trashed => ChangeKind::Gone,
                None => ChangeKind::New,
                Some(true) if !running => ChangeKind::End,
                Some(_) if log_version <= since => ChangeKind::Label,
                Some(_) => ChangeKind::Update,
            };
            changes.push(Change {
                kind,
                version: document.version,
                state: document.state,
                name: document.name,
                last_step: document.last_step,
                keys: changed_keys(tx, id, since)?,
                key: document.key,
            });
        }
        Ok(changes)
    }

    /// Of runs that were known and are not in the index any more.
    fn removed(&mut self, tx: &mut dyn Transaction, since: i64) -> Result<Vec<Change>, StoreError> {
        let mut gone = tx.all(
            "SELECT project, run, version FROM gone WHERE version > $1",
            &[since.into()],
            |row| Ok((run_key(row.text(0)?, row.text(1)?)?, row.integer(2)? as u64)),
        )?;
        gone.retain(|(key, _)| self.known.remove(key).is_some());
        let changes = gone.into_iter().map(|(key, version)| Change {
            kind: ChangeKind::Gone,
            version,
            state: State::Crashed,
            name: key.run.to_string(),
            last_step: None,
            keys: Some(Vec::new()),
            key,
        });
        Ok(changes.collect())
    }
}

fn changed_keys(
    tx: &mut dyn Transaction,
    run: i64,
    since: i64,
) -> Result<Option<Vec<String>>, StoreError> {
    let keys = tx.all(
        "SELECT DISTINCT k.name FROM series s JOIN keys k ON k.id = s.name WHERE s.run = $1 AND s.version > $2 ORDER BY k.name LIMIT 201",
        &[run.into(), since.into()],
        |row| Ok(row.text(0)?.to_owned()),
    )?;
    Ok((keys.len() <= MAX_KEYS).then_some(keys))
}
