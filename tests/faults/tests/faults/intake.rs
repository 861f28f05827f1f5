//! Losses of a server's power while a run comes, after each call that changed something: whatever is left, the same sender ends with the same run
//! there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cresset_record::{Root, RunView};
use cresset_store::Store;

#[path = "../../src/carrier.rs"]
mod carrier;

use crate::disk::{Disk, Fate, Op, read_trace};
use crate::support::{all, dir, place, trainer};
use carrier::{Belief, carry, key_of};

/// Ways of losing what was not synchronised, beside the extremes.
const WAYS: u64 = 3;

/// A run of three processes with texts that are blobs.
fn recorded(runs: &Path) {
    for words in [
        "written steps=22 text",
        "written resume steps=12 text end=abort",
        "written resume steps=20 text",
    ] {
        let output = trainer(runs, words).output().unwrap();
        assert_eq!(
            output.status.success(),
            !words.contains("abort"),
            "{output:?}"
        );
    }
}

/// Everything of a run that a sender carries: its segments and its blobs, byte for byte.
fn content(runs: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let run = dir(runs);
    let mut found = BTreeMap::new();
    for (rank, index) in run.segments().unwrap() {
        let path = run.segment(rank, index);
        found.insert(
            path.strip_prefix(runs).unwrap().to_owned(),
            fs::read(path).unwrap(),
        );
    }
    let entries = fs::read_dir(run.path().join("blobs"));
    let paths = entries.into_iter().flatten().flatten().map(|e| e.path());
    // A process that was killed may leave a blob that it had not renamed yet beside them.
    for folder in paths.filter(|path| path.is_dir()) {
        for blob in fs::read_dir(folder).unwrap().flatten() {
            let path = blob.path();
            found.insert(
                path.strip_prefix(runs).unwrap().to_owned(),
                fs::read(path).unwrap(),
            );
        }
    }
    found
}

/// What the sender believed when the power went.
fn believed(text: &str) -> Belief {
    match text.trim_end().strip_prefix("blobs ") {
        Some(last) => Belief::Blobs(last.parse().unwrap()),
        None => Belief::All,
    }
}

#[test]
fn what_a_sender_believes_is_there_after_the_servers_power_went() {
    let words = ["pieces=3", "pieces=4", "end=abort", ""];
    // It is killed amid pieces; then with all of it and before it is let go; and the last one is sent nothing.
    let losses = hold(&words, WAYS, "");
    println!("the power went {losses} times");
}

#[test]
fn what_a_servers_disk_refused_once_is_not_believed() {
    let mut losses = 0;
    // Two blobs, two segments that end, the third blob, and the last segment.
    for refused in ["1", "2", "3", "4", "5", "6", "6,7", "1,3,5,7,9"] {
        losses += hold(&[""], 1, refused);
    }
    println!("the power went {losses} times");
}

/// Lets a server's power go after each call of these receivers, whose disk refuses these synchronisations; how often.
fn hold(receivers: &[&str], ways: u64, refused: &str) -> usize {
    let (source, from) = place();
    recorded(&from);
    let sent = content(&from);
    assert!(sent.len() > 5, "{:?}", sent.keys());
    let (place, root) = place();
    fs::create_dir(&root).unwrap();
    let index = place.path().join("index");
    fs::create_dir(&index).unwrap();
    let trace = place.path().join("trace");
    for words in receivers {
        let mut receiver = Command::new(env!("CARGO_BIN_EXE_receiver"));
        receiver.arg(&from).arg(root.join("runs")).arg(&index);
        receiver.args(words.split_whitespace());
        receiver
            .env("LD_PRELOAD", env!("SHIM"))
            .env("FAULT_DIR", &root);
        receiver.env("FAULT_MODE", format!("record:{}", trace.display()));
        receiver.env("FAULT_MARKS", place.path().join("marks"));
        receiver.env("FAULT_REFUSE", refused);
        let output = receiver.output().unwrap();
        assert_eq!(output.status.success(), words.is_empty(), "{output:?}");
    }
    assert!(
        content(&root.join("runs")) == sent,
        "what came is another run"
    );

    let ops = read_trace(&trace);
    let refusals = ops.iter().filter(|op| matches!(op, Op::Refuse { .. }));
    let asked = refused.split(',').filter(|number| !number.is_empty());
    assert_eq!(refusals.count(), asked.count(), "refused {refused}");
    let mut disk = Disk::new(&root, fs::metadata(&root).unwrap().ino());
    let scratch = tempfile::tempdir().unwrap();
    let mut belief = None;
    let mut ends = Vec::new();
    for (at, op) in ops.iter().enumerate() {
        belief = disk.apply(op).map(believed).or(belief);
        for way in 0..ways + 2 {
            let to = scratch.path().join(format!("{at}-{way}"));
            disk.lose_power(&mut Fate::new(way, at as u64 * ways + way), &to);
            ends.push((to, belief, at, way));
        }
    }
    assert_eq!(belief, Some(Belief::All));
    let losses = ends.len();
    all(ends, 2, |(disk, belief, at, way)| {
        let what = format!("way {way} after operation {at}, {:?}", ops[at]);
        let runs = disk.join("runs");
        comes_again(&from, &runs, belief, &what[..what.len().min(200)]);
        let there = content(&runs);
        let differ: Vec<_> = sent
            .iter()
            .filter(|(path, bytes)| there.get(*path) != Some(bytes))
            .map(|(path, _)| path)
            .collect();
        assert!(
            differ.is_empty() && there.len() == sent.len(),
            "{differ:?} of {:?}, {belief:?}: {what}",
            there.keys()
        );
        fs::remove_dir_all(disk).unwrap();
    });
    drop(source);
    losses
}

/// The sender goes on with what it believes, if it is not done.
fn comes_again(from: &Path, runs: &Path, belief: Option<Belief>, what: &str) {
    let blobs = match belief {
        None => None,
        Some(Belief::Blobs(last)) => Some(last),
        Some(Belief::All) => return,
    };
    fs::create_dir_all(runs).unwrap();
    let here = dir(runs);
    if here.path().exists() {
        RunView::open(here).unwrap_or_else(|e| panic!("{e}: {what}"));
    }
    let source = dir(from);
    let key = key_of(&source).unwrap();
    let index = tempfile::tempdir().unwrap();
    let store = Store::open_apart(Root::new(runs), index.path()).unwrap();
    carry(&source, &store, &key, blobs, |_| true).unwrap_or_else(|e| panic!("{e}: {what}"));
}
