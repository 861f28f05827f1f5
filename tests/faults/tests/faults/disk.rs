//! Losses of power: what a disk may have kept is made from a recording of the calls that wrote it.
//!
//! The model is stricter than file systems are: until a file is synchronised, each write to it may be there, not there, in part, as
//! zeros, or as anything; until a folder is, so may each name in it; and none of that follows an order.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::support::Random;

/// One call that changed something, or a promise.
#[derive(Debug)]
pub(crate) enum Op {
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
    /// The disk failed to take what was written, and the system does not try again.
    Refuse {
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
pub(crate) fn read_trace(path: &Path) -> Vec<Op> {
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
            b'X' => Op::Refuse { inode },
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
pub(crate) struct Disk {
    nodes: Vec<Node>,
    by_inode: HashMap<u64, usize>,
    folders: HashMap<String, usize>,
}

impl Disk {
    /// An empty one, mounted at `root`.
    pub(crate) fn new(root: &Path, inode: u64) -> Self {
        let root = root.to_str().unwrap().to_owned();
        Self {
            nodes: vec![Node::default()],
            by_inode: HashMap::from([(inode, 0)]),
            folders: HashMap::from([(root, 0)]),
        }
    }

    /// Does one operation; gives what is promised.
    pub(crate) fn apply<'a>(&mut self, op: &'a Op) -> Option<&'a str> {
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
            Op::Refuse { inode } => self.file(*inode).writes.clear(),
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
    pub(crate) fn lose_power(&self, random: &mut Fate, to: &Path) {
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
pub(crate) enum Fate {
    /// Everything came to the disk.
    All,
    /// Only what was synchronised.
    Least,
    Chance(Random),
}

impl Fate {
    /// The first two ways are the extremes.
    pub(crate) fn new(way: u64, seed: u64) -> Self {
        match way {
            0 => Self::All,
            1 => Self::Least,
            _ => Self::Chance(Random::new(seed)),
        }
    }

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
