//! Logs that come from elsewhere: in any cut, any number of times, through restarts.

mod common;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::Duration;

use common::{key, logs, query};
use cresset_record::*;
use cresset_store::*;
use proptest::prelude::*;

/// What goes wrong before a piece.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    None,
    /// The piece came before and its answer was lost.
    Repeated,
    /// One of those that came before comes once more, late, as from a connection that was given up.
    Late(prop::sample::Index),
    /// The server is killed, in the middle of writing these bytes.
    Killed(u8),
    /// The sender begins anew and knows only what the server says.
    Forgotten,
    /// The writer is silent for long.
    Silent,
}

fn troubles() -> impl Strategy<Value = Vec<(Trouble, usize)>> {
    let trouble = prop_oneof![
        4 => Just(Trouble::None),
        2 => Just(Trouble::Repeated),
        2 => any::<prop::sample::Index>().prop_map(Trouble::Late),
        1 => (0..40u8).prop_map(Trouble::Killed),
        1 => Just(Trouble::Forgotten),
        1 => Just(Trouble::Silent),
    ];
    let most = prop_oneof![Just(1), 1..5000usize, Just(1 << 20)];
    proptest::collection::vec((trouble, most), 1..30)
}

fn send(store: &Store, run: &RunKey, rank: Rank, index: u32, bytes: &[u8]) -> Option<u64> {
    let taken = store
        .take_in(run, rank, index, None, bytes, "elsewhere")
        .unwrap();
    taken.last
}

/// The segments of a run's logs, byte for byte.
fn segments(dir: &RunDir) -> Vec<((Rank, u32), Vec<u8>)> {
    let there = dir.segments().unwrap();
    there
        .into_iter()
        .map(|(rank, index)| ((rank, index), fs::read(dir.segment(rank, index)).unwrap()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn the_log_here_is_the_log_there(ops in logs::ops(), troubles in troubles()) {
        let (there, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let run = key("shipped");
        let source = Root::new(there.path()).run(&run.project, &run.run);
        logs::write(&source, &ops);
        let target = Root::new(here.path()).run(&run.project, &run.run);
        let mut store = Store::open(Root::new(here.path())).unwrap();
        let mut troubles = troubles.iter().cycle();
        let mut passed: Vec<(Rank, u32, Vec<u8>)> = Vec::new();
        for (rank, index) in source.segments().unwrap() {
            let mut reader = PieceReader::open(&source, rank, index, None).unwrap();
            loop {
                let (trouble, most) = *troubles.next().unwrap();
                let Some(piece) = reader.next(most, true).unwrap() else {
                    break;
                };
                match trouble {
                    Trouble::None => {}
                    Trouble::Repeated => {
                        send(&store, &run, rank, index, &piece.bytes);
                    }
                    Trouble::Late(which) if !passed.is_empty() => {
                        let (rank, index, bytes) = which.get(&passed);
                        send(&store, &run, *rank, *index, bytes);
                    }
                    Trouble::Late(_) => {}
                    Trouble::Killed(torn) => {
                        drop(store);
                        let path = target.segment(rank, index);
                        if let Ok(mut log) = OpenOptions::new().append(true).open(path) {
                            let frames = &piece.bytes[piece.bytes.len() / 2..];
                            log.write_all(&frames[..frames.len().min(torn.into())]).unwrap();
                        }
                        store = Store::open(Root::new(here.path())).unwrap();
                    }
                    Trouble::Forgotten => {
                        let known = store.taken_in(&run).unwrap();
                        let last = known.iter().find(|(r, _)| *r == rank).and_then(|(_, last)| *last);
                        let mut anew = PieceReader::open(&source, rank, index, last).unwrap();
                        if let Some(piece) = anew.next(most, true).unwrap() {
                            send(&store, &run, rank, index, &piece.bytes);
                        }
                    }
                    Trouble::Silent => {
                        store.let_go_of_silent(Duration::ZERO);
                    }
                }
                let last = send(&store, &run, rank, index, &piece.bytes);
                prop_assert!(last >= Some(piece.last));
                passed.push((rank, index, piece.bytes));
            }
        }
        store.let_go_of_silent(Duration::ZERO);
        prop_assert_eq!(segments(&target), segments(&source));
    }
}

fn first_piece(source: &RunDir) -> Piece {
    let mut reader = PieceReader::open(source, Rank(0), 0, None).unwrap();
    reader.next(1 << 20, true).unwrap().unwrap()
}

fn logged(folder: &std::path::Path, id: &str) -> (RunKey, RunDir) {
    let run = key(id);
    let dir = Root::new(folder).run(&run.project, &run.run);
    let rows = logs::Op::Rows {
        keys: vec![0, 1],
        n: 100,
        start: 0,
        stride: 1,
        messy: false,
        kind: 0,
        seed: 1,
    };
    logs::write(&dir, &[(0, rows)]);
    (run, dir)
}

#[test]
fn a_run_that_comes_is_running_until_its_sender_is_silent() {
    let (there, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (run, source) = logged(there.path(), "live");
    let store = Store::open(Root::new(here.path())).unwrap();
    assert_eq!(store.taken_in(&run).unwrap(), []);
    let piece = first_piece(&source);
    send(&store, &run, Rank(0), 0, &piece.bytes);
    store.refresh().unwrap();
    assert_eq!(store.run(&run).unwrap().state, State::Running);
    let chart = store.chart(&query(&run, "train/loss", 10)).unwrap();
    assert_eq!(chart.series.len(), 1);

    assert_eq!(store.let_go_of_silent(Duration::from_secs(60)), 0);
    assert_eq!(store.let_go_of_silent(Duration::ZERO), 1);
    store.refresh().unwrap();
    assert_eq!(store.run(&run).unwrap().state, State::Crashed);
    // It lives after all.
    assert_eq!(send(&store, &run, Rank(0), 0, &[]), Some(piece.last));
    store.refresh().unwrap();
    assert_eq!(store.run(&run).unwrap().state, State::Running);
    store.request_stop(&run, "enough").unwrap();
    let taken = store
        .take_in(&run, Rank(0), 0, None, &[], "elsewhere")
        .unwrap();
    assert_eq!(taken.stop.unwrap().reason, "enough");
}

#[test]
fn a_sender_that_knows_more_than_a_loss_of_power_left_is_told() {
    let (there, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let run = key("powerless");
    let source = Root::new(there.path()).run(&run.project, &run.run);
    let rows = |start| logs::Op::Rows {
        keys: vec![0, 1],
        n: 100,
        start,
        stride: 1,
        messy: false,
        kind: 0,
        seed: 1,
    };
    logs::write(&source, &[0, 100, 200].map(|start| (0, rows(start))));
    let target = Root::new(here.path()).run(&run.project, &run.run);
    let mut pieces = Vec::new();
    let mut reader = PieceReader::open(&source, Rank(0), 0, None).unwrap();
    while let Some(piece) = reader.next(1, true).unwrap() {
        pieces.push(piece);
    }
    let [before @ .., next] = &pieces[..] else {
        panic!("a log of several frames");
    };
    let known = before.last().map(|piece| piece.last);
    assert!(before.len() > 1);
    let store = Store::open(Root::new(here.path())).unwrap();
    for piece in before {
        send(&store, &run, Rank(0), 0, &piece.bytes);
    }
    drop(store);
    // Zeros where the first frame's last byte was; all frames after it are whole.
    let path = target.segment(Rank(0), 0);
    let mut bytes = fs::read(&path).unwrap();
    bytes[pieces[0].bytes.len() - 1] ^= 0xff;
    fs::write(&path, bytes).unwrap();

    let store = Store::open(Root::new(here.path())).unwrap();
    let send = |known, piece: &Piece| {
        let taken = store.take_in(&run, Rank(0), 0, known, &piece.bytes, "elsewhere");
        taken.unwrap().last
    };
    assert_eq!(send(known, next), None, "nothing is taken after a gap");
    assert_eq!(store.taken_in(&run).unwrap(), [(Rank(0), None)]);
    let mut last = None;
    for piece in &pieces {
        last = send(last, piece);
        assert_eq!(last, Some(piece.last));
    }
    store.let_go(&run, Rank(0)).unwrap();
    assert_eq!(segments(&target), segments(&source));
}

#[test]
fn what_is_no_piece_leaves_nothing() {
    let (there, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (run, source) = logged(there.path(), "hostile");
    let store = Store::open(Root::new(here.path())).unwrap();
    let refused = |rank: u32, index, bytes: &[u8]| {
        let error = store
            .take_in(&run, Rank(rank), index, None, bytes, "x")
            .unwrap_err();
        let StoreError::Invalid { message, .. } = error else {
            panic!("{error:?}")
        };
        message
    };
    let good = first_piece(&source).bytes;
    assert!(refused(0, 0, b"not a log").contains("head of a segment"));
    assert!(refused(3, 0, &good).contains("sent as another"));
    assert!(refused(0, 7, &good).contains("sent as another"));
    let cut = &good[..good.len() - 1];
    assert!(refused(0, 0, cut).contains("no whole frame"));
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert!(refused(0, 0, &flipped).contains("no whole frame"));
    assert!(!here.path().join("tests/hostile").exists());
}

#[test]
fn another_run_of_the_same_id_is_kept_out() {
    let (there, elsewhere, here) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let (run, first) = logged(there.path(), "same");
    let (_, second) = logged(elsewhere.path(), "same");
    let store = Store::open(Root::new(here.path())).unwrap();
    send(&store, &run, Rank(0), 0, &first_piece(&first).bytes);
    let error = store.take_in(&run, Rank(0), 0, None, &first_piece(&second).bytes, "x");
    assert!(matches!(error, Err(StoreError::Conflict(_))), "{error:?}");
    store.let_go(&run, Rank(0)).unwrap();
    assert_eq!(
        segments(&Root::new(here.path()).run(&run.project, &run.run)),
        segments(&first)
    );
}

#[test]
fn blobs_are_kept_under_their_own_digest_only() {
    let (there, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (run, source) = logged(there.path(), "blobs");
    let store = Store::open(Root::new(here.path())).unwrap();
    send(&store, &run, Rank(0), 0, &first_piece(&source).bytes);
    let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
    let missing = || {
        let missing = store.missing_blobs(&run, &[one, other]).into_iter();
        missing.map(|blob| blob.digest).collect::<Vec<_>>()
    };
    assert_eq!(missing(), [one, other]);
    let receive = |bytes: &[u8], as_digest| {
        let mut blob = store.receive_blob(&run, as_digest, 0).unwrap();
        blob.write(bytes).unwrap();
        blob.keep()
    };
    assert!(matches!(
        receive(b"one", other),
        Err(StoreError::Invalid { .. })
    ));
    assert_eq!(missing(), [one, other]);
    receive(b"one", one).unwrap();
    assert_eq!(missing(), [other]);
}

#[test]
fn a_blob_that_was_cut_off_goes_on_from_there_and_the_later_sender_is_right() {
    let (there, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (run, source) = logged(there.path(), "blobs");
    let bytes: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
    let digest = Digest::of(&bytes);
    {
        let store = Store::open(Root::new(here.path())).unwrap();
        send(&store, &run, Rank(0), 0, &first_piece(&source).bytes);
        let mut cut = store.receive_blob(&run, digest, 0).unwrap();
        cut.write(&bytes[..240_000]).unwrap();
    }
    let store = Store::open(Root::new(here.path())).unwrap();
    let begun = || store.missing_blobs(&run, &[digest])[0].begun;
    assert_eq!(begun(), 240_000);
    let too_far = store.receive_blob(&run, digest, 240_001);
    assert!(matches!(too_far, Err(StoreError::Conflict(_))));
    // The first of two has more than it said, and is not heard any more once the second has come.
    let mut first = store.receive_blob(&run, digest, 240_000).unwrap();
    first.write(&bytes[240_000..300_000]).unwrap();
    let mut second = store.receive_blob(&run, digest, 240_000).unwrap();
    let late = first.write(b"nonsense");
    assert!(matches!(late, Err(StoreError::Conflict(_))));
    assert!(matches!(first.keep(), Err(StoreError::Conflict(_))));
    assert_eq!(begun(), 240_000);
    second.write(&bytes[240_000..]).unwrap();
    second.keep().unwrap();
    assert_eq!(store.missing_blobs(&run, &[digest]), []);
    let kept = Root::new(here.path()).run(&run.project, &run.run).blobs();
    assert_eq!(fs::read(kept.path(&digest)).unwrap(), bytes);
}
