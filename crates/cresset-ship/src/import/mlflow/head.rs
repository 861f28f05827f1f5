//! What an MLflow server says of a run, all but its values.

use std::collections::BTreeMap;

use cresset_record::{NameError, Outcome, Rank, RunId, Start, Timestamp};
use serde_json::{Map, Value as Json, json};

use super::super::writer::run_id;
use super::super::{ImportError, ImportOptions};
use super::{SILENCE_US, params, time};
use crate::mlflow::labels;
use crate::mlflow::reader::whole;

/// So many of its own tags a run keeps as such, each of at most so many characters; all are in the environment.
const MAX_TAGS: usize = 100;
const MAX_TAG: usize = 200;

/// A run at an MLflow server.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) name: String,
    status: String,
    pub(super) began: Timestamp,
    pub(super) end: Option<Timestamp>,
    pub(super) artifact_uri: String,
    pub(super) tags: BTreeMap<String, String>,
    params: Vec<(String, String)>,
    pub(super) metrics: Vec<Metric>,
    inputs: Json,
    outputs: Json,
}

/// A metric's name and its last point.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) step: i64,
    time: Timestamp,
}

impl Head {
    /// `None` if it has no id.
    pub(super) fn of(mut run: Json) -> Option<Self> {
        let info = &run["info"];
        let text = |name: &str| info[name].as_str().map(str::to_owned);
        // Older servers know only the older name.
        let id = text("run_id").or_else(|| text("run_uuid"));
        let id = id.filter(|id| !id.is_empty())?;
        let millis = |name: &str| whole(&info[name]).filter(|&ms| ms > 0).map(time);
        let tags: BTreeMap<String, String> = pairs(&run["data"]["tags"]).collect();
        let name = text("run_name").filter(|name| !name.is_empty());
        let name = name.or_else(|| tags.get("mlflow.runName").cloned());
        let metrics = run["data"]["metrics"].as_array().into_iter().flatten();
        let metrics = metrics.filter_map(|metric| {
            Some(Metric {
                name: metric["key"].as_str()?.to_owned(),
                step: whole(&metric["step"]).unwrap_or(0),
                time: time(whole(&metric["timestamp"]).unwrap_or(0)),
            })
        });
        Some(Self {
            name: name.unwrap_or_else(|| id.clone()),
            status: text("status").unwrap_or_default(),
            began: millis("start_time").unwrap_or_default(),
            end: millis("end_time"),
            artifact_uri: text("artifact_uri").unwrap_or_default(),
            params: pairs(&run["data"]["params"]).collect(),
            metrics: metrics.collect(),
            inputs: run["inputs"].take(),
            outputs: run["outputs"].take(),
            tags,
            id,
        })
    }

    /// The id that it has here. MLflow's own tell all runs of the world apart.
    pub(super) fn run_id(&self) -> Result<RunId, NameError> {
        run_id("mlflow", &[self.id.as_bytes()])
    }

    /// Whether it was shipped there from here.
    pub(super) fn came_from_here(&self) -> bool {
        self.tags.contains_key(labels::RUN_ID)
    }

    /// Whether it goes on: MLflow has no word for a run that died.
    pub(super) fn is_running(&self) -> bool {
        let times = self.metrics.iter().map(|metric| metric.time);
        let heard = times.fold(self.began, Ord::max);
        let silence = Timestamp::now().0.saturating_sub(heard.0);
        self.is_open() && silence < SILENCE_US
    }

    fn is_open(&self) -> bool {
        matches!(self.status.as_str(), "RUNNING" | "SCHEDULED")
    }

    /// How it ended; `None` if it crashed.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let reason = self.tags.get(labels::REASON).cloned();
        let reason = reason.unwrap_or_else(|| format!("MLflow calls it {}", self.status));
        match self.status.as_str() {
            "FINISHED" => Some(Outcome::Finished),
            "KILLED" => Some(Outcome::Stopped { reason }),
            "FAILED" if self.tags.get(labels::STATE).is_some_and(|s| s == "crashed") => None,
            _ if self.is_open() => None,
            _ => Some(Outcome::Failed { reason }),
        }
    }

    /// Its params.
    pub(super) fn config(&self) -> Map<String, Json> {
        params::config(&self.params, &self.tags, self.came_from_here())
    }

    pub(super) fn start(
        &self,
        options: &ImportOptions,
        parent: Option<String>,
    ) -> Result<Start, ImportError> {
        let tag = |name: &str| self.tags.get(name).filter(|text| !text.is_empty()).cloned();
        let mut config = options.config.clone();
        // Of what was shipped from here there is a file that says it whole.
        if !self.came_from_here() {
            config.extend(self.config());
        }
        Ok(Start {
            run: self.run_id()?,
            project: options.project.clone(),
            name: options.name.clone().unwrap_or_else(|| self.name.clone()),
            rank: Rank(0),
            world_size: None,
            time: self.began,
            group: options
                .group
                .clone()
                .or_else(|| tag(labels::GROUP))
                .or(parent),
            job_type: tag(labels::JOB_TYPE),
            tags: self.words().chain(options.tags.iter().cloned()).collect(),
            notes: tag(labels::NOTES).unwrap_or_default(),
            config,
            cresset_version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }

    /// Words to find it by: its own tags, and those that it had here.
    fn words(&self) -> impl Iterator<Item = String> {
        let came_from_here = self.came_from_here();
        let own = self.tags.iter().filter(move |(name, _)| {
            let ours = ["cresset.", "config.", "summary."];
            let is_ours = came_from_here && ours.iter().any(|start| name.starts_with(start));
            !name.starts_with("mlflow.") && !is_ours
        });
        let own = own.map(|(name, value)| match value.as_str() {
            "" => name.clone(),
            value => format!("{name}={value}"),
        });
        let ours = self.tags.get(labels::TAGS).filter(|_| came_from_here);
        let ours = ours.into_iter().flat_map(|tags| tags.split(", "));
        let all = ours
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .chain(own);
        all.filter(|tag| tag.chars().count() <= MAX_TAG)
            .take(MAX_TAGS)
    }

    /// Where and of what it was made, in the words of a run's environment; and all that MLflow says, in its own.
    pub(super) fn environment(&self) -> Map<String, Json> {
        let mut environment = Map::new();
        let git = ["commit", "branch", "dirty", "repoURL"]
            .iter()
            .filter_map(|field| {
                let value = self.tags.get(&format!("mlflow.source.git.{field}"))?;
                Some(match *field {
                    "repoURL" => ("remote".to_owned(), value.as_str().into()),
                    "dirty" => ((*field).to_owned(), (value == "true").into()),
                    field => (field.to_owned(), value.as_str().into()),
                })
            });
        let git: Map<String, Json> = git.collect();
        // What was shipped from here says more of both.
        if !self.came_from_here() {
            if !git.is_empty() {
                environment.insert("git".to_owned(), git.into());
            }
            if let Some(source) = self.tags.get("mlflow.source.name") {
                environment.insert("program".to_owned(), json!({"executable": source}));
            }
            if let Some(user) = self.tags.get("mlflow.user") {
                environment.insert("host".to_owned(), json!({"user": user}));
            }
        }
        let mlflow = json!({"tags": self.tags, "inputs": self.inputs, "outputs": self.outputs});
        environment.insert("mlflow".to_owned(), mlflow);
        environment
    }

    /// How many logged models are inputs or outputs.
    pub(super) fn models(&self) -> usize {
        let lists = [&self.inputs["model_inputs"], &self.outputs["model_outputs"]];
        lists
            .iter()
            .filter_map(|list| list.as_array())
            .map(Vec::len)
            .sum()
    }
}

fn pairs(list: &Json) -> impl Iterator<Item = (String, String)> {
    let pairs = list.as_array().into_iter().flatten();
    pairs.filter_map(|pair| {
        let value = pair["value"].as_str().unwrap_or_default();
        Some((pair["key"].as_str()?.to_owned(), value.to_owned()))
    })
}
