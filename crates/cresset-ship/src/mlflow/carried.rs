//! What is remembered between two visits to the server.

use std::collections::BTreeMap;

use cresset_record::{Rank, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::system::Network;
use crate::error::ShipError;
use crate::sink::Memory;

/// What is remembered between two visits to the server.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Carried {
    /// MLflow's id of the run; empty until it is made.
    pub(super) run_id: String,
    /// Where the run's artifacts are below the server's proxy; `None` if the proxy does not keep them.
    pub(super) artifacts: Option<String>,
    /// The rank whose `Start` speaks for the run: the lowest that was seen.
    pub(super) speaker: Option<Rank>,
    /// When the run began.
    pub(super) began: Timestamp,
    /// The latest time of anything that was carried.
    pub(super) latest: Timestamp,
    /// Whether the server was told of the run's end.
    pub(super) is_over: bool,
    /// Config as it is now.
    pub(super) config: Map<String, Json>,
    /// Values that were put into the summary by hand, as they are now.
    pub(super) summary: Map<String, Json>,
    /// How often the summary was changed: the step of its metrics.
    pub(super) summaries: u64,
    /// Histograms seen, by rank and key.
    pub(super) histograms: BTreeMap<String, u64>,
    /// Tables that the page shows as such.
    pub(super) tables: Vec<String>,
    /// What went over the network since the run began.
    pub(super) network: BTreeMap<Rank, Network>,
    /// How much was left out, by what or why.
    pub(super) left_out: BTreeMap<String, u64>,
}

impl Carried {
    pub(super) fn recall(memory: &Memory) -> Result<Self, ShipError> {
        serde_json::from_value(Json::Object(memory.clone())).map_err(|e| {
            ShipError::Refused(format!(
                "what was remembered of MLflow is no longer understood ({e}); delete the ledger to carry the run anew"
            ))
        })
    }

    pub(super) fn keep(&self, memory: &mut Memory) {
        if let Ok(Json::Object(kept)) = serde_json::to_value(self) {
            *memory = kept;
        }
    }

    pub(super) fn leave_out(&mut self, what: impl Into<String>) {
        *self.left_out.entry(what.into()).or_default() += 1;
    }

    pub(super) fn saw(&mut self, time: Timestamp) {
        self.latest = self.latest.max(time);
    }
}
