#![doc = include_str!("../README.md")]

mod adamw;
mod checkpoint;
mod device;
mod device_stats;
mod evaluation;
mod host;
mod late;
mod loss;
mod names;
mod observation;
mod resumable;
#[cfg(test)]
#[path = "../tests/device/mod.rs"]
mod testing;
mod watch;

pub use adamw::AdamW;
pub use checkpoint::{Checkpoint, CheckpointError, TensorProblem, TrainState};
pub use cresset_run::watch::WatchAccount;
pub use evaluation::Evaluation;
pub use late::log_tensor;
pub use resumable::{OptimizerSlot, OptimizerSnapshot, ResumableOptimizer};
pub use watch::{Watch, Watched, watch};

/// The program in the project's README, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct RootReadme;

/// The programs of the guide, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/candle.md")]
struct CandleGuide;
