use super::*;
use crate::keys::{GpuMetric as G, HostMetric as H};
use crate::sample::{GpuSample, HostSample, OtherProcess};
use crate::throttle::Throttle;

const GIB: f64 = (1u64 << 30) as f64;

/// A GPU at work, with nothing wrong.
fn gpu(index: u32) -> GpuSample {
    let mut sample = GpuSample::new(GpuId::card(index));
    for (metric, value) in [
        (G::Utilization, 96.0),
        (G::MemoryUsed, 40.0 * GIB),
        (G::MemoryTotal, 80.0 * GIB),
        (G::MemoryProcess, 39.0 * GIB),
        (G::Temperature, 61.0),
        (G::Power, 640.0),
        (G::PowerLimit, 700.0),
        (G::ClockSm, 1950.0),
        (G::ClockSmMax, 1980.0),
    ] {
        sample.set(metric, Some(value));
    }
    sample.throttle = Some(Throttle::default());
    sample
}

fn host(values: &[(H, f64)]) -> HostSample {
    let mut sample = HostSample::default();
    let usual = [
        (H::CpuTree, 110.0),
        (H::CpuLimit, 1600.0),
        (H::CpuIowait, 0.0),
        (H::DiskBusy, 2.0),
        (H::MemoryUsed, 10.0 * GIB),
        (H::MemoryLimit, 64.0 * GIB),
        (H::CpuThrottled, 0.0),
    ];
    for &(metric, value) in usual.iter().chain(values) {
        sample.set(metric, Some(value));
    }
    sample
}

/// What is found in a minute of such samples, as `kind@gpu: evidence`.
fn found(host: &HostSample, gpus: impl Fn(usize) -> Vec<GpuSample>) -> Vec<String> {
    let samples: Vec<Sample> = (0..60)
        .map(|second| Sample {
            seconds: second as f64,
            host: host.clone(),
            gpus: gpus(second),
        })
        .collect();
    diagnose(&samples)
        .into_iter()
        .map(|f| {
            let gpu = f.gpu.map_or_else(String::new, |gpu| format!("@{gpu}"));
            format!("{}{gpu}: {}", f.kind.name(), f.evidence)
        })
        .collect()
}

fn with(index: u32, values: &[(G, f64)]) -> GpuSample {
    let mut sample = gpu(index);
    for &(metric, value) in values {
        sample.set(metric, Some(value));
    }
    sample
}

#[test]
fn a_run_with_nothing_wrong() {
    assert!(found(&host(&[]), |_| vec![gpu(0), gpu(1)]).is_empty());
    // The power limit is what a busy GPU runs into; its clock is nearly the highest.
    let capped = |_| {
        let mut sample = gpu(0);
        sample.throttle = Some(Throttle::from_bits(0x4));
        vec![sample]
    };
    assert!(found(&host(&[]), capped).is_empty());
    // A GPU that is idle because it is not ours says nothing of our input.
    let foreign = |_| vec![with(0, &[(G::Utilization, 2.0), (G::MemoryProcess, 0.0)])];
    assert!(found(&host(&[]), foreign).is_empty());
    // Nor does one whose figures are not known.
    assert!(found(&host(&[]), |_| vec![GpuSample::new(GpuId::card(0))]).is_empty());
    assert!(diagnose(&[]).is_empty());
}

#[test]
fn a_gpu_that_waits() {
    let slow = |second: usize| {
        let busy = if second.is_multiple_of(3) { 90.0 } else { 2.0 };
        vec![with(0, &[(G::Utilization, busy)])]
    };
    assert_eq!(
        found(&host(&[]), slow),
        [
            "input_bound@0: busy 31 % of the last 59 s, while this process used 1.1 of 16 cores and the disk was busy 2.0 %; \
          the processor is what it waits for: prepare batches on other threads, ahead of time, or do less for each"
        ]
    );
    let disk = host(&[(H::CpuTree, 20.0), (H::DiskBusy, 97.0)]);
    assert_eq!(
        found(&disk, slow),
        [
            "input_bound@0: busy 31 % of the last 59 s, while this process used 0.2 of 16 cores and the disk was busy 97 %; \
          the disk is what it waits for: keep the data in memory, or read it in larger pieces"
        ]
    );
    // Nobody is busy: a pause, not a bottleneck.
    assert!(found(&host(&[(H::CpuTree, 3.0)]), slow).is_empty());
}

#[test]
fn memory_and_heat_and_power() {
    let full = |_| vec![with(1, &[(G::MemoryUsed, 79.0 * GIB)])];
    assert_eq!(
        found(&host(&[]), full),
        [
            "memory_nearly_full@1: 79.0 GiB of 80.0 GiB in use, 39.0 GiB by this process; a larger batch will not fit"
        ]
    );
    let hot = |second: usize| {
        let mut sample = with(1, &[(G::Temperature, 88.0), (G::ClockSm, 1100.0)]);
        sample.throttle = Some(Throttle::from_bits(if second < 15 { 0x40 } else { 0 }));
        vec![gpu(0), sample]
    };
    assert_eq!(
        found(&host(&[]), hot),
        [
            "thermal_throttling@1: in 25 % of the last 59 s, up to 88 °C, its clock at 1100 of 1980 MHz; look at its cooling"
        ]
    );
    let capped = |_| {
        let mut sample = with(0, &[(G::ClockSm, 1300.0), (G::Power, 699.6)]);
        sample.throttle = Some(Throttle::from_bits(0x4));
        vec![sample]
    };
    assert_eq!(
        found(&host(&[]), capped),
        [
            "power_throttling@0: in 100 % of the last 59 s, 700 of 700 W, its clock at 1300 of 1980 MHz"
        ]
    );
}

#[test]
fn several_gpus() {
    let idle = |index| with(index, &[(G::Utilization, 0.0), (G::MemoryProcess, 0.0)]);
    assert_eq!(
        found(&host(&[]), |_| vec![gpu(0), idle(1)]),
        [
            "gpu_idle@1: busy in the last 59 s: GPU 0 96 %, GPU 1 0.0 %; CUDA_VISIBLE_DEVICES leaves the others to other runs"
        ]
    );
    let many = found(&host(&[]), |_| vec![gpu(0), idle(1), idle(2)]);
    assert!(
        many.len() == 1 && many[0].starts_with("gpu_idle: "),
        "{many:?}"
    );
    // All idle is a pause, or a run without a GPU.
    assert!(found(&host(&[]), |_| vec![idle(0), idle(1)]).is_empty());
}

#[test]
fn other_people() {
    let shared = |_| {
        let mut sample = gpu(0);
        let other = |pid, memory| OtherProcess { pid, memory };
        sample.others = vec![
            other(7, Some(5 << 20)),
            other(42, Some(10 << 30)),
            other(43, None),
        ];
        vec![sample]
    };
    assert_eq!(
        found(&host(&[]), shared),
        ["gpu_shared@0: process 42 holds 10.0 GiB, process 43"]
    );
}

#[test]
fn the_host() {
    let tight = host(&[
        (H::MemoryUsed, 63.0 * GIB),
        (H::MemoryTree, 60.0 * GIB),
        (H::CpuThrottled, 30.0),
        (H::CpuLimit, 200.0),
    ]);
    assert_eq!(
        found(&tight, |_| Vec::new()),
        [
            "host_memory_nearly_full: 63.0 GiB of 64.0 GiB in use, 60.0 GiB by this process and its children; at the limit the system ends processes",
            "cpu_quota: in 30 % of the last 59 s; the quota is 2.0 cores"
        ]
    );
}

#[test]
fn findings_are_new_once_and_their_time_is_counted() {
    use cresset_record::Timestamp;
    let finding = |kind| Finding {
        kind,
        gpu: Some(GpuId::card(0)),
        title: "title".into(),
        evidence: "evidence".into(),
    };
    let mut findings = Findings::default();
    let at = |seconds: i64| Timestamp(seconds * 1_000_000);
    let hot = || vec![finding(Kind::ThermalThrottling)];
    assert_eq!(findings.update(hot(), at(10), 5.0).len(), 1);
    assert_eq!(findings.update(hot(), at(15), 5.0).len(), 0);
    assert_eq!(findings.update(vec![], at(20), 5.0).len(), 0);
    assert_eq!(findings.update(hot(), at(25), 5.0).len(), 0);
    assert_eq!(findings.update(hot(), at(30), 5.0).len(), 0);
    assert!(findings.event(finding(Kind::GpuLost), at(30)));
    assert!(!findings.event(finding(Kind::GpuLost), at(31)));
    findings.update(vec![], at(35), 5.0);
    findings.over(Kind::GpuLost, Some(GpuId::card(0)));
    findings.update(vec![], at(40), 5.0);
    let json = findings.to_json();
    assert_eq!(
        json[0],
        serde_json::json!({
            "kind": "thermal_throttling", "gpu": "0", "title": "title", "evidence": "evidence",
            "seconds": 10.0, "from_us": 10_000_000, "to_us": 30_000_000,
        })
    );
    assert_eq!(
        (&json[1]["seconds"], &json[1]["to_us"]),
        (&5.0.into(), &35_000_000.into())
    );
}
