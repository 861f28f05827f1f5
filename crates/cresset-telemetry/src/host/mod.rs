//! Figures of the host, from the files under `/proc` and `/sys` of Linux. Elsewhere there are none, which is no error.
//!
//! Read by hand rather than by a library: a sample costs a dozen small reads, and is taken against the limits of the
//! process's control group, version 1 or 2.

mod group;
mod machine;
mod tree;

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::keys::HostMetric;
use crate::sample::HostSample;

use group::Group;
use machine::{Machine, Network};
use tree::Tree;

/// Looks at the host again and again; rates are those since the last look.
pub(crate) struct Host {
    root: PathBuf,
    group: Group,
    tree: Tree,
    before: Option<Before>,
    text: String,
}

/// What counters said at the last look.
struct Before {
    at: Instant,
    machine: Machine,
    network: Option<Network>,
    process: tree::Usage,
    tree: tree::Usage,
    throttled: Option<f64>,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self::at("/".into(), std::process::id())
    }

    /// Looks under `root`, at the tree of `pid`.
    fn at(root: PathBuf, pid: u32) -> Self {
        Self {
            group: Group::find(&root),
            tree: Tree::new(&root, pid),
            root,
            before: None,
            text: String::new(),
        }
    }

    /// The process and its children, as of the last look.
    pub(crate) fn pids(&self) -> &[u32] {
        self.tree.pids()
    }

    /// One look.
    pub(crate) fn look(&mut self, now: Instant) -> HostSample {
        let mut sample = HostSample::default();
        let text = &mut self.text;
        let (process, tree) = self.tree.look(now, text);
        let machine = Machine::look(&self.root, text);
        let network = Network::look(&self.root, text);
        let throttled = self.group.throttled_seconds(text);
        self.memory(&mut sample, &process, &tree);
        let mut set = |metric, value| sample.set(metric, value);
        set(HostMetric::Threads, tree.is_known().then_some(tree.threads));
        set(
            HostMetric::Processes,
            tree.is_known().then_some(tree.processes),
        );
        set(HostMetric::Load, load(&self.root, &mut self.text));
        let cores = self.group.cores().or_else(usable_cores);
        set(HostMetric::CpuLimit, cores.map(|cores| 100.0 * cores));
        let after = Before {
            at: now,
            machine,
            network,
            process,
            tree,
            throttled,
        };
        if let Some(before) = self.before.replace(after)
            && let Some(after) = &self.before
        {
            rates(&mut sample, &before, after);
        }
        sample
    }

    fn memory(&mut self, sample: &mut HostSample, process: &tree::Usage, tree: &tree::Usage) {
        let known = |usage: &tree::Usage| usage.is_known().then_some(usage.memory);
        sample.set(HostMetric::MemoryProcess, known(process));
        sample.set(HostMetric::MemoryTree, known(tree));
        let machine = machine::Memory::look(&self.root, &mut self.text);
        let group = self.group.memory(&mut self.text);
        let (used, limit) = match (group, &machine) {
            (Some(group), Some(machine)) if group.limit < machine.total => {
                (group.used, group.limit)
            }
            (_, Some(machine)) => (machine.used, machine.total),
            (Some(group), None) => (group.used, group.limit),
            (None, None) => return,
        };
        sample.set(HostMetric::MemoryUsed, Some(used));
        sample.set(HostMetric::MemoryLimit, Some(limit));
        sample.set(HostMetric::SwapUsed, machine.map(|m| m.swap_used));
    }
}

fn rates(sample: &mut HostSample, before: &Before, after: &Before) {
    let seconds = after.at.saturating_duration_since(before.at).as_secs_f64();
    if seconds <= 0.0 {
        return;
    }
    // A counter that went back has begun anew: there is no rate for this once.
    let rate = |before: f64, after: f64| (after >= before).then(|| (after - before) / seconds);
    let percent = |value: Option<f64>| value.map(|v| (100.0 * v).clamp(0.0, 100.0));
    let mut set = |metric, value| sample.set(metric, value);
    let cpu = |b: &tree::Usage, a: &tree::Usage| {
        (b.is_known() && a.is_known())
            .then(|| rate(b.cpu_seconds, a.cpu_seconds))
            .flatten()
            .map(|cores| 100.0 * cores)
    };
    set(HostMetric::CpuProcess, cpu(&before.process, &after.process));
    set(HostMetric::CpuTree, cpu(&before.tree, &after.tree));
    let io = |b: Option<f64>, a: Option<f64>| rate(b?, a?);
    set(HostMetric::DiskRead, io(before.tree.read, after.tree.read));
    set(
        HostMetric::DiskWrite,
        io(before.tree.written, after.tree.written),
    );
    if let (Some(b), Some(a)) = (before.network, after.network) {
        set(HostMetric::NetworkReceived, rate(b.received, a.received));
        set(HostMetric::NetworkSent, rate(b.sent, a.sent));
    }
    let busy = after.machine.disks.iter().filter_map(|(name, busy)| {
        let (_, earlier) = before.machine.disks.iter().find(|(n, _)| n == name)?;
        rate(*earlier, *busy)
    });
    set(HostMetric::DiskBusy, percent(busy.reduce(f64::max)));
    let throttled = before.throttled.zip(after.throttled);
    set(
        HostMetric::CpuThrottled,
        percent(throttled.and_then(|(b, a)| rate(b, a))),
    );
    if let (Some(b), Some(a)) = (before.machine.cpu, after.machine.cpu) {
        let all = a.total - b.total;
        let share = |part: f64| (all > 0.0).then(|| part / all);
        set(HostMetric::CpuMachine, percent(share(a.busy - b.busy)));
        set(HostMetric::CpuIowait, percent(share(a.iowait - b.iowait)));
    }
}

fn load(root: &Path, text: &mut String) -> Option<f64> {
    read(&root.join("proc/loadavg"), text)?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

fn usable_cores() -> Option<f64> {
    let cores = std::thread::available_parallelism().ok()?;
    Some(cores.get() as f64)
}

/// A small text file, into memory that is used again.
fn read<'a>(path: &Path, text: &'a mut String) -> Option<&'a str> {
    use std::io::Read;
    text.clear();
    std::fs::File::open(path).ok()?.read_to_string(text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests;
