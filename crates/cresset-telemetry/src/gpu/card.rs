//! One GPU, or one slice of one: the calls of a sample.

use std::collections::BTreeMap;
use std::time::Instant;

use nvml_wrapper::enum_wrappers::device::{
    Clock, EccCounter, MemoryError, PcieUtilCounter, TemperatureSensor,
};
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::gpm::GpmSample;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;
use nvml_wrapper::{Device, EventSet, Nvml};

use super::calls::{Call, Calls, Failure};
use super::{Desk, Ours, Request, gpm, raw};
use crate::keys::{GpuId, GpuMetric};
use crate::sample::{GpuSample, OtherProcess};
use crate::throttle::Throttle;

/// What changes seldom is asked for once in so many samples.
const SELDOM: u32 = 10;

/// A GPU with what is known of its calls.
pub(super) struct Card<'n> {
    pub(super) id: GpuId,
    pub(super) uuid: String,
    pub(super) device: Device<'n>,
    pub(super) calls: Calls,
    /// For a slice, the GPU that it is of, and its GPU instance.
    pub(super) parent: Option<(Device<'n>, Option<u32>)>,
    /// When to try again a GPU that does not answer, and the pause after that.
    pub(super) lost: Option<(u32, u32)>,
    pub(super) events: Option<EventSet<'n>>,
    gpm: Option<GpmSample<'n>>,
    fans: Option<u32>,
    seldom: Vec<(GpuMetric, f64)>,
    /// The last reading of the NVLinks' counters: bytes received and sent.
    nvlink: Option<(Instant, f64, f64)>,
    /// The last time that utilisation by process was asked for, by the driver's clock.
    seen: u64,
}

/// Calls to one card for one sample.
struct Look<'a, 'n> {
    card: &'a mut Card<'n>,
    desk: &'a Desk,
    request: &'a Request,
    failure: Option<(Failure, String)>,
}

impl<'n> Card<'n> {
    pub(super) fn new(id: GpuId, uuid: String, device: Device<'n>) -> Self {
        Self {
            id,
            uuid,
            device,
            calls: Calls::default(),
            parent: None,
            lost: None,
            events: None,
            gpm: None,
            fans: None,
            seldom: Vec::new(),
            nvlink: None,
            seen: 0,
        }
    }

    /// Asks for everything; an error if the GPU or the library as a whole has failed.
    pub(super) fn look(
        &mut self,
        nvml: &'n Nvml,
        desk: &Desk,
        request: &Request,
        pcie: bool,
    ) -> (GpuSample, Option<(Failure, String)>) {
        let mut sample = GpuSample::new(self.id);
        let whole = self.parent.is_none();
        let mut look = Look {
            card: self,
            desk,
            request,
            failure: None,
        };
        look.load(&mut sample);
        look.memory(&mut sample);
        look.processes(&mut sample);
        if whole {
            look.power(&mut sample);
            look.clocks(&mut sample);
            look.seldom(&mut sample);
        }
        look.gpm(nvml, &mut sample);
        if whole && !look.card.calls.works(Call::Gpm) {
            look.nvlink(&mut sample);
            if pcie && !request.brief {
                look.pcie(&mut sample);
            }
        }
        let failure = look.failure;
        (sample, failure)
    }
}

impl<'n> Look<'_, 'n> {
    /// Makes a call, if it is due and the GPU has not failed in this sample.
    fn call<T>(
        &mut self,
        call: Call,
        work: impl FnOnce(&Device<'n>) -> Result<T, NvmlError>,
    ) -> Option<T> {
        let number = self.request.number;
        if self.failure.is_some() || !self.card.calls.is_due(call, number) {
            return None;
        }
        let device = &self.card.device;
        let result = self.desk.during(Some(self.card.id), call, || work(device));
        if let Err(error) = &result {
            let failure = Failure::of(error);
            if failure != Failure::Call {
                // No fault of this call: it is not held against it.
                self.failure = Some((failure, error.to_string()));
                return None;
            }
        }
        self.card.calls.note(call, number, &result);
        result.ok()
    }

    fn load(&mut self, sample: &mut GpuSample) {
        if let Some(rates) = self.call(Call::Utilization, Device::utilization_rates) {
            sample.set(GpuMetric::Utilization, Some(rates.gpu.into()));
            sample.set(GpuMetric::MemoryUtilization, Some(rates.memory.into()));
        }
    }

    fn memory(&mut self, sample: &mut GpuSample) {
        let memory = self.call(Call::Memory, |device| match device.memory_info() {
            Err(NvmlError::FailedToLoadSymbol(_)) => raw::memory_of_old_drivers(device),
            other => other.map(|memory| (memory.total, memory.used)),
        });
        if let Some((total, used)) = memory {
            sample.set(GpuMetric::MemoryTotal, Some(total as f64));
            sample.set(GpuMetric::MemoryUsed, Some(used as f64));
        }
    }

    fn power(&mut self, sample: &mut GpuSample) {
        let watts = self.call(Call::Power, Device::power_usage);
        sample.set(GpuMetric::Power, watts.map(|mw| f64::from(mw) / 1e3));
        sample.read = Some(Instant::now());
        if self.is_energy_due() {
            let joules = self.call(Call::Energy, Device::total_energy_consumption);
            sample.set(GpuMetric::Energy, joules.map(|mj| mj as f64 / 1e3));
        }
        let degrees = self.call(Call::Temperature, |d| d.temperature(TemperatureSensor::Gpu));
        sample.set(GpuMetric::Temperature, degrees.map(f64::from));
        let reasons = self.call(Call::Throttle, Device::current_throttle_reasons);
        sample.throttle = reasons.map(|reasons| Throttle::from_bits(reasons.bits()));
        let throttled = sample.throttle.map(|t| f64::from(u8::from(t.is_any())));
        sample.set(GpuMetric::Throttled, throttled);
    }

    /// The counter costs more than all other calls together (4 ms of processor time on an H200), and whatever lies between
    /// two readings is in the second: it is read seldom, and at the end.
    fn is_energy_due(&self) -> bool {
        let Request { number, brief, .. } = *self.request;
        brief || number.is_multiple_of(SELDOM) || !self.card.calls.works(Call::Energy)
    }

    fn clocks(&mut self, sample: &mut GpuSample) {
        let sm = self.call(Call::ClockSm, |d| d.clock_info(Clock::SM));
        sample.set(GpuMetric::ClockSm, sm.map(f64::from));
        let memory = self.call(Call::ClockMemory, |d| d.clock_info(Clock::Memory));
        sample.set(GpuMetric::ClockMemory, memory.map(f64::from));
        if self.card.fans.is_none() {
            self.card.fans = self.call(Call::Fan, Device::num_fans);
            if self.card.fans == Some(0) {
                self.card.calls.rule_out(Call::Fan);
            }
        }
        if let Some(fans) = self.card.fans {
            let fastest = self.call(Call::Fan, |device| {
                (0..fans).try_fold(0, |most, i| Ok(device.fan_speed(i)?.max(most)))
            });
            sample.set(GpuMetric::Fan, fastest.map(f64::from));
        }
    }

    /// Limits and error counters: what they said the last time stands until they are asked again.
    fn seldom(&mut self, sample: &mut GpuSample) {
        if self.request.number.is_multiple_of(SELDOM) || self.card.seldom.is_empty() {
            let limit = self.call(Call::PowerLimit, Device::enforced_power_limit);
            let clock = self.call(Call::ClockSmMax, |d| d.max_clock_info(Clock::SM));
            let corrected = self.call(Call::EccCorrected, |d| {
                d.total_ecc_errors(MemoryError::Corrected, EccCounter::Volatile)
            });
            let uncorrected = self.call(Call::EccUncorrected, |d| {
                d.total_ecc_errors(MemoryError::Uncorrected, EccCounter::Volatile)
            });
            let values = [
                (GpuMetric::PowerLimit, limit.map(|mw| f64::from(mw) / 1e3)),
                (GpuMetric::ClockSmMax, clock.map(f64::from)),
                (GpuMetric::EccCorrected, corrected.map(|n| n as f64)),
                (GpuMetric::EccUncorrected, uncorrected.map(|n| n as f64)),
            ];
            let known = values.into_iter().filter_map(|(m, v)| Some((m, v?)));
            self.card.seldom = known.collect();
        }
        if self.failure.is_none() {
            for &(metric, value) in &self.card.seldom {
                sample.set(metric, Some(value));
            }
        }
    }

    fn processes(&mut self, sample: &mut GpuSample) {
        if let Some(processes) = self.call(Call::Processes, Device::running_compute_processes) {
            divide(&processes, &self.request.ours, sample);
        }
        let seen = self.card.seen;
        let stats = self.call(Call::ProcessUtilization, |device| {
            match device.process_utilization_stats(seen) {
                // No process has used the GPU since.
                Err(NvmlError::NotFound) => Ok(Vec::new()),
                other => other,
            }
        });
        let Some(stats) = stats else { return };
        let newest = stats.iter().map(|s| s.timestamp).max();
        self.card.seen = newest.unwrap_or(seen).max(seen);
        let ours = &self.request.ours;
        if !ours.nested {
            let mut newest: BTreeMap<u32, (u64, u32)> = BTreeMap::new();
            // A driver may give several for a process, and values that are none.
            for s in stats.iter().filter(|s| s.sm_util <= 100) {
                if ours.pids.contains(&s.pid) {
                    let known = newest.entry(s.pid).or_default();
                    *known = (*known).max((s.timestamp, s.sm_util));
                }
            }
            let sum: f64 = newest.values().map(|(_, sm)| f64::from(*sm)).sum();
            sample.set(GpuMetric::UtilizationProcess, Some(sum.min(100.0)));
        }
    }

    fn gpm(&mut self, nvml: &'n Nvml, sample: &mut GpuSample) {
        // The slot of a slice is its parent's.
        let parent = self.card.parent.take();
        let known = self.card.calls.works(Call::Gpm);
        let reading = self.call(Call::Gpm, |device| {
            let card = parent.as_ref().map_or(device, |(parent, _)| parent);
            if !known && !card.gpm_support()? {
                return Err(NvmlError::NotSupported);
            }
            match &parent {
                None => device.gpm_sample(),
                Some((_, None)) => Err(NvmlError::NotSupported),
                Some((parent, Some(instance))) => parent.gpm_mig_sample(*instance),
            }
        });
        self.card.parent = parent;
        let before = self.card.gpm.take();
        if let (Some(before), Some(after)) = (&before, &reading) {
            // Counters that cannot be compared, as after a reset, leave a gap.
            let id = Some(self.card.id);
            let filled = self
                .desk
                .during(id, Call::Gpm, || gpm::fill(nvml, before, after, sample));
            drop(filled);
        }
        self.card.gpm = reading;
    }

    /// For cards without performance monitoring.
    fn nvlink(&mut self, sample: &mut GpuSample) {
        let Some((received, sent)) = self.call(Call::Nvlink, raw::nvlink_bytes) else {
            return;
        };
        let now = Instant::now();
        if let Some((then, earlier_received, earlier_sent)) =
            self.card.nvlink.replace((now, received, sent))
        {
            let seconds = now.duration_since(then).as_secs_f64();
            // A counter that went back has begun anew.
            let rate = |before, after| {
                (after >= before && seconds > 0.0).then(|| (after - before) / seconds)
            };
            sample.set(GpuMetric::NvlinkReceived, rate(earlier_received, received));
            sample.set(GpuMetric::NvlinkSent, rate(earlier_sent, sent));
        }
    }

    /// For cards without performance monitoring. Each of the two calls takes 20 ms, by NVIDIA's header, so one card is
    /// asked a sample.
    fn pcie(&mut self, sample: &mut GpuSample) {
        let rates = self.call(Call::Pcie, |device| {
            let received = device.pcie_throughput(PcieUtilCounter::Receive)?;
            Ok((received, device.pcie_throughput(PcieUtilCounter::Send)?))
        });
        if let Some((received, sent)) = rates {
            // In KB/s.
            let bytes = |kilobytes| Some(f64::from(kilobytes) * 1e3);
            sample.set(GpuMetric::PcieReceived, bytes(received));
            sample.set(GpuMetric::PcieSent, bytes(sent));
        }
    }
}

/// Divides the memory of processes into ours and that of others.
///
/// In a container whose process numbers are its own, no number of the driver's can be ours by comparison. One process
/// alone is then taken for ours; of several nothing is said.
fn divide(processes: &[ProcessInfo], ours: &Ours, sample: &mut GpuSample) {
    let memory = |process: &ProcessInfo| match process.used_gpu_memory {
        UsedGpuMemory::Used(bytes) => Some(bytes),
        UsedGpuMemory::Unavailable => None,
    };
    let is_ours = |process: &ProcessInfo| ours.pids.contains(&process.pid);
    let any_ours = processes.iter().any(is_ours);
    if ours.nested && !any_ours {
        match processes {
            [] => sample.set(GpuMetric::MemoryProcess, Some(0.0)),
            [only] => sample.set(GpuMetric::MemoryProcess, memory(only).map(|m| m as f64)),
            _ => {}
        }
        return;
    }
    let sum = |own: bool| {
        let mut counted = processes.iter().filter(|p| is_ours(p) == own);
        // One process whose memory is not told makes the sum unknown.
        counted.try_fold(0.0, |sum, p| Some(sum + memory(p)? as f64))
    };
    sample.set(GpuMetric::MemoryProcess, sum(true));
    sample.set(GpuMetric::MemoryOthers, sum(false));
    let others = processes.iter().filter(|p| !is_ours(p));
    sample.others = others
        .map(|p| OtherProcess {
            pid: p.pid,
            memory: memory(p),
        })
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, memory: Option<u64>) -> ProcessInfo {
        ProcessInfo {
            pid,
            used_gpu_memory: memory.map_or(UsedGpuMemory::Unavailable, UsedGpuMemory::Used),
            gpu_instance_id: None,
            compute_instance_id: None,
        }
    }

    #[test]
    fn memory_is_divided_by_process() {
        let a = process(10, Some(100));
        let b = process(20, Some(30));
        let silent = process(30, None);
        for (processes, nested, own, others) in [
            (vec![], false, Some(0.0), Some(0.0)),
            (vec![a.clone(), b.clone()], false, Some(100.0), Some(30.0)),
            (vec![b.clone()], false, Some(0.0), Some(30.0)),
            (vec![a.clone(), silent.clone()], false, Some(100.0), None),
            // Numbers of another name space: one process is ours, of several we do not know.
            (vec![b.clone()], true, Some(30.0), None),
            (vec![b.clone(), silent.clone()], true, None, None),
            (vec![], true, Some(0.0), None),
            // Where one is ours by its number, the driver speaks our numbers after all.
            (vec![a, b], true, Some(100.0), Some(30.0)),
        ] {
            let ours = Ours {
                pids: vec![10, 11],
                nested,
            };
            let mut sample = GpuSample::new(GpuId::card(0));
            divide(&processes, &ours, &mut sample);
            assert_eq!(sample.get(GpuMetric::MemoryProcess), own, "{processes:?}");
            assert_eq!(sample.get(GpuMetric::MemoryOthers), others, "{processes:?}");
        }
    }
}
