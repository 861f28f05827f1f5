//! Cresset for candle.
//!
//! * [`watch`]: a wrapper that is the optimizer and records losses, gradients, parameters and update ratios.
//! * [`log_tensor`]: a scalar that lives on a device, read without making the training thread wait.
//! * [`AdamW`]: candle's AdamW, bit for bit, with a state that can be saved.
//! * [`Checkpoint`]: model, optimizer and position in training in one safetensors file, from which a run
//!   continues exactly.

mod adamw;
mod checkpoint;
mod device;
mod host;
mod late;
mod names;
mod observation;
mod resumable;
mod watch;

pub use adamw::AdamW;
pub use checkpoint::{Checkpoint, CheckpointError, TensorProblem, TrainState};
pub use late::log_tensor;
pub use resumable::{OptimizerSlot, OptimizerSnapshot, ResumableOptimizer};
pub use watch::{Watch, WatchAccount, Watched, watch};
