//! Limits that a container sets, read from its control groups (version 1 and 2).

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::{Sources, non_empty, put, read};

/// Version 1 says "no limit" as the largest page-aligned number; no machine has this much.
const UNLIMITED: u64 = 1 << 60;

pub(super) fn capture(sources: &Sources) -> Option<Json> {
    let limits = limits(&sources.root);
    let mut map = Map::new();
    put(&mut map, "runtime", runtime(sources));
    put(&mut map, "cpu_limit", limits.cpu);
    put(&mut map, "memory_limit_bytes", limits.memory);
    non_empty(map)
}

fn runtime(sources: &Sources) -> Option<&'static str> {
    if (sources.variable)("KUBERNETES_SERVICE_HOST").is_some() {
        Some("kubernetes")
    } else if sources.root.join("run/.containerenv").exists() {
        Some("podman")
    } else if sources.root.join(".dockerenv").exists() {
        Some("docker")
    } else {
        None
    }
}

#[derive(Debug, Default, PartialEq)]
struct Limits {
    /// In cores.
    cpu: Option<f64>,
    /// In bytes.
    memory: Option<u64>,
}

/// The tightest limits of the process's group and of all groups above it.
fn limits(root: &Path) -> Limits {
    let groups = read(root.join("proc/self/cgroup")).unwrap_or_default();
    let mount = root.join("sys/fs/cgroup");
    if mount.join("cgroup.controllers").exists() {
        let folders = folders(&mount, group(&groups, ""));
        return Limits {
            cpu: least(&folders, cpu_v2),
            memory: least(&folders, |folder| {
                read(folder.join("memory.max"))?.parse().ok()
            }),
        };
    }
    let memory = folders(&mount.join("memory"), group(&groups, "memory"));
    let cpu = folders(&mount.join("cpu"), group(&groups, "cpu"));
    Limits {
        cpu: least(&cpu, cpu_v1),
        memory: least(&memory, |folder| {
            let bytes: u64 = read(folder.join("memory.limit_in_bytes"))?.parse().ok()?;
            (bytes < UNLIMITED).then_some(bytes)
        }),
    }
}

/// The path of the process's group for a controller, from lines `number:controllers:path`; version 2 names none.
fn group<'a>(groups: &'a str, controller: &str) -> &'a str {
    groups
        .lines()
        .find_map(|line| {
            let mut fields = line.splitn(3, ':');
            let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
            controllers
                .split(',')
                .any(|name| name == controller)
                .then_some(path)
        })
        .unwrap_or("/")
}

/// The group's folder and those above it, up to the mount. Inside a container the path may be the host's, of which only
/// the mount itself can be seen.
fn folders(mount: &Path, group: &str) -> Vec<PathBuf> {
    Path::new(group.trim_start_matches('/'))
        .ancestors()
        .map(|path| mount.join(path))
        .collect()
}

fn least<T: PartialOrd>(folders: &[PathBuf], limit: impl Fn(&Path) -> Option<T>) -> Option<T> {
    folders
        .iter()
        .filter_map(|folder| limit(folder))
        .reduce(|a, b| if b < a { b } else { a })
}

/// `max 100000` or `quota period`, in microseconds.
fn cpu_v2(folder: &Path) -> Option<f64> {
    let text = read(folder.join("cpu.max"))?;
    let (quota, period) = text.split_once(' ')?;
    cores(quota.parse().ok()?, period.parse().ok()?)
}

fn cpu_v1(folder: &Path) -> Option<f64> {
    let quota = read(folder.join("cpu.cfs_quota_us"))?.parse().ok()?;
    cores(quota, read(folder.join("cpu.cfs_period_us"))?.parse().ok()?)
}

fn cores(quota: f64, period: f64) -> Option<f64> {
    (quota > 0.0 && period > 0.0).then_some(quota / period)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Limits in a file system of these files.
    fn limits_of(files: &[(&str, &str)]) -> Limits {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        limits(root.path())
    }

    #[test]
    fn the_tightest_limit_of_version_2_counts() {
        let files = [
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpu memory\n"),
            ("sys/fs/cgroup/a/cpu.max", "250000 100000\n"),
            ("sys/fs/cgroup/a/memory.max", "8589934592\n"),
            ("sys/fs/cgroup/a/b/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/a/b/memory.max", "17179869184\n"),
        ];
        let expected = Limits {
            cpu: Some(2.5),
            memory: Some(8 << 30),
        };
        assert_eq!(limits_of(&files), expected);
    }

    #[test]
    fn a_namespaced_container_sees_its_limits_at_the_mount() {
        let files = [
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpu memory\n"),
            ("sys/fs/cgroup/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/memory.max", "max\n"),
        ];
        assert_eq!(limits_of(&files), Limits::default());
    }

    #[test]
    fn limits_of_version_1_are_read_where_the_host_path_is_hidden() {
        let files = [
            (
                "proc/self/cgroup",
                "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n",
            ),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ];
        let expected = Limits {
            cpu: Some(1.5),
            memory: Some(1 << 30),
        };
        assert_eq!(limits_of(&files), expected);
        let unlimited = [
            ("proc/self/cgroup", "4:memory:/\n1:cpu:/\n"),
            (
                "sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ];
        assert_eq!(limits_of(&unlimited), Limits::default());
        assert_eq!(limits_of(&[]), Limits::default());
    }
}
