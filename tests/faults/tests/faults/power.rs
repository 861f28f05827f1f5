//! Losses of power: what a disk may have kept is made from a recording of the calls that wrote it.
//!
//! The model is stricter than file systems are: until a file is synchronised, each write to it may be there, not there, in part, as
//! zeros, or as anything; until a folder is, so may each name in it; and none of that follows an order.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cresset_record::{RunView, State};
use cresset_store::Store;

use crate::support::{Random, all, dir, faulty, place, resumes, steps};

/// One call that changed something, or a promise.
#[derive(Debug)]
enum Op {
    /// A new file under a name.
    Create {
        inode: u64,
        path: String,
    },
    Folder {
        inode: u64,
        path: String,
    },
    Write {
        inode: u64,
        at: usize,
        bytes: Vec<u8>,
    },
    Cut {
        inode: u64,
        length: usize,
    },
    Sync {
        inode: u64,
    },
    Rename {
        from: String,
        to: String,
    },
    Remove {
        path: String,
    },
    Promise(String),
}

/// The calls that the shim wrote down.
fn read_trace(path: &Path) -> Vec<Op> {
    let bytes = fs::read(path).unwrap();
    let mut rest = &bytes[..];
    let mut take = |n: usize| {
        let (taken, after) = rest.split_at(n);
        rest = after;
        taken
    };
    let mut ops = Vec::new();
    let mut left = bytes.len();
    while left > 0 {
        let op = take(1)[0];
        let [inode, offset] = [(); 2].map(|()| u64::from_le_bytes(take(8).try_into().unwrap()));
        let [length, second] =
            [(); 2].map(|()| u32::from_le_bytes(take(4).try_into().unwrap()) as usize);
        let content = take(length).to_vec();
        let text = String::from_utf8_lossy(&content).into_owned();
        let other = String::from_utf8_lossy(take(second)).into_owned();
        left -= 25 + length + second;
        ops.push(match op {
            b'C' => Op::Create { inode, path: text },
            b'D' => Op::Folder { inode, path: text },
            b'W' => Op::Write {
                inode,
                at: offset as usize,
                bytes: content,
            },
            b'T' => Op::Cut {
                inode,
                length: offset as usize,
            },
            b'S' => Op::Sync { inode },
            b'R' => Op::Rename {
                from: text,
                to: other,
            },
            b'U' => Op::Remove { path: text },
            b'M' => Op::Promise(text),
            other => panic!("an operation {other}"),
        });
    }
    ops
}

/// What happened to the bytes of a file, or the names in a folder, since it was last synchronised.
#[derive(Clone, Default)]
struct Node {
    bytes: Vec<u8>,
    writes: Vec<Change>,
    /// By name.
    names: HashMap<String, usize>,
    renames: Vec<Entry>,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Cut(usize),
}

/// A change of a folder.
#[derive(Clone)]
enum Entry {
    Add(String, usize),
    Remove(String),
    Rename(String, String),
}

/// A disk, and what it holds that is not yet on it.
struct Disk {
    nodes: Vec<Node>,
    by_inode: HashMap<u64, usize>,
    folders: HashMap<String, usize>,
}

impl Disk {
    /// An empty one, mounted at `root`.
    fn new(root: &Path, inode: u64) -> Self {
        let root = root.to_str().unwrap().to_owned();
        Self {
            nodes: vec![Node::default()],
            by_inode: HashMap::from([(inode, 0)]),
            folders: HashMap::from([(root, 0)]),
        }
    }

    /// Does one operation; gives what is promised.
    fn apply<'a>(&mut self, op: &'a Op) -> Option<&'a str> {
        match op {
            Op::Create { inode, path } | Op::Folder { inode, path } => {
                let node = self.nodes.len();
                self.nodes.push(Node::default());
                self.by_inode.insert(*inode, node);
                if matches!(op, Op::Folder { .. }) {
                    self.folders.insert(path.clone(), node);
                }
                let (folder, name) = self.place(path);
                self.nodes[folder].renames.push(Entry::Add(name, node));
            }
            Op::Write { inode, at, bytes } => self
                .file(*inode)
                .writes
                .push(Change::Write(*at, bytes.clone())),
            Op::Cut { inode, length } => self.file(*inode).writes.push(Change::Cut(*length)),
            Op::Sync { inode } => {
                let node = self.file(*inode);
                for change in std::mem::take(&mut node.writes) {
                    change.apply(&mut node.bytes);
                }
                for entry in std::mem::take(&mut node.renames) {
                    entry.apply(&mut node.names);
                }
            }
            Op::Rename { from, to } => {
                let ((folder, from), (same, to)) = (self.place(from), self.place(to));
                if folder == same {
                    self.nodes[folder].renames.push(Entry::Rename(from, to));
                } else {
                    // Blobs come from the folder above. A file system that keeps neither name would be broken: one of them is there.
                    let node = self.now(folder)[&from];
                    self.nodes[same].renames.push(Entry::Add(to, node));
                    self.nodes[folder].renames.push(Entry::Remove(from));
                }
            }
            Op::Remove { path } => {
                let (folder, name) = self.place(path);
                self.nodes[folder].renames.push(Entry::Remove(name));
            }
            Op::Promise(text) => return Some(text),
        }
        None
    }

    fn file(&mut self, inode: u64) -> &mut Node {
        let node = self.by_inode[&inode];
        &mut self.nodes[node]
    }

    /// The folder of a path, and the name in it.
    fn place(&self, path: &str) -> (usize, String) {
        let (folder, name) = path.rsplit_once('/').unwrap();
        (self.folders[folder], name.to_owned())
    }

    /// A folder as programs see it.
    fn now(&self, folder: usize) -> HashMap<String, usize> {
        let mut names = self.nodes[folder].names.clone();
        for entry in &self.nodes[folder].renames {
            entry.apply(&mut names);
        }
        names
    }

    /// Writes under `to` what the disk may have after the power went, by the choice of `random`.
    fn lose_power(&self, random: &mut Fate, to: &Path) {
        self.write_folder(0, random, to);
    }

    fn write_folder(&self, node: usize, random: &mut Fate, to: &Path) {
        fs::create_dir_all(to).unwrap();
        let mut names = self.nodes[node].names.clone();
        for entry in &self.nodes[node].renames {
            if random.keeps() {
                entry.apply(&mut names);
            }
        }
        let is_folder = |node: &usize| self.folders.values().any(|folder| folder == node);
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort();
        for (name, node) in names {
            if is_folder(&node) {
                self.write_folder(node, random, &to.join(name));
                continue;
            }
            let mut bytes = self.nodes[node].bytes.clone();
            for change in &self.nodes[node].writes {
                random.spoil(change).apply(&mut bytes);
            }
            fs::write(to.join(name), bytes).unwrap();
        }
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, new) => {
                let end = at + new.len();
                if new.is_empty() {
                    return;
                }
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*at..end].copy_from_slice(new);
            }
            Self::Cut(length) => bytes.resize(*length, 0),
        }
    }
}

impl Entry {
    fn apply(&self, names: &mut HashMap<String, usize>) {
        match self {
            Self::Add(name, node) => drop(names.insert(name.clone(), *node)),
            Self::Remove(name) => drop(names.remove(name)),
            // If the name that it had never came to the disk, neither does this.
            Self::Rename(from, to) => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
        }
    }
}

/// Which of the things that may happen happens.
enum Fate {
    /// Everything came to the disk.
    All,
    /// Only what was synchronised.
    Least,
    Chance(Random),
}

impl Fate {
    fn keeps(&mut self) -> bool {
        match self {
            Self::All => true,
            Self::Least => false,
            Self::Chance(random) => random.below(3) > 0,
        }
    }

    /// What became of a change of a file.
    fn spoil(&mut self, change: &Change) -> Change {
        let Change::Write(at, bytes) = change else {
            return if self.keeps() {
                change.clone()
            } else {
                Change::Write(0, Vec::new())
            };
        };
        let Self::Chance(random) = self else {
            return if self.keeps() {
                change.clone()
            } else {
                Change::Write(0, Vec::new())
            };
        };
        let mut bytes = bytes.clone();
        match random.below(8) {
            0..3 => {}
            3 => bytes.clear(),
            4 => bytes.truncate(random.below(bytes.len() as u64 + 1) as usize),
            5 => bytes.fill(0),
            6 => {
                let from = random.below(bytes.len() as u64) as usize;
                bytes[from..].fill(0);
            }
            _ => bytes
                .iter_mut()
                .for_each(|byte| *byte = random.below(256) as u8),
        }
        Change::Write(*at, bytes)
    }
}

/// Records what these trainers do, one after another.
fn record(trainings: &[&str]) -> (tempfile::TempDir, PathBuf, Vec<Op>, u64) {
    // The folder above is the disk: the root of the runs is made by the first of them.
    let (place, disk) = place();
    fs::create_dir(&disk).unwrap();
    let trace = place.path().join("trace");
    for words in trainings {
        let mut command = faulty(
            &disk.join("runs"),
            &format!("record:{}", trace.display()),
            words,
        );
        command
            .env("FAULT_DIR", &disk)
            .env("FAULT_MARKS", place.path().join("marks"));
        let output = command.output().unwrap();
        assert_eq!(
            output.status.success(),
            !words.contains("abort"),
            "{output:?}"
        );
    }
    let inode = fs::metadata(&disk).unwrap().ino();
    let ops = read_trace(&trace);
    (place, disk, ops, inode)
}

/// What was promised when the power went.
#[derive(Clone, Copy, Default)]
struct Promised {
    /// Steps 0 up to here.
    steps: u64,
    finished: bool,
}

/// Lets the power go after every operation, in several ways, and looks at what is left; gives how often.
fn hold(trainings: &[&str], ways: u64) -> usize {
    let (_place, root, ops, inode) = record(trainings);
    let synced = trainings.iter().all(|words| words.contains("synced"));
    let mut disk = Disk::new(&root, inode);
    let mut promised = Promised::default();
    let mut logged = 0;
    let mut ends = Vec::new();
    let scratch = tempfile::tempdir().unwrap();
    for (at, op) in ops.iter().enumerate() {
        match disk.apply(op) {
            Some("finished\n") => {
                promised = Promised {
                    steps: logged,
                    finished: true,
                };
            }
            Some(text) => {
                let step: u64 = text.trim_start_matches("step ").trim().parse().unwrap();
                logged = step + 1;
                promised.finished = false;
                if synced {
                    promised.steps = logged;
                }
            }
            None => {}
        }
        for way in 0..ways + 2 {
            let mut fate = match way {
                0 => Fate::All,
                1 => Fate::Least,
                _ => Fate::Chance(Random::new(at as u64 * ways + way)),
            };
            let to = scratch.path().join(format!("{at}-{way}"));
            disk.lose_power(&mut fate, &to);
            ends.push((to, promised, logged, at, way));
        }
    }
    let losses = ends.len();
    assert!(
        promised.finished && promised.steps > 0,
        "the last training ends well"
    );
    all(ends, 2, |(disk, promised, logged, at, way)| {
        let what = format!("way {way} after operation {at}, {:?}", ops[at]);
        look(
            &disk.join("runs"),
            promised,
            logged,
            (at + way as usize).is_multiple_of(13),
            &what,
        );
    });
    losses
}

/// Whether what is left is what was promised, and can be gone on with.
fn look(runs: &Path, promised: Promised, logged: u64, deeply: bool, what: &str) {
    let what = &what[..what.len().min(200)];
    let run = dir(runs);
    if !run.path().exists() {
        assert_eq!(promised.steps, 0, "the run is gone: {what}");
        return;
    }
    let view = RunView::open(run).unwrap_or_else(|e| panic!("{e}: {what}"));
    let there = steps(&view);
    assert!(
        there.iter().all(|step| *step <= logged),
        "{there:?}: {what}"
    );
    let kept = there
        .iter()
        .take_while(|step| **step < promised.steps)
        .count() as u64;
    assert_eq!(
        kept,
        promised.steps,
        "{there:?} {:?}: {what}",
        view.damage()
    );
    if promised.finished {
        assert_eq!(view.state(), State::Finished, "{what}");
        assert_eq!(view.damage().len(), 0, "{:?}: {what}", view.damage());
    } else {
        assert!(
            matches!(view.state(), State::Crashed | State::Finished),
            "{what}"
        );
    }
    if !deeply || cresset_record::Root::new(runs).runs().unwrap().is_empty() {
        return;
    }
    let index = tempfile::tempdir().unwrap();
    let root = || cresset_record::Root::new(runs);
    let store = Store::open_apart(root(), index.path()).unwrap();
    store.refresh().unwrap();
    resumes(runs);
    let again = steps(&crate::support::view(runs));
    assert_eq!(again, there, "{what}");
    store.refresh().unwrap();
    let fresh = tempfile::tempdir().unwrap();
    let checked = store.check(fresh.path()).unwrap();
    assert!(checked.differences.is_empty(), "{checked:?}: {what}");
}

#[test]
fn what_was_synchronised_survives() {
    let losses = hold(
        &[
            "synced steps=12 end=abort",
            "synced resume steps=6 text end=abort",
            "synced resume steps=6",
        ],
        4,
    );
    println!("the power went {losses} times");
}

#[test]
fn a_run_that_finished_survives_with_all_that_its_processes_wrote() {
    let losses = hold(
        &[
            "steps=20 pause=1 end=abort",
            "written resume steps=15 text end=abort",
            "resume steps=20 pause=1",
        ],
        4,
    );
    println!("the power went {losses} times");
}
