//! Exit codes: what scripts can rely on. All of them are here and in `cresset --help`.

use std::io;
use std::process::ExitCode;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked.
    Ok = 0,
    /// Something went wrong that no other code names.
    Error = 1,
    /// The command line makes no sense. (The argument parser ends with this code too.)
    Usage = 2,
    /// No such run, or more than one.
    NotFound = 3,
    /// `verify` found damage, or `index check` a difference.
    Damaged = 4,
    /// `watch`, not on a terminal, saw the run fail or crash.
    RunFailed = 5,
}

/// The codes as `--help` shows them.
pub(crate) const HELP: &str = "\
Exit codes:
  0  it did what was asked
  1  something went wrong
  2  the command line or the filter makes no sense
  3  no such run, or more than one
  4  `verify` found damage, or `index check` a difference
  5  `watch`, not on a terminal, saw the run fail or crash";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that has an exit code of its own.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    /// No such run, or more than one.
    pub(crate) fn not_found(message: impl Into<String>) -> anyhow::Error {
        Self::error(Exit::NotFound, message)
    }

    /// The command line makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
        Self::error(Exit::Usage, message)
    }

    fn error(exit: Exit, message: impl Into<String>) -> anyhow::Error {
        let message = message.into();
        anyhow::Error::new(Self { exit, message })
    }
}

impl std::error::Error for Failure {}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// The code that an error ends the command with. A reader that went away, as `head` does, is no error.
pub(crate) fn code_of(error: &anyhow::Error) -> Exit {
    if is_broken_pipe(error) {
        return Exit::Ok;
    }
    error
        .downcast_ref::<Failure>()
        .map_or(Exit::Error, |f| f.exit)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = |e: &(dyn std::error::Error + 'static)| e.downcast_ref().map(io::Error::kind);
    error
        .chain()
        .any(|cause| kind(cause) == Some(io::ErrorKind::BrokenPipe))
}
