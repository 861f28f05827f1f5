//! The reference workload of Cresset on burn's Learner: a residual network that finds defects in images of solder joints.
//!
//! `cargo run --release -p defect-classifier-burn`

#![expect(clippy::print_stdout, reason = "a program that talks to its user")]

mod args;
mod train;

use anyhow::Result;
use clap::Parser;

use crate::args::Arguments;

/// burn makes a tensor for every operation; see the candle example.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    train::train(&Arguments::parse().resolved())
}
