//! Metrics of an evaluation pass over a classifier, and the mistakes worth looking at.
//!
//! Pure functions over numbers in host memory: no framework, no thread. Push the scores batch by batch;
//! [`Evaluation::push`] says which rows of the batch are mistakes to keep, so that only their images need to be copied
//! from a device. [`Evaluation::report`] then gives everything of the whole pass.
//!
//! ```
//! use cresset_run::samples::{Batch, Evaluation, Scores};
//!
//! let mut evaluation = Evaluation::new(["good", "bridge", "void"]);
//! let images = ["image 40", "image 41"];
//! let kept = evaluation.push(&Batch {
//!     scores: Scores::Logits(&[2.0, -1.0, 0.5, 0.1, 3.0, -2.0]),
//!     targets: &[0, 2],
//!     indices: &[40, 41],
//! })?;
//! for kept in kept {
//!     evaluation.attach(&kept, images[kept.row()]);
//! }
//! let report = evaluation.report();
//! assert_eq!(report.accuracy, Some(0.5));
//! assert_eq!(report.mistakes[0].sample.true_class, "void");
//! assert_eq!(report.mistakes[0].image, Some("image 41"));
//! # Ok::<(), cresset_run::samples::BatchError>(())
//! ```

mod batch;
mod evaluation;
mod mistakes;
mod pictures;
mod ranking;
mod report;
mod row;
mod scores;
#[cfg(test)]
mod tests;
mod thin;

pub use batch::{Batch, BatchError, Scores};
pub use evaluation::Evaluation;
pub use mistakes::{Kept, Mistake};
pub use pictures::{PictureError, Pictures};
pub use report::{
    ClassReport, MAX_CLASS_SERIES, MAX_CURVES, MAX_MATRIX_CLASSES, Means, Report, key_under,
};
pub use row::{BadRow, Fault};
