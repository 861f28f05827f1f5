//! What watching costs a training on an NVIDIA GPU, and what reading each loss at once would.
//!
//! `cargo run --release -p cresset-benches --features cuda --bin gpu -- --json FILE`
//!
//! The same model is trained several times, in turns of about a second: not watched, its losses logged by `log_tensor`, its
//! losses read by `to_scalar` after each step as training programs do, and watched at different cadences. A turn ends when
//! the device is done. What a turn takes more than one that is not watched is the cost; medians over all rounds.

mod training;
#[path = "../watch/model.rs"]
mod watch_model;
mod workload;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use candle_core::Device;
use clap::Parser;
use cresset_benches::{Budget, Figures, finish, median};
use cresset_run::Cadence;

use training::{Mode, Training, Turn};
use workload::Workload;

/// Each training is first in one round.
const ROUNDS: usize = MODES.len();
const TURN: Duration = Duration::from_secs(1);
/// By the end of these, kernels are loaded and the device's memory pool has grown.
const WARM_UP: u64 = 20;

const MODES: [(&str, Mode, Budget); 6] = [
    ("not watched", Mode::Off, Budget::None),
    ("losses by log_tensor", Mode::Losses, Budget::None),
    ("losses by to_scalar", Mode::Scalars, Budget::None),
    (
        "watched, 1 % allowed",
        Mode::Watched(Cadence::Budget(0.01)),
        Budget::AtMost(1.0),
    ),
    (
        "watched, every 10th step",
        Mode::Watched(Cadence::Every(10)),
        Budget::None,
    ),
    (
        "watched, every step",
        Mode::Watched(Cadence::Every(1)),
        Budget::None,
    ),
];

/// What watching costs a training on an NVIDIA GPU.
#[derive(Parser)]
struct Arguments {
    /// Write the figures as JSON too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Which of the machine's GPUs
    #[arg(long, value_name = "N", default_value_t = 0)]
    gpu: usize,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let device = Device::new_cuda(arguments.gpu)?;
    let name = device.as_cuda_device()?.cuda_stream().context().name()?;
    let mut figures = Figures::of_device(name);
    for workload in Workload::ALL {
        measure(workload, &device, &mut figures)?;
    }
    figures.show(arguments.json.as_deref())
}

fn measure(workload: Workload, device: &Device, figures: &mut Figures) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let run = cresset_run::init("bench-gpu").dir(dir.path()).start()?;
    let mut trainings = MODES
        .iter()
        .map(|(_, mode, _)| Training::new(workload, *mode, &run, device))
        .collect::<Result<Vec<_>>>()?;
    for training in &mut trainings {
        training.turn(WARM_UP)?;
    }
    let step = trainings[0].turn(WARM_UP)?.wall / WARM_UP as f64;
    let steps = (TURN.as_secs_f64() / step).ceil() as u64;
    let mut turns = vec![Vec::new(); trainings.len()];
    for round in 0..ROUNDS {
        // What comes first in a round is slower.
        for i in 0..trainings.len() {
            let i = (round + i) % trainings.len();
            turns[i].push(trainings[i].turn(steps)?);
        }
    }
    let of = |turns: &[Turn], figure: fn(&Turn) -> f64| {
        median(&mut turns.iter().map(figure).collect::<Vec<_>>()) / steps as f64
    };
    let (wall, thread) = (of(&turns[0], |t| t.wall), of(&turns[0], |t| t.thread));
    let what = workload.name();
    figures.note(
        format!("{what}: a step that is not watched"),
        1e3 * wall,
        "ms",
    );
    figures.note(
        format!("{what}: its thread's processor time"),
        1e3 * thread,
        "ms",
    );
    for ((training, turns), (name, _, budget)) in trainings.iter().zip(&turns).zip(MODES).skip(1) {
        let more = 100.0 * (of(turns, |t| t.wall) / wall - 1.0);
        figures.add(
            format!("{what}: {name}, a step takes longer by"),
            more,
            "%",
            budget,
        );
        let more = 1e6 * (of(turns, |t| t.thread) - thread);
        figures.note(
            format!("{what}: {name}, its thread computes longer by"),
            more,
            "µs",
        );
        if let Some(share) = training.observed() {
            figures.note(
                format!("{what}: {name}, steps looked at"),
                100.0 * share,
                "%",
            );
        }
    }
    drop(trainings);
    finish(run)
}
