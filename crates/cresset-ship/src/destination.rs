//! Where runs are to go, as people write it.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use cresset_record::{Digest, RunDir};

use crate::error::ShipError;
use crate::events::Events;
use crate::ledger::Ledger;
use crate::mlflow::{Credentials, MlflowRun};
use crate::server::Server;
use crate::target::Target;
use crate::tensorboard::EventFiles;
use crate::wandb::{OfflineRun, OnlineRun};

/// Where runs are to go.
///
/// | written as | what it is | secrets |
/// |---|---|---|
/// | `https://cresset.example.org/team` | a Cresset server | `CRESSET_API_KEY` |
/// | `mlflow+https://mlflow.example.org` | an MLflow tracking server | `MLFLOW_TRACKING_TOKEN`, or `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD` |
/// | `wandb+https://api.wandb.ai` | a W&B server | `WANDB_API_KEY` |
/// | `wandb:FOLDER` | offline runs that `wandb sync` takes | |
/// | `tensorboard:FOLDER` | event files | |
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    kind: Kind,
    /// An address or a folder.
    place: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Cresset,
    Mlflow,
    Wandb,
    WandbOffline,
    TensorBoard,
}

/// What a place asks of those who write, by the name of the environment variable that it is kept in.
pub type Secrets<'a> = dyn Fn(&str) -> Option<String> + 'a;

impl Destination {
    /// Makes ready to carry a run there, from where its ledger stands.
    ///
    /// # Errors
    /// If the ledger cannot be opened, as when somebody else carries the run there just now, or the place makes no sense.
    pub fn open(&self, run: &RunDir, secrets: &Secrets<'_>) -> Result<Box<dyn Target>, ShipError> {
        let ledger = Ledger::open(run, &self.name(), &self.to_string())?;
        let (run, place) = (run.clone(), self.place.as_str());
        Ok(match self.kind {
            Kind::Cresset => {
                let key = secrets("CRESSET_API_KEY");
                Box::new(Server::new(run, ledger, place, key.as_deref())?)
            }
            Kind::Mlflow => {
                let mut sink = MlflowRun::new(place, &Credentials::from_secrets(secrets))?;
                if let Some(user) = secrets("MLFLOW_TRACKING_USERNAME") {
                    sink = sink.user(user);
                }
                Box::new(Events::new(run, ledger, sink)?)
            }
            Kind::Wandb => {
                let key = secrets("WANDB_API_KEY").ok_or_else(|| {
                    ShipError::Refused(format!("{place} needs a key: set WANDB_API_KEY"))
                })?;
                Box::new(Events::new(run, ledger, OnlineRun::new(place, &key)?)?)
            }
            Kind::WandbOffline => Box::new(Events::new(run, ledger, OfflineRun::new(place))?),
            Kind::TensorBoard => Box::new(Events::new(run, ledger, EventFiles::new(place))?),
        })
    }

    /// Whether the ledger says that all of the run is there, and the run has ended.
    #[must_use]
    pub fn has_all_of(&self, run: &RunDir) -> bool {
        Ledger::is_done_at(run, &self.name())
    }

    /// The address, if it is a Cresset server.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        (self.kind == Kind::Cresset).then_some(&self.place)
    }

    /// Tells it from others in names of files.
    fn name(&self) -> String {
        let digest = Digest::of(self.to_string().as_bytes()).to_string();
        let kind = match self.kind {
            Kind::Cresset => "cresset",
            Kind::Mlflow => "mlflow",
            Kind::Wandb | Kind::WandbOffline => "wandb",
            Kind::TensorBoard => "tensorboard",
        };
        format!("{kind}-{}", digest.get(..12).unwrap_or(&digest))
    }
}

impl FromStr for Destination {
    type Err = ShipError;

    fn from_str(text: &str) -> Result<Self, ShipError> {
        let text = text.trim();
        let (kind, place) = match text.split_once(':') {
            Some(("http" | "https", _)) => (Kind::Cresset, text),
            Some(("mlflow+http" | "mlflow+https", _)) => (Kind::Mlflow, &text["mlflow+".len()..]),
            Some(("wandb+http" | "wandb+https", _)) => (Kind::Wandb, &text["wandb+".len()..]),
            Some(("wandb", folder)) => (Kind::WandbOffline, folder),
            Some(("tensorboard", folder)) => (Kind::TensorBoard, folder),
            _ => (Kind::Cresset, ""),
        };
        if place.is_empty() {
            return Err(ShipError::Refused(format!(
                "`{text}` is no place where runs can go; give the address of a server, such as https://cresset.example.org, \
                 mlflow+https://…, wandb+https://…, or wandb:FOLDER or tensorboard:FOLDER"
            )));
        }
        let place = match kind {
            // Wherever the command is called from, it is the same folder.
            Kind::WandbOffline | Kind::TensorBoard => {
                let absolute = std::path::absolute(Path::new(place));
                let absolute = absolute.map_err(ShipError::disk(place))?;
                absolute.display().to_string()
            }
            _ => place.trim_end_matches('/').to_owned(),
        };
        Ok(Self { kind, place })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Cresset => "",
            Kind::Mlflow => "mlflow+",
            Kind::Wandb => "wandb+",
            Kind::WandbOffline => "wandb:",
            Kind::TensorBoard => "tensorboard:",
        };
        write!(f, "{kind}{}", self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_written() {
        for text in [
            "https://cresset.example.org/team",
            "mlflow+http://127.0.0.1:5000",
            "wandb+https://api.wandb.ai",
            "wandb:/somewhere/wandb",
            "tensorboard:/somewhere/runs",
        ] {
            let place: Destination = text.parse().unwrap();
            assert_eq!(place.to_string(), text);
        }
        let slash: Destination = "https://cresset.example.org/".parse().unwrap();
        assert_eq!(slash.server(), Some("https://cresset.example.org"));
        for wrong in [
            "",
            "ftp://example.org",
            "cresset.example.org",
            "tensorboard:",
            "wandb",
        ] {
            let error = wrong.parse::<Destination>().unwrap_err().to_string();
            assert!(error.contains("no place where runs can go"), "{error}");
        }
    }
}
