//! A process and its children.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::machine::JIFFIES;
use super::read;

/// The tree is looked for anew this often; in between, the processes that are known are looked at.
const SEARCH: Duration = Duration::from_secs(5);
/// A search may take one part in so many of the time: with many processes it is done less often.
const SHARE: u32 = 2000;
/// More processes than this are not looked at.
const MOST: usize = 4096;

/// The process and its children, found again from time to time.
#[derive(Debug)]
pub(super) struct Tree {
    proc: PathBuf,
    root: u32,
    pids: Vec<u32>,
    search: Option<Instant>,
    page: f64,
}

/// What processes have used since they began; a process that ends leaves its part to the parent that waits for it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Usage {
    pub(super) processes: f64,
    pub(super) threads: f64,
    pub(super) cpu_seconds: f64,
    /// Resident, in bytes.
    pub(super) memory: f64,
    /// Bytes from and to disks, where the system tells.
    pub(super) read: Option<f64>,
    pub(super) written: Option<f64>,
}

impl Usage {
    pub(super) fn is_known(&self) -> bool {
        self.processes > 0.0
    }

    fn add(&mut self, other: &Self) {
        let sum = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(a + b),
            (one, None) | (None, one) => one,
        };
        self.processes += other.processes;
        self.threads += other.threads;
        self.cpu_seconds += other.cpu_seconds;
        self.memory += other.memory;
        self.read = sum(self.read, other.read);
        self.written = sum(self.written, other.written);
    }
}

impl Tree {
    pub(super) fn new(root: &Path, pid: u32) -> Self {
        Self {
            proc: root.join("proc"),
            root: pid,
            pids: vec![pid],
            search: None,
            page: page_size(root, &mut String::new()),
        }
    }

    pub(super) fn pids(&self) -> &[u32] {
        &self.pids
    }

    /// What the process itself uses, without what children that ended left it, and what all of them use together.
    pub(super) fn look(&mut self, now: Instant, text: &mut String) -> (Usage, Usage) {
        if self.search.is_none_or(|due| now >= due) {
            self.pids = self.search(text);
            let cost = now.elapsed();
            self.search = Some(now + SEARCH.max(cost * SHARE));
        }
        let (mut own, mut all) = (Usage::default(), Usage::default());
        for &pid in &self.pids {
            let Some((usage, alone)) = self.usage(pid, text) else {
                continue;
            };
            all.add(&usage);
            if pid == self.root {
                own = Usage {
                    cpu_seconds: alone,
                    ..usage
                };
            }
        }
        (own, all)
    }

    /// All descendants, by the parents of all processes there are.
    fn search(&self, text: &mut String) -> Vec<u32> {
        let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let entries = std::fs::read_dir(&self.proc)
            .into_iter()
            .flatten()
            .flatten();
        let pids = entries.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
        for pid in pids {
            let path = self.proc.join(pid.to_string()).join("stat");
            let parent = read(&path, text).and_then(fields).and_then(|f| f.parent());
            if let Some(parent) = parent {
                children.entry(parent).or_default().push(pid);
            }
        }
        let mut tree = vec![self.root];
        let mut next = 0;
        while let Some(&pid) = tree.get(next) {
            next += 1;
            // Taken out, so that even a circle of parents would come to an end.
            tree.extend(children.remove(&pid).unwrap_or_default());
            tree.truncate(MOST);
        }
        tree
    }

    /// The second value is the processor time without that of children that ended.
    fn usage(&self, pid: u32, text: &mut String) -> Option<(Usage, f64)> {
        let folder = self.proc.join(pid.to_string());
        let fields = fields(read(&folder.join("stat"), text)?)?;
        let own = fields.number(11)? + fields.number(12)?;
        let ended = fields.number(13)? + fields.number(14)?;
        let mut usage = Usage {
            processes: 1.0,
            threads: fields.number(17)?,
            cpu_seconds: (own + ended) / JIFFIES,
            memory: fields.number(21)? * self.page,
            read: None,
            written: None,
        };
        // Not for the processes of other users.
        if let Some(text) = read(&folder.join("io"), text) {
            let field = |name: &str| {
                let value = text.lines().find_map(|line| line.strip_prefix(name))?;
                value.trim().parse().ok()
            };
            usage.read = field("read_bytes:");
            usage.written = field("write_bytes:");
        }
        Some((usage, own / JIFFIES))
    }
}

/// What follows the name of the program in `/proc/<pid>/stat`; the name may hold blanks and parentheses.
struct Fields<'a>(&'a str);

fn fields(text: &str) -> Option<Fields<'_>> {
    text.rsplit_once(')').map(|(_, rest)| Fields(rest))
}

impl Fields<'_> {
    /// Counted from 0 at the state, the third field of the manual page proc_pid_stat(5).
    fn number(&self, at: usize) -> Option<f64> {
        self.0.split_whitespace().nth(at)?.parse().ok()
    }

    fn parent(&self) -> Option<u32> {
        self.0.split_whitespace().nth(1)?.parse().ok()
    }
}

/// Bytes of a page: the kernel tells the size of its own mappings.
fn page_size(root: &Path, text: &mut String) -> f64 {
    read(&root.join("proc/self/smaps"), text)
        .and_then(|text| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("KernelPageSize:"))?;
            line.trim().strip_suffix("kB")?.trim().parse().ok()
        })
        .map_or(4096.0, |kibibytes: f64| kibibytes * 1024.0)
}
