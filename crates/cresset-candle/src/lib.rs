//! Cresset for candle.
//!
//! * [`AdamW`]: candle's AdamW, bit for bit, with a state that can be saved.
//! * [`Checkpoint`]: model, optimizer and position in training in one safetensors file, from which a run
//!   continues exactly.

mod adamw;
mod checkpoint;
mod resumable;

pub use adamw::AdamW;
pub use checkpoint::{Checkpoint, CheckpointError, TensorProblem, TrainState};
pub use resumable::{OptimizerSlot, OptimizerSnapshot, ResumableOptimizer};
