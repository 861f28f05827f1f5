//! What a run survives, shown by doing it: each fault of `docs/reliability.md` that needs a program of its own.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "these tests must fail where they cannot go on"
)]

mod clock;
mod deaths;
mod disk;
mod document;
mod errors;
mod hang;
mod intake;
mod memory;
mod power;
mod sender;
mod support;
