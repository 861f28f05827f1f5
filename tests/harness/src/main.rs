//! Folders of runs as tests, benchmarks and screenshots need them, the same for the same seed.
//!
//! `cargo run -p cresset-tests -- reference --out /tmp/reference/.cresset`
//!
//! All but `live` write logs with times of their own choosing: training that took hours is written in seconds.

#![expect(clippy::print_stdout, reason = "a program that talks to its caller")]

mod book;
mod hostile;
mod live;
mod long;
mod many;
mod reference;
mod rng;
mod wide;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

/// Writes folders of runs for tests, benchmarks and screenshots.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// 30 runs of the reference workload, with everything that a run can hold
    Reference {
        #[command(flatten)]
        place: Place,
        /// Then goes on with the last run, one step after another, until it is killed or asked to stop
        #[arg(long)]
        live: bool,
    },
    /// Many small runs of one project, 100 fields each
    Many {
        #[command(flatten)]
        place: Place,
        #[arg(long, default_value_t = 1000)]
        runs: u64,
    },
    /// 100 series of 10,000 points, each in a run of its own
    Wide {
        #[command(flatten)]
        place: Place,
        #[arg(long, default_value_t = 100)]
        runs: u64,
        #[arg(long, default_value_t = 10_000)]
        points: u64,
    },
    /// One series of ten million points
    Long {
        #[command(flatten)]
        place: Place,
        #[arg(long, default_value_t = 10_000_000)]
        points: u64,
        /// Also writes its values to this file, as little-endian f64
        #[arg(long)]
        values: Option<PathBuf>,
    },
    /// What nobody should log, and folders that are damaged
    Hostile {
        #[command(flatten)]
        place: Place,
    },
    /// A run that is being recorded, until it is killed or asked to stop
    Live {
        #[command(flatten)]
        place: Place,
        #[arg(long, default_value = "live")]
        project: String,
        /// Steps a second
        #[arg(long, default_value_t = 20.0)]
        rate: f64,
        /// Ends by itself after so many steps
        #[arg(long)]
        steps: Option<u64>,
        /// Also records what the machine does; `$CRESSET_NVML` may be a fake of NVIDIA's library
        #[arg(long)]
        telemetry: bool,
    },
}

#[derive(Args)]
struct Place {
    /// The folder of runs, such as `/tmp/x/.cresset`
    #[arg(long)]
    out: PathBuf,
    /// Other seeds give other numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    match Arguments::parse().what {
        What::Reference { place, live } => reference::write(&place.out, place.seed, live),
        What::Many { place, runs } => many::write(&place.out, place.seed, runs),
        What::Wide {
            place,
            runs,
            points,
        } => wide::write(&place.out, place.seed, runs, points),
        What::Long {
            place,
            points,
            values,
        } => long::write(&place.out, place.seed, points, values.as_deref()),
        What::Hostile { place } => hostile::write(&place.out, place.seed),
        What::Live {
            place,
            project,
            rate,
            steps,
            telemetry,
        } => live::write(&place.out, place.seed, &project, rate, steps, telemetry),
    }
}
