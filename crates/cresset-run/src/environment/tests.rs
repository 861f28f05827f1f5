use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::*;

/// A file system of these files, and these variables.
fn sources(files: &[(&str, &str)], variable: fn(&str) -> Option<String>) -> (TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let root = folder.path().to_path_buf();
    (folder, Sources { root, variable })
}

fn no_variables(_: &str) -> Option<String> {
    None
}

#[test]
fn this_machine_is_captured() {
    let map = capture_parts(PARTS, Sources::here(), Duration::from_secs(60));
    let host = &map["host"];
    for known in [
        "name",
        "kernel",
        "memory_bytes",
        "logical_cores",
        "usable_cores",
    ] {
        assert!(
            cfg!(not(target_os = "linux")) || !host[known].is_null(),
            "{known} in {host}"
        );
    }
    assert_eq!(host["os"], std::env::consts::OS);
    assert!(map["gpus"].is_array() && map["build"].is_object() && map["program"].is_object());
    assert!(!map.contains_key("incomplete"), "{map:?}");
}

#[test]
fn a_part_that_hangs_costs_only_what_comes_after_it() {
    const SLOW: &[Part] = &[
        ("first", |_| Some(1.into())),
        ("absent", |_| None),
        ("hangs", |_| {
            thread::sleep(Duration::from_secs(60));
            Some(2.into())
        }),
        ("last", |_| Some(3.into())),
    ];
    let (_folder, sources) = sources(&[], no_variables);
    let map = capture_parts(SLOW, sources, Duration::from_secs(2));
    assert_eq!(
        Json::Object(map),
        json!({"first": 1, "incomplete": ["hangs", "last"]})
    );
}

#[test]
fn gpus_are_read_from_the_drivers_files() {
    let open = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  565.57.01  Release Build  (a@b)\n\
                GCC version:  gcc version 13.3.0\n";
    let (_folder, both) = sources(
        &[
            ("proc/driver/nvidia/version", open),
            (
                "proc/driver/nvidia/gpus/0000:c1:00.0/information",
                "Model: \t\t NVIDIA H100 80GB HBM3\nGPU UUID: \t ????????-????\nBus Location: \t 0000:c1:00.0\n",
            ),
            (
                "proc/driver/nvidia/gpus/0000:41:00.0/information",
                "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 10\n\
                 GPU UUID: \t GPU-00000000-1111-2222-3333-444444444444\n\
                 Bus Type: \t PCIe\nBus Location: \t 0000:41:00.0\nDevice Minor: \t 1\n",
            ),
        ],
        no_variables,
    );
    assert_eq!(
        gpu::devices(&both),
        json!([
            {
                "model": "NVIDIA H100 80GB HBM3",
                "uuid": "GPU-00000000-1111-2222-3333-444444444444",
                "bus": "0000:41:00.0",
            },
            {"model": "NVIDIA H100 80GB HBM3", "bus": "0000:c1:00.0"},
        ])
    );
    assert_eq!(gpu::driver(&both), Some("565.57.01".into()));

    let closed =
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  384.98  Thu Oct 26 15:16:01 PDT 2017\n";
    let (_folder, old) = sources(&[("proc/driver/nvidia/version", closed)], no_variables);
    assert_eq!(gpu::driver(&old), Some("384.98".into()));
    let (_folder, none) = sources(&[], no_variables);
    assert_eq!((gpu::devices(&none), gpu::driver(&none)), (json!([]), None));
}

#[test]
fn the_host_is_read_from_files() {
    let cpu = |processor: u32, package: u32, core: u32| {
        format!(
            "processor\t: {processor}\nmodel name\t: A CPU\nphysical id\t: {package}\ncore id\t\t: {core}\n\n"
        )
    };
    let list = [cpu(0, 0, 0), cpu(1, 0, 0), cpu(2, 1, 0), cpu(3, 1, 0)].concat();
    let (_folder, x86) = sources(
        &[
            ("proc/cpuinfo", &list),
            ("proc/meminfo", "MemTotal:       65536 kB\nMemFree: 1 kB\n"),
            ("proc/sys/kernel/hostname", "box\n"),
            ("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian 12\"\n"),
            ("proc/self/status", "Name:\ttrain\nUid:\t1000\t0\t0\t0\n"),
            (
                "etc/passwd",
                "root:x:0:0::/root:/bin/sh\nada:x:1000:100::/:/bin/sh\n",
            ),
        ],
        |name| (name == "USER").then(|| "somebody else".to_owned()),
    );
    let host = host::capture(&x86).unwrap();
    assert_eq!(
        (&host["name"], &host["user"]),
        (&json!("box"), &json!("ada"))
    );
    assert_eq!(host["os_version"], "Debian 12");
    assert_eq!(host["cpu_model"], "A CPU");
    assert_eq!(
        (&host["logical_cores"], &host["physical_cores"]),
        (&json!(4), &json!(2))
    );
    assert_eq!(host["memory_bytes"], 65536 * 1024);

    let (_folder, arm) = sources(
        &[
            (
                "proc/cpuinfo",
                "processor\t: 0\nBogoMIPS\t: 50\n\nprocessor\t: 1\n",
            ),
            ("sys/devices/system/cpu/cpu0/topology/core_id", "0\n"),
            ("sys/devices/system/cpu/cpu1/topology/core_id", "1\n"),
            ("sys/devices/system/cpu/online", "0-1\n"),
            ("proc/self/status", "Uid:\t5000\t5000\t5000\t5000\n"),
            ("etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
        ],
        |name| (name == "USER").then(|| "of.the.directory".to_owned()),
    );
    let host = host::capture(&arm).unwrap();
    assert_eq!(host["user"], "of.the.directory");
    assert_eq!(
        (&host["logical_cores"], &host["physical_cores"]),
        (&json!(2), &json!(2))
    );
}

#[test]
fn schedulers_are_read_by_lists_of_names() {
    let variable = |name: &str| {
        let value = match name {
            "SLURM_JOB_ID" => "17",
            "SLURM_NODELIST" => "node[1-2]",
            "KUBERNETES_SERVICE_HOST" => "10.0.0.1",
            "HOSTNAME" => "train-abc",
            "CUDA_VISIBLE_DEVICES" => "0,1",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let namespace = "var/run/secrets/kubernetes.io/serviceaccount/namespace";
    let (_folder, cluster) = sources(&[(namespace, "vision\n"), (".dockerenv", "")], variable);
    assert_eq!(
        cluster::slurm(&cluster),
        Some(json!({"job_id": "17", "nodelist": "node[1-2]"}))
    );
    assert_eq!(
        cluster::kubernetes(&cluster),
        Some(json!({"pod": "train-abc", "namespace": "vision"}))
    );
    assert_eq!(
        cluster::variables(&cluster),
        Some(json!({"CUDA_VISIBLE_DEVICES": "0,1"}))
    );
    assert_eq!(
        container::capture(&cluster),
        Some(json!({"runtime": "kubernetes"}))
    );

    let (_folder, bare) = sources(&[(namespace, "vision\n"), (".dockerenv", "")], no_variables);
    assert_eq!(cluster::slurm(&bare), None);
    assert_eq!(cluster::kubernetes(&bare), None);
    assert_eq!(cluster::variables(&bare), None);
    assert_eq!(
        container::capture(&bare),
        Some(json!({"runtime": "docker"}))
    );
}
