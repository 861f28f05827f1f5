//! One visit to the server: some events, one after another.

use cresset_record::{ConfigUpdate, Key, Rank, RunDir, Start, State, Timestamp};
use serde_json::{Map, Value as Json, json};

use super::Options;
use super::api::{Api, Found};
use super::carried::Carried;
use super::media::Place;
use super::outgoing::{Outgoing, millis};
use super::params::News;
use super::{labels, names, params, system};
use crate::error::ShipError;
use crate::event::Event;

/// One visit to the server.
pub(super) struct Visit<'a> {
    pub(super) api: &'a Api,
    pub(super) options: &'a Options,
    pub(super) run: &'a RunDir,
    pub(super) carried: Carried,
    pub(super) out: Outgoing,
}

impl<'a> Visit<'a> {
    pub(super) fn new(
        api: &'a Api,
        options: &'a Options,
        run: &'a RunDir,
        carried: Carried,
    ) -> Self {
        Self {
            api,
            options,
            run,
            carried,
            out: Outgoing::default(),
        }
    }

    /// Sees to it that the run is there, and that it runs.
    pub(super) fn begin(&mut self, events: &[(Rank, Event)]) -> Result<(), ShipError> {
        if self.carried.run_id.is_empty() {
            let starts = events.iter().filter_map(|(_, event)| match event {
                Event::Start(start) => Some(&**start),
                _ => None,
            });
            let start = starts.min_by_key(|start| start.rank);
            let found = self.find_or_make(start)?;
            self.carried.artifacts = self.api.proxied(&found.artifact_uri);
            if self.carried.artifacts.is_none() {
                let why = format!(
                    "none were carried: they belong to {}, which is not kept by the server itself (`mlflow-artifacts:`)",
                    found.artifact_uri
                );
                self.out.tag("cresset.artifacts", &why);
            }
            self.carried.run_id = found.id;
        } else if self.carried.is_over && !events.is_empty() {
            self.api
                .update_run(&json!({"run_id": self.carried.run_id, "status": "RUNNING"}))?;
            self.carried.is_over = false;
        }
        Ok(())
    }

    /// A run that was made by a visit whose answer was lost is found by its tag.
    fn find_or_make(&mut self, start: Option<&Start>) -> Result<Found, ShipError> {
        // Where damage took the first record, the folders' names say the most.
        let folder = self.run.path().parent().and_then(|path| path.file_name());
        let folder = folder.map(|name| name.to_string_lossy().into_owned());
        let project = start.map_or(folder.unwrap_or_default(), |s| {
            s.project.as_str().to_owned()
        });
        let experiment = self.options.experiment.clone().unwrap_or(project);
        let experiment = self.api.experiment(&experiment)?;
        let id = start.map_or(self.run.id_text(), |start| start.run.as_str());
        if let Some(found) = self.api.find_run(&experiment, labels::RUN_ID, id)? {
            return Ok(found);
        }
        let mut tags = Outgoing::default();
        match start {
            Some(start) => labels::of_start(start, self.options.user.as_deref(), &mut tags),
            None => tags.tag(labels::RUN_ID, id),
        }
        self.api.create_run(&json!({
            "experiment_id": experiment,
            "start_time": millis(start.map_or(Timestamp::now(), |start| start.time)),
            "run_name": start.map_or(id, |start| start.name.as_str()),
            "user_id": self.options.user.as_deref().unwrap_or_default(),
            "tags": tags.take_tags(),
        }))
    }

    pub(super) fn event(&mut self, rank: Rank, event: &Event) -> Result<(), ShipError> {
        match event {
            Event::Start(start) => self.start(rank, start)?,
            Event::Resume(resume) => self.carried.saw(resume.time),
            Event::Environment(environment) => {
                if self.carried.speaker == Some(rank) {
                    labels::of_environment(
                        environment,
                        self.options.user.as_deref(),
                        &mut self.out,
                    );
                }
                let folder = names::folder(rank);
                if let Some(diff) = environment.get("git").and_then(|git| git["diff"].as_str()) {
                    self.put(&format!("{folder}git.diff"), diff.as_bytes())?;
                }
                self.put_json(&format!("{folder}environment.json"), environment)?;
            }
            Event::Scalars { step, time, points } => self.scalars(rank, *step, *time, points),
            Event::Config(update) => self.config(update)?,
            Event::Label(update) => {
                labels::of_update(update, &mut self.out);
                if let Some(name) = &update.name {
                    self.api
                        .update_run(&json!({"run_id": self.carried.run_id, "run_name": name}))?;
                }
            }
            Event::Summary(values) => self.summary(rank, values)?,
            Event::Alert(alert) => {
                self.carried.saw(alert.time);
                let step = alert.step.map(|step| format!(" (step {step})"));
                let step = step.unwrap_or_default();
                self.out
                    .tag("cresset.alert", &format!("{}{step}", alert.title));
            }
            Event::End(end) => self.carried.saw(end.time),
            Event::Histogram {
                key,
                step,
                time,
                stats,
            } => {
                self.carried.saw(*time);
                self.histogram(place(rank, key, *step, *time), stats)?;
            }
            Event::Media {
                key,
                step,
                time,
                media,
            } => {
                self.carried.saw(*time);
                self.media(place(rank, key, *step, *time), media)?;
            }
            Event::Console(line) => self.carried.saw(line.time),
            Event::Lost(lost) => self.carried.saw(lost.time),
            // At the end, from the whole log.
            Event::Define(_) => {}
        }
        Ok(())
    }

    /// A writer begins, or lives again.
    fn start(&mut self, rank: Rank, start: &Start) -> Result<(), ShipError> {
        self.carried.saw(start.time);
        if self.carried.speaker.is_some_and(|speaker| speaker <= rank) {
            return Ok(());
        }
        let is_first = self.carried.speaker.is_none();
        self.carried.speaker = Some(rank);
        self.carried.began = start.time;
        labels::of_start(start, self.options.user.as_deref(), &mut self.out);
        if !is_first {
            self.api
                .update_run(&json!({"run_id": self.carried.run_id, "run_name": start.name}))?;
        }
        self.carried.config = start.config.clone();
        self.params()
    }

    fn config(&mut self, update: &ConfigUpdate) -> Result<(), ShipError> {
        self.carried.saw(update.time);
        for (name, value) in &update.values {
            self.carried.config.insert(name.clone(), value.clone());
        }
        self.params()
    }

    /// Config to the server, which keeps the first value of a param for ever.
    fn params(&mut self) -> Result<(), ShipError> {
        // What is on its way must be there to be compared with.
        self.out.send(self.api, &self.carried.run_id)?;
        let there = self.api.run(&self.carried.run_id)?;
        let wanted = params::flat(&self.carried.config);
        for news in params::news(&wanted, &there) {
            match news {
                News::Param(name, value) => self.out.param(name, value),
                News::Tag(name, value) => self.out.tag(&name, value),
            }
        }
        let config = self.carried.config.clone();
        self.put_json("config.json", &config)
    }

    fn scalars(&mut self, rank: Rank, step: u64, time: Timestamp, points: &[(Key, f64)]) {
        self.carried.saw(time);
        let is_system = |(key, _): &(Key, f64)| key.as_str().starts_with("system/");
        if points.iter().any(is_system) {
            let network = self.carried.network.entry(rank).or_default();
            for (name, value) in system::translated(points, time, network) {
                self.out
                    .metric(&names::metric(rank, &name), value, step, time);
            }
        } else {
            for (key, value) in points {
                let name = names::metric(rank, key.as_str());
                self.out.metric(&name, *value, step, time);
            }
        }
    }

    /// Its numbers are metrics, so that runs can be sorted by them; at a time that is the same when they come again.
    fn summary(&mut self, rank: Rank, values: &Map<String, Json>) -> Result<(), ShipError> {
        for (key, value) in values {
            let key = match rank {
                Rank(0) => key.clone(),
                Rank(n) => format!("rank_{n}/{key}"),
            };
            match value.as_f64() {
                Some(number) => {
                    let name = names::entity(&format!("summary/{key}"));
                    let (step, time) = (self.carried.summaries, self.carried.began);
                    self.out.metric(&name, number, step, time);
                }
                None => {
                    let text = value.as_str().map(str::to_owned);
                    let text = text.unwrap_or_else(|| value.to_string());
                    self.out.tag(&format!("summary.{key}"), &text);
                }
            }
            self.carried.summary.insert(key, value.clone());
        }
        self.carried.summaries += 1;
        let summary = self.carried.summary.clone();
        self.put_json("summary.json", &summary)
    }

    /// The run is over.
    pub(super) fn end(&mut self, state: &State) -> Result<(), ShipError> {
        self.closing()?;
        let there = self.api.run(&self.carried.run_id)?;
        let status = labels::of_end(state, &there.tags, &mut self.out);
        self.out.send(self.api, &self.carried.run_id)?;
        self.carried.is_over = true;
        self.api.update_run(&json!({
            "run_id": self.carried.run_id,
            "status": status,
            "end_time": millis(self.carried.latest),
        }))
    }

    /// Sends what is on its way, and gives what is to be remembered.
    pub(super) fn leave(mut self) -> Result<Carried, ShipError> {
        self.tell_left_out();
        self.out.send(self.api, &self.carried.run_id)?;
        Ok(self.carried)
    }
}

fn place(rank: Rank, key: &Key, step: u64, time: Timestamp) -> Place<'_> {
    Place {
        rank,
        key,
        step,
        time,
    }
}
