//! Backups: whole while others write, cheap when little is new, and everything comes back.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{key, logs, project};
use cresset_record::*;
use cresset_store::*;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Some runs with everything in them.
fn record(root: &Root, ids: std::ops::Range<usize>) {
    let mut runner = TestRunner::deterministic();
    for id in ids {
        let ops = logs::ops().new_tree(&mut runner).unwrap().current();
        let run = key(&format!("run{id}"));
        logs::write(&root.run(&run.project, &run.run), &ops);
    }
}

/// The logs and blobs of a folder, byte for byte.
fn contents(root: &Root) -> BTreeMap<String, Vec<u8>> {
    fn add(found: &mut BTreeMap<String, Vec<u8>>, root: &Path, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                add(found, root, &path);
            } else if !path.to_string_lossy().ends_with(".lock") {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    for run in root.runs().unwrap() {
        add(&mut found, root.path(), run.path());
    }
    found
}

#[test]
fn everything_comes_back() {
    let (here, away, new) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let root = Root::new(here.path());
    record(&root, 0..12);
    let store = Store::open(root.clone()).unwrap();
    store.refresh().unwrap();
    let patch = LabelPatch {
        notes: Some("said by a person".into()),
        tags: Some(vec!["é, \"quoted\"".into()]),
        ..LabelPatch::default()
    };
    store.label(&key("run3"), &patch).unwrap();
    store.delete(&key("run4")).unwrap();
    let (_, secret) = store
        .create_key(NewKey::new("ci", Role::Write, KeyScope::All))
        .unwrap();
    store.set_user("alice", &[]).unwrap();

    let made = store.back_up(away.path()).unwrap();
    assert_eq!((made.runs, made.bytes), (12, made.new_bytes));
    assert!(check_backup(&made.path).unwrap().is_empty());
    // It is a folder of runs like any other.
    let as_folder = Root::new(&made.path);
    assert_eq!(as_folder.runs().unwrap().len(), 12);

    let there = Root::new(new.path().join("restored"));
    let restored = restore_backup(&made.path, &there).unwrap();
    assert_eq!(contents(&there), contents(&root));
    let run = restored.run(&key("run3")).unwrap();
    assert_eq!(
        (run.notes.as_str(), &run.tags),
        ("said by a person", &patch.tags.unwrap())
    );
    assert_eq!(run.ordinal, store.run(&key("run3")).unwrap().ordinal);
    assert_eq!(restored.trash().unwrap(), store.trash().unwrap());
    assert!(restored.verify_key(&secret).unwrap().is_some());
    assert_eq!(restored.users().unwrap(), store.users().unwrap());
    let all = AuditQuery {
        limit: 99,
        ..AuditQuery::default()
    };
    let actions: Vec<String> = restored
        .audit(&all)
        .unwrap()
        .into_iter()
        .map(|e| e.action)
        .collect();
    assert_eq!(
        actions,
        [
            "backup.restore",
            "user.create",
            "key.create",
            "run.delete",
            "run.label"
        ]
    );
    // Not over what is there.
    assert!(matches!(
        restore_backup(&made.path, &there),
        Err(StoreError::Conflict(_))
    ));
}

#[test]
fn a_second_backup_costs_what_is_new() {
    let (here, away) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = Root::new(here.path());
    record(&root, 0..8);
    let store = Store::open(root.clone()).unwrap();
    let first = store.back_up(away.path()).unwrap();
    record(&root, 8..9);
    let second = store.back_up(away.path()).unwrap();
    assert_eq!((first.runs, second.runs), (8, 9));
    assert!(second.new_bytes < first.new_bytes / 2, "{second:?}");
    assert_eq!(
        backups(away.path()).unwrap(),
        [first.clone(), second.clone()]
    );
    let log = |backup: &Backup, id: &str| {
        let run = Root::new(&backup.path).run(&project(), &key(id).run);
        let (rank, index) = run.segments().unwrap()[0];
        fs::metadata(run.segment(rank, index)).unwrap()
    };
    assert_eq!(log(&first, "run0").ino(), log(&second, "run0").ino());
    assert!(check_backup(&second.path).unwrap().is_empty());
    let thinned = thin_backups(away.path(), 1).unwrap();
    assert_eq!(thinned, [first.path.as_path()]);
    assert!(!first.path.exists());
    assert!(check_backup(&second.path).unwrap().is_empty());
    let left: Vec<_> = backups(away.path())
        .unwrap()
        .into_iter()
        .map(|b| b.path)
        .collect();
    assert_eq!(left, [second.path]);
    assert!(thin_backups(away.path(), 0).is_err());
    let inside = here.path().join("backups");
    assert!(matches!(
        store.back_up(&inside),
        Err(StoreError::Invalid { .. })
    ));
}

#[test]
fn a_backup_of_a_run_that_is_written_holds_whole_frames() {
    let (here, away) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = Root::new(here.path());
    record(&root, 0..1);
    let store = Store::open(root.clone()).unwrap();
    let dir = root.run(&project(), &key("run0").run);
    let holder = Holder {
        pid: std::process::id(),
        host: "box".into(),
        since: Timestamp::now(),
    };
    let (rank, _) = dir.segments().unwrap()[0];
    let _lock = WriterLock::acquire(&dir, rank, &holder).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut log = LogWriter::create(&dir, rank).unwrap();
            let mut line = 0u64;
            while !done.load(Ordering::Relaxed) {
                let mut frame = FrameBuilder::default();
                let lost = Lost {
                    time: Timestamp::now(),
                    reason: LossReason::Overflow,
                    points: line,
                    values: 0,
                };
                frame.push(&Record::Lost(lost)).unwrap();
                log.append(&mut frame).unwrap();
                line += 1;
                // Some backups catch a frame half written; a log of gigabytes is not wanted.
                std::thread::sleep(Duration::from_micros(50));
            }
        });
        for _ in 0..20 {
            let backup = store.back_up(away.path()).unwrap();
            assert!(check_backup(&backup.path).unwrap().is_empty());
            let copy = Root::new(&backup.path).run(&project(), &key("run0").run);
            let mut follower = Follower::new(copy);
            while follower.next_batch().unwrap().is_some() {}
            assert_eq!(follower.damage(), [], "{backup:?}");
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_damaged_or_unfinished_backup_is_found_out() {
    let (here, away, new) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let root = Root::new(here.path());
    record(&root, 0..3);
    let store = Store::open(root).unwrap();
    let backup = store.back_up(away.path()).unwrap();
    let run = Root::new(&backup.path).run(&project(), &key("run1").run);
    let (rank, index) = run.segments().unwrap()[0];
    let log = run.segment(rank, index);
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&log, &bytes).unwrap();
    let bad = check_backup(&backup.path).unwrap();
    assert_eq!(bad.len(), 1);
    assert!(bad[0].file.ends_with(".log") && bad[0].why.contains("not what was written"));
    let to = Root::new(new.path().join("a"));
    let refused = restore_backup(&backup.path, &to).unwrap_err();
    assert!(refused.to_string().contains("damaged"), "{refused}");
    fs::remove_file(&log).unwrap();
    assert_eq!(check_backup(&backup.path).unwrap()[0].why, "is missing");

    // A path that leads out is none.
    let manifest = backup.path.join("backup.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replacen("people.json", "../people.json", 1)).unwrap();
    assert!(matches!(
        check_backup(&backup.path),
        Err(StoreError::Invalid { .. })
    ));
    fs::remove_file(&manifest).unwrap();
    assert!(matches!(
        check_backup(&backup.path),
        Err(StoreError::NotFound(_))
    ));
    assert!(backups(away.path()).unwrap().is_empty());
}
