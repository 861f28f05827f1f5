//! Experiment tracking for people who train models in Rust.
//!
//! ```
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
//! live. Callbacks for candle are in the crate `cresset-candle`, those for burn in `cresset-burn`.
//!
//! With the feature `telemetry`, which is on by default, a run knows what GPUs and host did meanwhile: see [`Telemetry`]. One
//! line turns it off: `cresset::init("project").telemetry(cresset::Telemetry::off())`.
//!
//! This crate is the face: everything is re-exported from `cresset-run` and `cresset-telemetry`, whose documentation has the
//! tables of environment variables.

pub use cresset_run::*;
#[cfg(feature = "telemetry")]
pub use cresset_telemetry::Telemetry;

/// Begins a run of `project`, with telemetry; finish with [`Builder::start`].
///
/// ```
/// let run = cresset::init("harbor-defect-classifier").tags(["baseline"]).start()?;
/// run.log(0, [("train/loss", 0.69)]);
/// # Ok::<(), cresset::StartError>(())
/// ```
#[cfg(feature = "telemetry")]
pub fn init(project: impl Into<String>) -> Builder {
    cresset_run::init(project).telemetry(Telemetry::new())
}

/// The programs of the guide, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/loops.md")]
struct LoopsGuide;

/// The programs of the guide, run as tests.
#[cfg(all(doctest, feature = "telemetry"))]
#[doc = include_str!("../../../docs/guides/telemetry.md")]
struct TelemetryGuide;
