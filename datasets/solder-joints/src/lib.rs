//! Pictures of solder joints that were never soldered, and a loader for pictures of any kind.
//!
//! Start with [`generate`], which draws a data set of inspection crops with ground truth, and
//! [`ImageFolder`], which opens it (or any folder with one sub-folder a class) for training.

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
