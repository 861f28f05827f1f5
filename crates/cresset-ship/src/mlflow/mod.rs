//! Runs at an MLflow server.
//!
//! [`MlflowRun`] carries one run over the REST API of a tracking server. What goes where:
//!
//! | of Cresset | at MLflow |
//! |---|---|
//! | project | experiment of that name, made if there is none |
//! | run | run with that name, found again by the tag `cresset.run_id` |
//! | config | params `a.b.c`; whole in `config.json`. A param cannot change there: what changes later is the tag `config.<name>` |
//! | scalars | metrics with their step and time, to the millisecond; ranks beyond the first as `rank_<n>/<key>` |
//! | telemetry | MLflow's own names and units (`system/gpu_0_utilization_percentage`, …), else its key |
//! | images | what `mlflow.log_image` writes: steps with a slider under *Model metrics*, and `images/` among artifacts |
//! | tables | `tables/<key>/<step>.json`, what `mlflow.log_table` writes |
//! | figures | `figures/<key>/<step>.html` to look at, `.json` with the numbers |
//! | histograms | `histograms/<key>/<step>.json`: the first 32 of a series, then 32 of every second, 32 of every fourth, … |
//! | text, pages, sound, files | `media/<key>/…`; checkpoints under `checkpoints/<key>/…` |
//! | environment | tags `mlflow.source.…`, `mlflow.user` and `cresset.…`; whole in `environment.json` |
//! | name, notes, tags, group | run name, `mlflow.note.content`, `cresset.tags`, `cresset.group` |
//! | summary set by hand | numbers as metrics `summary/<key>`, the rest as tags `summary.<key>`; whole in `summary.json` |
//! | alerts | the latest as the tag `cresset.alert`; at the end all in `alerts.json` |
//! | console, definitions | at the end: `console.log` (5 MB of it), `definitions.json` |
//! | state | `FINISHED`, `FAILED` (failed or crashed), `KILLED` (stopped), with `cresset.state` and `cresset.reason` |
//!
//! Names with characters that MLflow does not take are mended, and end in six digits of what they were, so that no two keys become one. Infinities
//! become the largest finite numbers in an SQL store, which is what MLflow does with them itself; NaN stays NaN. Points that a resumed
//! run superseded stay: MLflow cannot take a point back.
//!
//! **Twice is once.** MLflow's SQL stores keep one of several equal points (the primary key of `metrics` is all of a point), and artifacts have
//! names that follow from the event, so what comes a second time changes nothing. MLflow's old file store appends equal points.
//!
//! **Artifacts** go through the server's proxy (`mlflow-artifacts:`, the default of `mlflow server`). A run whose artifacts are in a
//! bucket or a folder that clients reach by themselves keeps them out: metrics and params go on, and the tag `cresset.left_out` says what is missing.

mod api;
mod artifacts;
mod carried;
mod closing;
mod figure;
mod histogram;
mod image;
pub(crate) mod labels;
mod media;
pub(crate) mod names;
mod outgoing;
mod params;
mod point_cloud;
pub(crate) mod reader;
pub(crate) mod system;
mod visit;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cresset_record::{Rank, RunDir, State};

use crate::destination::Secrets;
use crate::error::ShipError;
use crate::event::Event;
use crate::http::Http;
use crate::selection::Selection;
use crate::sink::{Memory, Sink};

use api::Api;
use carried::Carried;
use visit::Visit;

/// How the server knows who comes.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// It lets everybody in.
    #[default]
    None,
    /// User and password, as in `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A token, as in `MLFLOW_TRACKING_TOKEN`.
    Bearer(String),
}

impl Credentials {
    /// What `MLFLOW_TRACKING_TOKEN` has, else `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`.
    #[must_use]
    pub fn from_secrets(secrets: &Secrets<'_>) -> Self {
        let user = secrets("MLFLOW_TRACKING_USERNAME").zip(secrets("MLFLOW_TRACKING_PASSWORD"));
        match (secrets("MLFLOW_TRACKING_TOKEN"), user) {
            (Some(token), _) => Self::Bearer(token),
            (None, Some((user, password))) => Self::Basic { user, password },
            (None, None) => Self::None,
        }
    }

    /// The server at `address`, to which these are shown.
    fn http(&self, address: &str) -> Result<Http, ShipError> {
        // An address is written into logs and shown.
        let authority = address.split_once("://").map_or(address, |(_, rest)| rest);
        let authority = authority.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(ShipError::Refused(
                "an address may not hold a password; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD".to_owned(),
            ));
        }
        let authorization = match self {
            Self::None => None,
            Self::Basic { user, password } => {
                let pair = STANDARD.encode(format!("{user}:{password}"));
                Some(format!("Basic {pair}"))
            }
            Self::Bearer(token) => Some(format!("Bearer {token}")),
        };
        let headers = authorization.map(|value| ("authorization", value));
        Http::new(address, headers.into_iter().collect())
    }
}

/// Says which, never what.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Basic { user, .. } => write!(f, "Basic({user}, …)"),
            Self::Bearer(_) => f.write_str("Bearer(…)"),
        }
    }
}

/// Carries one run to an MLflow tracking server.
#[derive(Debug)]
pub struct MlflowRun {
    api: Api,
    options: Options,
}

/// What the caller chose.
#[derive(Clone, Debug, Default)]
struct Options {
    experiment: Option<String>,
    user: Option<String>,
    /// What is read from the log itself passes it too.
    selection: Selection,
}

impl MlflowRun {
    /// To the server at `address`, such as `https://mlflow.example.org`, as in `MLFLOW_TRACKING_URI`. Nothing is sent yet.
    ///
    /// # Errors
    /// If that is no address of a web server.
    pub fn new(address: &str, credentials: &Credentials) -> Result<Self, ShipError> {
        Ok(Self {
            api: Api::new(credentials.http(address)?),
            options: Options::default(),
        })
    }

    /// To this experiment instead of the one named like the project.
    #[must_use]
    pub fn experiment(mut self, name: impl Into<String>) -> Self {
        self.options.experiment = Some(name.into());
        self
    }

    /// Whose run it is, for MLflow's column *Created by*; the account that the run ran as, if this is not called.
    #[must_use]
    pub fn user(mut self, name: impl Into<String>) -> Self {
        self.options.user = Some(name.into());
        self
    }

    /// Reads no more than this of the log at the end.
    pub(crate) fn selecting(mut self, selection: Selection) -> Self {
        self.options.selection = selection;
        self
    }
}

impl Sink for MlflowRun {
    fn take(
        &mut self,
        run: &RunDir,
        events: &[(Rank, Event)],
        memory: &mut Memory,
    ) -> Result<(), ShipError> {
        let carried = Carried::recall(memory)?;
        let mut visit = Visit::new(&self.api, &self.options, run, carried);
        visit.begin(events)?;
        for (rank, event) in events {
            visit.event(*rank, event)?;
        }
        visit.leave()?.keep(memory);
        Ok(())
    }

    fn end(&mut self, run: &RunDir, state: &State, memory: &mut Memory) -> Result<(), ShipError> {
        let carried = Carried::recall(memory)?;
        let mut visit = Visit::new(&self.api, &self.options, run, carried);
        visit.begin(&[])?;
        visit.end(state)?;
        visit.leave()?.keep(memory);
        Ok(())
    }
}
