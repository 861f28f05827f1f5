//! What the benchmarks share: clocks that count processor time, memory of a process, and percentiles.
//!
//! The benchmarks are the programs in `src/bin`: `record` measures what recording costs, beside other trackers; `stats` the
//! fused pass over a tensor; `watch` what observing a model costs a training.

mod clock;
mod memory;
mod percentile;

pub use clock::{process_cpu_seconds, thread_cpu_seconds};
pub use memory::PeakMemory;
pub use percentile::{median, percentile};
