//! The limits that a control group sets, and what it counts against them.

use std::path::{Path, PathBuf};

use super::read;

/// Version 1 says "no limit" as the largest page-aligned number; no machine has this much.
const UNLIMITED: f64 = (1u64 << 60) as f64;

/// The group whose limit is reached first, for each of memory and processor time.
#[derive(Debug, Default)]
pub(super) struct Group {
    version_2: bool,
    memory: Option<PathBuf>,
    cpu: Option<PathBuf>,
    cores: Option<f64>,
}

/// Memory of a control group, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Memory {
    /// What cannot be taken back: without pages of files that are not in use.
    pub(super) used: f64,
    pub(super) limit: f64,
}

impl Group {
    /// Limits change seldom: where they stand is found once, what they say is read at each look.
    pub(super) fn find(root: &Path) -> Self {
        let text = &mut String::new();
        let groups = read(&root.join("proc/self/cgroup"), text)
            .unwrap_or_default()
            .to_owned();
        let mount = root.join("sys/fs/cgroup");
        let version_2 = mount.join("cgroup.controllers").exists();
        let folders = |controller: &str| {
            let mount = if version_2 {
                mount.clone()
            } else {
                mount.join(controller)
            };
            folders(
                &mount,
                path_of(&groups, if version_2 { "" } else { controller }),
            )
        };
        let limit = if version_2 {
            "memory.max"
        } else {
            "memory.limit_in_bytes"
        };
        let memory = tightest(folders("memory"), |folder| {
            number(&folder.join(limit), text).filter(|bytes| *bytes < UNLIMITED)
        });
        let cpu = tightest(folders("cpu"), |folder| cores(folder, version_2, text));
        Self {
            version_2,
            memory: memory.map(|(folder, _)| folder),
            cores: cpu.as_ref().map(|(_, cores)| *cores),
            cpu: cpu.map(|(folder, _)| folder),
        }
    }

    /// The quota, in cores; `None` without one.
    pub(super) fn cores(&self) -> Option<f64> {
        self.cores
    }

    /// `None` where no group has a limit.
    pub(super) fn memory(&self, text: &mut String) -> Option<Memory> {
        let folder = self.memory.as_ref()?;
        let (limit, usage, idle) = if self.version_2 {
            ("memory.max", "memory.current", "inactive_file ")
        } else {
            (
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file ",
            )
        };
        let limit = number(&folder.join(limit), text)?;
        let usage = number(&folder.join(usage), text)?;
        let idle = read(&folder.join("memory.stat"), text)
            .and_then(|text| text.lines().find_map(|line| line.strip_prefix(idle)))
            .and_then(|bytes| bytes.parse().ok())
            .unwrap_or(0.0);
        Some(Memory {
            used: (usage - idle).max(0.0),
            limit,
        })
    }

    /// Seconds in which the quota held processes back, since the group was made.
    pub(super) fn throttled_seconds(&self, text: &mut String) -> Option<f64> {
        let text = read(&self.cpu.as_ref()?.join("cpu.stat"), text)?;
        let (name, per_second) = if self.version_2 {
            ("throttled_usec ", 1e6)
        } else {
            ("throttled_time ", 1e9)
        };
        let value = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(value.parse::<f64>().ok()? / per_second)
    }
}

/// The path of the process's group for a controller, from lines `number:controllers:path`; version 2 names none.
fn path_of<'a>(groups: &'a str, controller: &str) -> &'a str {
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

fn tightest(
    folders: Vec<PathBuf>,
    mut limit: impl FnMut(&Path) -> Option<f64>,
) -> Option<(PathBuf, f64)> {
    folders
        .into_iter()
        .filter_map(|folder| limit(&folder).map(|l| (folder, l)))
        .reduce(|a, b| if b.1 < a.1 { b } else { a })
}

/// A file with one number in it.
fn number(path: &Path, text: &mut String) -> Option<f64> {
    read(path, text)?.trim().parse().ok()
}

/// `quota period` in one file (version 2; `max` for none) or in two (version 1; -1 for none), in microseconds.
fn cores(folder: &Path, version_2: bool, text: &mut String) -> Option<f64> {
    let (quota, period) = if version_2 {
        let (quota, period) = read(&folder.join("cpu.max"), text)?
            .trim()
            .split_once(' ')?;
        (quota.parse::<f64>().ok()?, period.parse().ok()?)
    } else {
        let quota = number(&folder.join("cpu.cfs_quota_us"), text)?;
        (quota, number(&folder.join("cpu.cfs_period_us"), text)?)
    };
    (quota > 0.0 && period > 0.0).then_some(quota / period)
}
