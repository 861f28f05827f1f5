//! What a team needs: who may what, who did what, how much room there is, and what goes with time.

mod common;

use std::fs;
use std::time::Duration;

use common::{key, project};
use cresset_record::*;
use cresset_store::*;
use serde_json::json;
use tempfile::TempDir;

const DAY: i64 = 86_400_000_000;
const HOUR: Duration = Duration::from_secs(3600);

fn folder() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(Root::new(dir.path())).unwrap();
    (dir, store)
}

fn named(name: &str) -> Project {
    Project::try_from(name.to_owned()).unwrap()
}

fn grant(project: Option<&str>, role: Role) -> Grant {
    Grant {
        scope: project.map_or(KeyScope::All, |name| KeyScope::Project(named(name))),
        role,
    }
}

/// A media value: its key, step, days ago, role of a file or none for text, bytes.
type Value<'a> = (&'a str, u64, i64, Option<&'a str>, &'a [u8]);

/// A run with media.
fn run_with_media(store: &Store, id: &str, media: &[Value<'_>]) -> RunDir {
    let run = key(id);
    let dir = store.root().run(&run.project, &run.run);
    fs::create_dir_all(dir.path()).unwrap();
    let mut log = LogWriter::create(&dir, Rank(0)).unwrap();
    let now = Timestamp::now();
    let start = Start {
        run: run.run,
        project: run.project,
        name: id.to_owned(),
        rank: Rank(0),
        world_size: None,
        time: now,
        group: None,
        job_type: None,
        tags: Vec::new(),
        notes: String::new(),
        config: serde_json::Map::new(),
        cresset_version: "0.1.0".into(),
    };
    let mut frame = FrameBuilder::default();
    frame.push(&Record::Start(Box::new(start))).unwrap();
    let mut keys: Vec<&str> = Vec::new();
    for &(name, step, days, role, bytes) in media {
        let id = keys
            .iter()
            .position(|known| *known == name)
            .unwrap_or_else(|| {
                keys.push(name);
                let record = Record::Key {
                    id: KeyId(keys.len() as u32 - 1),
                    key: Key::try_from(name.to_owned()).unwrap(),
                };
                frame.push(&record).unwrap();
                keys.len() - 1
            });
        let detail = match role {
            Some(role) => MediaDetail::File {
                name: "model.safetensors".into(),
                role: Some(role.to_owned()),
                metadata: serde_json::Map::new(),
            },
            None => MediaDetail::Text,
        };
        let record = Record::Media {
            key: KeyId(id as u32),
            step,
            time: Timestamp(now.0 - days * DAY),
            media: Box::new(Media {
                content: Content::Blob(dir.blobs().put(bytes, "text/plain").unwrap()),
                caption: None,
                detail,
            }),
        };
        frame.push(&record).unwrap();
    }
    log.append(&mut frame).unwrap();
    store.refresh().unwrap();
    dir
}

#[test]
fn a_user_may_what_grants_say_and_keys_narrow() {
    let (_dir, store) = folder();
    let grants = [
        grant(None, Role::Read),
        grant(Some("solder"), Role::Write),
        grant(Some("secret"), Role::Admin),
    ];
    store.set_user("alice", &grants).unwrap();
    let make = |name: &str, role, scope, owner: Option<&str>| {
        let new = NewKey {
            owner: owner.map(str::to_owned),
            ..NewKey::new(name, role, scope)
        };
        store.create_key(new).map(|(_, secret)| secret)
    };
    let whole = make("laptop", Role::Admin, KeyScope::All, Some("alice")).unwrap();
    let narrow = make(
        "ci",
        Role::Read,
        KeyScope::Project(named("solder")),
        Some("alice"),
    )
    .unwrap();
    let robot = make("robot", Role::Write, KeyScope::All, None).unwrap();
    assert!(matches!(
        make("x", Role::Read, KeyScope::All, Some("bob")),
        Err(StoreError::NotFound(_))
    ));
    let role = |secret: &str, project: &str| {
        let access = store.verify_key(secret).unwrap()?;
        access.role_in(&named(project))
    };
    assert_eq!(role(&whole, "solder"), Some(Role::Write));
    assert_eq!(role(&whole, "else"), Some(Role::Read));
    assert_eq!(role(&whole, "secret"), Some(Role::Admin));
    assert_eq!(role(&narrow, "solder"), Some(Role::Read));
    assert_eq!(role(&narrow, "secret"), None);
    assert_eq!(role(&robot, "secret"), Some(Role::Write));

    // A private project is not there for those who may only "everything".
    let private = ProjectSettings {
        private: true,
        ..ProjectSettings::default()
    };
    store.set_project(&named("secret"), &private).unwrap();
    store.set_project(&named("else"), &private).unwrap();
    assert_eq!(role(&robot, "secret"), None);
    assert_eq!(role(&whole, "secret"), Some(Role::Admin));
    assert_eq!(role(&whole, "else"), None);
    let boss = make("boss", Role::Admin, KeyScope::All, None).unwrap();
    assert_eq!(role(&boss, "else"), Some(Role::Admin));
    let access = store.verify_key(&robot).unwrap().unwrap();
    assert_eq!(
        (access.role(), access.role_everywhere()),
        (Some(Role::Write), None)
    );
    let access = store.verify_key(&boss).unwrap().unwrap();
    assert_eq!(access.role_everywhere(), Some(Role::Admin));

    // Fewer grants count at once, and whoever goes takes all keys along.
    store.set_user("alice", &[grant(None, Role::Read)]).unwrap();
    assert_eq!(role(&whole, "solder"), Some(Role::Read));
    assert_eq!(store.users().unwrap()[0].keys, 2);
    assert_eq!(store.remove_user("alice").unwrap(), 2);
    assert_eq!(store.verify_key(&whole).unwrap(), None);
    assert!(store.verify_key(&robot).unwrap().is_some());
    let twice = [grant(None, Role::Read), grant(None, Role::Write)];
    assert!(store.set_user("bob", &twice).is_err());
    assert!(store.users().unwrap().is_empty());
}

#[test]
fn a_key_whose_time_is_over_opens_nothing() {
    let (_dir, store) = folder();
    let until = |seconds: i64| {
        let new = NewKey {
            expires: Some(Timestamp(Timestamp::now().0 + seconds * 1_000_000)),
            ..NewKey::new(format!("k{seconds}"), Role::Read, KeyScope::All)
        };
        store.create_key(new).unwrap().1
    };
    assert!(store.verify_key(&until(3600)).unwrap().is_some());
    assert_eq!(store.verify_key(&until(-1)).unwrap(), None);
}

/// The same store, asked over the network.
fn over_the_network(store: &Store, via: Via) -> Store {
    store.by(Actor {
        name: "boss".into(),
        via,
        address: None,
    })
}

#[test]
fn over_the_network_somebody_stays_admin() {
    let (_dir, store) = folder();
    let open = over_the_network(&store, Via::Open);
    let there = over_the_network(&store, Via::Key);
    let conflict = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::Conflict(_))), "{result:?}");
    };
    let make = |store: &Store, name: &str, role, owner: Option<&str>, ends: Option<i64>| {
        let new = NewKey {
            owner: owner.map(str::to_owned),
            expires: ends.map(|seconds| Timestamp(Timestamp::now().0 + seconds * 1_000_000)),
            ..NewKey::new(name, role, KeyScope::All)
        };
        store.create_key(new).map(drop)
    };
    conflict(make(&open, "first", Role::Write, None, None));
    conflict(make(&open, "first", Role::Admin, None, Some(-1)));
    assert!(
        store.keys().unwrap().is_empty(),
        "what is refused leaves nothing"
    );
    make(&open, "first", Role::Admin, None, None).unwrap();
    // Neither a key that has ended nor one of somebody who may less is another.
    make(&there, "ended", Role::Admin, None, Some(-1)).unwrap();
    store
        .set_user("alice", &[grant(Some("solder"), Role::Admin)])
        .unwrap();
    make(&there, "alice", Role::Admin, Some("alice"), None).unwrap();
    conflict(there.revoke_key("first"));
    store
        .set_user("alice", &[grant(None, Role::Admin)])
        .unwrap();
    there.revoke_key("first").unwrap();
    conflict(there.revoke_key_of("alice", "alice"));
    conflict(there.set_user("alice", &[]));
    conflict(there.remove_user("alice").map(drop));
    assert_eq!(store.users().unwrap()[0].grants, [grant(None, Role::Admin)]);
    assert_eq!(store.keys().unwrap().len(), 2);
    // What was refused is no change.
    let query = AuditQuery {
        who: Some("boss".into()),
        limit: 100,
        ..AuditQuery::default()
    };
    let actions: Vec<String> = store
        .audit(&query)
        .unwrap()
        .into_iter()
        .map(|entry| entry.action)
        .collect();
    assert_eq!(
        actions,
        ["key.revoke", "key.create", "key.create", "key.create"]
    );
    store.revoke_key("alice").unwrap();
    store.remove_user("alice").unwrap();
}

#[test]
fn who_logged_in_needs_no_key_to_stay_admin() {
    let (_dir, store) = folder();
    let there = over_the_network(&store, Via::Login);
    store.set_user("boss", &[grant(None, Role::Admin)]).unwrap();
    // The first key: logins are asked for already.
    let reader = NewKey::new("reader", Role::Read, KeyScope::All);
    there.create_key(reader).unwrap();
    let admin = NewKey::new("admin", Role::Admin, KeyScope::All);
    there.create_key(admin).unwrap();
    there.revoke_key("admin").unwrap();
    let lowered = there.set_user("boss", &[grant(None, Role::Read)]);
    assert!(
        matches!(lowered, Err(StoreError::Conflict(_))),
        "{lowered:?}"
    );
}

#[test]
fn settings_are_changed_only_as_they_were_seen() {
    let (_dir, store) = folder();
    let none = ProjectSettings::default();
    let quota = ProjectSettings {
        quota: Some(1 << 30),
        ..none.clone()
    };
    store.change_project(&project(), &none, &quota).unwrap();
    let late = store.change_project(&project(), &none, &none);
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    assert_eq!(store.project_settings(&project()).unwrap(), quota);
    store.change_project(&project(), &quota, &none).unwrap();
    assert_eq!(store.project_settings(&project()).unwrap(), none);
    let query = AuditQuery {
        action: Some("project.set".into()),
        limit: 100,
        ..AuditQuery::default()
    };
    assert_eq!(store.audit(&query).unwrap().len(), 2);
}

#[test]
fn changes_say_who_made_them() {
    let (_dir, store) = folder();
    run_with_media(&store, "r1", &[]);
    let alice = Actor {
        name: "alice-laptop".into(),
        via: Via::Key,
        address: Some("192.0.2.7".parse().unwrap()),
    };
    let hers = store.by(alice.clone());
    let patch = LabelPatch {
        tags: Some(vec!["baseline".into()]),
        ..LabelPatch::default()
    };
    hers.label(&key("r1"), &patch).unwrap();
    hers.save_view(&project(), "mine", &json!({})).unwrap();
    hers.delete(&key("r1")).unwrap();
    hers.restore(&key("r1")).unwrap();
    store
        .create_key(NewKey::new("ci", Role::Read, KeyScope::All))
        .unwrap();
    store.revoke_key("ci").unwrap();
    // What is refused is no change.
    assert!(hers.restore(&key("r1")).is_err());
    assert!(store.revoke_key("ci").is_err());

    let all = AuditQuery {
        limit: 100,
        ..AuditQuery::default()
    };
    let entries = store.audit(&all).unwrap();
    let actions: Vec<&str> = entries.iter().map(|entry| entry.action.as_str()).collect();
    let expected = [
        "key.revoke",
        "key.create",
        "run.restore",
        "run.delete",
        "view.save",
        "run.label",
    ];
    assert_eq!(actions, expected);
    let label = entries.last().unwrap();
    assert_eq!(label.actor, alice);
    assert_eq!(label.detail, r#"{"tags":["baseline"]}"#);
    assert_eq!(
        (&label.project, &label.run),
        (&Some(project()), &Some(key("r1").run))
    );
    assert_eq!(entries[0].actor.via, Via::Shell);

    let some = |query: AuditQuery| store.audit(&query).unwrap().len();
    let run = Some(key("r1").run);
    assert_eq!(some(AuditQuery { run, ..all.clone() }), 3);
    assert_eq!(
        some(AuditQuery {
            who: Some("alice-laptop".into()),
            ..all.clone()
        }),
        4
    );
    assert_eq!(
        some(AuditQuery {
            before: Some(3),
            ..all.clone()
        }),
        2
    );
    assert_eq!(
        some(AuditQuery {
            limit: 1,
            ..all.clone()
        }),
        1
    );
    assert_eq!(
        some(AuditQuery {
            project: Some(named("none")),
            ..all.clone()
        }),
        0
    );
    // Making the index anew forgets nothing of it.
    store.rebuild().unwrap();
    assert_eq!(some(all), 6);
}

#[test]
fn what_is_over_the_quota_is_refused_and_may_come_again() {
    let (_dir, store) = folder();
    let (there, sender) = folder();
    let log = run_with_media(&sender, "r1", &[]);
    let bytes = fs::read(log.segment(Rank(0), 0)).unwrap();
    let quota = |quota| {
        let settings = ProjectSettings {
            quota,
            ..ProjectSettings::default()
        };
        store.set_project(&project(), &settings).unwrap();
    };
    quota(Some(bytes.len() as u64 - 1));
    let send = || store.take_in(&key("r1"), Rank(0), 0, None, &bytes, "box");
    let refused = send().unwrap_err();
    assert!(matches!(refused, StoreError::Full(_)), "{refused}");
    assert!(refused.to_string().contains("quota"), "{refused}");
    assert!(!store.root().run(&project(), &key("r1").run).path().exists());
    quota(None);
    send().unwrap();
    // Whoever has no room left is refused, and is there all the same.
    quota(Some(1));
    assert!(send().is_err());
    let beat = store.take_in(&key("r1"), Rank(0), 0, None, &[], "box");
    assert!(beat.unwrap().last.is_some());
    // What is there counts, and so does what comes.
    quota(Some(bytes.len() as u64 + 1_000));
    let blob = |size: usize| {
        let bytes = vec![size as u8; size];
        let mut blob = store.receive_blob(&key("r1"), Digest::of(&bytes), 0)?;
        blob.write(&bytes)?;
        blob.keep()
    };
    assert!(matches!(blob(2_000), Err(StoreError::Full(_))));
    blob(100).unwrap();
    drop(there);
}

#[test]
fn old_checkpoints_and_media_go_and_the_run_says_so() {
    let (_dir, store) = folder();
    let checkpoint = Some("checkpoint");
    let media: &[Value<'_>] = &[
        ("model", 1, 9, checkpoint, b"one"),
        ("model", 2, 8, checkpoint, b"two"),
        ("model", 3, 7, checkpoint, b"three"),
        // The same bytes as an old one, and kept: so those stay.
        ("model", 4, 6, checkpoint, b"one"),
        ("best", 1, 9, checkpoint, b"best"),
        ("data", 1, 99, Some("dataset"), b"a data set"),
        ("samples", 1, 40, None, b"an old picture"),
        ("samples", 2, 1, None, b"a new picture"),
    ];
    let dir = run_with_media(&store, "r1", media);
    let kept = run_with_media(&store, "r2", media);
    let tagged = LabelPatch {
        tags: Some(vec![KEEP_TAG.into()]),
        ..LabelPatch::default()
    };
    store.label(&key("r2"), &tagged).unwrap();

    let settings = ProjectSettings {
        keep_checkpoints: Some(2),
        media_days: Some(30),
        ..ProjectSettings::default()
    };
    assert!(
        store
            .expired(&project(), &ProjectSettings::default())
            .unwrap()
            .is_empty()
    );
    let expired = store.expired(&project(), &settings).unwrap();
    let mut what: Vec<(&str, u64, &str)> = expired
        .iter()
        .map(|blob| (blob.key.as_str(), blob.step, blob.why.as_str()))
        .collect();
    what.sort_unstable();
    assert_eq!(
        what,
        [
            ("model", 2, "the last 2 checkpoints are kept"),
            ("samples", 1, "media are kept for 30 days"),
        ]
    );
    // Asking changes nothing; setting it does, when the rules are next followed.
    assert_eq!(store.follow_retention().unwrap(), (0, 0));
    store.set_project(&project(), &settings).unwrap();
    assert_eq!(store.follow_retention().unwrap(), (2, 3 + 14));
    assert_eq!(store.follow_retention().unwrap(), (0, 0));

    let two = Digest::of(b"two");
    let error = store.blob(&key("r1"), &two).unwrap_err().to_string();
    assert!(
        error.contains("was removed on 20") && error.contains("the last 2 checkpoints"),
        "{error}"
    );
    for there in [
        &b"one"[..],
        b"three",
        b"best",
        b"a data set",
        b"a new picture",
    ] {
        assert!(store.blob(&key("r1"), &Digest::of(there)).is_ok());
    }
    assert_eq!(kept.blobs().path(&two).metadata().unwrap().len(), 3);
    // A sender does not bring it back.
    assert!(store.missing_blobs(&key("r1"), &[two]).is_empty());
    let noted = Removed::read(&dir).unwrap();
    assert_eq!(noted.len(), 2);
    let audit = AuditQuery {
        run: Some(key("r1").run),
        limit: 10,
        ..AuditQuery::default()
    };
    let entry = store.audit(&audit).unwrap().remove(0);
    assert_eq!(
        (entry.action.as_str(), entry.actor.via),
        ("run.expire", Via::Rule)
    );
    for bad in [(Some(0), None), (None, Some(0)), (None, Some(40_000))] {
        let settings = ProjectSettings {
            keep_checkpoints: bad.0,
            media_days: bad.1,
            ..ProjectSettings::default()
        };
        assert!(store.set_project(&project(), &settings).is_err(), "{bad:?}");
    }
}

#[test]
fn a_login_is_what_its_user_is_until_it_ends() {
    let (dir, store) = folder();
    store
        .set_user("alice@example.org", &[grant(None, Role::Read)])
        .unwrap();
    let stranger = store.log_in("bob@example.org", HOUR);
    assert!(matches!(stranger, Err(StoreError::NotFound(_))));
    let secret = store.log_in("alice@example.org", HOUR).unwrap();
    assert!(secret.starts_with("crl_") && secret.len() == 68, "{secret}");
    let role = |secret: &str| store.verify_key(secret).unwrap()?.role_everywhere();
    let access = store.verify_key(&secret).unwrap().unwrap();
    assert_eq!(
        (access.is_login, access.key.owner.as_deref()),
        (true, Some("alice@example.org"))
    );
    assert_eq!(role(&secret), Some(Role::Read));
    // More counts with the next question.
    store
        .set_user("alice@example.org", &[grant(None, Role::Admin)])
        .unwrap();
    assert_eq!(role(&secret), Some(Role::Admin));
    // It is nobody's key: no list has it, and where it is the only thing there is no key.
    assert!(store.keys().unwrap().is_empty() && !store.has_keys().unwrap());
    assert_eq!(store.users().unwrap()[0].keys, 0);
    for wrong in ["crl_", &secret[..67], &secret.replace("crl_", "crs_")] {
        assert_eq!(store.verify_key(wrong).unwrap(), None, "{wrong}");
    }
    for file in fs::read_dir(dir.path()).unwrap().flatten() {
        let bytes = fs::read(file.path()).unwrap_or_default();
        let secret = secret.as_bytes();
        assert!(
            !bytes.windows(secret.len()).any(|part| part == secret),
            "{file:?}"
        );
    }

    let over = store.log_in("alice@example.org", Duration::ZERO).unwrap();
    assert_eq!(role(&over), None);
    assert!(store.log_out(&secret).unwrap() && !store.log_out(&secret).unwrap());
    assert_eq!(role(&secret), None);
    let again = store.log_in("alice@example.org", HOUR).unwrap();
    store.remove_user("alice@example.org").unwrap();
    assert_eq!(role(&again), None);
    // A user of the same name is another one.
    store.set_user("alice@example.org", &[]).unwrap();
    assert_eq!(store.verify_key(&again).unwrap(), None);

    let all = AuditQuery {
        limit: 99,
        ..AuditQuery::default()
    };
    let entries = store.audit(&all).unwrap();
    let of_logins: Vec<(&str, &str)> = entries
        .iter()
        .map(|e| (e.action.as_str(), e.detail.as_str()))
        .filter(|(action, _)| action.starts_with("log"))
        .collect();
    let name = "alice@example.org";
    assert_eq!(
        of_logins,
        [
            ("login", name),
            ("logout", name),
            ("login", name),
            ("login", name)
        ]
    );
}

#[test]
fn a_user_has_so_many_logins_and_no_more() {
    let (dir, store) = folder();
    store.set_user("alice", &[]).unwrap();
    store.set_user("bob", &[]).unwrap();
    let of_bob = store.log_in("bob", HOUR).unwrap();
    let over = store.log_in("bob", Duration::ZERO).unwrap();
    let logins: Vec<String> = (0..25)
        .map(|_| store.log_in("alice", HOUR).unwrap())
        .collect();
    let is_good = |secret: &String| store.verify_key(secret).unwrap().is_some();
    assert!(!logins[..5].iter().any(is_good), "the oldest end");
    assert!(logins[5..].iter().all(is_good) && is_good(&of_bob));
    let database = rusqlite::Connection::open(dir.path().join("index.sqlite")).unwrap();
    let kept = |holder: &str| -> i64 {
        let sql = "SELECT COUNT(*) FROM logins WHERE holder = ?1";
        database.query_row(sql, [holder], |row| row.get(0)).unwrap()
    };
    // What is over is swept with the next login of anybody.
    assert_eq!((kept("alice"), kept("bob")), (20, 1));
    assert!(!is_good(&over));

    // A rebuild keeps them; a backup does not have them, or what was ended would begin again.
    store.rebuild().unwrap();
    assert!(is_good(&of_bob));
    let away = tempfile::tempdir().unwrap();
    let made = store.back_up(away.path()).unwrap();
    let restored = restore_backup(&made.path, &Root::new(away.path().join("restored"))).unwrap();
    assert_eq!(restored.verify_key(&of_bob).unwrap(), None);
    restored.log_in("bob", HOUR).unwrap();
}

#[test]
fn an_index_of_the_first_version_is_taken_over() {
    let (dir, store) = folder();
    let (_, secret) = store
        .create_key(NewKey::new("old", Role::Write, KeyScope::All))
        .unwrap();
    drop(store);
    // As version 1 had it.
    let database = rusqlite::Connection::open(dir.path().join("index.sqlite")).unwrap();
    let first = "ALTER TABLE access_keys DROP COLUMN owner; ALTER TABLE access_keys DROP COLUMN expires; \
                 DROP TABLE users; DROP TABLE grants; DROP TABLE project_settings; DROP TABLE audit; DROP TABLE logins; \
                 UPDATE meta SET value = 1 WHERE name = 'schema'";
    database.execute_batch(first).unwrap();
    drop(database);
    let store = Store::open(Root::new(dir.path())).unwrap();
    let access = store.verify_key(&secret).unwrap().unwrap();
    assert_eq!((access.key.owner, access.key.expires), (None, None));
    store.set_user("alice", &[]).unwrap();
    store.log_in("alice", HOUR).unwrap();
}
