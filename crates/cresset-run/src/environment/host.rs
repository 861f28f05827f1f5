//! The machine: name, account, system, processor, memory.

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Map, Value as Json};

use super::{Sources, non_empty, put, read};

pub(super) fn capture(sources: &Sources) -> Option<Json> {
    let root = &sources.root;
    let cpu = read(root.join("proc/cpuinfo")).unwrap_or_default();
    let usable = std::thread::available_parallelism().ok();
    let mut map = Map::new();
    put(&mut map, "name", name(sources));
    put(&mut map, "user", user(sources));
    put(&mut map, "os", Some(std::env::consts::OS));
    put(&mut map, "os_version", os_version(root));
    put(
        &mut map,
        "kernel",
        read(root.join("proc/sys/kernel/osrelease")),
    );
    put(&mut map, "architecture", Some(std::env::consts::ARCH));
    put(&mut map, "cpu_model", values(&cpu, "model name").next());
    put(
        &mut map,
        "logical_cores",
        count(values(&cpu, "processor").count()),
    );
    put(&mut map, "physical_cores", physical_cores(root, &cpu));
    put(&mut map, "usable_cores", usable.map(usize::from));
    put(&mut map, "memory_bytes", memory(root));
    non_empty(map)
}

pub(super) fn name(sources: &Sources) -> Option<String> {
    read(sources.root.join("proc/sys/kernel/hostname"))
        .or_else(|| (sources.variable)("HOSTNAME"))
        .or_else(|| (sources.variable)("COMPUTERNAME"))
}

/// The account that started the program. A variable says it where accounts are kept elsewhere, in a directory server or on another system.
fn user(sources: &Sources) -> Option<String> {
    let listed = || {
        let status = read(sources.root.join("proc/self/status"))?;
        let id = values(&status, "Uid").next()?.split_whitespace().next()?;
        let accounts = read(sources.root.join("etc/passwd"))?;
        accounts.lines().find_map(|account| {
            let mut fields = account.split(':');
            let name = fields.next()?;
            (fields.nth(1)? == id).then(|| name.to_owned())
        })
    };
    listed()
        .or_else(|| (sources.variable)("USER"))
        .or_else(|| (sources.variable)("USERNAME"))
}

fn os_version(root: &Path) -> Option<String> {
    let text = read(root.join("etc/os-release"))?;
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').to_owned())
}

/// How many different pairs of package and core there are. ARM's list of processors has none; its topology files do.
fn physical_cores(root: &Path, cpu: &str) -> Option<usize> {
    let listed: HashSet<_> = cpu
        .split("\n\n")
        .filter_map(|processor| {
            let core = values(processor, "core id").next()?;
            Some((values(processor, "physical id").next(), core))
        })
        .collect();
    count(listed.len()).or_else(|| {
        let topologies: HashSet<_> = std::fs::read_dir(root.join("sys/devices/system/cpu"))
            .ok()?
            .flatten()
            .filter_map(|entry| {
                let topology = entry.path().join("topology");
                let core = read(topology.join("core_id"))?;
                Some((read(topology.join("physical_package_id")), core))
            })
            .collect();
        count(topologies.len())
    })
}

fn memory(root: &Path) -> Option<u64> {
    let text = read(root.join("proc/meminfo"))?;
    let kibibytes: u64 = values(&text, "MemTotal")
        .next()?
        .strip_suffix(" kB")?
        .parse()
        .ok()?;
    kibibytes.checked_mul(1024)
}

/// The values of lines `name : value`.
fn values<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then_some(value.trim())
    })
}

fn count(n: usize) -> Option<usize> {
    (n > 0).then_some(n)
}
