//! Pieces of a log, as somebody hostile would send them.

use cresset_record::*;
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

/// A log of so many frames, and its one piece.
fn piece(frames: u64) -> (TempDir, Piece) {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::new(dir.path());
    let mut log = LogWriter::create(&run, Rank(3)).unwrap();
    let mut frame = FrameBuilder::default();
    for step in 0..frames {
        frame.push_row(step, Timestamp(step as i64), &[(KeyId(0), 0.5)]);
        log.append(&mut frame).unwrap();
    }
    let mut reader = PieceReader::open(&run, Rank(3), 0, None).unwrap();
    let piece = reader.next(1 << 20, true).unwrap().unwrap();
    (dir, piece)
}

fn check(bytes: &[u8], after: Option<u64>) -> Result<CheckedPiece, PieceError> {
    check_piece(bytes, Rank(3), 0, after)
}

#[test]
fn a_piece_is_what_was_written() {
    let (dir, piece) = piece(10);
    assert_eq!((piece.frames, piece.last), (10, 9));
    let written = std::fs::read(RunDir::new(dir.path()).segment(Rank(3), 0)).unwrap();
    assert_eq!(piece.bytes, written);
    let all = check(&piece.bytes, None).unwrap();
    assert_eq!([all.head_bytes, all.frames].concat(), written);
    let rest = check(&piece.bytes, Some(3)).unwrap();
    assert!(written.ends_with(&rest.frames) && rest.last == Some(9));
    let known = check(&piece.bytes, Some(9)).unwrap();
    assert_eq!((known.frames.len(), known.last), (0, Some(9)));
}

#[test]
fn pieces_of_any_size_are_the_log() {
    let (dir, whole) = piece(200);
    let run = RunDir::new(dir.path());
    for most in [1, 7, 100, 1000, 1 << 20] {
        let mut reader = PieceReader::open(&run, Rank(3), 0, Some(20)).unwrap();
        let mut frames = Vec::new();
        let mut last = 20;
        while let Some(piece) = reader.next(most, true).unwrap() {
            let checked = check(&piece.bytes, Some(last)).unwrap();
            last = checked.last.unwrap();
            frames.extend(checked.frames);
        }
        assert!(last == 199 && whole.bytes.ends_with(&frames));
        assert_eq!(frames, check(&whole.bytes, Some(20)).unwrap().frames);
    }
}

#[test]
fn frames_go_without_the_head_that_was_lost() {
    let (dir, whole) = piece(10);
    let run = RunDir::new(dir.path());
    let path = run.segment(Rank(3), 0);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..44].fill(0);
    std::fs::write(&path, bytes).unwrap();
    let read = |after| {
        let mut reader = PieceReader::open(&run, Rank(3), 0, after).unwrap();
        let piece = reader.next(1 << 20, true).unwrap().unwrap();
        check(&piece.bytes, after).unwrap()
    };
    let (all, rest) = (read(None), read(Some(3)));
    assert_eq!(all.frames, check(&whole.bytes, None).unwrap().frames);
    assert_eq!(rest.frames, check(&whole.bytes, Some(3)).unwrap().frames);
    assert_eq!(all.head, rest.head, "the same whenever they go");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_refused_or_whole(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(check(&bytes, None).is_err());
    }

    #[test]
    fn a_changed_byte_is_noticed(at in any::<prop::sample::Index>(), with in 1..=u8::MAX) {
        let (_dir, piece) = piece(5);
        let mut bytes = piece.bytes.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= with;
        prop_assert!(check(&bytes, None).is_err(), "byte {at}");
    }

    #[test]
    fn frames_that_are_cut_swapped_or_repeated_are_refused(cut in any::<prop::sample::Index>()) {
        let (_dir, piece) = piece(3);
        let head = check(&piece.bytes, Some(2)).unwrap().head_bytes;
        let frames = check(&piece.bytes, None).unwrap().frames;
        let cut = cut.index(frames.len());
        let left = |after| check(&piece.bytes, Some(after)).unwrap().frames.len();
        let whole = [0, 1].map(|after| frames.len() - left(after));
        let half = [&head[..], &frames[..cut]].concat();
        prop_assert_eq!(check(&half, None).is_ok(), cut == 0 || whole.contains(&cut));
        let swapped = [&head[..], &frames[cut..], &frames[..cut]].concat();
        prop_assert!(cut == 0 || check(&swapped, None).is_err());
        let twice = [&head[..], &frames, &frames].concat();
        let is_order = matches!(check(&twice, None), Err(PieceError::Order { last: 2, found: 0 }));
        prop_assert!(is_order);
    }
}
