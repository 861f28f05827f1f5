//! Experiment tracking for people who train models in Rust.
//!
//! ```no_run
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let run = cresset::init("harbor-defect-classifier").tags(["baseline"]).start()?;
//!     let loss = run.series("train/loss");
//!     for step in 0..1_000 {
//!         let value = 1.0 / (1.0 + step as f64);
//!         loss.log(step, value);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! The run is kept under `.cresset/` in the working directory; `cresset show` prints it and `cresset watch` follows it
//! live. Callbacks for candle are in the crate `cresset-candle`.
//!
//! This crate is the face: everything is re-exported from `cresset-run`, whose documentation has the table of
//! environment variables.

pub use cresset_run::*;
