//! Runs that are sampled, with a fake of NVIDIA's library and with none. On Linux: elsewhere there is no such library to load.
#![cfg(target_os = "linux")]

mod dump;
mod fake;
mod figures;
mod mapping;
mod real;
mod rhythm;
mod trouble;
