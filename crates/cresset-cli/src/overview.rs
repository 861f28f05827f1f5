//! A run in brief: what tables show and filters ask. Small, so that thousands can be held.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cresset_record::{Goal, LogError, RunDir, RunView, State, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::filter::{Fields, lookup};
use crate::human;

/// What is known of a run without its series. Its JSON is what `cresset runs --json` prints.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Overview {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Absent where the run's head is damaged.
    pub(crate) project: Option<String>,
    #[serde(serialize_with = "state_word")]
    pub(crate) state: State,
    pub(crate) reason: Option<String>,
    /// RFC 3339, in UTC.
    #[serde(serialize_with = "as_rfc3339")]
    pub(crate) created: Option<Timestamp>,
    /// Seconds.
    pub(crate) duration: f64,
    pub(crate) group: Option<String>,
    pub(crate) job_type: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) notes: String,
    pub(crate) host: Option<String>,
    pub(crate) config: Map<String, Json>,
    pub(crate) summary: Map<String, Json>,
    /// How many.
    pub(crate) alerts: u64,
    /// How many values could not be kept.
    pub(crate) lost: u64,
    /// How many places of the logs are damaged.
    pub(crate) damage: u64,
    pub(crate) path: PathBuf,
    #[serde(skip)]
    pub(crate) environment: Map<String, Json>,
    /// Which values of the summary have a goal.
    #[serde(skip)]
    pub(crate) goals: BTreeMap<String, Goal>,
}

fn state_word<S: serde::Serializer>(state: &State, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(state.word())
}

fn as_rfc3339<S: serde::Serializer>(time: &Option<Timestamp>, s: S) -> Result<S::Ok, S::Error> {
    time.map(human::rfc3339).serialize(s)
}

impl Overview {
    /// The brief form of a run.
    pub(crate) fn of(view: &RunView) -> Self {
        let start = view.start();
        let state = view.state();
        let summary = view.summary();
        let goals = summary
            .keys()
            .filter_map(|key| Some((key.clone(), view.definition(key).goal?)))
            .collect();
        let lost = view
            .lost()
            .values()
            .map(|l| l.points.saturating_add(l.values))
            .sum();
        Self {
            id: view.dir().id_text().to_owned(),
            name: view.name().to_owned(),
            project: start.map(|s| s.project.as_str().to_owned()),
            reason: state.reason().map(str::to_owned),
            state,
            created: start.map(|s| s.time),
            duration: view.duration_seconds(),
            group: start.and_then(|s| s.group.clone()),
            job_type: start.and_then(|s| s.job_type.clone()),
            tags: start.map(|s| s.tags.clone()).unwrap_or_default(),
            notes: start.map(|s| s.notes.clone()).unwrap_or_default(),
            host: host(view.environment()),
            config: start.map(|s| s.config.clone()).unwrap_or_default(),
            summary,
            alerts: view.alerts().len() as u64,
            lost,
            damage: view.damage().len() as u64,
            path: view.dir().path().to_owned(),
            environment: view.environment().clone(),
            goals,
        }
    }

    /// Seconds since the run began; `None` where that is not known.
    pub(crate) fn age(&self) -> Option<f64> {
        let created = self.created?;
        Some(Timestamp::now().seconds_since(created).max(0.0))
    }
}

/// The name of the machine, as the environment record gives it.
fn host(environment: &Map<String, Json>) -> Option<String> {
    match environment.get("host")? {
        Json::String(name) => Some(name.clone()),
        Json::Object(host) => host.get("name")?.as_str().map(str::to_owned),
        _ => None,
    }
}

impl Fields for Overview {
    fn field(&self, path: &str) -> Option<Cow<'_, Json>> {
        let text = |text: &str| Some(Cow::Owned(Json::String(text.to_owned())));
        let optional = |value: &Option<String>| value.as_deref().and_then(text);
        let number = |value: f64| Some(Cow::Owned(json!(value)));
        match path {
            "name" => text(&self.name),
            "id" => text(&self.id),
            "project" => optional(&self.project),
            "state" => text(self.state.word()),
            "reason" => optional(&self.reason),
            "duration" => number(self.duration),
            "age" => number(self.age()?),
            "created" => text(&human::rfc3339(self.created?)),
            "group" => optional(&self.group),
            "job_type" => optional(&self.job_type),
            "tags" => Some(Cow::Owned(json!(self.tags))),
            "notes" => text(&self.notes),
            "host" => optional(&self.host),
            "alerts" => Some(Cow::Owned(json!(self.alerts))),
            "lost" => Some(Cow::Owned(json!(self.lost))),
            "damage" => Some(Cow::Owned(json!(self.damage))),
            "config" => Some(Cow::Owned(Json::Object(self.config.clone()))),
            _ => self.nested(path).map(Cow::Borrowed),
        }
    }
}

impl Overview {
    fn nested(&self, path: &str) -> Option<&Json> {
        // A key of the summary may look like any other path; being the value that was logged, it goes first.
        if let Some(value) = self.summary.get(path) {
            return Some(value);
        }
        let (place, rest) = path.split_once('.')?;
        match place {
            "config" => lookup(&self.config, rest),
            "environment" => lookup(&self.environment, rest),
            "summary" => lookup(&self.summary, rest),
            // A value that was set by hand may be an object.
            _ => lookup(&self.summary, path),
        }
    }
}

/// Reads many runs at once, in the order given.
pub(crate) fn read_all(dirs: Vec<RunDir>) -> Vec<(RunDir, Result<Overview, LogError>)> {
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(1, |n| n.get().min(8));
    let work = || {
        let mut done = Vec::new();
        while let Some((i, dir)) = take(&next, &dirs) {
            let overview = RunView::open(dir.clone()).map(|view| Overview::of(&view));
            done.push((i, overview));
        }
        done
    };
    let mut read: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (1..threads.min(dirs.len()))
            .map(|_| scope.spawn(work))
            .collect();
        let mut read = work();
        for worker in workers {
            match worker.join() {
                Ok(done) => read.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        read
    });
    read.sort_by_key(|(i, _)| *i);
    dirs.iter()
        .cloned()
        .zip(read.into_iter().map(|(_, overview)| overview))
        .collect()
}

fn take<'a>(next: &AtomicUsize, dirs: &'a [RunDir]) -> Option<(usize, &'a RunDir)> {
    // The counter only deals out work; results travel through `join`.
    let i = next.fetch_add(1, Ordering::Relaxed);
    dirs.get(i).map(|dir| (i, dir))
}
