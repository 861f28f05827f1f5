//! The rules. Each is a function of the samples of a window, and speaks only where it has figures.

use std::collections::BTreeSet;

use super::{Finding, Kind};
use crate::keys::{GpuId, GpuMetric, HostMetric};
use crate::sample::{GpuSample, Sample};
use crate::throttle::Throttle;

/// Below this mean utilisation a GPU waits a good part of the time.
const WAITING: f64 = 50.0;
/// Below this it does nothing.
const IDLE: f64 = 5.0;
/// From this on it works.
const WORKING: f64 = 30.0;
/// From this share on memory is nearly full.
const FULL: f64 = 0.95;
/// A GPU is slowed if it was in at least this share of the samples.
const SLOWED: f64 = 0.1;
/// Running at the power limit is what a busy GPU does: only a clock below this share of the highest makes it a finding.
const SLOW_CLOCK: f64 = 0.9;
/// Other processes with less memory than this are of no account, in bytes.
const SMALL: f64 = 64.0 * 1024.0 * 1024.0;

type Window<'a> = [&'a Sample];

pub(super) fn all(window: &Window) -> Vec<Finding> {
    let gpus: BTreeSet<GpuId> = window
        .iter()
        .flat_map(|s| s.gpus.iter().map(|g| g.gpu))
        .collect();
    let mut found = Vec::new();
    for &gpu in &gpus {
        let samples: Vec<&GpuSample> = window
            .iter()
            .filter_map(|s| s.gpus.iter().find(|g| g.gpu == gpu))
            .collect();
        found.extend(input_bound(window, gpu, &samples));
        found.extend(memory(gpu, &samples));
        found.extend(thermal(gpu, &samples, window));
        found.extend(power(gpu, &samples, window));
        found.extend(shared(gpu, &samples));
    }
    found.extend(idle(window, &gpus));
    found.extend(host_memory(window));
    found.extend(quota(window));
    found
}

fn input_bound(window: &Window, gpu: GpuId, samples: &[&GpuSample]) -> Option<Finding> {
    let own = samples.last()?.get(GpuMetric::MemoryProcess);
    if own == Some(0.0) {
        return None;
    }
    let busy = mean(samples.iter().map(|s| s.get(GpuMetric::Utilization)))?;
    if busy >= WAITING {
        return None;
    }
    let host = |metric| mean(window.iter().map(|s| s.host.get(metric)));
    let cpu = host(HostMetric::CpuTree).unwrap_or(0.0);
    let iowait = host(HostMetric::CpuIowait).unwrap_or(0.0);
    let disk = host(HostMetric::DiskBusy).unwrap_or(0.0);
    let waits_for_disk = disk >= 60.0 || iowait >= 20.0;
    if cpu < 90.0 && !waits_for_disk {
        return None;
    }
    let limit = host(HostMetric::CpuLimit);
    let cores = limit.map_or_else(String::new, |l| format!(" of {}", short(l / 100.0)));
    let help = if waits_for_disk {
        "the disk is what it waits for: keep the data in memory, or read it in larger pieces"
    } else {
        "the processor is what it waits for: prepare batches on other threads, ahead of time, or do less for each"
    };
    Some(Finding {
        kind: Kind::InputBound,
        gpu: Some(gpu),
        title: format!("GPU {gpu} waits for input"),
        evidence: format!(
            "busy {} % of the last {}, while this process used {}{cores} cores and the disk was busy {} %; {help}",
            short(busy),
            span(window),
            short(cpu / 100.0),
            short(disk),
        ),
    })
}

fn memory(gpu: GpuId, samples: &[&GpuSample]) -> Option<Finding> {
    let last = samples.last()?;
    let total = last.get(GpuMetric::MemoryTotal)?;
    let used = samples
        .iter()
        .filter_map(|s| s.get(GpuMetric::MemoryUsed))
        .reduce(f64::max)?;
    let own = match last.get(GpuMetric::MemoryProcess) {
        Some(own) => format!(", {} by this process", bytes(own)),
        None => String::new(),
    };
    (total > 0.0 && used >= FULL * total).then(|| Finding {
        kind: Kind::MemoryNearlyFull,
        gpu: Some(gpu),
        title: format!("The memory of GPU {gpu} is nearly full"),
        evidence: format!(
            "{} of {} in use{own}; a larger batch will not fit",
            bytes(used),
            bytes(total)
        ),
    })
}

fn thermal(gpu: GpuId, samples: &[&GpuSample], window: &Window) -> Option<Finding> {
    let slowed = share(samples, Throttle::is_thermal)?;
    let hottest = samples
        .iter()
        .filter_map(|s| s.get(GpuMetric::Temperature))
        .reduce(f64::max);
    let heat = hottest.map_or_else(String::new, |t| format!(", up to {} °C", short(t)));
    (slowed >= SLOWED).then(|| Finding {
        kind: Kind::ThermalThrottling,
        gpu: Some(gpu),
        title: format!("GPU {gpu} is slowed by heat"),
        evidence: format!(
            "in {} % of the last {}{heat}{}; look at its cooling",
            short(100.0 * slowed),
            span(window),
            clock(samples),
        ),
    })
}

fn power(gpu: GpuId, samples: &[&GpuSample], window: &Window) -> Option<Finding> {
    let slowed = share(samples, Throttle::is_power)?;
    let (now, highest) = clocks(samples)?;
    if slowed < SLOWED || now >= SLOW_CLOCK * highest {
        return None;
    }
    let power = mean(samples.iter().map(|s| s.get(GpuMetric::Power)));
    let limit = samples.last()?.get(GpuMetric::PowerLimit);
    let drawn = match (power, limit) {
        (Some(power), Some(limit)) => format!(", {} of {} W", short(power), short(limit)),
        _ => String::new(),
    };
    Some(Finding {
        kind: Kind::PowerThrottling,
        gpu: Some(gpu),
        title: format!("GPU {gpu} is slowed by its power limit"),
        evidence: format!(
            "in {} % of the last {}{drawn}{}",
            short(100.0 * slowed),
            span(window),
            clock(samples),
        ),
    })
}

fn shared(gpu: GpuId, samples: &[&GpuSample]) -> Option<Finding> {
    let last = samples.last()?;
    let big = |memory: Option<u64>| memory.is_none_or(|m| m as f64 >= SMALL);
    let others: Vec<String> = last
        .others
        .iter()
        .filter(|o| big(o.memory))
        .take(5)
        .map(|other| match other.memory {
            Some(memory) => format!("process {} holds {}", other.pid, bytes(memory as f64)),
            None => format!("process {}", other.pid),
        })
        .collect();
    // Somebody else's GPU is none of ours to share.
    let ours = last.get(GpuMetric::MemoryProcess).is_none_or(|m| m > 0.0);
    (ours && !others.is_empty()).then(|| Finding {
        kind: Kind::GpuShared,
        gpu: Some(gpu),
        title: format!("Another process uses GPU {gpu} too"),
        evidence: others.join(", "),
    })
}

fn idle(window: &Window, gpus: &BTreeSet<GpuId>) -> Option<Finding> {
    let busy = |gpu: GpuId| {
        mean(window.iter().map(|s| {
            let sample = s.gpus.iter().find(|g| g.gpu == gpu)?;
            sample.get(GpuMetric::Utilization)
        }))
    };
    let known: Vec<(GpuId, f64)> = gpus.iter().filter_map(|&g| Some((g, busy(g)?))).collect();
    if !known.iter().any(|(_, busy)| *busy >= WORKING) {
        return None;
    }
    let idle: Vec<GpuId> = known
        .iter()
        .filter(|(_, busy)| *busy < IDLE)
        .map(|(gpu, _)| *gpu)
        .collect();
    let each: Vec<String> = known
        .iter()
        .map(|(gpu, busy)| format!("GPU {gpu} {} %", short(*busy)))
        .collect();
    let (gpu, title) = match idle.as_slice() {
        [] => return None,
        [one] => (Some(*one), format!("GPU {one} does nothing")),
        several => {
            let title = format!("{} of {} GPUs do nothing", several.len(), known.len());
            (None, title)
        }
    };
    Some(Finding {
        kind: Kind::GpuIdle,
        gpu,
        title,
        evidence: format!(
            "busy in the last {}: {}; CUDA_VISIBLE_DEVICES leaves the others to other runs",
            span(window),
            each.join(", ")
        ),
    })
}

fn host_memory(window: &Window) -> Option<Finding> {
    let host = &window.last()?.host;
    let used = host.get(HostMetric::MemoryUsed)?;
    let limit = host.get(HostMetric::MemoryLimit)?;
    let own = host.get(HostMetric::MemoryTree).unwrap_or(0.0);
    (limit > 0.0 && used >= FULL * limit).then(|| Finding {
        kind: Kind::HostMemoryNearlyFull,
        gpu: None,
        title: "The host's memory is nearly full".to_owned(),
        evidence: format!(
            "{} of {} in use, {} by this process and its children; at the limit the system ends processes",
            bytes(used),
            bytes(limit),
            bytes(own)
        ),
    })
}

fn quota(window: &Window) -> Option<Finding> {
    let host = |metric| mean(window.iter().map(|s| s.host.get(metric)));
    let held = host(HostMetric::CpuThrottled)?;
    let limit = host(HostMetric::CpuLimit).unwrap_or(0.0);
    (held >= 100.0 * SLOWED).then(|| Finding {
        kind: Kind::CpuQuota,
        gpu: None,
        title: "The container's processor quota holds this process back".to_owned(),
        evidence: format!(
            "in {} % of the last {}; the quota is {} cores",
            short(held),
            span(window),
            short(limit / 100.0)
        ),
    })
}

/// The share of the samples in which a reason held; `None` where no reasons are told.
fn share(samples: &[&GpuSample], holds: impl Fn(Throttle) -> bool) -> Option<f64> {
    let told: Vec<Throttle> = samples.iter().filter_map(|s| s.throttle).collect();
    let slowed = told.iter().filter(|t| holds(**t)).count();
    (!told.is_empty()).then(|| slowed as f64 / told.len() as f64)
}

/// The mean SM clock and the highest there could be.
fn clocks(samples: &[&GpuSample]) -> Option<(f64, f64)> {
    let now = mean(samples.iter().map(|s| s.get(GpuMetric::ClockSm)))?;
    Some((now, samples.last()?.get(GpuMetric::ClockSmMax)?))
}

fn clock(samples: &[&GpuSample]) -> String {
    clocks(samples).map_or_else(String::new, |(now, highest)| {
        format!(", its clock at {} of {} MHz", short(now), short(highest))
    })
}

fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let (sum, n) = values
        .flatten()
        .fold((0.0, 0u32), |(sum, n), v| (sum + v, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

/// How long the window is, in words.
fn span(window: &Window) -> String {
    let seconds = match (window.first(), window.last()) {
        (Some(first), Some(last)) => last.seconds - first.seconds,
        _ => 0.0,
    };
    format!("{} s", seconds.round().max(1.0))
}

/// A number as people say it: whole from ten on.
fn short(value: f64) -> String {
    if value.abs() >= 9.95 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

fn bytes(value: f64) -> String {
    const GIB: f64 = (1u64 << 30) as f64;
    if value >= 0.095 * GIB {
        format!("{:.1} GiB", value / GIB)
    } else {
        format!("{:.0} MiB", value / (1u64 << 20) as f64)
    }
}
