//! What the reference workload on burn trains and with what; its program, and the benchmark of what watching costs, do so.

mod data;
mod model;

pub use data::{DefectBatch, Loader};
pub use model::ResNet;
