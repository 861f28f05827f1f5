//! Trackers that take events.

use std::time::Duration;

use cresset_record::{Rank, RunDir, State};
use serde_json::{Map, Value as Json};

use crate::error::ShipError;
use crate::event::Event;

/// What a sink wants to know the next time, such as the other side's name for the run. It is kept together with the cursor: if taking events
/// fails, what was remembered in that call is forgotten, and the same events come again.
pub type Memory = Map<String, Json>;

/// A tracker of another kind, for one run.
///
/// Events come in the order of each rank's log, and at least once: after a failure or a kill, some come a second time, with the memory
/// of before. What a tracker has no place for is mapped to the nearest that it has; what cannot be is counted and said, never
/// dropped without a word.
pub trait Sink: Send {
    /// Takes events, each with the writer that said it.
    ///
    /// # Errors
    /// If the tracker cannot be reached or refuses.
    fn take(
        &mut self,
        run: &RunDir,
        events: &[(Rank, Event)],
        memory: &mut Memory,
    ) -> Result<(), ShipError>;

    /// How long events of a run that goes on are collected before they are given, for a tracker that asks for few requests. What there is
    /// already when a run is taken up, much at once, and a run's end wait for nothing.
    fn interval(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether somebody at the tracker has asked the run to stop, and why.
    fn stop_requested(&self) -> Option<String> {
        None
    }

    /// The run has come to its end, in this state; nothing more is taken, unless somebody takes the run up again.
    ///
    /// # Errors
    /// As [`Self::take`].
    fn end(&mut self, run: &RunDir, state: &State, memory: &mut Memory) -> Result<(), ShipError>;
}
