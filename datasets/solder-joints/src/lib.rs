//! Pictures of solder joints that were never soldered, and a loader for pictures of any kind.
//!
//! Start with [`generate`], which draws a data set of inspection crops with ground truth, and
//! [`ImageFolder`], which opens it (or any folder with one sub-folder a class) for training. `README.md` says what is in a
//! picture, and how hard the classes are to tell. It is for examples, tests and benchmarks that need images whose truth is known, and
//! no download.
//!
//! ```
//! use solder_joints::{Augment, BatchOptions, GenerateConfig, ImageFolder, JointClass, LoadOptions, Split, generate};
//!
//! # let place = tempfile::tempdir()?;
//! # let folder = place.path().join("data");
//! let config = GenerateConfig { crops: 48, boards: 12, ..GenerateConfig::default() };
//! let summary = generate(&folder, &config, |done, of| eprint!("\r{done} of {of}"))?;
//! assert_eq!((summary.crops, summary.drawn), (48, 48));
//!
//! let images = ImageFolder::open(&folder, &LoadOptions::default())?;
//! assert_eq!(images.classes().len(), JointClass::ALL.len());
//! assert!(images.skipped().is_empty()); // files that are no pictures, and why
//! let options = BatchOptions {
//!     batch_size: 16,
//!     shuffle_seed: Some(1),
//!     augment: Augment::Medium,
//!     ..BatchOptions::default()
//! };
//! for batch in images.split(Split::Train).batches(&options) {
//!     let batch = batch?;
//!     let [n, channels, height, width] = batch.dims; // pixels are from -1 to 1
//!     assert_eq!((channels, height, width), (3, 64, 64));
//!     assert_eq!((batch.images.len(), batch.labels.len()), (n * 3 * 64 * 64, n));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod augment;
mod batches;
mod board;
mod camera;
mod class;
mod decode;
mod defect;
mod draw;
mod folder;
mod generate;
mod index;
mod light;
mod listing;
mod optics;
mod part;
mod plan;
mod rng;
mod scene;
mod solder;
mod surface;
mod whole;

pub use augment::Augment;
pub use batches::{Batch, BatchError, BatchOptions, Batches};
pub use class::JointClass;
pub use folder::{ImageFolder, LoadOptions, OpenError, Skipped, Subset};
pub use generate::{GenerateConfig, GenerateError, Summary, generate};
pub use index::{CropRecord, Index, SerialNumber, Split};
