//! Runs for W&B, against what W&B's own package makes and takes.
//!
//! Most of these need Python with wandb, which `cargo xtask test` sets up and names in `CRESSET_WANDB_PYTHON`.

mod client;
mod double;
mod fixed;
mod heard;
mod import;
mod media;
mod offline;
mod online;
mod support;
