//! Where runs are to go, as people write it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use cresset_record::{Cursor, Digest, RunDir};

use crate::error::ShipError;
use crate::events::Events;
use crate::ledger::Ledger;
use crate::mlflow::{Credentials, MlflowRun};
use crate::selection::Selection;
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
///
/// What a place may see of a run stands after it, as in `https://cresset.example.org?keys=val/*&redact=config.data_path`: see [`Selection`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    kind: Kind,
    /// An address or a folder.
    place: String,
    /// What it may see.
    selection: Selection,
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
    /// Reads lists of places, each separated by commas, as in `CRESSET_TARGET`. After a `?`, a comma separates places where one begins after it,
    /// and else the names of a selection.
    ///
    /// # Errors
    /// If one of them is none, or one place is named twice with different selections.
    pub fn list(lists: &[impl AsRef<str>]) -> Result<Vec<Self>, ShipError> {
        let texts = lists.iter().flat_map(|list| separate(list.as_ref()));
        let mut places: Vec<Self> = Vec::new();
        for text in texts.filter(|text| !text.trim().is_empty()) {
            let place: Self = text.parse()?;
            match places.iter().find(|known| known.is_where(&place)) {
                Some(known) if known.selection != place.selection => {
                    return Err(ShipError::Refused(format!(
                        "{} is named twice, and may see different things; name it once",
                        place.base()
                    )));
                }
                Some(_) => {}
                None => places.push(place),
            }
        }
        Ok(places)
    }

    /// Makes ready to carry a run there, from where its ledger stands.
    ///
    /// # Errors
    /// If the ledger cannot be opened, as when somebody else carries the run there just now, or the place makes no sense.
    pub fn open(&self, run: &RunDir, secrets: &Secrets<'_>) -> Result<Box<dyn Target>, ShipError> {
        let mut ledger = Ledger::open(run, &self.name(), &self.base())?;
        let selection = ledger.select(&self.selection)?;
        let (run, place) = (run.clone(), self.place.as_str());
        Ok(match self.kind {
            Kind::Cresset => {
                let key = secrets("CRESSET_API_KEY");
                Box::new(Server::new(run, ledger, place, key.as_deref())?.selecting(selection))
            }
            Kind::Mlflow => {
                let mut sink = MlflowRun::new(place, &Credentials::from_secrets(secrets))?;
                if let Some(user) = secrets("MLFLOW_TRACKING_USERNAME") {
                    sink = sink.user(user);
                }
                sink = sink.selecting(selection.clone());
                Box::new(Events::new(run, ledger, sink)?.selecting(selection))
            }
            Kind::Wandb => {
                let key = secrets("WANDB_API_KEY").ok_or_else(|| {
                    ShipError::Refused(format!("{place} needs a key: set WANDB_API_KEY"))
                })?;
                let sink = OnlineRun::new(place, &key)?;
                Box::new(Events::new(run, ledger, sink)?.selecting(selection))
            }
            Kind::WandbOffline => {
                let sink = OfflineRun::new(place);
                Box::new(Events::new(run, ledger, sink)?.selecting(selection))
            }
            Kind::TensorBoard => {
                let sink = EventFiles::new(place);
                Box::new(Events::new(run, ledger, sink)?.selecting(selection))
            }
        })
    }

    /// Forgets how far the run was carried to a Cresset server, so that it is asked anew what it has, as after it was restored from a backup:
    /// nothing comes there twice. Trackers of other kinds cannot be asked, and for them nothing is forgotten.
    ///
    /// # Errors
    /// If the ledger cannot be opened or written.
    pub fn ask_again(&self, run: &RunDir) -> Result<(), ShipError> {
        if self.kind != Kind::Cresset {
            return Ok(());
        }
        let mut ledger = Ledger::open(run, &self.name(), &self.base())?;
        let mut memory = ledger.memory().clone();
        memory.remove("blobs");
        ledger.enter(Cursor::default(), memory, BTreeMap::new(), false)
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

    /// Whether it is the same place, whatever either may see.
    #[must_use]
    pub fn is_where(&self, other: &Self) -> bool {
        (self.kind, &self.place) == (other.kind, &other.place)
    }

    /// The place, without what it may see.
    fn base(&self) -> String {
        let kind = match self.kind {
            Kind::Cresset => "",
            Kind::Mlflow => "mlflow+",
            Kind::Wandb => "wandb+",
            Kind::WandbOffline => "wandb:",
            Kind::TensorBoard => "tensorboard:",
        };
        format!("{kind}{}", self.place)
    }

    /// Tells it from others in names of files. What it may see is no part of it: a run is carried once to a place.
    fn name(&self) -> String {
        let digest = Digest::of(self.base().as_bytes()).to_string();
        let kind = match self.kind {
            Kind::Cresset => "cresset",
            Kind::Mlflow => "mlflow",
            Kind::Wandb | Kind::WandbOffline => "wandb",
            Kind::TensorBoard => "tensorboard",
        };
        format!("{kind}-{}", digest.get(..12).unwrap_or(&digest))
    }
}

fn separate(list: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for part in list.split(',') {
        match texts.last_mut() {
            Some(last) if last.contains('?') && !begins_a_place(part) => {
                last.push(',');
                last.push_str(part);
            }
            _ => texts.push(part.to_owned()),
        }
    }
    texts
}

/// Whether it begins as the address of a place does.
fn begins_a_place(text: &str) -> bool {
    let scheme = text.trim_start().split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_lowercase() || b == b'+')
    })
}

impl FromStr for Destination {
    type Err = ShipError;

    fn from_str(text: &str) -> Result<Self, ShipError> {
        let text = text.trim();
        let (text, query) = text.split_once('?').unwrap_or((text, ""));
        let selection = query.parse()?;
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
        Ok(Self {
            kind,
            place,
            selection,
        })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base())?;
        if self.selection.is_default() {
            return Ok(());
        }
        write!(f, "?{}", self.selection)
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
            "https://cresset.example.org?keys=val/*,loss&redact=console",
            "tensorboard:/somewhere/runs?without=images/*",
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

    #[test]
    fn commas_separate_places_and_names() {
        let list = |text: &str| {
            let places = Destination::list(&[text])?.into_iter();
            Ok(places.map(|place| place.to_string()).collect())
        };
        let said = |text: &str| -> Vec<String> {
            let found: Result<_, ShipError> = list(text);
            found.unwrap()
        };
        assert_eq!(
            said("https://a?keys=val/*,loss&redact=name, tensorboard:/t?without=x,y,,wandb:/w,"),
            [
                "https://a?keys=val/*,loss&redact=name",
                "tensorboard:/t?without=x,y",
                "wandb:/w"
            ]
        );
        assert_eq!(said("https://a,https://a/"), ["https://a"]);
        let wrong = |text: &str| -> String {
            let found: Result<Vec<String>, ShipError> = list(text);
            found.unwrap_err().to_string()
        };
        assert!(wrong("https://a,somewhere").contains("no place where"));
        assert!(wrong("https://a?keys=x,ftp://b").contains("no place where"));
        assert!(wrong("https://a,https://a?keys=x").contains("named twice"));
        // Of two lists, the second begins anew.
        let lists = ["https://a?keys=x", "loss"];
        assert!(Destination::list(&lists).is_err());
    }
}
