use std::time::Duration;

use super::*;

/// A file system of these files.
fn files(root: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

fn stat(parent: u32, cpu: [u32; 4], threads: u32, pages: u32) -> String {
    let [user, system, ended_user, ended_system] = cpu;
    format!(
        "1 (a (b) c) R {parent} 0 0 0 -1 0 0 0 0 0 {user} {system} {ended_user} {ended_system} 20 0 {threads} 0 0 0 {pages} 0"
    )
}

fn is_near(sample: &HostSample, metric: HostMetric, expected: Option<f64>) {
    let value = sample.get(metric);
    let near = match (value, expected) {
        (Some(value), Some(expected)) => (value - expected).abs() <= 1e-9 * expected.abs(),
        (value, expected) => value == expected,
    };
    assert!(near, "{}: {value:?} is not {expected:?}", metric.name());
}

/// Two looks a second apart, before and after some files change.
fn two_looks(before: &[(&str, &str)], after: &[(&str, &str)]) -> (Vec<u32>, HostSample) {
    let root = tempfile::tempdir().unwrap();
    files(root.path(), before);
    let mut host = Host::at(root.path().to_owned(), 10);
    let now = Instant::now();
    host.look(now);
    files(root.path(), after);
    let sample = host.look(now + Duration::from_secs(1));
    (host.pids().to_vec(), sample)
}

#[test]
fn the_tree_is_the_process_and_its_children_and_nobody_else() {
    let own = stat(1, [100, 20, 50, 5], 3, 100);
    let child = stat(10, [10, 0, 0, 0], 2, 10);
    let grandchild = stat(11, [5, 0, 0, 0], 1, 10);
    let other = stat(1, [900, 0, 0, 0], 9, 900);
    // The grandchild ended: its time went over to the child.
    let own_later = stat(1, [150, 20, 50, 5], 3, 100);
    let child_later = stat(10, [40, 0, 5, 0], 2, 10);
    let (pids, sample) = two_looks(
        &[
            ("proc/10/stat", &own),
            ("proc/10/io", "rchar: 9\nread_bytes: 1000\nwrite_bytes: 0\n"),
            ("proc/11/stat", &child),
            ("proc/12/stat", &grandchild),
            ("proc/13/stat", &other),
            ("proc/self/smaps", "KernelPageSize:       16 kB\n"),
        ],
        &[
            ("proc/10/stat", &own_later),
            ("proc/10/io", "rchar: 9\nread_bytes: 5096\nwrite_bytes: 7\n"),
            ("proc/11/stat", &child_later),
            ("proc/12/stat", ""),
        ],
    );
    assert_eq!(pids, [10, 11, 12]);
    for (metric, expected) in [
        (HostMetric::CpuProcess, Some(50.0)),
        (HostMetric::CpuTree, Some(80.0)),
        (HostMetric::Threads, Some(5.0)),
        (HostMetric::Processes, Some(2.0)),
        (HostMetric::MemoryProcess, Some(100.0 * 16384.0)),
        (HostMetric::MemoryTree, Some(110.0 * 16384.0)),
        (HostMetric::DiskRead, Some(4096.0)),
        (HostMetric::DiskWrite, Some(7.0)),
        (HostMetric::NetworkSent, None),
    ] {
        is_near(&sample, metric, expected);
    }
}

const MEMINFO: &str =
    "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\nSwapTotal: 50 kB\nSwapFree: 20 kB\n";

#[test]
fn the_tightest_limits_of_version_2_count() {
    let (_, sample) = two_looks(
        &[
            ("proc/meminfo", MEMINFO),
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpu memory\n"),
            ("sys/fs/cgroup/a/cpu.max", "250000 100000\n"),
            (
                "sys/fs/cgroup/a/cpu.stat",
                "usage_usec 9\nthrottled_usec 100000\n",
            ),
            ("sys/fs/cgroup/a/memory.max", "800000\n"),
            ("sys/fs/cgroup/a/memory.current", "700000\n"),
            (
                "sys/fs/cgroup/a/memory.stat",
                "anon 1\ninactive_file 50000\n",
            ),
            ("sys/fs/cgroup/a/b/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
        ],
        &[(
            "sys/fs/cgroup/a/cpu.stat",
            "usage_usec 9\nthrottled_usec 350000\n",
        )],
    );
    for (metric, expected) in [
        (HostMetric::CpuLimit, Some(250.0)),
        (HostMetric::CpuThrottled, Some(25.0)),
        (HostMetric::MemoryUsed, Some(650_000.0)),
        (HostMetric::MemoryLimit, Some(800_000.0)),
        (HostMetric::SwapUsed, Some(30.0 * 1024.0)),
    ] {
        is_near(&sample, metric, expected);
    }
}

#[test]
fn limits_of_version_1_are_read_where_the_host_path_is_hidden() {
    let (_, sample) = two_looks(
        &[
            ("proc/meminfo", MEMINFO),
            (
                "proc/self/cgroup",
                "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n",
            ),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9000\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "5000\n"),
            (
                "sys/fs/cgroup/memory/memory.stat",
                "total_inactive_file 1000\n",
            ),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
            ("sys/fs/cgroup/cpu/cpu.stat", "throttled_time 0\n"),
        ],
        &[("sys/fs/cgroup/cpu/cpu.stat", "throttled_time 500000000\n")],
    );
    for (metric, expected) in [
        (HostMetric::CpuLimit, Some(150.0)),
        (HostMetric::CpuThrottled, Some(50.0)),
        (HostMetric::MemoryUsed, Some(4000.0)),
        (HostMetric::MemoryLimit, Some(9000.0)),
    ] {
        is_near(&sample, metric, expected);
    }
}

#[test]
fn without_a_limit_the_machine_is_the_limit() {
    let (_, sample) = two_looks(
        &[
            ("proc/meminfo", MEMINFO),
            ("proc/self/cgroup", "4:memory:/\n"),
            (
                "sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
        ],
        &[],
    );
    assert_eq!(sample.get(HostMetric::MemoryUsed), Some(600.0 * 1024.0));
    assert_eq!(sample.get(HostMetric::MemoryLimit), Some(1000.0 * 1024.0));
    assert_eq!(sample.get(HostMetric::CpuThrottled), None);
}

#[test]
fn network_counts_hardware_once() {
    let dev = |eth: u64| {
        format!(
            "Inter-|   Receive\n face |bytes\n    lo: 5 0 0 0 0 0 0 0 5 0 0 0 0 0 0 0\n  eth0: {eth} 0 0 0 0 0 0 0 {} 0 0 0 0 0 0 0\ndocker0: 999 0 0 0 0 0 0 0 999 0 0 0 0 0 0 0\n",
            2 * eth
        )
    };
    let (first, second) = (dev(1000), dev(1500));
    let (_, sample) = two_looks(
        &[("proc/net/dev", &first), ("sys/class/net/eth0/device", "")],
        &[("proc/net/dev", &second)],
    );
    assert_eq!(sample.get(HostMetric::NetworkReceived), Some(500.0));
    assert_eq!(sample.get(HostMetric::NetworkSent), Some(1000.0));
}

#[test]
fn a_counter_that_begins_anew_gives_no_rate() {
    let (_, sample) = two_looks(
        &[
            ("proc/stat", "cpu 100 0 0 100 0 0 0 0\n"),
            ("proc/10/stat", &stat(1, [9, 9, 0, 0], 1, 1)),
        ],
        &[
            ("proc/stat", "cpu 150 0 0 140 10 0 0 0\n"),
            ("proc/10/stat", &stat(1, [0, 0, 0, 0], 1, 1)),
        ],
    );
    assert_eq!(sample.get(HostMetric::CpuProcess), None);
    assert_eq!(sample.get(HostMetric::CpuMachine), Some(50.0));
    assert_eq!(sample.get(HostMetric::CpuIowait), Some(10.0));
}

#[cfg(target_os = "linux")]
#[test]
fn this_machine_has_figures() {
    let mut host = Host::new();
    let now = Instant::now();
    host.look(now);
    let sample = host.look(now + Duration::from_millis(100));
    for metric in [
        HostMetric::CpuProcess,
        HostMetric::CpuTree,
        HostMetric::CpuLimit,
        HostMetric::MemoryProcess,
        HostMetric::MemoryLimit,
        HostMetric::Threads,
    ] {
        assert!(sample.get(metric).is_some(), "{}", metric.name());
    }
    assert!(sample.get(HostMetric::MemoryProcess) > Some(100e3));
}
