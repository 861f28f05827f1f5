//! Runs that are being written, several processes at one folder, and what the background thread tells.

mod common;

use std::fs;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::{append, key, project, query};
use cresset_record::*;
use cresset_store::*;
use serde_json::Map;

/// A run that is being written.
struct Writing {
    log: LogWriter,
    _lock: WriterLock,
    next: u64,
}

impl Writing {
    fn begin(root: &Root, id: &str) -> Self {
        let key = key(id);
        let dir = root.run(&key.project, &key.run);
        fs::create_dir_all(dir.path()).unwrap();
        let holder = Holder {
            pid: 1,
            host: "tests".into(),
            since: Timestamp(0),
        };
        let lock = WriterLock::acquire(&dir, Rank(0), &holder).unwrap();
        let mut writing = Self {
            log: LogWriter::create(&dir, Rank(0)).unwrap(),
            _lock: lock,
            next: 0,
        };
        append(
            &mut writing.log,
            &[
                Record::Start(Box::new(Start {
                    run: key.run,
                    project: key.project,
                    name: id.to_owned(),
                    rank: Rank(0),
                    world_size: None,
                    time: Timestamp::now(),
                    group: None,
                    job_type: None,
                    tags: Vec::new(),
                    notes: String::new(),
                    config: Map::new(),
                    cresset_version: "0.1.0".into(),
                })),
                Record::Key {
                    id: KeyId(0),
                    key: Key::new("loss").unwrap(),
                },
            ],
        );
        writing
    }

    fn steps(&mut self, n: u64) {
        let rows = (self.next..self.next + n).map(|step| Row {
            step,
            time: Timestamp::now(),
            points: vec![(KeyId(0), step as f64)],
        });
        append(&mut self.log, &[Record::Rows(rows.collect())]);
        self.next += n;
    }

    fn end(mut self) {
        append(
            &mut self.log,
            &[Record::End(End {
                time: Timestamp::now(),
                outcome: Outcome::Finished,
            })],
        );
    }
}

fn points(store: &Store, id: &str) -> u64 {
    let chart = store.chart(&query(&key(id), "loss", 10)).unwrap();
    chart.series.first().map_or(0, |s| s.total)
}

/// Waits for what must become true, and not for ever.
fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_true() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_background_thread_follows_and_tells() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path());
    let store = Store::open(root.clone()).unwrap();
    let told: Arc<Mutex<Vec<Change>>> = Arc::default();
    let tell = Arc::clone(&told);
    let indexer = store
        .index_in_background(move |changes| tell.lock().unwrap().extend_from_slice(changes))
        .unwrap();
    let has = |kind: ChangeKind, id: &str| {
        let told = told.lock().unwrap();
        told.iter()
            .any(|c| c.kind == kind && c.key.run.as_str() == id)
    };
    let mut a = Writing::begin(&root, "a");
    until("a begins", || has(ChangeKind::New, "a"));
    assert_eq!(store.run(&key("a")).unwrap().state, State::Running);
    a.steps(3);
    until("a goes on", || {
        has(ChangeKind::Update, "a") && points(&store, "a") == 3
    });
    {
        let told = told.lock().unwrap();
        let update = told.iter().rfind(|c| c.kind == ChangeKind::Update).unwrap();
        assert_eq!(update.keys.as_deref(), Some(&["loss".to_owned()][..]));
        assert_eq!(
            (update.last_step, &update.state),
            (Some(2), &State::Running)
        );
    }
    for _ in 0..4 {
        a.steps(2000);
    }
    until("chunks are sealed while the run goes on", || {
        points(&store, "a") == 8003
    });
    a.end();
    until("a ends", || has(ChangeKind::End, "a"));
    let mut b = Writing::begin(&root, "b");
    b.steps(1);
    until("b begins", || points(&store, "b") == 1);
    // Killed.
    drop(b);
    until("b crashes", || {
        store.run(&key("b")).unwrap().state == State::Crashed
    });
    store.delete(&key("b")).unwrap();
    until("b is in the trash", || has(ChangeKind::Gone, "b"));
    assert!(store.projects().unwrap()[0].states.values().sum::<u64>() == 1);
    store.restore(&key("b")).unwrap();
    fs::remove_dir_all(root.run(&project(), &key("a").run).path()).unwrap();
    until("a's folder is gone", || has(ChangeKind::Gone, "a"));
    drop(indexer);
    let versions: Vec<u64> = told.lock().unwrap().iter().map(|c| c.version).collect();
    assert!(versions.is_sorted());
}

#[test]
fn another_process_waits_for_the_one_that_indexes_and_uses_its_work() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path());
    let leader = Store::open(root.clone()).unwrap();
    let other = Store::open(root.clone()).unwrap();
    let indexer = leader.index_in_background(|_| {}).unwrap();
    until("the thread has the right to index", || {
        matches!(other.rebuild(), Err(StoreError::Conflict(_)))
    });
    let mut a = Writing::begin(&root, "a");
    for n in 1..20 {
        a.steps(5);
        let refreshed = other.refresh().unwrap();
        assert_eq!((points(&other, "a"), refreshed.points), (5 * n, 0));
        assert_eq!(refreshed.changes.len(), 1);
    }
    assert!(matches!(other.rebuild(), Err(StoreError::Conflict(_))));
    drop(indexer);
    a.steps(5);
    assert_eq!(other.refresh().unwrap().points, 5);
    // What the other did in between is noticed by the first.
    a.steps(5);
    assert_eq!(leader.refresh().unwrap().points, 5);
    assert_eq!(points(&leader, "a"), 105);
}

#[test]
fn many_processes_at_once_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path());
    let mut runs: Vec<Writing> = (0..4)
        .map(|i| Writing::begin(&root, &format!("r{i}")))
        .collect();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..10 {
                    Store::open(root.clone()).unwrap().refresh().unwrap();
                }
            });
        }
        for i in 0..200 {
            runs[i % 4].steps(100);
        }
    });
    let store = Store::open(root.clone()).unwrap();
    store.refresh().unwrap();
    for i in 0..4 {
        let id = format!("r{i}");
        assert_eq!(points(&store, &id), 5000);
        let view = RunView::open(root.run(&project(), &key(&id).run)).unwrap();
        common::reference::check_chart(&view, &store, &query(&key(&id), "loss", 100));
    }
}

#[test]
fn a_database_that_is_damaged_is_set_aside_and_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path());
    let mut a = Writing::begin(&root, "a");
    a.steps(100);
    a.end();
    Store::open(root.clone()).unwrap().refresh().unwrap();
    let path = folder.path().join("index.sqlite");
    for spoil in [
        |bytes: &mut Vec<u8>| bytes.splice(..16, *b"not a database !").for_each(drop),
        |bytes: &mut Vec<u8>| bytes.iter_mut().skip(100).for_each(|b| *b = 0xA5),
        |bytes: &mut Vec<u8>| bytes.truncate(5000),
    ] {
        let mut bytes = fs::read(&path).unwrap();
        spoil(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        let store = Store::open(root.clone()).unwrap();
        store.refresh().unwrap();
        assert_eq!(points(&store, "a"), 100);
        assert!(folder.path().join("index.sqlite.damaged").exists());
    }
}

#[test]
fn an_index_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path());
    drop(Store::open(root.clone()).unwrap());
    let database = rusqlite::Connection::open(folder.path().join("index.sqlite")).unwrap();
    database
        .execute("UPDATE meta SET value = 99 WHERE name = 'schema'", [])
        .unwrap();
    drop(database);
    let error = Store::open(root).unwrap_err();
    assert!(
        matches!(error, StoreError::Newer { found: 99, .. }),
        "{error}"
    );
}

#[test]
fn a_run_that_comes_back_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path());
    let store = Store::open(root.clone()).unwrap();
    let mut a = Writing::begin(&root, "a");
    a.steps(5000);
    a.end();
    store.refresh().unwrap();
    assert_eq!(store.run(&key("a")).unwrap().state, State::Finished);
    let mut again = Writing::begin(&root, "a");
    append(
        &mut again.log,
        &[Record::Resume(Resume {
            time: Timestamp::now(),
            from_step: Some(4500),
        })],
    );
    again.next = 4500;
    again.steps(700);
    let refreshed = store.refresh().unwrap();
    assert_eq!(refreshed.changes[0].kind, ChangeKind::Update);
    let document = store.run(&key("a")).unwrap();
    assert_eq!(
        (&document.state, points(&store, "a")),
        (&State::Running, 5200)
    );
    assert_eq!(
        (document.resumed.len(), document.last_step),
        (1, Some(5199))
    );
}

#[test]
fn an_index_that_knows_more_than_a_loss_of_power_left_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path());
    let mut a = Writing::begin(&root, "a");
    a.steps(1000);
    drop(a);
    let store = Store::open(root.clone()).unwrap();
    store.refresh().unwrap();
    assert_eq!(points(&store, "a"), 1000);
    drop(store);

    // The last pages of the log had not come to the disk; those of the index had.
    let key = key("a");
    let segment = root.run(&key.project, &key.run).segment(Rank(0), 0);
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(segment)
        .unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    let mut again = Writing::begin(&root, "a");
    again.steps(10);
    again.end();
    let store = Store::open(root).unwrap();
    store.refresh().unwrap();
    let fresh = tempfile::tempdir().unwrap();
    let checked = store.check(fresh.path()).unwrap();
    assert_eq!((checked.runs, checked.differences), (1, Vec::new()));
}
