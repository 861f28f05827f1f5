//! Runs for W&B.

mod entry;
mod figure;
mod files;
mod head;
mod histogram;
mod log;
mod media;
mod offline;
mod record;
mod remembered;
mod summary;
mod system;
mod translate;
mod value;

pub use offline::OfflineRun;
