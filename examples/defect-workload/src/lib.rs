//! What the defect classifiers of all frameworks share, so that their runs can be compared: the images and their order
//! ([`Data`]), the random numbers that first weights are drawn from ([`Rng`]), and the learning rate ([`Schedule`]).

mod data;
mod rng;
mod schedule;

pub use data::{Data, FileList, Workload};
pub use rng::Rng;
pub use schedule::Schedule;
