//! Whether a run goes on, and how it ended.

use crate::record::Outcome;

/// Whether a run goes on, and if not, how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A writer holds its log.
    Running,
    /// It came to its end.
    Finished,
    /// A panic or an error ended it, for this reason.
    Failed(String),
    /// It was asked to stop, for this reason.
    Stopped(String),
    /// Nobody holds the log and it has no end: killed, or the power went.
    Crashed,
}

impl State {
    /// The state in one word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed(_) => "failed",
            Self::Stopped(_) => "stopped",
            Self::Crashed => "crashed",
        }
    }

    /// The state of a run with these writers, each of which left an outcome or none and holds its log or not: the worst of theirs;
    /// failed, crashed, running, stopped, finished. `None` without writers.
    pub fn of_run<'a>(
        writers: impl IntoIterator<Item = (Option<&'a Outcome>, bool)>,
    ) -> Option<Self> {
        let states = writers.into_iter();
        states
            .map(|(outcome, live)| Self::of_writer(outcome, live))
            .max_by_key(Self::severity)
    }

    /// The state of one writer, which left this outcome and holds its log or not.
    fn of_writer(outcome: Option<&Outcome>, live: bool) -> Self {
        match outcome {
            None if live => Self::Running,
            None => Self::Crashed,
            Some(Outcome::Finished) => Self::Finished,
            Some(Outcome::Failed { reason }) => Self::Failed(reason.clone()),
            Some(Outcome::Stopped { reason }) => Self::Stopped(reason.clone()),
        }
    }

    /// Of several writers the one with the highest speaks for the run.
    fn severity(&self) -> u8 {
        match self {
            Self::Failed(_) => 4,
            Self::Crashed => 3,
            Self::Running => 2,
            Self::Stopped(_) => 1,
            Self::Finished => 0,
        }
    }

    /// Why it failed or was stopped.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Failed(reason) | Self::Stopped(reason) => Some(reason),
            _ => None,
        }
    }
}
