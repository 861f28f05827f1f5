//! Runs of an MLflow tracking server.

mod artifacts;
mod bulk;
mod head;
mod metrics;
mod params;

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;

use cresset_record::{Alert, ConfigUpdate, Definition, Record, Root, RunDir, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::writer::RunWriter;
use super::{ImportError, ImportOptions, Imported};
use crate::mlflow::reader::{Experiment, Reader};
use crate::mlflow::{Credentials, labels};
use artifacts::Artifacts;
use bulk::Bulk;
use head::Head;

/// A run that MLflow calls running, and of which nothing was heard for so long, has died: 24 hours.
const SILENCE_US: i64 = 24 * 3600 * 1_000_000;

/// An MLflow tracking server whose runs are to be imported.
///
/// Of a run are taken over: params as config (numbers and lists as such), tags, note, name, parent and source, metrics with all their points, MLflow's
/// system metrics under Cresset's names and in its units, dataset inputs (in the environment, under `mlflow`), images of `mlflow.log_image`, tables
/// of `mlflow.log_table`, and all other artifacts as pictures, sounds, pages or files, up to 1 GiB each and 16 GiB a run. A run that was [shipped
/// there](crate::mlflow) has its config, environment, summary, definitions and alerts from the files that say them whole.
///
/// An infinity, in whose place MLflow's SQL stores keep the largest finite number, is an infinity again. Steps below zero become 0. Files of
/// logged models, which are no artifacts of a run, are not taken over. What else is not is counted in [`Imported::left_out`].
#[derive(Debug)]
pub struct MlflowServer {
    reader: Reader,
}

/// The runs of an experiment, the oldest first: each is imported when it is asked for. If the server cannot be reached, that is the last.
#[derive(Debug)]
pub struct MlflowRuns<'a> {
    reader: &'a Reader,
    experiment: Experiment,
    into: &'a Root,
    options: &'a ImportOptions,
    /// Runs there are here, by id.
    known: HashMap<String, RunDir>,
    /// Runs seen at the server: pages may overlap when runs are deleted meanwhile.
    seen: HashSet<String>,
    page: VecDeque<Head>,
    /// Where the next page begins; `None` after the last.
    next: Option<Option<String>>,
    bulk: Bulk,
    parents: HashMap<String, String>,
}

impl MlflowServer {
    /// The server at `address`, such as `https://mlflow.example.org`. Nothing is asked yet.
    ///
    /// # Errors
    /// If that is no address of a web server.
    pub fn new(address: &str, credentials: &Credentials) -> Result<Self, ImportError> {
        Ok(Self {
            reader: Reader::new(address, credentials)?,
        })
    }

    /// The names of all experiments that were not deleted.
    ///
    /// # Errors
    /// If the server does not answer, or not as MLflow does.
    pub fn experiments(&self) -> Result<Vec<String>, ImportError> {
        let mut names = Vec::new();
        let mut page = None;
        loop {
            let found = self.reader.experiments(page.as_deref())?;
            if found.items.is_empty() {
                return Ok(names);
            }
            names.extend(found.items.into_iter().map(|experiment| experiment.name));
            page = found.next;
            if page.is_none() {
                return Ok(names);
            }
        }
    }

    /// Imports the runs of the experiment `name`, one after another. A run that still goes on is [`ImportError::Unfinished`]; one that MLflow calls
    /// running, and of which nothing was heard for a day, has crashed.
    ///
    /// # Errors
    /// If there is no such experiment, or the server does not answer; or the folder cannot be read.
    pub fn runs<'a>(
        &'a self,
        name: &str,
        into: &'a Root,
        options: &'a ImportOptions,
    ) -> Result<MlflowRuns<'a>, ImportError> {
        let known = match into.runs() {
            // The first import makes it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            runs => runs.map_err(ImportError::disk(into.path()))?,
        };
        let known = known.into_iter().map(|run| (run.id_text().to_owned(), run));
        Ok(MlflowRuns {
            experiment: self.reader.experiment(name)?,
            reader: &self.reader,
            into,
            options,
            known: known.collect(),
            seen: HashSet::new(),
            page: VecDeque::new(),
            next: Some(None),
            bulk: Bulk::default(),
            parents: HashMap::new(),
        })
    }
}

impl Iterator for MlflowRuns<'_> {
    type Item = Result<Imported, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.head().and_then(|head| match head {
            Some(head) => self.one(&head).map(Some),
            None => Ok(None),
        });
        if let Err(ImportError::Server(error)) = &next
            && error.is_temporary()
        {
            // Each further run would wait as long.
            self.page.clear();
            self.next = None;
        }
        next.transpose()
    }
}

impl MlflowRuns<'_> {
    /// The next run that was not seen yet.
    fn head(&mut self) -> Result<Option<Head>, ImportError> {
        loop {
            if let Some(head) = self.page.pop_front() {
                return Ok(Some(head));
            }
            // What is malformed ends this, or it would be asked for again and again.
            let Some(place) = self.next.take() else {
                return Ok(None);
            };
            let page = self.reader.runs(&self.experiment.id, place.as_deref())?;
            let heads = page.items.into_iter().filter_map(Head::of);
            let is_new = |head: &Head| self.seen.insert(head.id.clone());
            self.page = heads.filter(is_new).collect();
            if !self.page.is_empty() {
                self.next = page.next.map(Some);
            }
            let wanted = self.page.iter();
            let wanted = wanted.filter(|head| !head.is_running() && self.here(head).is_none());
            self.bulk = self.bulk.next(self.reader, wanted)?;
        }
    }

    /// The run that was made of it already, or that it was made of.
    fn here(&self, head: &Head) -> Option<&RunDir> {
        let imported = head.run_id().ok();
        let imported = imported.and_then(|id| self.known.get(id.as_str()));
        imported.or_else(|| self.known.get(head.tags.get(labels::RUN_ID)?))
    }

    fn one(&mut self, head: &Head) -> Result<Imported, ImportError> {
        let source = format!(
            "{} ({}, MLflow's run {})",
            head.name, self.experiment.name, head.id
        );
        if let Some(run) = self.here(head) {
            return Err(ImportError::AlreadyImported {
                source_name: source,
                run: run.clone(),
            });
        }
        if head.is_running() {
            return Err(ImportError::Unfinished {
                source_name: source,
            });
        }
        let parent = self.parent(head)?;
        let start = head.start(self.options, parent)?;
        let mut run = RunWriter::begin(self.into, &source, &start)?;
        let mut artifacts = Artifacts::list(self.reader, head, &mut run)?;
        self.about(head, &mut artifacts, &mut run)?;
        let latest = metrics::take(self.reader, head, &mut self.bulk, &mut run)?;
        let end = head.end.unwrap_or(latest.max(head.began));
        artifacts.take(end, &mut run)?;
        match head.outcome() {
            Some(outcome) => run.finish(end, outcome),
            None => run.finish_crashed(end),
        }
    }

    /// What is known of a run besides its values.
    fn about(
        &self,
        head: &Head,
        artifacts: &mut Artifacts<'_>,
        run: &mut RunWriter,
    ) -> Result<(), ImportError> {
        let time = head.began;
        let mut environment: Map<String, Json> =
            artifacts.ours("environment.json", run)?.unwrap_or_default();
        environment.extend(head.environment());
        let import = json!({
            "from": "MLflow",
            "path": self.reader.base(),
            "experiment": self.experiment.name,
            "run": head.id,
        });
        environment.insert("import".to_owned(), import);
        run.record(Record::Environment(environment))?;
        let mut values: Map<String, Json> = artifacts.ours("config.json", run)?.unwrap_or_default();
        if head.came_from_here() && values.is_empty() {
            values = head.config();
        }
        if !values.is_empty() {
            run.config(ConfigUpdate { time, values })?;
        }
        let summary: Map<String, Json> = artifacts.ours("summary.json", run)?.unwrap_or_default();
        if !summary.is_empty() {
            run.record(Record::Summary(summary))?;
        }
        let definitions: Option<Vec<Definition>> = artifacts.ours("definitions.json", run)?;
        for definition in definitions.into_iter().flatten() {
            run.record(Record::Define(definition))?;
        }
        let alerts: Option<Vec<Said>> = artifacts.ours("alerts.json", run)?;
        for said in alerts.into_iter().flatten() {
            run.record(Record::Alert(said.alert))?;
        }
        Ok(())
    }

    /// What the run that this one is a part of is called.
    fn parent(&mut self, head: &Head) -> Result<Option<String>, ImportError> {
        let Some(parent) = head.tags.get("mlflow.parentRunId") else {
            return Ok(None);
        };
        if let Some(name) = self.parents.get(parent) {
            return Ok(Some(name.clone()));
        }
        let name = match self.reader.name_of(parent) {
            Err(error) if error.is_temporary() => return Err(error.into()),
            // It was deleted, say.
            Err(_) => parent.clone(),
            Ok(name) => name,
        };
        self.parents.insert(parent.clone(), name.clone());
        Ok(Some(name))
    }
}

/// An alert, as it stands beside the rank that raised it.
#[derive(Deserialize)]
struct Said {
    alert: Alert,
}

/// MLflow's milliseconds.
fn time(millis: i64) -> Timestamp {
    Timestamp(millis.saturating_mul(1000))
}
