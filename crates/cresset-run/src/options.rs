//! Choices that the user makes once, when the run starts.

use std::time::Duration;

/// What a log call has done when it returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The value is in memory and is written within 5 ms: SIGKILL loses at most that.
    #[default]
    Buffered,
    /// The value is written to the log: SIGKILL loses nothing.
    Written,
    /// The value is on the disk: a loss of power loses nothing.
    Synced,
}

/// What happens to a scalar when the program logs faster than the log can be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// The newest is dropped and counted: training never waits.
    #[default]
    DropNewest,
    /// The call waits for room, this long at most, and only then drops and counts.
    Wait(Duration),
}
