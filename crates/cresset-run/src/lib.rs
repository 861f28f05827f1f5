//! A Cresset run in this process: log calls that never wait, recorded by threads of ours.
//!
//! Users add the crate `cresset`, which re-exports this one; callback crates build on it.
//!
//! ```
//! # let place = tempfile::tempdir()?;
//! # let folder = place.path();
//! let run = cresset_run::init("solder").dir(folder).tags(["baseline"]).start()?; // without `dir`, in `.cresset`
//! let loss = run.series("train/loss");
//! for step in 0..100 {
//!     loss.log(step, 1.0 / (1.0 + step as f64)); // a few instructions: threads of ours write it
//!     if step % 10 == 0 {
//!         run.log(step, [("val/loss", 1.1), ("val/auc", 0.9)]); // one row of several series
//!     }
//! }
//! run.log_histogram(99, "weights", &[0.5_f32, -0.25, f32::NAN][..]); // NaN is kept and counted
//! let finished = run.finish(); // waits for the disk, with a deadline
//! assert!(finished.complete && finished.lost == 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`init`] begins a run; [`Run`] is the handle that a training loop logs through, [`Series`] the fastest way to do so.
//! - [`Value`] is everything that is more than a number; [`Redaction`] hides parts of images before they are written.
//! - [`samples`] computes the metrics of an evaluation pass and finds the mistakes worth looking at.
//! - [`stats`] has the fused pass behind histograms; [`watch`] what callback crates share in watching a model.
//!
//! # Environment variables
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `CRESSET_MODE` | `disabled` makes everything a no-op, whatever the program says | `enabled` |
//! | `CRESSET_DIR` | where runs are kept | `.cresset` in the working directory |
//! | `CRESSET_RUN_ID` | the run's id | generated |
//! | `CRESSET_NAME` | the run's name | two words and a number |
//! | `CRESSET_GROUP` | runs that belong together | none |
//! | `CRESSET_JOB_TYPE` | what the process does | none |
//! | `CRESSET_TAGS` | tags, separated by commas; the program's are added | none |
//! | `CRESSET_NOTES` | free text | none |
//! | `CRESSET_TARGET` | where the run is shipped while it goes on, separated by commas, such as `https://cresset.example.org`, each with what it may see, such as `?keys=val/*&redact=console`; the program's are added | none |
//! | `CRESSET_API_KEY` | the key of the server there; `cresset login` keeps one | none |
//! | `CRESSET_BIN` | the `cresset` command that ships | that on the `PATH` |
//!
//! What the program sets wins over these, but for `CRESSET_MODE=disabled`.

mod builder;
mod cadence;
mod clock;
mod companion;
#[cfg(feature = "tracing")]
mod console;
mod drain;
mod environment;
mod evaluation;
mod inbox;
mod keys;
mod losses;
mod media;
mod not_finite;
mod options;
mod panics;
mod preamble;
mod recorder;
mod run;
pub mod samples;
mod scalar;
mod series;
mod ship;
pub mod stats;
mod stop;
mod storage;
mod sync;
mod tensor;
pub mod watch;
mod worker;

pub use builder::{Builder, StartError, init};
pub use cadence::{Cadence, Pacer};
pub use companion::Companion;
#[cfg(feature = "tracing")]
pub use console::ConsoleLayer;
pub use cresset_record::{
    Axes, BoundingBox, Curve, Definition, Figure, FloatRow, Goal, Level, Sample, SummaryRule,
    Table, TensorStats,
};
pub use media::{
    Audio, File, Html, Image, ImageError, MAX_PIXELS, MediaError, PointCloud, Redaction,
    RedactionError, Region, Value, Video, figures,
};
pub use options::{Durability, Overflow};
pub use run::{Finished, Run};
pub use scalar::Scalar;
pub use series::{Series, SeriesKey};
pub use tensor::Tensor;

/// Logs scalars of different number types in one call.
///
/// ```
/// # let run = cresset_run::init("doc").disabled(true).start()?;
/// let (loss, correct) = (0.3f32, 61usize);
/// cresset_run::log!(run, 7, "train/loss" = loss, "train/correct" = correct);
/// # Ok::<(), cresset_run::StartError>(())
/// ```
#[macro_export]
macro_rules! log {
    ($run:expr, $step:expr, $($key:literal = $value:expr),+ $(,)?) => {
        $run.log($step, [$(($key, $crate::Scalar::to_f64($value))),+])
    };
}
