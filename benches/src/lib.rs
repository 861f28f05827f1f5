//! What the benchmarks share: clocks that count processor time, memory of a process, percentiles, and budgets.
//!
//! The benchmarks are the programs in `src/bin`: `record` measures what recording costs, beside other trackers; `store` the
//! index of runs; `stats` the fused pass over a tensor; `watch` what observing a model costs a training; `ship` how a server keeps up; `scale` how the cost of recording grows; `gpu` what observing costs on an NVIDIA GPU.

pub mod budget;
mod clock;
mod curve;
mod figures;
mod memory;
mod percentile;
mod row;
mod run;
mod text;

pub use budget::Budget;
pub use clock::{process_cpu_seconds, thread_cpu_seconds};
pub use curve::Curve;
pub use figures::Figures;
pub use memory::{PeakMemory, status_mib};
pub use percentile::{median, percentile};
pub use row::Row;
pub use run::finish;
pub use text::{machine, number};
