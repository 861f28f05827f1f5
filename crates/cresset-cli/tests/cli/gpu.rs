//! The GPUs of a machine that a fake of NVIDIA's library makes up.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Ended, Project};

const MACHINE: &str = "
driver 550.54
device
name NVIDIA A100-SXM4-80GB
uuid GPU-0
bus 00000000:01:00.0
utilization 97,41
memory 85899345920,42949672960
temperature 61
power 250000
power_limit 400000
clock_sm 1410
throttle 64
processes self:1073741824;4194304:-
device
name NVIDIA A100-SXM4-80GB
uuid GPU-1
bus 00000000:02:00.0
utilization 0,0
";

/// The fake library with a script beside it.
fn fake(project: &Project, script: &str) -> PathBuf {
    let library = project.path().join("libnvidia-ml.so.1");
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../cresset-telemetry/tests/fake/nvml.c");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let done = Command::new(compiler)
        .args(["-shared", "-fPIC", "-O1", "-fvisibility=hidden", "-o"])
        .arg(&library)
        .arg(source)
        .args(["-ldl", "-lpthread"])
        .status();
    assert!(done.unwrap().success(), "the fake library does not compile");
    std::fs::write(project.path().join("libnvidia-ml.so.1.script"), script).unwrap();
    library
}

fn gpu(project: &Project, library: &Path, arguments: &[&str]) -> Ended {
    let arguments = [&["gpu"], arguments].concat();
    let mut command = project.command(&arguments);
    Ended::of(command.env("CRESSET_NVML", library), project)
}

#[test]
fn gpus_and_the_runs_that_use_them() {
    let project = Project::new();
    let library = fake(&project, MACHINE);
    // The command is a child of this process, which writes a run: so is the run's data loader of its training process.
    let run = cresset_run::init("p")
        .name("amber-harbor-1")
        .dir(project.root())
        .start()
        .unwrap();
    let table = gpu(&project, &library, &[]).printed();
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|c| !c.is_empty())
                .collect()
        })
        .collect();
    assert_eq!(
        lines[0],
        [
            "gpu",
            "model",
            "busy",
            "memory",
            "heat",
            "power",
            "SM clock",
            "slowed by",
            "used by"
        ]
    );
    assert_eq!(
        lines[1][..8],
        [
            "0",
            "NVIDIA A100-SXM4-80GB",
            "97 %",
            "40.0 / 80.0 GiB",
            "61 °C",
            "250 / 400 W",
            "1410 MHz",
            "thermal"
        ]
    );
    assert!(lines[1][8].starts_with("amber-harbor-1 (1"), "{table}");
    assert!(lines[1][8].ends_with(", process 4194304"), "{table}");
    assert_eq!(
        lines[2],
        ["1", "NVIDIA A100-SXM4-80GB", "0 %", "–", "–", "–", "–"]
    );

    let json: serde_json::Value =
        serde_json::from_str(&gpu(&project, &library, &["--json"]).printed()).unwrap();
    assert_eq!(json[0]["processes"][0]["run"], run.id());
    assert_eq!(json[0]["throttle"], serde_json::json!(["thermal"]));
    assert_eq!(json[1]["memory_used"], serde_json::Value::Null);
}

#[test]
fn a_dump_plays_back() {
    let project = Project::new();
    let library = fake(&project, MACHINE);
    let dump = gpu(&project, &library, &["--dump", "1"]).printed();
    assert!(dump.contains("utilization 97,41 # "), "{dump}");
    let again = Project::new();
    let library = fake(&again, &dump);
    let played = gpu(&again, &library, &["--json"]).printed();
    assert!(played.contains("\"bus\": \"00000000:02:00.0\""), "{played}");
}

#[test]
fn a_machine_without_a_driver_says_so() {
    let project = Project::new();
    let nowhere = Path::new("/nowhere/libnvidia-ml.so.1");
    let ended = gpu(&project, nowhere, &[]);
    assert_eq!(ended.code, 1);
    assert_eq!(
        ended.stderr,
        "cresset: no GPU figures: no NVIDIA driver on this machine\n"
    );
    assert_eq!(gpu(&project, nowhere, &["--json"]).printed(), "[]\n");
    let dump = gpu(&project, nowhere, &["--dump"]);
    assert_eq!((dump.code, dump.stdout.as_str()), (1, ""));
    assert_eq!(dump.stderr, "cresset: no NVIDIA driver on this machine\n");
    assert_eq!(gpu(&project, nowhere, &["--dump", "0"]).code, 2);
}
