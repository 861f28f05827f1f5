//! Which GPUs belong to a process.

use std::process::Command;

use crate::fake::{Fake, finish, wait};

const TWO_GPUS: &str = "
device
name A
uuid GPU-aa
bus 00000000:01:00.0
power 1000
device
name A
uuid GPU-bb
bus 00000000:02:00.0
power 2000
";

#[test]
fn an_address_that_a_framework_gives() {
    let fake = Fake::new(TWO_GPUS);
    let run = fake.run_with(|telemetry| telemetry.pci_address("0000:02:00.0"));
    wait(&run, |r| !r.keys("system/gpu/").is_empty());
    let recorded = finish(run);
    assert!(recorded.keys("system/gpu/0").is_empty());
    assert_eq!(recorded.values("system/gpu/1/power")[0], 2.0);
}

/// The variable is the process's: each value needs one of its own, which this same test program is.
#[test]
fn cuda_visible_devices() {
    for (devices, expected) in [
        (None, "0 1"),
        (Some("1"), "1"),
        (Some("GPU-aa"), "0"),
        (Some("1,0"), "0 1"),
        (Some(""), ""),
        (Some("-1"), ""),
    ] {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([
            "--exact",
            "mapping::prints_its_gpus",
            "--ignored",
            "--nocapture",
        ]);
        child
            .env_remove("CUDA_VISIBLE_DEVICES")
            .env_remove("CUDA_DEVICE_ORDER");
        if let Some(devices) = devices {
            child.env("CUDA_VISIBLE_DEVICES", devices);
        }
        let output = child.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let found = text.lines().find_map(|line| line.split("gpus:").nth(1));
        assert_eq!(found.map(str::trim), Some(expected), "{devices:?}: {text}");
    }
}

#[test]
#[ignore = "started by another test"]
fn prints_its_gpus() {
    let recorded = Fake::new(TWO_GPUS).record(|r| {
        r.summary("system/telemetry/nvml").is_string() && r.values("system/host/load").len() >= 3
    });
    let gpus: Vec<&str> = ["0", "1"]
        .into_iter()
        .filter(|gpu| {
            !recorded
                .values(&format!("system/gpu/{gpu}/power"))
                .is_empty()
        })
        .collect();
    println!("gpus: {}", gpus.join(" "));
}
