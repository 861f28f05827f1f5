//! The `cresset` binary as a user and a script see it: what it prints, and how it ends.

#[path = "../../src/fixture.rs"]
mod fixture;

mod command;
mod diff;
mod export;
#[cfg(target_os = "linux")]
mod gpu;
mod help;
mod locate;
mod recorded;
mod runs;
mod show;
mod team;
#[cfg(unix)]
mod terminal;
mod trash;
mod ui;
mod verify;
mod watch;
