//! What a watched optimizer records, read back from the run.

#[path = "../device/mod.rs"]
mod device;
mod support;
mod trouble;
mod values;
