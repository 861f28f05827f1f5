//! Where runs are to go, as people write it.

use std::fmt;
use std::str::FromStr;

use cresset_record::{Digest, RunDir};

use crate::error::ShipError;
use crate::ledger::Ledger;
use crate::server::Server;
use crate::target::Target;

/// Where runs are to go.
///
/// | written as | what it is |
/// |---|---|
/// | `https://cresset.example.org/team` | a Cresset server |
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    kind: Kind,
    /// An address or a folder.
    place: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Cresset,
}

impl Destination {
    /// Makes ready to carry a run there, from where its ledger stands. `key` is what the place asks of those who write.
    ///
    /// # Errors
    /// If the ledger cannot be opened, as when somebody else carries the run there just now, or the place makes no sense.
    pub fn open(&self, run: &RunDir, key: Option<&str>) -> Result<Box<dyn Target>, ShipError> {
        let ledger = Ledger::open(run, &self.name(), &self.to_string())?;
        Ok(match self.kind {
            Kind::Cresset => Box::new(Server::new(run.clone(), ledger, &self.place, key)?),
        })
    }

    /// Whether the ledger says that all of the run is there, and the run has ended.
    #[must_use]
    pub fn has_all_of(&self, run: &RunDir) -> bool {
        Ledger::is_done_at(run, &self.name())
    }

    /// The address of the server, if it is one: keys are given by address.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        match self.kind {
            Kind::Cresset => Some(&self.place),
        }
    }

    /// Tells it from others in names of files.
    fn name(&self) -> String {
        let digest = Digest::of(self.to_string().as_bytes()).to_string();
        let kind = match self.kind {
            Kind::Cresset => "cresset",
        };
        format!("{kind}-{}", digest.get(..12).unwrap_or(&digest))
    }
}

impl FromStr for Destination {
    type Err = ShipError;

    fn from_str(text: &str) -> Result<Self, ShipError> {
        let text = text.trim().trim_end_matches('/');
        let kind = match text.split_once(':') {
            Some(("http" | "https", _)) => Kind::Cresset,
            _ => {
                let example = "give the address of a server, such as https://cresset.example.org";
                return Err(ShipError::Refused(format!(
                    "`{text}` is no place where runs can go; {example}"
                )));
            }
        };
        Ok(Self {
            kind,
            place: text.to_owned(),
        })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}
