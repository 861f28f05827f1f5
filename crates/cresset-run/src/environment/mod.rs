//! What surrounds a run: which code, which program, which machine. Looked at once, right after the start.
//!
//! The result is a JSON object, the body of an `Environment` record. Whatever could not be found out is left out; limits
//! on time and size make sure that a hung file system costs the run nothing but this record.
//!
//! | key | value |
//! |---|---|
//! | `program.executable` | path of the program |
//! | `program.arguments` | its arguments, secrets masked; at most 64 KiB, then `program.arguments_cut` is true |
//! | `program.directory` | working directory at the start |
//! | `program.profile` | Cargo profile, as the path of the executable tells: `debug`, `release` or a profile of one's own |
//! | `build.cresset` | version of this crate |
//! | `build.debug_assertions` | whether this crate was compiled with them, as in the `dev` profile |
//! | `build.opt_level` | how this crate was optimised: `0` to `3`, `s`, `z` |
//! | `build.rustc` | `rustc --version` of the build |
//! | `build.target` | target triple |
//! | `git.root` | folder of the work tree |
//! | `git.commit` | full hash of `HEAD` |
//! | `git.branch` | its branch; absent where `HEAD` is detached |
//! | `git.dirty` | whether tracked files differ from the commit |
//! | `git.untracked` | how many files and folders git neither tracks nor ignores |
//! | `git.diff` | tracked changes against the commit as a unified diff; the contents of binary files and of files that hold secrets by their name are left out, secrets in lines masked |
//! | `git.committed_keys` | files here and in the last commit that hold a key to a tracking server |
//! | `git.diff_cut` | true where the diff was cut, at 1 MiB of JSON |
//! | `git.remote` | URL of `origin` or else the first remote, without credentials |
//! | `git.incomplete` | list of what git did not tell: `status`, `diff`, … |
//! | `crates.<name>` | version of candle, burn, cudarc, … in `Cargo.lock`; several joined by `, `; ` (git <hash>)` for git sources |
//! | `host.name` | host name |
//! | `host.user` | name of the account that started the program |
//! | `host.os`, `host.os_version`, `host.kernel`, `host.architecture` | such as `linux`, `Debian GNU/Linux 12 (bookworm)`, `6.1.0`, `x86_64` |
//! | `host.cpu_model` | such as `AMD EPYC 7763 64-Core Processor` |
//! | `host.logical_cores`, `host.physical_cores` | of the machine |
//! | `host.usable_cores` | of this process, by affinity and container |
//! | `host.memory_bytes` | of the machine |
//! | `container.runtime` | `docker`, `podman` or `kubernetes` |
//! | `container.cpu_limit` | CPU quota, in cores |
//! | `container.memory_limit_bytes` | memory limit |
//! | `gpus` | list, empty without an NVIDIA driver: `model`, `uuid`, `bus` (PCI address) of each GPU the driver has |
//! | `gpu_driver` | version of the NVIDIA driver |
//! | `slurm.<name>` | `SLURM_<NAME>` of the environment, for the names in `cluster.rs` |
//! | `kubernetes.<name>` | `pod`, `namespace`, `node`, `pod_uid`, as far as the pod is told |
//! | `variables.<NAME>` | environment variables that change what is computed, for the names in `cluster.rs` |
//! | `incomplete` | list of the parts above that gave no answer in time |
//!
//! Environment variables are read by a list of names and never wholesale. Everything is masked as [`mask`] says.
//! Files under `/proc` and `/sys` exist on Linux; elsewhere the host has its name, system and usable cores.

mod cluster;
mod command;
mod container;
mod git;
mod gpu;
mod host;
mod program;
mod project;
mod secrets;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json};

use crate::run::Run;

pub(crate) use secrets::mask;

/// How long all parts may take together.
const LIMIT: Duration = Duration::from_secs(6);

/// Where the parts look; tests look elsewhere.
struct Sources {
    /// The root of the file system.
    root: PathBuf,
    /// An environment variable by its name, if it is set and not empty.
    variable: fn(&str) -> Option<String>,
}

/// One part of the result. Each may fail alone, which leaves it out.
type Part = (&'static str, fn(&Sources) -> Option<Json>);

/// Cheap parts first; those that may hang with a file system or a process last.
const PARTS: &[Part] = &[
    ("build", |_| Some(program::build())),
    ("slurm", cluster::slurm),
    ("variables", cluster::variables),
    ("kubernetes", cluster::kubernetes),
    ("host", host::capture),
    ("container", container::capture),
    ("program", |_| Some(program::capture())),
    ("gpus", |sources| Some(gpu::devices(sources))),
    ("gpu_driver", gpu::driver),
    (
        "crates",
        |_| project::crate_versions(&project::directory()?),
    ),
    ("git", |_| git::capture(&project::directory()?)),
];

/// Looks at what surrounds the run; takes up to six seconds, and mostly well under one. For a thread of its own.
pub(crate) fn capture() -> Map<String, Json> {
    capture_parts(PARTS, Sources::here(), LIMIT)
}

/// Says once, of a run, that a key to a tracking server lies in what is committed.
pub(crate) fn warn_of_committed_keys(run: &Run, environment: &Map<String, Json>) {
    let files = environment
        .get("git")
        .and_then(|git| git["committed_keys"].as_array());
    let Some(files) = files.filter(|files| !files.is_empty()) else {
        return;
    };
    let names: Vec<&str> = files.iter().filter_map(Json::as_str).collect();
    let title = format!(
        "a key to a tracking server is committed: {}",
        names.join(", ")
    );
    let text = "Everybody who has the repository has the key, in its history too. Take it back (`cresset key revoke`), make another, and \
                keep that with `cresset login` or in CRESSET_API_KEY.";
    run.warn(title, text);
}

/// The name of this machine, or `unknown`.
pub(crate) fn host_name() -> String {
    host::name(&Sources::here()).unwrap_or_else(|| "unknown".to_owned())
}

impl Sources {
    fn here() -> Self {
        Self {
            root: "/".into(),
            variable: |name| std::env::var(name).ok().filter(|value| !value.is_empty()),
        }
    }
}

fn capture_parts(parts: &'static [Part], sources: Sources, limit: Duration) -> Map<String, Json> {
    let deadline = Instant::now() + limit;
    let (sender, answers) = mpsc::channel();
    // Left behind, not joined, if a part hangs.
    let worker = thread::Builder::new()
        .name("cresset-environment".into())
        .spawn(move || {
            for (_, part) in parts {
                if sender.send(part(&sources)).is_err() {
                    return;
                }
            }
        });
    let mut map = Map::new();
    let mut missing = Vec::new();
    for (name, _) in parts {
        let left = deadline.saturating_duration_since(Instant::now());
        match answers.recv_timeout(left) {
            Ok(Some(value)) => {
                map.insert((*name).to_owned(), value);
            }
            Ok(None) => {}
            Err(_) => missing.push(Json::from(*name)),
        }
    }
    drop(worker);
    if !missing.is_empty() {
        map.insert("incomplete".to_owned(), Json::Array(missing));
    }
    mask(&mut map);
    map
}

/// A small text file, trimmed; nothing if it is missing, empty or not UTF-8.
fn read(path: impl AsRef<Path>) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Puts a value that is known under a name.
fn put(map: &mut Map<String, Json>, name: &str, value: Option<impl Into<Json>>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), value.into());
    }
}

/// A part with something in it.
fn non_empty(map: Map<String, Json>) -> Option<Json> {
    (!map.is_empty()).then_some(Json::Object(map))
}
