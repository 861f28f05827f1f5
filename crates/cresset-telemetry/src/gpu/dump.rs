//! What a driver answers to each call, as a script for the fake library.

use std::fmt::Write;
use std::os::raw::c_uint;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nvml_wrapper::enum_wrappers::device::{
    Clock, EccCounter, MemoryError, PcieUtilCounter, TemperatureSensor,
};
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::enums::gpm::GpmMetricId;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::gpm::{GpmSample, gpm_metrics_get};
use nvml_wrapper::{Device, Nvml as Library};

use super::nvml::explain;
use super::{Nvml, Visible, raw};

/// One answer as text, or NVML's return value.
type Answer = Result<String, NvmlError>;

/// A call by its name in scripts.
type Call = (&'static str, fn(&Device, &mut u64) -> Answer);

/// All calls but those of performance monitoring, which need a reading from before.
const CALLS: &[Call] = &[
    ("utilization", |d, _| {
        let rates = d.utilization_rates()?;
        Ok(format!("{},{}", rates.gpu, rates.memory))
    }),
    ("memory", |d, _| {
        let (total, used) = match d.memory_info() {
            Err(NvmlError::FailedToLoadSymbol(_)) => raw::memory_of_old_drivers(d)?,
            other => other.map(|m| (m.total, m.used))?,
        };
        Ok(format!("{total},{used}"))
    }),
    ("temperature", |d, _| {
        text(d.temperature(TemperatureSensor::Gpu))
    }),
    ("power", |d, _| text(d.power_usage())),
    ("power_limit", |d, _| text(d.enforced_power_limit())),
    ("energy", |d, _| text(d.total_energy_consumption())),
    ("clock_sm", |d, _| text(d.clock_info(Clock::SM))),
    ("clock_sm_max", |d, _| text(d.max_clock_info(Clock::SM))),
    ("clock_memory", |d, _| text(d.clock_info(Clock::Memory))),
    ("throttle", |d, _| {
        text(d.current_throttle_reasons().map(|r| r.bits()))
    }),
    ("fans", |d, _| text(d.num_fans())),
    ("fan", |d, _| text(d.fan_speed(0))),
    ("ecc_corrected", |d, _| {
        text(d.total_ecc_errors(MemoryError::Corrected, EccCounter::Volatile))
    }),
    ("ecc_uncorrected", |d, _| {
        text(d.total_ecc_errors(MemoryError::Uncorrected, EccCounter::Volatile))
    }),
    ("pcie_received", |d, _| {
        text(d.pcie_throughput(PcieUtilCounter::Receive))
    }),
    ("pcie_sent", |d, _| {
        text(d.pcie_throughput(PcieUtilCounter::Send))
    }),
    ("nvlink", |d, _| {
        let (received, sent) = raw::nvlink_bytes(d)?;
        Ok(format!("{},{}", received / 1024.0, sent / 1024.0))
    }),
    ("processes", |d, _| {
        let list = d.running_compute_processes()?;
        Ok(processes(list.iter().map(|p| {
            let memory = match p.used_gpu_memory {
                UsedGpuMemory::Used(bytes) => Some(bytes),
                UsedGpuMemory::Unavailable => None,
            };
            (p.pid, memory)
        })))
    }),
    ("process_utilization", |d, seen| {
        let list = d.process_utilization_stats(*seen)?;
        *seen = list.iter().map(|p| p.timestamp).max().unwrap_or(*seen);
        Ok(processes(
            list.iter().map(|p| (p.pid, Some(u64::from(p.sm_util)))),
        ))
    }),
];

/// In the order in which the fake reads them.
const GPM: [GpmMetricId; 8] = [
    GpmMetricId::SmUtil,
    GpmMetricId::SmOccupancy,
    GpmMetricId::AnyTensorUtil,
    GpmMetricId::DramBwUtil,
    GpmMetricId::PcieRxPerSec,
    GpmMetricId::PcieTxPerSec,
    GpmMetricId::NvlinkTotalRxPerSec,
    GpmMetricId::NvlinkTotalTxPerSec,
];

/// What was answered to one call so far.
#[derive(Default)]
struct Tape {
    answers: Vec<String>,
    microseconds: Vec<f64>,
}

/// One GPU or slice being asked.
struct Asked<'n> {
    device: Device<'n>,
    tapes: Vec<Tape>,
    gpm: Tape,
    before: Option<GpmSample<'n>>,
    seen: u64,
}

/// See [`crate::dump`].
pub(crate) fn dump(
    library: Option<&Path>,
    samples: u32,
    interval: Duration,
) -> Result<String, String> {
    let nvml = Nvml {
        library: library.map(Path::to_owned),
        visible: Visible::default(),
    };
    let begun = Instant::now();
    let library = nvml.begin().map_err(|e| explain(&e))?;
    let started = begun.elapsed();
    let mut heads = Vec::new();
    let mut asked = Vec::new();
    for index in 0..library.device_count().map_err(|e| explain(&e))? {
        let Ok(device) = library.device_by_index(index) else {
            continue;
        };
        let slices = slices(&device);
        heads.push(head(&device));
        asked.push(Asked::new(device));
        for slice in slices {
            heads.push(slice_head(&slice));
            asked.push(Asked::new(slice));
        }
    }
    for sample in 0..samples.max(1) {
        if sample > 0 {
            thread::sleep(interval);
        }
        for gpu in &mut asked {
            gpu.ask(&library);
        }
    }
    let mut script = format!(
        "# starting the library took {:.1} ms\n",
        1e3 * started.as_secs_f64()
    );
    let version = library.sys_driver_version().unwrap_or_default();
    let _ = writeln!(script, "driver {version}");
    for (head, gpu) in heads.iter().zip(&asked) {
        script += head;
        gpu.write(&mut script);
    }
    Ok(script)
}

fn slices<'n>(device: &Device<'n>) -> Vec<Device<'n>> {
    let is_cut = device.mig_mode().is_ok_and(|mode| mode.current == 1);
    let most = device.mig_device_count().unwrap_or(0);
    (0..if is_cut { most } else { 0 })
        .filter_map(|i| device.mig_device_by_index(i).ok())
        .collect()
}

fn head(device: &Device) -> String {
    format!(
        "device\nname {}\nuuid {}\nbus {}\n",
        device.name().unwrap_or_default(),
        device.uuid().unwrap_or_default(),
        device.pci_info().map(|p| p.bus_id).unwrap_or_default(),
    )
}

fn slice_head(slice: &Device) -> String {
    let (gi, ci) = raw::instances(slice).unwrap_or_default();
    let uuid = slice.uuid().unwrap_or_default();
    format!("slice\nuuid {uuid}\ninstances {gi},{ci}\n")
}

impl<'n> Asked<'n> {
    fn new(device: Device<'n>) -> Self {
        Self {
            device,
            tapes: CALLS.iter().map(|_| Tape::default()).collect(),
            gpm: Tape::default(),
            before: None,
            seen: 0,
        }
    }

    fn ask(&mut self, library: &'n Library) {
        for (tape, (_, call)) in self.tapes.iter_mut().zip(CALLS) {
            tape.take(|| call(&self.device, &mut self.seen));
        }
        let before = self.before.take();
        let after = &mut self.before;
        let device = &self.device;
        let mut first = false;
        let mut answer = || -> Answer {
            if !device.gpm_support()? {
                return Err(NvmlError::NotSupported);
            }
            let now = after.insert(device.gpm_sample()?);
            let Some(before) = &before else {
                first = true;
                return Ok(String::new());
            };
            let metrics = gpm_metrics_get(library, before, now, &GPM)?;
            let values: Vec<String> = metrics
                .into_iter()
                .map(|m| m.map_or_else(|_| "-1".to_owned(), |m| m.value.to_string()))
                .collect();
            Ok(values.join(","))
        };
        self.gpm.take(&mut answer);
        if first {
            self.gpm.answers.clear();
        }
    }

    fn write(&self, script: &mut String) {
        for (tape, (name, _)) in self.tapes.iter().zip(CALLS) {
            tape.write(name, script);
        }
        self.gpm.write("gpm", script);
    }
}

impl Tape {
    fn take(&mut self, call: impl FnOnce() -> Answer) {
        let begun = Instant::now();
        let answer = call();
        self.microseconds.push(1e6 * begun.elapsed().as_secs_f64());
        self.answers.push(answer.unwrap_or_else(|error| {
            let code = match error {
                // What the library lacks it does not support.
                NvmlError::FailedToLoadSymbol(_) => NvmlError::NotSupported,
                other => other,
            };
            format!("!{}", c_uint::from(code))
        }));
    }

    /// One line: equal answers that follow one another are written once, and what is not supported is left out.
    fn write(&self, name: &str, script: &mut String) {
        let not_supported = format!("!{}", c_uint::from(NvmlError::NotSupported));
        if self.answers.iter().all(|a| *a == not_supported) {
            return;
        }
        let _ = write!(script, "{name}");
        for same in self.answers.chunk_by(|a, b| a == b) {
            let Some(answer) = same.first() else { continue };
            let _ = match same.len() {
                1 => write!(script, " {answer}"),
                n => write!(script, " {n}*{answer}"),
            };
        }
        let mut sorted = self.microseconds.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
        let most = sorted.last().copied().unwrap_or(0.0);
        let _ = writeln!(script, " # {middle:.0} µs, at most {most:.0} µs");
    }
}

fn text<T: ToString>(answer: Result<T, NvmlError>) -> Answer {
    answer.map(|value| value.to_string())
}

fn processes(list: impl Iterator<Item = (u32, Option<u64>)>) -> String {
    let entries: Vec<String> = list
        .map(|(pid, value)| match value {
            Some(value) => format!("{pid}:{value}"),
            None => format!("{pid}:-"),
        })
        .collect();
    if entries.is_empty() {
        "none".to_owned()
    } else {
        entries.join(";")
    }
}
