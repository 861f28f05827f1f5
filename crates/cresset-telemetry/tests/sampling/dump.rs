//! A dump of a machine plays back as a script, and a look from outside of a run.

use std::time::Duration;

use cresset_telemetry::{GpuMetric, Gpus, dump};

use crate::fake::Fake;

const MACHINE: &str = "
driver 550.54
device
name A100
uuid GPU-0
bus 00000000:01:00.0
utilization 10,1 20,2 !999 40,4
memory 80,60
power 3*1000 2000
throttle 64
fans 0
processes 4242:7;4243:-
gpm 50,25,-1,-1,3,2,-1,-1
slice
uuid MIG-a
instances 7,0
memory 20,10
device
name A100
uuid GPU-1
temperature !15
";

fn dumped(fake: &Fake) -> String {
    dump(Some(&fake.library()), 4, Duration::from_millis(1)).unwrap()
}

fn without_comments(script: &str) -> String {
    let lines = script
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim_end());
    lines
        .filter(|line| !line.is_empty())
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn a_dump_plays_back_what_was_dumped() {
    let first = dumped(&Fake::new(MACHINE));
    assert!(first.contains(" µs, at most "), "{first}");
    let script = without_comments(&first);
    for line in [
        "driver 550.54",
        "name A100",
        "bus 00000000:01:00.0",
        "utilization 10,1 20,2 !999 40,4",
        "power 3*1000 2000",
        "processes 4*4242:7;4243:-",
        "gpm 3*50,25,-1,-1,3,2,-1,-1",
        "uuid MIG-a",
        "temperature 4*!15",
    ] {
        assert!(script.lines().any(|l| l == line), "{line}\n{script}");
    }
    assert!(!script.contains("energy"), "{script}");
    assert_eq!(without_comments(&dumped(&Fake::new(&first))), script);
}

#[test]
fn a_look_from_outside_of_a_run() {
    let fake = Fake::new(MACHINE);
    let mut gpus = Gpus::open(Some(fake.library()));
    let samples = gpus.look(Duration::from_secs(30));
    let ids: Vec<String> = gpus.models().iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(ids, ["0", "0.0", "1"]);
    assert_eq!((gpus.driver(), gpus.trouble()), (Some("550.54"), None));
    assert_eq!(samples[0].get(GpuMetric::Utilization), Some(10.0));
    assert_eq!(samples[0].others.len(), 2);
    assert!(samples[0].throttle.unwrap().is_thermal());
    assert!(gpus.is_lost(gpus.models()[2].0));

    let mut none = Gpus::open(Some("/nowhere/libnvidia-ml.so.1".into()));
    assert!(none.look(Duration::from_secs(30)).is_empty());
    assert_eq!(none.trouble(), Some("no NVIDIA driver on this machine"));
    assert!(none.look(Duration::from_secs(30)).is_empty());
}

/// The first answer of each GPU to a call, as a number.
fn first_answers(script: &str, call: &str) -> Vec<Option<f64>> {
    let mut answers = Vec::new();
    for line in script.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("device") => answers.push(None),
            Some(word) if word == call => {
                let answer = words.next().unwrap();
                let answer = answer.rsplit('*').next().unwrap();
                let number = answer.split(',').next().unwrap().parse().ok();
                *answers.last_mut().unwrap() = number;
            }
            _ => {}
        }
    }
    answers
}

#[test]
fn every_dump_plays_back() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dumps");
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path
            .extension()
            .is_none_or(|extension| extension != "script")
        {
            continue;
        }
        let script = std::fs::read_to_string(&path).unwrap();
        let recorded = Fake::new(&script).record(|r| {
            r.summary("system/telemetry/nvml").is_string()
                && r.values("system/host/load").len() >= 4
        });
        for (call, name, divisor) in [
            ("utilization", "utilization", 1.0),
            ("memory", "memory_total", 1.0),
            ("temperature", "temperature", 1.0),
            ("power", "power", 1e3),
            ("power_limit", "power_limit", 1e3),
            ("clock_sm", "clock_sm", 1.0),
            ("fan", "fan", 1.0),
        ] {
            for (gpu, answer) in first_answers(&script, call).into_iter().enumerate() {
                let first = recorded
                    .values(&format!("system/gpu/{gpu}/{name}"))
                    .first()
                    .copied();
                assert_eq!(
                    first,
                    answer.map(|a| a / divisor),
                    "{}: {call} of {gpu}",
                    path.display()
                );
            }
        }
    }
}
