#![doc = include_str!("../README.md")]

mod checkpoint;
mod device;
mod evaluator;
mod guard;
mod keys;
mod late;
mod learner;
mod logger;
mod observer;
mod once;
mod progress;
mod samples;
mod settings;
mod tensors;
mod together;
mod watched;

pub use cresset_run::samples::Pictures;
pub use cresset_run::watch::WatchAccount;
pub use evaluator::recorded;
pub use late::log_tensor;
pub use learner::{Callback, CressetTraining};
pub use once::{Watcher, watch_once};
pub use samples::{ClassScores, SampleBatch, Samples};
pub use settings::Watch;
pub use watched::Watched;

/// The programs of the guide, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/burn.md")]
struct BurnGuide;
