//! What the driver says is what is recorded.

use crate::fake::{Fake, Recorded, finish, wait};

/// A card that offers everything.
const H100: &str = "
driver 580.95.05
device
name NVIDIA H100 80GB HBM3
uuid GPU-1234
bus 00000000:3B:00.0
utilization 97,41
memory 85899345920,42949672960
temperature 61
power 412345
power_limit 700000
energy 1000000 1500000
clock_sm 1755
clock_sm_max 1980
clock_memory 2619
throttle 0
ecc_corrected 7
ecc_uncorrected 0
processes self:10737418240
process_utilization self:90
gpm 55.5,30.25,20,44,3,2,1,0.5
";

#[test]
fn every_figure_with_its_unit() {
    let recorded =
        Fake::new(H100).record(|r| r.gpu("sm_active").len() >= 2 && r.gpu("energy").len() >= 2);
    for (name, first) in [
        ("utilization", 97.0),
        ("memory_utilization", 41.0),
        ("utilization_process", 90.0),
        ("memory_used", 42_949_672_960.0),
        ("memory_total", 85_899_345_920.0),
        ("memory_process", 10_737_418_240.0),
        ("memory_others", 0.0),
        ("temperature", 61.0),
        ("power", 412.345),
        ("power_limit", 700.0),
        ("energy", 0.0),
        ("clock_sm", 1755.0),
        ("clock_sm_max", 1980.0),
        ("clock_memory", 2619.0),
        ("throttled", 0.0),
        ("ecc_corrected", 0.0),
        ("ecc_uncorrected", 0.0),
        ("sm_active", 55.5),
        ("sm_occupancy", 30.25),
        ("tensor_active", 20.0),
        ("dram_active", 44.0),
        ("pcie_received", 3.0 * 1_048_576.0),
        ("pcie_sent", 2.0 * 1_048_576.0),
        ("nvlink_received", 1_048_576.0),
        ("nvlink_sent", 524_288.0),
    ] {
        let values = recorded.gpu(name);
        assert_eq!(values.first(), Some(&first), "{name}");
        assert!(values.len() >= 2, "{name}: {values:?}");
        let key = format!("system/gpu/0/{name}");
        let unit = recorded.view.definition(&key).unit;
        let counted = ["throttled", "ecc_corrected", "ecc_uncorrected"].contains(&name);
        assert_eq!(unit.is_none(), counted, "{name}: {unit:?}");
    }
    assert_eq!(recorded.gpu("energy")[1], 500.0);
    assert_eq!(recorded.gpu("fan"), [0.0; 0]);
    for (key, text) in [
        ("system/telemetry/nvml", "580.95.05"),
        ("system/gpu/0/model", "NVIDIA H100 80GB HBM3"),
        ("system/gpu/0/uuid", "GPU-1234"),
        ("system/gpu/0/bus", "00000000:3B:00.0"),
        ("system/total/energy_source", "counter"),
    ] {
        assert_eq!(recorded.summary(key), text, "{key}");
    }
    assert_eq!(
        recorded.summary("system/gpu/0/absent"),
        serde_json::json!(["fan"])
    );
    assert_eq!(recorded.summary("system/total/energy"), 500.0 / 3.6e6);
    assert!(recorded.values("system/host/cpu_process").len() >= 2);
    assert_eq!(recorded.alerts(), [""; 0]);
}

#[test]
fn sample_for_sample_with_gaps() {
    let script = "
device
name A
uuid GPU-0
temperature 40 41 !10 43 !999 !999 46 47
power 1000 2000 3000 4000 5000 6000 7000 8000 9000 10000 11000 12000 13000 14000 15000
throttle 0
";
    let recorded =
        Fake::new(script).record(|r| r.gpu("temperature").len() >= 5 && r.gpu("power").len() >= 15);
    // A call that fails leaves a gap in its own series; after the second failure in a row the next sample is left out too.
    let power = recorded.gpu("power");
    assert!(
        power.windows(2).all(|w| w[1] == w[0] + 1.0 || w[1] == 15.0),
        "{power:?}"
    );
    assert_eq!(
        recorded.gpu("temperature")[..5],
        [40.0, 41.0, 43.0, 46.0, 47.0]
    );
    let series = |name: &str| {
        recorded
            .view
            .series_of(&format!("system/gpu/0/{name}"))
            .unwrap()
    };
    let times: Vec<_> = series("power").points().iter().map(|p| p.time).collect();
    // On a machine that is busy two samples can be taken so fast after each other that the clock says the same.
    let mut next = 0;
    let found: Vec<usize> = series("temperature").points()[..5]
        .iter()
        .map(|p| {
            let after = times[next..].iter().position(|t| *t == p.time).unwrap();
            next += after + 1;
            next - 1
        })
        .collect();
    if recorded.values("system/telemetry/missed").is_empty() {
        assert_eq!(found, [0, 1, 3, 7, 8]);
    }
}

#[test]
fn an_old_card_has_its_power_integrated() {
    let script = "
device
name Tesla K80
uuid GPU-0
memory 1000,400
fans 1
fan 33
power @0:100000 @500:300000
";
    let recorded = Fake::old(script).record(|r| r.gpu("power").len() >= 11);
    assert_eq!(recorded.gpu("memory_used")[0], 400.0);
    assert_eq!(recorded.gpu("fan")[0], 33.0);
    assert_eq!(recorded.summary("system/total/energy_source"), "integrated");
    let last = *recorded.gpu("energy").last().unwrap();
    // Within what the time between reading and logging can make on a busy machine; the arithmetic is held to 1 % where it is.
    let series = recorded.view.series_of("system/gpu/0/power").unwrap();
    let joules: f64 = series
        .points()
        .windows(2)
        .map(|p| p[1].time.seconds_since(p[0].time) * (p[0].value + p[1].value) / 2.0)
        .sum();
    assert!((last / joules - 1.0).abs() < 0.2, "{last} of {joules}");
    let absent = recorded.summary("system/gpu/0/absent").to_string();
    for call in [
        "utilization",
        "energy counter",
        "performance monitoring (GPM)",
    ] {
        assert!(absent.contains(call), "{absent}");
    }
}

#[test]
fn slices_have_their_own_memory_and_share_the_card() {
    let script = "
device
name A100
uuid GPU-0
utilization !3
power 250000
memory 80,60
slice
uuid MIG-a
instances 7,0
memory 20,10
processes self:5
gpm 50,-1,-1,-1,-1,-1,-1,-1
slice
uuid MIG-b
instances 8,0
memory 40,1
processes none
";
    let recorded = Fake::new(script).record(|r| !r.values("system/gpu/0.0/sm_active").is_empty());
    let first = |key: &str| {
        recorded
            .values(&format!("system/gpu/{key}"))
            .first()
            .copied()
    };
    for (key, expected) in [
        ("0/power", Some(250.0)),
        ("0/memory_used", Some(60.0)),
        ("0/utilization", None),
        ("0.0/memory_used", Some(10.0)),
        ("0.0/memory_process", Some(5.0)),
        ("0.0/sm_active", Some(50.0)),
        ("0.0/sm_occupancy", None),
        ("0.0/power", None),
        ("0.1/memory_total", Some(40.0)),
        ("0.1/memory_process", Some(0.0)),
    ] {
        assert_eq!(first(key), expected, "{key}");
    }
    assert_eq!(recorded.summary("system/gpu/0.0/model"), "A100 (MIG slice)");
}

#[test]
fn cards_without_performance_monitoring_tell_of_pcie_and_nvlink_otherwise() {
    let script = "
device
name A100
uuid GPU-0
pcie_received 1500
pcie_sent 20
nvlink 0,0 1000,500
";
    let recorded = Fake::new(script).record(|r| !r.gpu("nvlink_sent").is_empty());
    assert_eq!(recorded.gpu("pcie_received")[0], 1.5e6);
    assert_eq!(recorded.gpu("pcie_sent")[0], 2e4);
    let received = recorded.gpu("nvlink_received")[0];
    let sent = recorded.gpu("nvlink_sent")[0];
    assert!(
        received > 0.0 && (received / sent - 2.0).abs() < 1e-9,
        "{received} {sent}"
    );
}

#[test]
fn steps_are_those_of_the_training_loop() {
    let fake = Fake::new("device\nname A\nuuid GPU-0\npower 1000\n");
    let run = fake.run();
    wait(&run, |r| !r.gpu("power").is_empty());
    for step in 0..=500 {
        run.log(step, [("train/loss", 0.1)]);
    }
    let points = |r: &Recorded| r.gpu("power").len();
    let before = points(&Recorded::read(run.dir().unwrap()));
    wait(&run, |r| points(r) >= before + 2);
    let recorded = finish(run);
    let series = recorded.view.series_of("system/gpu/0/power").unwrap();
    let steps: Vec<u64> = series.points().iter().map(|p| p.step).collect();
    assert_eq!((steps.first(), steps.last()), (Some(&0), Some(&500)));
}

#[test]
fn what_a_run_took() {
    let script = "
device
name A
uuid GPU-0
utilization 80,1
energy 0 3600000
processes self:1024
memory 4096,2048
";
    let fake = Fake::new(script);
    let run = fake.run_with(|t| {
        t.co2e_grams_per_kwh(400.0)
            .throughput("train/images_per_second")
    });
    wait(&run, |r| !r.gpu("energy").is_empty());
    run.log(1, [("train/images_per_second", 900.0)]);
    run.log(2, [("train/images_per_second", 1100.0)]);
    wait(&run, |r| r.gpu("energy").len() >= 2);
    let recorded = finish(run);
    let total = |name: &str| recorded.summary(&format!("system/total/{name}")).as_f64();
    assert_eq!(total("energy"), Some(0.001));
    assert_eq!(total("co2e"), Some(0.0004));
    assert_eq!(total("samples_per_second"), Some(1000.0));
    assert_eq!(total("utilization_mean"), Some(80.0));
    assert_eq!(total("utilization_p95"), Some(80.0));
    assert_eq!(total("memory_peak"), Some(1024.0));
    assert!(total("gpu_hours").unwrap() > 0.2 / 3600.0);
    assert!(total("samples_per_joule").unwrap() > 0.05);
    assert_eq!(recorded.summary("system/gpu/0/utilization"), 80.0);
}
