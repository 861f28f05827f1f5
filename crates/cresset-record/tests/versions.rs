//! Logs of other versions.

mod common;

use common::{drain, follow_all, raw, samples};
use cresset_record::*;

fn run_with(bytes: &[u8]) -> (tempfile::TempDir, RunDir) {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path().join("run"));
    std::fs::create_dir(dir.path()).unwrap();
    std::fs::write(dir.segment(Rank(0), 0), bytes).unwrap();
    (temp, dir)
}

fn key_body() -> Vec<u8> {
    [raw::varint(7), b"train/loss".to_vec()].concat()
}

/// A frame with an unknown kind, a kind whose words are new, and a key.
fn frame() -> Vec<u8> {
    let records: &[(u64, &[u8])] = &[
        (99, b"abc"),
        (15, br#"{"time":1,"outcome":{"state":"paused"}}"#),
        (4, &key_body()),
    ];
    raw::frame(&raw::payload(0, records))
}

#[test]
fn a_newer_minor_version_is_read_as_far_as_it_is_understood() {
    let (_temp, dir) = run_with(&[raw::head(1, 7, 0, b"more than we know"), frame()].concat());
    let batch = Follower::new(dir.clone()).next_batch().unwrap().unwrap();
    let expected = [
        Record::Unknown { kind: 99, len: 3 },
        Record::Unknown { kind: 15, len: 39 },
        samples::key(7, "train/loss"),
    ];
    assert_eq!(batch.records, expected);
    assert_eq!(follow_all(&dir).1, []);
}

#[test]
fn in_our_own_version_only_kinds_may_be_unknown() {
    let (_temp, dir) = run_with(&[raw::head(1, 0, 0, &[]), frame()].concat());
    let batch = Follower::new(dir.clone()).next_batch().unwrap().unwrap();
    assert_eq!(
        batch.records,
        [
            Record::Unknown { kind: 99, len: 3 },
            samples::key(7, "train/loss")
        ]
    );
    let damage = follow_all(&dir).1;
    assert_eq!((damage.len(), damage[0].from), (1, 44));
    assert_eq!(damage[0].kind, DamageKind::Malformed { records: 1 });
}

#[test]
fn new_fields_are_ignored() {
    let end =
        br#"{"time":1,"outcome":{"state":"failed","reason":"oom","signal":9},"exit_code":137}"#;
    let (_temp, dir) = run_with(
        &[
            raw::head(1, 0, 0, &[]),
            raw::frame(&raw::payload(0, &[(15, end)])),
        ]
        .concat(),
    );
    assert_eq!(
        RunView::open(dir).unwrap().state(),
        State::Failed("oom".into())
    );
}

#[test]
fn a_newer_major_version_is_refused_by_name() {
    let (_temp, dir) = run_with(&[raw::head(2, 0, 0, &[0; 9000]), frame()].concat());
    let error = RunView::open(dir.clone()).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot read")
            || error.contains("rank-0.000000.log has format version 2"),
        "{error}"
    );
    assert!(
        error.ends_with("this Cresset reads up to 1; update Cresset to read it"),
        "{error}"
    );
    let mut follower = Follower::new(dir.clone());
    for _ in 0..2 {
        assert!(matches!(
            follower.next_batch(),
            Err(LogError::NewerFormat { major: 2, .. })
        ));
    }
    let error = LogWriter::create(&dir, Rank(0)).unwrap_err().to_string();
    assert!(error.contains("format version 2"), "{error}");
    assert_eq!(dir.segments().unwrap().len(), 1, "nothing was added to it");
}

#[test]
fn a_payload_without_a_number_is_malformed() {
    let bytes = [
        raw::head(1, 0, 0, &[]),
        raw::frame(&[]),
        raw::frame(&raw::payload(0, &[(4, &key_body())])),
    ]
    .concat();
    let (_temp, dir) = run_with(&bytes);
    let (seen, damage) = drain(&mut Follower::new(dir));
    assert_eq!(seen.len(), 1);
    let malformed = DamageKind::Malformed { records: 1 };
    assert_eq!(
        damage,
        [Damage {
            rank: Rank(0),
            segment: 0,
            from: 44,
            to: 54,
            kind: malformed
        }]
    );
}
