//! Which run a process belongs to: the one whose lock it, or a process that started it, holds.

use std::collections::HashMap;
use std::path::Path;

use cresset_record::{Holder, Root, RunDir, is_live};
use serde::Serialize;

use crate::{human, locate};

/// More ancestors than this are not looked at.
const MOST_ANCESTORS: usize = 64;

/// Looks up runs by process.
pub(super) struct Users {
    root: Option<Root>,
    known: HashMap<u32, Option<Run>>,
}

#[derive(Clone, Debug)]
struct Run {
    id: String,
    name: String,
}

/// A process on a GPU. Its JSON is part of what `--json` prints.
#[derive(Debug, Serialize)]
pub(super) struct User {
    pub(super) pid: u32,
    /// GPU memory in bytes; null where the driver does not tell.
    pub(super) memory: Option<u64>,
    /// What the program is called.
    pub(super) program: Option<String>,
    /// The run's id, where it is one of this folder of runs.
    pub(super) run: Option<String>,
    /// Its name.
    pub(super) name: Option<String>,
}

impl Users {
    pub(super) fn new(dir: Option<&Path>) -> Self {
        Self {
            root: locate::root(dir).ok(),
            known: HashMap::new(),
        }
    }

    /// Looks up the processes whose run is not known, as a process may start its run late; forgets those that went.
    pub(super) fn find(&mut self, pids: &[u32]) {
        self.known
            .retain(|pid, run| run.is_some() && pids.contains(pid));
        if pids.iter().all(|pid| self.known.contains_key(pid)) {
            return;
        }
        let holders = self.root.as_ref().map_or_else(Vec::new, holders);
        for &pid in pids {
            self.known.entry(pid).or_insert_with(|| {
                let line = ancestors(pid);
                let holder = |p: &u32| holders.iter().find(|(holder, _)| holder == p);
                let (_, dir) = line.iter().find_map(holder)?;
                Some(Run {
                    id: dir.id_text().to_owned(),
                    name: locate::head(dir)
                        .map_or_else(|| dir.id_text().to_owned(), |start| start.name),
                })
            });
        }
    }

    pub(super) fn of(&self, pid: u32, memory: Option<u64>) -> User {
        let run = self.known.get(&pid).cloned().flatten();
        let program = std::fs::read_to_string(format!("/proc/{pid}/comm"));
        User {
            pid,
            memory,
            program: program.ok().map(|name| name.trim().to_owned()),
            name: run.as_ref().map(|run| run.name.clone()),
            run: run.map(|run| run.id),
        }
    }
}

impl User {
    /// `amber-harbor-7 (3.2 GB)`, or the program and its number where there is no run.
    pub(super) fn text(&self) -> String {
        let who = match (&self.name, &self.program) {
            (Some(name), _) => name.clone(),
            (None, Some(program)) => format!("{program} {}", self.pid),
            (None, None) => format!("process {}", self.pid),
        };
        let memory = self.memory.map(|m| format!(" ({})", human::bytes(m)));
        human::clean(&(who + &memory.unwrap_or_default()))
    }
}

/// The processes that write runs of this folder now.
fn holders(root: &Root) -> Vec<(u32, RunDir)> {
    let mut holders = Vec::new();
    for dir in root.runs().unwrap_or_default() {
        let mut ranks: Vec<_> = dir
            .segments()
            .unwrap_or_default()
            .into_iter()
            .map(|(rank, _)| rank)
            .collect();
        ranks.dedup();
        for rank in ranks {
            let text = std::fs::read_to_string(dir.lock(rank)).unwrap_or_default();
            // A lock file stays when its holder has ended; the lock does not.
            if let Ok(holder) = serde_json::from_str::<Holder>(&text)
                && is_live(&dir, rank)
            {
                holders.push((holder.pid, dir.clone()));
            }
        }
    }
    holders
}

/// The process and those that started it, the nearest first.
fn ancestors(pid: u32) -> Vec<u32> {
    let mut line = vec![pid];
    while let Some(parent) = line.last().copied().and_then(parent)
        && parent > 1
        && line.len() < MOST_ANCESTORS
    {
        line.push(parent);
    }
    line
}

fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}
