//! What the machine did while a run went on: NVIDIA GPUs and the host, sampled beside the training loop.
//!
//! Users add the crate `cresset`, whose `init` turns telemetry on; one line turns it off:
//! `cresset::init("project").telemetry(cresset::Telemetry::off())`. [`Telemetry`] has the settings.
//!
//! ```
//! # #[cfg(all(feature = "run", target_os = "linux"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use cresset_record::{RunDir, RunView};
//! use cresset_telemetry::{HostMetric, Telemetry};
//!
//! # let place = tempfile::tempdir()?;
//! # let folder = place.path();
//! let telemetry = Telemetry::new().rate(10.0); // samples a second
//! let run = cresset_run::init("solder").dir(folder).telemetry(telemetry).start()?;
//! let mut view = RunView::open(RunDir::new(run.dir().ok_or("not recorded")?))?;
//! let memory = format!("system/host/{}", HostMetric::MemoryProcess.name());
//! for step in 0.. {
//!     run.log(step, [("train/loss", 1.0 / (1.0 + step as f64))]); // a step of the training loop
//!     # std::thread::sleep(std::time::Duration::from_millis(5));
//!     view.refresh()?;
//!     if let Some(sample) = view.series_of(&memory).and_then(|series| series.last()) {
//!         assert!(sample.value > 0.0 && sample.step <= step); // bytes, at the step that the loop had reached
//!         break;
//!     }
//! }
//! run.finish();
//! assert_eq!(view.definition(&memory).unit.as_deref(), Some("B"));
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "run", target_os = "linux")))]
//! # fn main() {}
//! ```
//!
//! # How it works
//!
//! The thread `cresset-telemetry` samples once a second, on a fixed grid: a delay moves one sample and not those after it. It
//! reads the host's figures from `/proc` and `/sys`, against the limits of the process's control group, and asks the
//! thread `cresset-gpu` for those of the GPUs. Only that one calls NVIDIA's library, so that a call that hangs leaves a gap in
//! the GPUs' figures, is reported, and holds up nothing else. A machine without NVIDIA's library is no error: the summary says
//! so under `system/telemetry/nvml`.
//!
//! Each call of each GPU has a state of its own: one that a card does not offer is asked for once and named in the summary,
//! under `system/gpu/<gpu>/absent`; one that fails is tried again after 1, 2, 4, … up to 64 samples. A GPU that falls off the
//! bus becomes an alert, and is looked for again.
//!
//! # Keys
//!
//! Scalars, one row a sample. **Their step is the highest step that the program has logged so far**, so over steps they line up
//! with the loss, and over time they are one point a sample. What could not be had is left out: a gap is a gap, not a zero.
//!
//! [`GpuMetric`] has what is sampled of each GPU, under `system/gpu/<gpu>/<name>`, and [`HostMetric`] that of the host, under
//! `system/host/<name>`; both with units and definitions. `<gpu>` is the number that `nvidia-smi` shows, and `1.0` is the
//! first MIG slice of GPU 1. Percentages are 0 to 100; where processor time is meant, 100 is one core.
//!
//! | more keys | value |
//! |---|---|
//! | `system/gpu/<gpu>/throttle/<reason>` | 1 while the reason holds, else 0, from when it was first seen; see [`REASONS`] |
//! | `system/telemetry/late` | seconds by which a sample was late; only where it was |
//! | `system/telemetry/missed` | samples that were left out before this one; only where some were |
//!
//! | summary value | meaning |
//! |---|---|
//! | `system/gpu/<gpu>/model`, `uuid`, `bus` | what the GPU is; `bus` is its PCI address |
//! | `system/gpu/<gpu>/absent` | list of what the card or the driver does not offer |
//! | `system/gpu/<gpu>/utilization_p95` | 95 % of the samples were not above it, in % |
//! | `system/telemetry/nvml` | version of the driver, or why there is none |
//! | `system/diagnosis` | list of findings: `kind` (see [`Kind`]), `gpu`, `title`, `evidence`, `seconds`, `from_us`, `to_us` |
//! | `system/total/gpu_hours` | hours in which this process held memory on a GPU, summed over GPUs |
//! | `system/total/energy` | kWh of the GPUs that were used, from the start to the end |
//! | `system/total/energy_source` | `counter` (the card's), `integrated` (from power), `mixed` |
//! | `system/total/co2e` | kg, if [`Telemetry::co2e_grams_per_kwh`] is given |
//! | `system/total/utilization_mean`, `utilization_p95` | % over all samples of all GPUs that were used |
//! | `system/total/memory_peak` | highest GPU memory of this process on one GPU, in bytes |
//! | `system/total/samples_per_second`, `samples_per_joule` | if [`Telemetry::throughput`] names a series |
//!
//! # Which GPUs
//!
//! Those that `CUDA_VISIBLE_DEVICES` leaves to the process, read as CUDA reads it (numbers, UUIDs or their beginnings, MIG
//! slices; empty hides all). Where CUDA numbers cards of different models by their speed, numbers mean nothing to the
//! driver: all GPUs are then sampled, and memory by process tells which are used. [`Telemetry::pci_address`] is for programs
//! that know better. Memory by process counts this process and its children; in a container with process numbers of its own, one
//! process alone on a GPU is taken for ours, and of several nothing is said.
//!
//! # What is known of real hardware
//!
//! From an H100 and an H200 with driver 580.159 (November 2026; what they answered is in `tests/dumps` and is played back by the
//! tests, the run is that of `tests/sampling/real.rs`): every figure but that of fans, which such cards do not have; memory and
//! utilisation by process, of a child process too; the reason `power_cap` while a matrix product holds the card at its limit;
//! GPM's figures in the units given here; energy by the counter within 1.2 % of that from power; a look costs 3.7 ms of
//! processor time a card, nearly all of it in the driver.
//!
//! From a fake of NVIDIA's library only (`tests/fake/nvml.c`, whose structures and return values are those of NVIDIA's public
//! header): older cards and drivers, several cards, MIG slices, NVLink traffic, thermal throttling, a card that falls off the bus, a
//! driver that is reset or hangs, containers with process numbers of their own. `cresset gpu --dump` writes what another real
//! machine answers, in the form that the fake plays back.
//!
//! Host figures exist on Linux. AMD's and Apple's GPUs are not sampled: another maker's would be a further implementation of the
//! trait `Backend` in `src/gpu/mod.rs`.
//!
//! # Environment variables
//!
//! | variable | meaning |
//! |---|---|
//! | `CRESSET_TELEMETRY` | `off`, whatever the program says; or samples a second (0.1 to 10), unless the program says |
//! | `CRESSET_NVML` | path of NVIDIA's library, where the system does not find it |
//! | `CUDA_VISIBLE_DEVICES`, `CUDA_DEVICE_ORDER` | which GPUs this process uses, as for CUDA |

#![cfg_attr(
    not(feature = "run"),
    expect(
        dead_code,
        unused_imports,
        reason = "the look from outside needs a part of it only"
    )
)]

#[cfg(feature = "run")]
mod diagnosis;
mod gpu;
#[cfg(feature = "run")]
mod host;
mod keys;
mod look;
#[cfg(feature = "run")]
mod meter;
#[cfg(feature = "run")]
mod rhythm;
mod sample;
#[cfg(feature = "run")]
mod sampler;
#[cfg(feature = "run")]
mod telemetry;
mod throttle;
#[cfg(feature = "run")]
mod totals;

#[cfg(feature = "run")]
pub use diagnosis::{Finding, Kind, diagnose};
pub use keys::{GpuId, GpuMetric, HostMetric};
pub use look::{Gpus, Model, dump};
pub use sample::{GpuSample, HostSample, OtherProcess, Sample};
#[cfg(feature = "run")]
pub use telemetry::Telemetry;
pub use throttle::{REASONS, Reason, Throttle};
