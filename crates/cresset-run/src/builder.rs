//! How a run begins.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use cresset_record::{
    ConfigUpdate, Definition, Follower, Holder, LockError, NameError, Project, Rank, Record,
    Resume, Root, RunDir, RunId, Start, Timestamp, generate_name,
};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::clock::Clock;
use crate::companion::{Companion, Progress};
use crate::environment;
use crate::losses::Losses;
use crate::media::Redaction;
use crate::not_finite::Told;
use crate::options::{Durability, Overflow};
use crate::panics;
use crate::recorder::{Parts, Recorder};
use crate::run::Run;
use crate::ship;
use crate::stop::StopWatch;
use crate::storage::{Place, Storage};

/// Begins a run of `project`; finish with [`Builder::start`].
///
/// ```
/// let run = cresset_run::init("harbor-defect-classifier").tags(["baseline"]).start()?;
/// run.log(0, [("train/loss", 0.69)]);
/// # Ok::<(), cresset_run::StartError>(())
/// ```
pub fn init(project: impl Into<String>) -> Builder {
    Builder {
        project: project.into(),
        id: variable("CRESSET_RUN_ID"),
        resume: None,
        name: variable("CRESSET_NAME"),
        group: variable("CRESSET_GROUP"),
        job_type: variable("CRESSET_JOB_TYPE"),
        tags: list("CRESSET_TAGS"),
        notes: variable("CRESSET_NOTES").unwrap_or_default(),
        config: Ok(Map::new()),
        dir: PathBuf::from(variable("CRESSET_DIR").unwrap_or_else(|| ".cresset".into())),
        ranks: None,
        definitions: Vec::new(),
        redactions: Vec::new(),
        durability: Durability::default(),
        overflow: Overflow::default(),
        telemetry: None,
        // What stands between its commas is for the command to say.
        places: variable("CRESSET_TARGET").into_iter().collect(),
        disabled: false,
    }
}

/// A run that is about to begin.
///
/// What the program sets wins over the environment variables, which are listed in the crate's documentation; only
/// `CRESSET_MODE=disabled` wins over the program.
#[derive(Debug)]
#[must_use = "nothing is recorded until `start` is called"]
pub struct Builder {
    project: String,
    id: Option<String>,
    resume: Option<Option<u64>>,
    name: Option<String>,
    group: Option<String>,
    job_type: Option<String>,
    tags: Vec<String>,
    notes: String,
    config: Result<Map<String, Json>, String>,
    dir: PathBuf,
    ranks: Option<(u32, u32)>,
    definitions: Vec<Definition>,
    redactions: Vec<Redaction>,
    durability: Durability,
    overflow: Overflow,
    telemetry: Option<Box<dyn Companion>>,
    places: Vec<String>,
    disabled: bool,
}

/// Why a run did not begin. Storage that cannot be written is no reason: the run begins and tries again later.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The project or run id cannot be used.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Config has no JSON form, or is no object.
    #[error("config cannot be recorded: {0}")]
    Config(String),
    /// Another process writes the run.
    #[error(transparent)]
    Held(LockError),
    /// There is a run with this id already.
    #[error("run {0} exists already; choose another id, or call `resume` to go on with it")]
    Exists(RunId),
    /// There is no run with this id to go on with.
    #[error("there is no run {id} in {}; check the id, the project and CRESSET_DIR", dir.display())]
    NotFound {
        /// The id.
        id: RunId,
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// The ranks make no sense.
    #[error("rank {rank} of {world_size} does not exist; ranks count from 0")]
    Rank {
        /// The rank.
        rank: u32,
        /// How many there are.
        world_size: u32,
    },
    /// Ranks need a run id that all of them know.
    #[error(
        "declared ranks need a common run id: call `id` or set CRESSET_RUN_ID to the same value for all of them"
    )]
    RankWithoutId,
    /// `CRESSET_MODE` has a value that means nothing.
    #[error("CRESSET_MODE is {0:?}; it can be \"enabled\" or \"disabled\"")]
    Mode(String),
    /// A thread could not be started.
    #[error("cannot start a thread for recording: {0}")]
    Thread(std::io::Error),
}

impl Builder {
    /// The run's id, 1 to 64 of `a-z A-Z 0-9 - _`; generated if absent.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Goes on with the run `id`, after the last step that it logged.
    pub fn resume(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self.resume = Some(None);
        self
    }

    /// Goes on with the run `id` from `step`, which it may have passed already: what it logged for `step` and later
    /// steps stays in the log and is left out of charts.
    pub fn resume_from(mut self, id: impl Into<String>, step: u64) -> Self {
        self.id = Some(id.into());
        self.resume = Some(Some(step));
        self
    }

    /// A readable name; two words and a number if absent.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Runs that belong together.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// What the process does, such as `train` or `eval`.
    pub fn job_type(mut self, job_type: impl Into<String>) -> Self {
        self.job_type = Some(job_type.into());
        self
    }

    /// Words to find the run by; they are added to those given before.
    pub fn tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Free text.
    pub fn notes(mut self, notes: impl Into<String>) -> Self {
        self.notes = notes.into();
        self
    }

    /// Hyper-parameters: anything that serialises to a JSON object, such as the program's arguments. Later calls add to
    /// earlier ones. Values under keys that look like secrets are masked.
    pub fn config(mut self, config: &impl Serialize) -> Self {
        let Ok(known) = &mut self.config else {
            return self;
        };
        match as_json(config) {
            Ok(Json::Object(map)) => known.extend(map),
            Ok(other) => {
                self.config = Err(format!("it is {}, not an object with names", kind(&other)));
            }
            Err(e) => self.config = Err(e.to_string()),
        }
        self
    }

    /// Where runs are kept; `.cresset` in the working directory if absent.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = dir.into();
        self
    }

    /// Declares this process as `rank` of `world_size`. Each rank writes a log of its own under the one run, which all
    /// of them must name by [`Self::id`].
    pub fn rank(mut self, rank: u32, world_size: u32) -> Self {
        self.ranks = Some((rank, world_size));
        self
    }

    /// Says what a series, or all series of a pattern, mean.
    pub fn define(mut self, definition: Definition) -> Self {
        self.definitions.push(definition);
        self
    }

    /// Changes images before anything of them is written.
    pub fn redact(mut self, redaction: Redaction) -> Self {
        self.redactions.push(redaction);
        self
    }

    /// What a log call has done when it returns.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// What happens when the program logs faster than the log can be written.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// What samples the machine while the run goes on. The crate `cresset` sets its `Telemetry` by itself; a call replaces
    /// it, and `telemetry(Telemetry::off())` leaves it out.
    pub fn telemetry(mut self, telemetry: impl Companion + 'static) -> Self {
        self.telemetry = Some(Box::new(telemetry));
        self
    }

    /// Ships the run while it goes on, such as to `https://cresset.example.org`; several calls name several places. `cresset sync`
    /// does it, in a process of its own, and ends after the run; if it cannot be started, that is said, and the run is kept
    /// here as always.
    ///
    /// What a place may see stands after it: `https://cresset.example.org?keys=val/*&without=val/images/*&redact=config.data_path`.
    pub fn ship_to(mut self, place: impl Into<String>) -> Self {
        self.places.push(place.into());
        self
    }

    /// Makes everything a no-op.
    pub fn disabled(mut self, disabled: bool) -> Self {
        self.disabled = disabled;
        self
    }

    /// Begins the run.
    ///
    /// # Errors
    /// For what the caller should change: names, config, an id that is taken, another process that writes the run. Not
    /// for a disk that is full or read-only: recording then begins when it can.
    pub fn start(mut self) -> Result<Run, StartError> {
        if self.disabled || mode_is_disabled()? {
            return Ok(Run::disabled(self.name.as_deref().unwrap_or("disabled")));
        }
        panics::remember();
        let project = Project::try_from(std::mem::take(&mut self.project))?;
        let root = Root::new(std::path::absolute(&self.dir).unwrap_or_else(|_| self.dir.clone()));
        let rank = self.checked_rank()?;
        let id = match self.id.take() {
            Some(id) => RunId::try_from(id)?,
            None => RunId::generate(),
        };
        let dir = root.run(&project, &id);
        let config = self.checked_config()?;
        let clock = Arc::new(Clock::start());
        let began = clock.now();
        let earlier = self.earlier_start(&dir, &id, rank)?;
        let resuming = earlier.is_some();
        let from_step = self.resume.flatten();
        let start = match earlier {
            Some(earlier) => Start {
                time: clock.now(),
                ..earlier
            },
            None => self.new_start(id, project, rank, &dir, clock.now(), config.clone()),
        };
        let name = start.name.clone();
        let shipped = (root.clone(), dir.clone());
        let place = Place {
            root,
            dir: dir.clone(),
            rank,
            holder: holder(clock.now()),
        };
        let losses = Arc::new(Losses::default());
        let storage_down = Arc::new(AtomicBool::new(false));
        let told = Arc::new(Told::default());
        let mut storage = Storage::open(
            place,
            start,
            Arc::clone(&clock),
            Arc::clone(&losses),
            Arc::clone(&storage_down),
            Arc::clone(&told),
        )
        .map_err(StartError::Held)?;
        if resuming {
            go_on(&mut storage, clock.now(), from_step, config);
        }
        for definition in self.definitions {
            storage.record(&Record::Define(definition));
        }
        storage.flush();
        let stop_watch = StopWatch::begin(&dir, began, resuming);
        let recorder = Arc::new(Recorder::new(Parts {
            storage,
            clock,
            losses,
            told,
            storage_down,
            dir,
            redactions: self.redactions,
            stop_watch,
            progress: Progress::starting_at(from_step),
            durability: self.durability,
            overflow: self.overflow,
        }));
        spawn("cresset-writer", &recorder, Recorder::write_until_closed)?;
        spawn("cresset-worker", &recorder, |r| {
            r.worker.work_until_closed();
        })?;
        let run = Run::new(Arc::clone(&recorder), &name);
        look_around(&run, recorder);
        if !self.places.is_empty() {
            let places = self.places;
            run.defer(0, move |run| {
                ship::begin(run, &shipped.0, &shipped.1, &places);
            });
        }
        if let Some(telemetry) = self.telemetry {
            run.accompany(telemetry);
        }
        Ok(run)
    }

    fn checked_rank(&self) -> Result<Rank, StartError> {
        match self.ranks {
            None => Ok(Rank(0)),
            Some((rank, world_size)) if rank >= world_size => {
                Err(StartError::Rank { rank, world_size })
            }
            Some(_) if self.id.is_none() => Err(StartError::RankWithoutId),
            Some((rank, _)) => Ok(Rank(rank)),
        }
    }

    fn checked_config(&mut self) -> Result<Map<String, Json>, StartError> {
        let mut config =
            std::mem::replace(&mut self.config, Ok(Map::new())).map_err(StartError::Config)?;
        environment::mask(&mut config);
        let bytes = serde_json::to_vec(&config)
            .map_err(|e| StartError::Config(e.to_string()))?
            .len();
        if bytes > cresset_record::MAX_RECORD / 2 {
            return Err(StartError::Config(format!(
                "it has {bytes} bytes as JSON; log large values as files"
            )));
        }
        Ok(config)
    }

    /// The head of the run that is to be resumed; `None` for a new one, and for one that lost its head with all the rest, as a loss of
    /// power may leave it.
    fn earlier_start(
        &self,
        dir: &RunDir,
        id: &RunId,
        rank: Rank,
    ) -> Result<Option<Start>, StartError> {
        let segments = dir.segments().unwrap_or_default();
        let begun = segments.iter().any(|(r, _)| *r == rank);
        if self.resume.is_none() {
            return if begun {
                Err(StartError::Exists(id.clone()))
            } else {
                Ok(None)
            };
        }
        let not_found = || StartError::NotFound {
            id: id.clone(),
            dir: dir.path().to_owned(),
        };
        let mut follower = Follower::new(dir.clone());
        while let Ok(Some(batch)) = follower.next_batch() {
            let head = batch.records.into_iter().find_map(|record| match record {
                Record::Start(start) => Some(*start),
                _ => None,
            });
            if head.is_some() {
                return Ok(head.map(|start| Start { rank, ..start }));
            }
        }
        if segments.is_empty() {
            return Err(not_found());
        }
        Ok(None)
    }

    fn new_start(
        &mut self,
        run: RunId,
        project: Project,
        rank: Rank,
        dir: &RunDir,
        time: Timestamp,
        config: Map<String, Json>,
    ) -> Start {
        let name = self
            .name
            .take()
            .unwrap_or_else(|| generate_name(runs_beside(dir) + 1));
        Start {
            run,
            project,
            name,
            rank,
            world_size: self.ranks.map(|(_, world_size)| world_size),
            time,
            group: self.group.take(),
            job_type: self.job_type.take(),
            tags: std::mem::take(&mut self.tags),
            notes: std::mem::take(&mut self.notes),
            config,
            cresset_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// What stands between commas.
fn list(name: &str) -> Vec<String> {
    let value = variable(name).unwrap_or_default();
    let parts = value.split(',').map(|part| part.trim().to_owned());
    parts.filter(|part| !part.is_empty()).collect()
}

fn mode_is_disabled() -> Result<bool, StartError> {
    match variable("CRESSET_MODE").as_deref() {
        None | Some("enabled") => Ok(false),
        Some("disabled") => Ok(true),
        Some(other) => Err(StartError::Mode(other.to_owned())),
    }
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "nothing",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// A value as the JSON that its own type writes: by way of text, so that an `f32` of 0.001 is 0.001 and not the nearest
/// `f64` to it.
pub(crate) fn as_json(value: &impl Serialize) -> serde_json::Result<Json> {
    serde_json::from_str(&serde_json::to_string(value)?)
}

/// Records that a run goes on, with what its config has that is new.
fn go_on(
    storage: &mut Storage,
    time: Timestamp,
    from_step: Option<u64>,
    config: Map<String, Json>,
) {
    storage.record(&Record::Resume(Resume { time, from_step }));
    if !config.is_empty() {
        let values = config;
        storage.record(&Record::Config(ConfigUpdate { time, values }));
    }
}

/// Records what surrounds the run, as soon as it has been found out.
fn look_around(run: &Run, recorder: Arc<Recorder>) {
    run.defer(0, move |run| {
        let environment = environment::capture();
        environment::warn_of_committed_keys(run, &environment);
        recorder.record(Record::Environment(environment), 4096);
    });
}

/// How many runs the project has.
fn runs_beside(dir: &RunDir) -> u64 {
    dir.path()
        .parent()
        .and_then(|project| project.read_dir().ok())
        .map_or(0, |entries| entries.count() as u64)
}

fn holder(since: Timestamp) -> Holder {
    Holder {
        pid: std::process::id(),
        host: environment::host_name(),
        since,
    }
}

fn spawn(name: &str, recorder: &Arc<Recorder>, work: fn(&Recorder)) -> Result<(), StartError> {
    let recorder = Arc::clone(recorder);
    thread::Builder::new()
        .name(name.to_owned())
        .stack_size(512 << 10)
        .spawn(move || work(&recorder))
        .map(drop)
        .map_err(StartError::Thread)
}
