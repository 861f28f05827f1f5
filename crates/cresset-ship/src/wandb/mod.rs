//! Runs for W&B.

mod api;
mod decode;
mod entry;
mod figure;
mod files;
mod head;
mod heartbeat;
mod histogram;
mod log;
mod media;
mod offline;
mod online;
pub mod read;
mod record;
mod remembered;
mod rows;
mod stream;
mod summary;
mod system;
mod translate;
mod value;

pub use offline::OfflineRun;
pub use online::OnlineRun;

#[cfg(test)]
mod tests;
