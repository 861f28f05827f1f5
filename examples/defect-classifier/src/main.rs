//! The reference workload of Cresset: a residual network in candle that finds defects in images of solder joints.
//!
//! `cargo run --release -p defect-classifier`

#![expect(clippy::print_stdout, reason = "a program that talks to its user")]

mod args;
mod checkpoints;
mod console;
mod dashboard;
mod evaluate;
mod model;
mod train;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::args::Arguments;
use crate::train::{End, train};

/// candle allocates a tensor for every operation. An allocator that keeps freed memory, where the usual one hands
/// large blocks back to the system and has them zeroed again, saves up to half of a training step.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The shell's code for a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    keep_candle_from_spinning();
    match run() {
        Ok(End::Finished | End::Stopped) => ExitCode::SUCCESS,
        Ok(End::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<End> {
    let arguments = Arguments::from_command_line()?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The first one asks; the second, should the first not be heard, ends the program.
        flag::register_conditional_shutdown(signal, INTERRUPTED.into(), Arc::clone(&stop))?;
        flag::register(signal, Arc::clone(&stop))?;
    }
    train(&arguments, &stop)
}

/// candle 0.11 shares element-wise operations among threads that spin while they wait, which on few or busy cores
/// costs more than it gains. Convolutions and matrix products stay parallel. Set the variable to have it otherwise.
fn keep_candle_from_spinning() {
    const THREADS: &str = "CANDLE_NUM_THREADS";
    if std::env::var_os(THREADS).is_none() {
        #[expect(unsafe_code, reason = "candle can be told in no other way")]
        // SAFETY: called at the start of `main`, before anything that could start a thread, so that nobody reads the
        // environment at the same time.
        unsafe {
            std::env::set_var(THREADS, "1");
        }
    }
}
