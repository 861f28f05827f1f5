//! Any payloads, each after its length (2 bytes), sent to a server in pieces: a length of more than 32,767 ends a piece, and one of
//! 65,535 spoils its last byte. The server keeps whole frames in order and nothing else, and indexes them.
#![no_main]

#[path = "../../crates/cresset-record/tests/common/plain.rs"]
#[allow(dead_code, reason = "written for the tests")]
mod plain;
#[path = "../../crates/cresset-record/tests/common/raw.rs"]
#[allow(dead_code, reason = "written for the tests")]
mod raw;

use std::cell::Cell;
use std::sync::LazyLock;
use std::time::Duration;

use cresset_record::{DamageKind, Project, Rank, Root, RunId, SegmentPart, read_segment};
use cresset_store::{RunKey, Store};
use libfuzzer_sys::fuzz_target;

static STORE: LazyLock<Store> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("cresset-fuzz-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder for temporary files");
    Store::open(Root::new(path)).expect("a store")
});

thread_local! {
    static RUNS: Cell<u64> = const { Cell::new(0) };
}

fuzz_target!(|input: &[u8]| {
    let number = RUNS.replace(RUNS.get() + 1);
    let key = RunKey {
        project: Project::try_from("fuzz".to_owned()).expect("a name"),
        run: RunId::try_from(format!("r{number}")).expect("an id"),
    };
    let head = raw::head(1, 0, 0, &[]);
    let mut piece = head.clone();
    let mut rest = input;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = u16::from_le_bytes(*length);
        let (payload, after) = after.split_at(usize::from(length % 32_768).min(after.len()));
        piece.extend(raw::frame(payload));
        if length == u16::MAX {
            *piece.last_mut().expect("a head") ^= 1;
        }
        if length > 32_767 || after.len() < 2 {
            send(&key, &piece);
            piece.clone_from(&head);
        }
        rest = after;
    }
    let dir = STORE.root().run(&key.project, &key.run);
    if let Ok(file) = std::fs::File::open(dir.segment(Rank(0), 0)) {
        let mut last = None;
        for part in read_segment(file, "kept") {
            match part.expect("a log of our version") {
                SegmentPart::Frame { frame, .. } => {
                    assert!(last < Some(frame.sequence));
                    last = Some(frame.sequence);
                }
                SegmentPart::Damage { kind, .. } => {
                    assert!(matches!(kind, DamageKind::Malformed { .. }), "{kind:?}");
                }
                SegmentPart::Head(_) => {}
            }
        }
        let known = STORE.taken_in(&key).expect("a log that can be read");
        assert_eq!(known, [(Rank(0), last)]);
    }
    STORE.let_go_of_silent(Duration::ZERO);
    STORE.refresh().expect("an index that can be written");
    let _ = STORE.run(&key);
    let _ = std::fs::remove_dir_all(dir.path());
});

fn send(key: &RunKey, piece: &[u8]) {
    let first = STORE.take_in(key, Rank(0), 0, None, piece, "fuzz");
    // An answer that was lost on its way: what comes twice changes nothing.
    let again = STORE.take_in(key, Rank(0), 0, None, piece, "fuzz");
    match (first, again) {
        (Ok(first), Ok(again)) => assert_eq!(first.last, again.last),
        (Err(_), Err(_)) => {}
        other => panic!("{other:?}"),
    }
}
