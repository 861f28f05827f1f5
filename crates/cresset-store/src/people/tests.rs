use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use cresset_record::{
    End, FrameBuilder, Holder, LogWriter, Outcome, Project, Rank, Record, Root, Start, State,
    Timestamp, WriterLock,
};
use serde_json::{Map, json};
use tempfile::TempDir;

use super::*;
use crate::table::fixture::key;
use crate::{Store, TableQuery};

/// A folder of runs and its store.
struct Folder {
    store: Store,
    _dir: TempDir,
}

/// A run that is being written.
struct Live {
    _lock: WriterLock,
    writer: LogWriter,
}

fn folder() -> Folder {
    let dir = TempDir::new().unwrap();
    let store = Store::open(Root::new(dir.path())).unwrap();
    Folder { store, _dir: dir }
}

impl Folder {
    /// Begins a run, which goes on.
    fn begin(&self, project: &str, id: &str) -> Live {
        let key = key(project, id);
        let dir = self.store.root().run(&key.project, &key.run);
        fs::create_dir_all(dir.path()).unwrap();
        let now = Timestamp::now();
        let holder = Holder {
            pid: std::process::id(),
            host: "box".into(),
            since: now,
        };
        let lock = WriterLock::acquire(&dir, Rank(0), &holder).unwrap();
        let mut writer = LogWriter::create(&dir, Rank(0)).unwrap();
        let start = Start {
            run: key.run,
            project: key.project,
            name: format!("{id}-name"),
            rank: Rank(0),
            world_size: None,
            time: now,
            group: Some("g1".into()),
            job_type: None,
            tags: vec!["v3".into()],
            notes: "as the program says".into(),
            config: Map::new(),
            cresset_version: "0.1.0".into(),
        };
        write(&mut writer, Record::Start(Box::new(start)));
        dir.blobs().put(b"a picture", "image/png").unwrap();
        self.store.refresh().unwrap();
        Live {
            _lock: lock,
            writer,
        }
    }

    /// A run that came to its end.
    fn finished(&self, project: &str, id: &str) {
        let mut live = self.begin(project, id);
        let end = End {
            time: Timestamp::now(),
            outcome: Outcome::Finished,
        };
        write(&mut live.writer, Record::End(end));
        drop(live);
        self.store.refresh().unwrap();
    }

    fn path(&self, project: &str, id: &str) -> PathBuf {
        let key = key(project, id);
        let dir = self.store.root().run(&key.project, &key.run);
        dir.path().to_owned()
    }

    /// Names of the runs of a project, by id.
    fn names(&self, project: &str) -> Vec<String> {
        let query = TableQuery {
            sort: vec!["id".into()],
            limit: 100,
            ..TableQuery::default()
        };
        let project = Project::try_from(project.to_owned()).unwrap();
        let page = self.store.runs(&project, &query).unwrap();
        page.runs.iter().map(|run| run.head.name.clone()).collect()
    }
}

fn write(writer: &mut LogWriter, record: Record) {
    let mut frame = FrameBuilder::default();
    frame.push(&record).unwrap();
    writer.append(&mut frame).unwrap();
}

#[track_caller]
fn message<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn what_a_person_says_wins_field_by_field() {
    let folder = folder();
    folder.finished("solder", "r1");
    let (store, r1) = (&folder.store, key("solder", "r1"));
    let before = store.run(&r1).unwrap();
    assert_eq!((before.name.as_str(), before.tags.len()), ("r1-name", 1));
    let renamed = LabelPatch {
        name: Some("the good one".into()),
        tags: Some(vec!["v4".into(), "best".into(), "v4".into()]),
        ..LabelPatch::default()
    };
    store.label(&r1, &renamed).unwrap();
    let ungrouped = LabelPatch {
        group: Some(None),
        ..LabelPatch::default()
    };
    store.label(&r1, &ungrouped).unwrap();
    let after = store.run(&r1).unwrap();
    assert_eq!(after.name, "the good one");
    assert_eq!(
        (after.tags.join(" "), &after.group),
        ("v4 best".into(), &None)
    );
    assert_eq!(after.notes, "as the program says");
    assert!(after.version > before.version && store.version().unwrap() >= after.version);
    assert_eq!(folder.names("solder"), ["the good one"]);
    // It survives a rebuild.
    store.rebuild().unwrap();
    assert_eq!(store.run(&r1).unwrap().name, "the good one");
    assert_eq!(folder.names("solder"), ["the good one"]);
}

#[test]
fn labels_are_checked() {
    let folder = folder();
    folder.finished("solder", "r1");
    let label = |patch: LabelPatch| folder.store.label(&key("solder", "r1"), &patch);
    let name = |text: String| LabelPatch {
        name: Some(text),
        ..LabelPatch::default()
    };
    assert!(message(label(name(" ".into()))).contains("is empty"));
    assert!(message(label(name("x".repeat(257)))).contains("257 bytes"));
    assert!(message(label(name("a\u{7}".into()))).contains("control character"));
    let tags = |tags: Vec<String>| LabelPatch {
        tags: Some(tags),
        ..LabelPatch::default()
    };
    assert!(message(label(tags(vec!["t".into(); 101]))).contains("101"));
    let notes = LabelPatch {
        notes: Some("x".repeat(65_537)),
        ..LabelPatch::default()
    };
    assert!(message(label(notes)).contains("65537 bytes"));
    let unknown = folder
        .store
        .label(&key("solder", "none"), &LabelPatch::default());
    assert!(matches!(unknown, Err(StoreError::NotFound(_))));
}

#[test]
fn a_deleted_run_can_be_taken_back_until_it_is_purged() {
    let folder = folder();
    let store = &folder.store;
    folder.finished("solder", "r1");
    folder.finished("solder", "r2");
    let r1 = key("solder", "r1");
    store.delete(&r1).unwrap();
    store.delete(&r1).unwrap();
    assert_eq!(folder.names("solder"), ["r2-name"]);
    assert_eq!(store.run(&r1).unwrap().name, "r1-name", "it is still known");
    let trash = store.trash().unwrap();
    assert_eq!(trash.len(), 1);
    assert_eq!((&trash[0].key, trash[0].name.as_str()), (&r1, "r1-name"));
    assert!(trash[0].bytes > 100);
    let delay = trash[0].purged_after.seconds_since(trash[0].deleted);
    assert_eq!(Duration::from_secs_f64(delay), store.trash_delay());
    store.rebuild().unwrap();
    assert_eq!(folder.names("solder"), ["r2-name"]);

    store.restore(&r1).unwrap();
    assert_eq!(folder.names("solder"), ["r1-name", "r2-name"]);
    assert!(matches!(store.restore(&r1), Err(StoreError::NotFound(_))));
    assert!(matches!(store.purge(&r1), Err(StoreError::NotFound(_))));

    store.delete(&r1).unwrap();
    store.purge(&r1).unwrap();
    assert!(!folder.path("solder", "r1").exists());
    assert!(matches!(store.run(&r1), Err(StoreError::NotFound(_))));
    assert!(store.trash().unwrap().is_empty());
    store.refresh().unwrap();
    assert_eq!(folder.names("solder"), ["r2-name"]);
    assert_eq!(store.root().runs().unwrap().len(), 1);
    let ordinal = store.run(&key("solder", "r2")).unwrap().ordinal;
    assert_eq!(ordinal, 1, "places are not given again");
}

#[test]
fn what_is_old_enough_is_purged_and_what_was_left_is_removed() {
    let folder = folder();
    let store = &folder.store;
    folder.finished("solder", "r1");
    folder.finished("solder", "r2");
    let r1 = key("solder", "r1");
    store.delete(&r1).unwrap();
    // Half a folder, as a process leaves it that is killed.
    let left = store.root().path().join(".trash/purged/old-1");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("rank-0.000000.log"), "x").unwrap();
    assert_eq!(store.root().runs().unwrap().len(), 2, "it is no run");
    let purged_after = store.trash().unwrap()[0].purged_after;
    let early = store
        .purge_expired_at(Timestamp(purged_after.0 - 1))
        .unwrap();
    assert!(early.is_empty() && folder.path("solder", "r1").exists());
    assert_eq!(store.purge_expired_at(purged_after).unwrap(), [r1]);
    assert!(!folder.path("solder", "r1").exists() && !left.exists());
    assert!(folder.path("solder", "r2").exists());
}

#[test]
fn a_run_that_is_being_written_is_not_deleted_but_can_be_stopped() {
    let folder = folder();
    let store = &folder.store;
    let live = folder.begin("solder", "r1");
    let r1 = key("solder", "r1");
    let refused = store.delete(&r1);
    assert!(
        matches!(&refused, Err(StoreError::Conflict(why)) if why.contains("r1-name")),
        "{refused:?}"
    );
    assert_eq!(store.stop_requested(&r1).unwrap(), None);
    store.request_stop(&r1, "the sweep is done").unwrap();
    let request = store.stop_requested(&r1).unwrap().unwrap();
    assert_eq!(request.reason, "the sweep is done");
    let file = folder.path("solder", "r1").join("stop.json");
    let json: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(
        json,
        json!({"time": request.time.0, "reason": "the sweep is done"})
    );
    assert_eq!(
        fs::read_dir(folder.path("solder", "r1")).unwrap().count(),
        4,
        "no temporary file"
    );
    // A file without words is a request too; one from before the run is none.
    fs::write(&file, "").unwrap();
    assert!(store.stop_requested(&r1).unwrap().is_some());
    fs::write(&file, r#"{"time": 1, "reason": "old"}"#).unwrap();
    assert_eq!(store.stop_requested(&r1).unwrap(), None);

    drop(live);
    store.refresh().unwrap();
    assert_eq!(store.run(&r1).unwrap().state, State::Crashed);
    assert_eq!(store.stop_requested(&r1).unwrap(), None);
    assert!(matches!(
        store.request_stop(&r1, ""),
        Err(StoreError::Conflict(_))
    ));
    store.delete(&r1).unwrap();
}

#[test]
fn views_are_kept_by_name() {
    let folder = folder();
    let store = &folder.store;
    let project = key("solder", "r1").project;
    store
        .save_view(&project, "default", &json!({"panels": [1]}))
        .unwrap();
    store
        .save_view(&project, "default", &json!({"panels": [2]}))
        .unwrap();
    store
        .save_view(&project, "a/b \"c\"", &json!(null))
        .unwrap();
    let views = store.views(&project).unwrap();
    let names: Vec<&str> = views.iter().map(|view| view.name.as_str()).collect();
    assert_eq!(names, ["a/b \"c\"", "default"]);
    assert_eq!(views[1].body, json!({"panels": [2]}));
    assert!(store.views(&key("other", "r1").project).unwrap().is_empty());
    let large = json!("x".repeat(256 << 10));
    assert!(message(store.save_view(&project, "large", &large)).contains("262146 bytes"));
    assert!(message(store.save_view(&project, "", &json!(1))).contains("is empty"));
    store.remove_view(&project, "default").unwrap();
    let gone = store.remove_view(&project, "default");
    assert!(matches!(gone, Err(StoreError::NotFound(_))));
}

#[test]
fn a_key_is_known_by_its_secret_alone() {
    let folder = folder();
    let store = &folder.store;
    let scope = KeyScope::Project(key("solder", "r1").project);
    let (made, secret) = store
        .create_key(NewKey::new("ci", Role::Write, scope.clone()))
        .unwrap();
    assert!(secret.starts_with("crs_") && secret.len() == 68, "{secret}");
    assert_eq!(
        (made.role, &made.scope, made.used),
        (Role::Write, &scope, None)
    );
    let (_, other) = store
        .create_key(NewKey::new("admin", Role::Admin, KeyScope::All))
        .unwrap();
    assert_ne!(secret, other);
    let again = store.create_key(NewKey::new("ci", Role::Read, KeyScope::All));
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");

    let found = store.verify_key(&secret).unwrap().unwrap();
    assert_eq!((found.key.name.as_str(), &found.key.scope), ("ci", &scope));
    let used = store.keys().unwrap()[1].used.unwrap();
    assert!(used.0 % 60_000_000 == 0 && Timestamp::now().seconds_since(used) < 120.0);
    for wrong in ["", "crs_", &secret[..67], &secret.to_uppercase(), "ci"] {
        assert_eq!(store.verify_key(wrong).unwrap(), None, "{wrong}");
    }
    // Nothing in the folder holds the secret.
    for file in fs::read_dir(store.root().path()).unwrap().flatten() {
        let bytes = fs::read(file.path()).unwrap_or_default();
        let holds = bytes
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!holds, "{file:?}");
    }
    store.rebuild().unwrap();
    store.revoke_key("ci").unwrap();
    assert_eq!(store.verify_key(&secret).unwrap(), None);
    assert!(store.verify_key(&other).unwrap().is_some());
    assert!(matches!(
        store.revoke_key("ci"),
        Err(StoreError::NotFound(_))
    ));
}

#[test]
fn what_was_changed_is_told_in_words_and_kept_as_json() {
    let folder = folder();
    folder.finished("solder", "a");
    let store = &folder.store;
    store.refresh().unwrap();
    let run = key("solder", "a");
    let settings = |private, quota, keep_checkpoints, media_days| ProjectSettings {
        private,
        quota,
        keep_checkpoints,
        media_days,
    };
    let all = settings(true, Some(50_000_000_000), Some(3), Some(30));
    store.set_project(&run.project, &all).unwrap();
    let one = settings(false, None, Some(1), None);
    store.set_project(&run.project, &one).unwrap();
    store
        .set_project(&run.project, &ProjectSettings::default())
        .unwrap();
    let patch = LabelPatch {
        tags: Some(vec!["v4".into(), "keep".into()]),
        notes: Some("as agreed".into()),
        ..LabelPatch::default()
    };
    store.label(&run, &patch).unwrap();
    assert_eq!(store.labels().unwrap(), [(run, patch)]);
    let query = AuditQuery {
        limit: 10,
        ..AuditQuery::default()
    };
    let entries = store.audit(&query).unwrap();
    let words: Vec<String> = entries.iter().map(AuditEntry::detail_in_words).collect();
    let expected = [
        "tags v4, keep; notes \"as agreed\"",
        "nothing is set",
        "the last checkpoint of each series",
        "private, at most 46.6 GiB, the last 3 checkpoints of each series, media for 30 days",
    ];
    assert_eq!(words, expected);
    let kept: serde_json::Value = serde_json::from_str(&entries[3].detail).unwrap();
    assert_eq!(kept["keep_checkpoints"], 3);
}

#[test]
fn what_a_key_allows_is_told_in_words() {
    let folder = folder();
    let store = &folder.store;
    store.set_user("alice", &[]).unwrap();
    let solder = || KeyScope::Project(key("solder", "a").project);
    for (role, scope, owner, expected) in [
        (Role::Write, KeyScope::All, None, "write everywhere"),
        (Role::Read, solder(), None, "read in solder"),
        (Role::Admin, KeyScope::All, Some("alice"), "what alice may"),
        (
            Role::Admin,
            solder(),
            Some("alice"),
            "what alice may in solder",
        ),
        (
            Role::Read,
            KeyScope::All,
            Some("alice"),
            "read everywhere, as far as alice may",
        ),
    ] {
        let new = NewKey {
            owner: owner.map(str::to_owned),
            ..NewKey::new(expected, role, scope)
        };
        let (made, _) = store.create_key(new).unwrap();
        assert_eq!(made.may(), expected);
    }
}
