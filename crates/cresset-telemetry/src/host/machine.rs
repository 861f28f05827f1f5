//! Counters of the whole machine.

use std::path::Path;

use super::read;

/// Jiffies a second: fixed for what user space sees, on all architectures that matter here.
pub(super) const JIFFIES: f64 = 100.0;

/// Processor time and disks.
#[derive(Debug, Default)]
pub(super) struct Machine {
    pub(super) cpu: Option<Cpu>,
    /// Seconds in which each disk had something to do.
    pub(super) disks: Vec<(String, f64)>,
}

/// Seconds of all cores together since boot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cpu {
    pub(super) total: f64,
    pub(super) busy: f64,
    pub(super) iowait: f64,
}

impl Machine {
    pub(super) fn look(root: &Path, text: &mut String) -> Self {
        Self {
            cpu: read(&root.join("proc/stat"), text).and_then(cpu),
            disks: read(&root.join("proc/diskstats"), text)
                .map(disks)
                .unwrap_or_default(),
        }
    }
}

/// From the first line, `cpu user nice system idle iowait irq softirq steal guest …`; guest time is in user time already.
fn cpu(text: &str) -> Option<Cpu> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<f64> = line
        .split_whitespace()
        .take(8)
        .map_while(|f| f.parse().ok())
        .collect();
    let total: f64 = fields.iter().sum();
    let (idle, iowait) = (*fields.get(3)?, *fields.get(4)?);
    Some(Cpu {
        total: total / JIFFIES,
        busy: (total - idle - iowait) / JIFFIES,
        iowait: iowait / JIFFIES,
    })
}

/// Lines `major minor name reads …`, with the milliseconds that the disk was busy in the tenth column of counters. What
/// only stands for other disks is left out, and so are disks that have never read.
fn disks(text: &str) -> Vec<(String, f64)> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace().skip(2);
            let name = fields.next()?;
            let virtual_ones = ["loop", "ram", "zram", "dm-", "md", "sr", "fd"];
            let reads: u64 = fields.next()?.parse().ok()?;
            if reads == 0 || virtual_ones.iter().any(|v| name.starts_with(v)) {
                return None;
            }
            let busy: f64 = fields.nth(8)?.parse().ok()?;
            Some((name.to_owned(), busy / 1000.0))
        })
        .collect()
}

/// Bytes over the network since boot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Network {
    pub(super) received: f64,
    pub(super) sent: f64,
}

impl Network {
    /// Sums over the interfaces that have hardware, so that what bridges and tunnels pass on counts once; where none
    /// has, as in a container, over all but the loopback.
    pub(super) fn look(root: &Path, text: &mut String) -> Option<Self> {
        let class = root.join("sys/class/net");
        let interfaces: Vec<(bool, f64, f64)> = read(&root.join("proc/net/dev"), text)?
            .lines()
            .skip(2)
            .filter_map(|line| {
                let (name, counters) = line.split_once(':')?;
                let name = name.trim();
                let mut counters = counters.split_whitespace();
                let received = counters.next()?.parse().ok()?;
                let sent = counters.nth(7)?.parse().ok()?;
                let hardware = class.join(name).join("device").exists();
                (name != "lo").then_some((hardware, received, sent))
            })
            .collect();
        let any_hardware = interfaces.iter().any(|i| i.0);
        let counted = interfaces.iter().filter(|i| i.0 || !any_hardware);
        let start = Self {
            received: 0.0,
            sent: 0.0,
        };
        Some(counted.fold(start, |sum, i| Self {
            received: sum.received + i.1,
            sent: sum.sent + i.2,
        }))
    }
}

/// Memory of the machine, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Memory {
    pub(super) total: f64,
    pub(super) used: f64,
    pub(super) swap_used: f64,
}

impl Memory {
    pub(super) fn look(root: &Path, text: &mut String) -> Option<Self> {
        let text = read(&root.join("proc/meminfo"), text)?;
        let field = |name: &str| -> Option<f64> {
            text.lines().find_map(|line| {
                let value = line.strip_prefix(name)?.strip_prefix(':')?;
                let kibibytes: f64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
                Some(kibibytes * 1024.0)
            })
        };
        let total = field("MemTotal")?;
        let swap = field("SwapTotal").zip(field("SwapFree"));
        Some(Self {
            total,
            used: total - field("MemAvailable")?,
            swap_used: swap.map_or(0.0, |(total, free)| total - free),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_of_all_cores() {
        let text = "cpu  1000 10 500 8000 200 5 5 80 999 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        let expected = Cpu {
            total: 98.0,
            busy: 16.0,
            iowait: 2.0,
        };
        assert_eq!(cpu(text), Some(expected));
        assert_eq!(cpu("cpu garbage\n"), None);
        assert_eq!(cpu(""), None);
    }

    #[test]
    fn only_real_disks_count() {
        let text = "   7       0 loop0 9 0 0 0 0 0 0 0 0 77 0 0\n 254       0 vda 100 0 800 5 50 0 400 2500 0 4200 7 0\n 259 0 nvme1n1 0 0 0 0 0 0 0 0 0 0 0\n";
        assert_eq!(disks(text), [("vda".to_owned(), 4.2)]);
    }
}
