//! What goes wrong is survived and named.

use std::time::{Duration, Instant};

use cresset_telemetry::Telemetry;

use crate::fake::{Fake, Recorded, finish, start, wait};

#[test]
fn without_the_library_the_host_is_sampled_all_the_same() {
    let run = start(
        Telemetry::new()
            .nvml_library("/nowhere/libnvidia-ml.so.1")
            .rate(10.0),
    );
    wait(&run, |r| r.values("system/host/memory_used").len() >= 2);
    let recorded = finish(run);
    assert_eq!(
        recorded.summary("system/telemetry/nvml"),
        "no NVIDIA driver on this machine"
    );
    assert_eq!(recorded.keys("system/gpu"), [""; 0]);
    assert!(recorded.values("system/host/memory_used").len() >= 2);
    assert_eq!(recorded.alerts(), [""; 0]);
}

#[test]
fn telemetry_that_is_off_records_nothing() {
    let recorded = finish(start(Telemetry::off()));
    assert_eq!(recorded.keys("system/"), [""; 0]);
    let disabled = cresset_run::init("t")
        .telemetry(Telemetry::new())
        .disabled(true);
    drop(disabled.start().unwrap());
}

#[test]
fn a_driver_of_another_version_is_named_and_tried_again() {
    let fake = Fake::new("init !18");
    let run = fake.run();
    let why = |r: &Recorded| r.summary("system/telemetry/nvml").to_string();
    wait(&run, |r| {
        why(r).contains("another version than the loaded driver")
    });
    fake.say("init !9");
    wait(&run, |r| why(r).contains("not loaded"));
    fake.say("device\nname A\nuuid GPU-0\npower 1000\n");
    wait(&run, |r| !r.gpu("power").is_empty());
    assert_eq!(finish(run).summary("system/telemetry/nvml"), "580.95.05");
}

#[test]
fn a_gpu_that_falls_off_the_bus_and_comes_back() {
    let script = "
device
name A
uuid GPU-0
temperature 40
device
name A
uuid GPU-1
handle !15 0
utilization 10,1 20,1 !15 30,1
temperature 50
";
    let recorded = Fake::new(script).record(|r| r.values("system/gpu/1/utilization").len() >= 4);
    let busy = recorded.values("system/gpu/1/utilization");
    assert_eq!(busy[..3], [10.0, 20.0, 30.0]);
    // The other one goes on, and nothing of the lost one is made up.
    let here = recorded.gpu("temperature").len();
    let there = recorded.values("system/gpu/1/temperature").len();
    assert!(there < here, "{here} {there}");
    let alerts = recorded.alerts();
    assert!(
        alerts[0].starts_with(
            "GPU 1 does not answer any more: the driver says: device fell off the bus"
        )
    );
    assert_eq!(alerts[1], "GPU 1 answers again: ");
    assert_eq!(recorded.findings(), ["gpu_lost@1"]);
}

#[test]
fn when_all_are_lost_the_library_is_started_again() {
    // A library that is started anew begins its script anew.
    let fake = Fake::new("device\nname A\nuuid GPU-0\nutilization 1,1 !16\n");
    let recorded = fake.record(|r| r.gpu("utilization").len() >= 2 && r.alerts().len() >= 2);
    assert_eq!(recorded.gpu("utilization")[..2], [1.0, 1.0]);
    let alerts = recorded.alerts();
    assert!(
        alerts[0].starts_with(
            "GPU 0 does not answer any more: the driver says: device requires a reset"
        )
    );
    assert_eq!(alerts[1], "GPU 0 answers again: ");
}

#[test]
fn a_call_that_hangs_stalls_telemetry_of_gpus_only() {
    let script = "
device
name A
uuid GPU-0
temperature 40
power 1000 1000 ~10000:1000
";
    let fake = Fake::new(script);
    let run = fake.run();
    wait(&run, |r| r.gpu("power").len() == 2);
    let slowest = std::cell::Cell::new(Duration::ZERO);
    let steps = std::cell::Cell::new(0);
    wait(&run, |r| {
        let call = Instant::now();
        run.log(steps.get(), [("train/loss", 0.5)]);
        slowest.set(slowest.get().max(call.elapsed()));
        steps.set(steps.get() + 1);
        !r.alerts().is_empty()
    });
    let slowest = slowest.get();
    let ending = Instant::now();
    let recorded = finish(run);
    // Deadlines, not speed: a stall of ten seconds is what they tell from none.
    assert!(
        ending.elapsed() < Duration::from_secs(3),
        "{:?}",
        ending.elapsed()
    );
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert_eq!(recorded.gpu("power").len(), 2);
    let host = recorded.values("system/host/memory_used").len();
    assert!(host >= 5, "{host}");
    let alerts = recorded.alerts();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert!(
        alerts[0].starts_with("A call to GPU 0 hangs: it was asked for its power "),
        "{alerts:?}"
    );
    assert_eq!(recorded.findings(), ["gpu_silent@0"]);
}

#[test]
fn figures_go_on_after_a_hang() {
    let script = "device\nname A\nuuid GPU-0\npower 1000 ~4000:2000 3000\n";
    let recorded = Fake::new(script).record(|r| r.gpu("power").len() >= 2);
    // What was asked for long before is not of the moment when it came.
    assert_eq!(recorded.gpu("power")[..2], [1.0, 3.0]);
    assert_eq!(recorded.alerts().len(), 1);
}

#[test]
fn throttling_is_told_in_words_and_diagnosed() {
    let script = "
device
name A
uuid GPU-0
utilization 95,10
throttle 0
processes self:1
temperature 60
device
name A
uuid GPU-1
utilization 95,10
processes self:1
temperature 88
clock_sm 1100
clock_sm_max 1980
throttle 3*0 6*64 0
";
    let recorded = Fake::new(script).record(|r| r.values("system/gpu/1/throttled").len() >= 12);
    let words = recorded.values("system/gpu/1/throttle/thermal");
    assert_eq!(words[..7], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
    assert_eq!(
        recorded.values("system/gpu/1/throttled")[..10],
        [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]
    );
    assert_eq!(recorded.keys("system/gpu/0/throttle/"), [""; 0]);
    assert_eq!(recorded.findings(), ["thermal_throttling@1"]);
    let alerts = recorded.alerts();
    assert!(
        alerts[0].starts_with("GPU 1 is slowed by heat: in "),
        "{alerts:?}"
    );
    assert!(
        alerts[0].contains("up to 88 °C, its clock at 1100 of 1980 MHz"),
        "{alerts:?}"
    );
}

#[test]
fn other_people_on_the_gpu_are_named() {
    let script = "
device
name A
uuid GPU-0
utilization 95,10
processes self:1048576;4242:10737418240;4243:-
process_utilization self:60;4242:35
";
    let recorded = Fake::new(script).record(|r| r.gpu("memory_process").len() >= 11);
    assert_eq!(recorded.gpu("memory_process")[0], 1_048_576.0);
    assert_eq!(recorded.gpu("utilization_process")[0], 60.0);
    // The memory of one of them is not told, so neither is their sum.
    assert_eq!(recorded.gpu("memory_others"), [0.0; 0]);
    assert_eq!(recorded.findings(), ["gpu_shared@0"]);
    assert!(recorded.alerts()[0].ends_with("process 4242 holds 10.0 GiB, process 4243"));
}

#[test]
fn errors_that_the_driver_reports_become_alerts() {
    let script = "device\nname A\nuuid GPU-0\npower 1\nxid 0 0 79 0 2*0 31 0\n";
    let recorded = Fake::new(script).record(|r| r.alerts().len() >= 2);
    assert_eq!(
        recorded.alerts(),
        [
            "GPU 0 reported an error: Xid 79: the GPU has fallen off the bus; the machine may need a restart",
            "GPU 0 reported an error: Xid 31: an access of the program to memory that is not mapped",
        ]
    );
}
