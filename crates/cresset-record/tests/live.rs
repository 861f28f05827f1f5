//! A log that is read while it is written: *not yet* is told from *never*.

mod common;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::thread;
use std::time::Duration;

use common::{Seen, append, drain, follow_all, samples};
use cresset_record::*;

fn holder() -> Holder {
    Holder {
        pid: std::process::id(),
        host: "here".into(),
        since: Timestamp::now(),
    }
}

/// A run whose writer lives, and the file that it appends to.
struct Live {
    _temp: tempfile::TempDir,
    dir: RunDir,
    lock: Option<WriterLock>,
    file: File,
}

impl Live {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = RunDir::new(temp.path());
        let lock = WriterLock::acquire(&dir, Rank(0), &holder()).unwrap();
        drop(LogWriter::create(&dir, Rank(0)).unwrap());
        let file = OpenOptions::new()
            .append(true)
            .open(dir.segment(Rank(0), 0))
            .unwrap();
        Self {
            _temp: temp,
            dir,
            lock: Some(lock),
            file,
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.file.write_all(bytes).unwrap();
    }

    fn length(&self) -> u64 {
        self.file.metadata().unwrap().len()
    }
}

fn frame(sequence: u64, name: &str) -> Vec<u8> {
    let mut frame = FrameBuilder::default();
    frame.push(&samples::key(0, name)).unwrap();
    frame.seal(sequence, <[u8]>::to_vec)
}

fn name_in(batch: &Batch) -> String {
    match &batch.records[..] {
        [Record::Key { key, .. }] => key.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_frame_is_given_once_it_is_whole() {
    let mut live = Live::new();
    let mut follower = Follower::new(live.dir.clone());
    for sequence in 0..3 {
        let bytes = frame(sequence, "a");
        for &byte in &bytes {
            assert_eq!(follower.next_batch().unwrap(), None);
            assert!(follower.is_live());
            live.write(&[byte]);
        }
        assert_eq!(
            follower.next_batch().unwrap().map(|b| b.sequence),
            Some(sequence)
        );
    }
    assert_eq!(follower.next_batch().unwrap(), None);
    assert!(follower.is_live());
    live.lock = None;
    assert_eq!(follower.next_batch().unwrap(), None);
    assert!(!follower.is_live());
    assert_eq!(follower.damage(), []);
}

#[test]
fn an_unfinished_frame_is_damage_once_nobody_writes() {
    let mut live = Live::new();
    let mut follower = Follower::new(live.dir.clone());
    let bytes = frame(0, "a");
    live.write(&bytes[..bytes.len() - 1]);
    assert_eq!(follower.next_batch().unwrap(), None);
    assert_eq!(follower.damage(), []);
    live.lock = None;
    assert_eq!(follower.next_batch().unwrap(), None);
    assert!(!follower.is_live());
    let (from, to) = (44, live.length());
    assert_eq!(
        follower.damage(),
        [Damage {
            rank: Rank(0),
            segment: 0,
            from,
            to,
            kind: DamageKind::TornTail
        }]
    );
}

#[test]
fn what_is_written_before_the_lock_is_let_go_is_not_missed() {
    let mut live = Live::new();
    let mut follower = Follower::new(live.dir.clone());
    assert_eq!(follower.next_batch().unwrap(), None);
    live.write(&frame(0, "a"));
    live.lock = None;
    assert!(follower.next_batch().unwrap().is_some());
}

#[test]
fn a_writer_that_has_no_log_yet_is_not_never() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    let mut follower = Follower::new(dir.clone());
    assert_eq!(follower.next_batch().unwrap(), None);
    assert!(!follower.is_live(), "nobody has begun");
    let lock = WriterLock::acquire(&dir, Rank(3), &holder()).unwrap();
    assert_eq!(follower.next_batch().unwrap(), None);
    assert!(follower.is_live() && follower.is_writer_live(Rank(3)));
    drop(lock);
    assert_eq!(follower.next_batch().unwrap(), None);
    assert!(!follower.is_live(), "it went away without a log");
}

#[test]
fn a_run_that_is_not_there_has_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path().join("nowhere"));
    let view = RunView::open(dir.clone()).unwrap();
    assert_eq!((view.state(), view.name()), (State::Crashed, "nowhere"));
    assert_eq!(follow_all(&dir), (vec![], vec![]));
}

/// A write that failed halfway is cut off and another frame takes its place: a reader that saw the half must not mix them.
#[test]
fn a_frame_that_was_cut_off_and_replaced_is_read_anew() {
    let mut live = Live::new();
    let mut follower = Follower::new(live.dir.clone());
    let (first, second) = (frame(0, "the first"), frame(1, "another"));
    for cut in 1..first.len() {
        let begin = live.length();
        live.write(&first[..cut]);
        assert_eq!(follower.next_batch().unwrap(), None);
        live.file.set_len(begin).unwrap();
        live.write(&second);
        assert_eq!(
            follower.next_batch().unwrap().map(|b| name_in(&b)),
            Some("another".into())
        );
    }
    let only = DamageKind::MissingFrames { frames: 1 };
    assert!(
        follower.damage().iter().all(|damage| damage.kind == only),
        "only the number of the lost frame is missing"
    );
}

/// On a network file system a later page may be seen before an earlier one.
#[test]
fn a_page_that_comes_late_is_waited_for() {
    use std::os::unix::fs::FileExt;
    let mut live = Live::new();
    let mut follower = Follower::new(live.dir.clone());
    let (first, second) = (frame(0, "first"), frame(1, "second"));
    let begin = live.length();
    live.write(&vec![0; first.len()]);
    live.write(&second);
    assert_eq!(follower.next_batch().unwrap(), None);
    // Files opened for appending ignore the offset.
    let file = OpenOptions::new()
        .write(true)
        .open(live.dir.segment(Rank(0), 0))
        .unwrap();
    file.write_all_at(&first, begin).unwrap();
    for name in ["first", "second"] {
        assert_eq!(
            follower.next_batch().unwrap().map(|b| name_in(&b)),
            Some(name.into())
        );
    }
    assert_eq!(follower.damage(), []);
}

#[test]
fn damage_in_a_live_log_is_passed_in_the_end() {
    let mut live = Live::new();
    let mut follower = Follower::new(live.dir.clone());
    live.write(b"garbage");
    live.write(&frame(0, "after"));
    let batch = loop {
        if let Some(batch) = follower.next_batch().unwrap() {
            break batch;
        }
        assert!(follower.is_live());
        thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(name_in(&batch), "after");
    let corrupt = Damage {
        rank: Rank(0),
        segment: 0,
        from: 44,
        to: 51,
        kind: DamageKind::Corrupt,
    };
    assert_eq!(follower.damage(), [corrupt]);
}

#[test]
fn a_log_goes_on_in_later_segments_and_processes() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    let mut follower = Follower::new(dir.clone());
    let mut expected = 0;
    for _process in 0..3 {
        let lock = WriterLock::acquire(&dir, Rank(0), &holder()).unwrap();
        let mut log = LogWriter::create(&dir, Rank(0)).unwrap();
        for _segment in 0..3 {
            for _frame in 0..2 {
                append(&mut log, &[samples::key(0, "a")]);
                let batch = follower.next_batch().unwrap().unwrap();
                assert_eq!(
                    (batch.sequence, follower.next_batch().unwrap()),
                    (expected, None)
                );
                assert!(follower.is_live());
                expected += 1;
            }
            log.rotate().unwrap();
        }
        drop((log, lock));
        assert_eq!(follower.next_batch().unwrap(), None);
        assert!(!follower.is_live());
    }
    assert_eq!(follower.damage(), []);
    assert_eq!(dir.segments().unwrap().len(), 12);
}

/// Where locks do not work between hosts a live run looks crashed; what it writes is read nevertheless.
#[test]
fn a_writer_whose_lock_cannot_be_seen_is_followed() {
    let mut live = Live::new();
    live.lock = None;
    let mut follower = Follower::new(live.dir.clone());
    for sequence in 0..3 {
        assert_eq!(follower.next_batch().unwrap(), None);
        assert!(!follower.is_live());
        let bytes = frame(sequence, "a");
        let (first, second) = bytes.split_at(9);
        live.write(first);
        assert_eq!(follower.next_batch().unwrap(), None);
        live.write(second);
        assert_eq!(
            follower.next_batch().unwrap().map(|b| b.sequence),
            Some(sequence)
        );
    }
    assert_eq!(follower.damage(), []);
}

/// A writer and a reader at full speed: every frame arrives once and in order, and the reader stops when the writer did.
#[test]
fn nothing_is_missed_in_a_race() {
    for round in 0..60u64 {
        let temp = tempfile::tempdir().unwrap();
        let dir = RunDir::new(temp.path());
        let lock = WriterLock::acquire(&dir, Rank(0), &holder()).unwrap();
        let reader = thread::spawn({
            let dir = dir.clone();
            move || {
                let mut follower = Follower::new(dir);
                let mut sequences = Vec::new();
                loop {
                    match follower.next_batch().unwrap() {
                        Some(batch) => sequences.push(batch.sequence),
                        None if follower.is_live() => thread::yield_now(),
                        None => return (sequences, follower.damage().to_vec()),
                    }
                }
            }
        });
        let frames = round % 40;
        let mut log = LogWriter::create(&dir, Rank(0)).unwrap();
        for i in 0..frames {
            append(&mut log, &[samples::key(0, "a")]);
            if i % (1 + round % 7) == 0 {
                log.rotate().unwrap();
            }
        }
        drop((log, lock));
        assert_eq!(
            reader.join().unwrap(),
            ((0..frames).collect(), vec![]),
            "round {round}"
        );
    }
}

/// A run of two ranks and several segments, each of which begins with its keys.
fn two_ranks(dir: &RunDir) {
    for rank in [0, 1] {
        let mut log = LogWriter::create(dir, Rank(rank)).unwrap();
        for segment in 0..3u64 {
            // Later segments number their keys anew.
            let (a, b) = (segment as u32 % 2, 1 - segment as u32 % 2);
            append(
                &mut log,
                &[samples::start(rank), samples::key(a, "train/loss")],
            );
            for step in segment * 3..segment * 3 + 3 {
                let mut points = vec![(KeyId(a), step as f64)];
                if step > segment * 3 {
                    append(&mut log, &[samples::key(b, "train/lr")]);
                    points.push((KeyId(b), f64::from(rank)));
                }
                let time = samples::at(0);
                append(&mut log, &[Record::Rows(vec![Row { step, time, points }])]);
            }
            log.rotate().unwrap();
        }
    }
}

/// What a follower tells of points: whose, which key, step, value.
fn points(seen: &[Seen]) -> Vec<(Rank, Option<String>, u64, u64)> {
    use common::plain::PlainRecord;
    let mut names = std::collections::HashMap::new();
    let mut points = Vec::new();
    for batch in seen {
        for record in &batch.records {
            match record {
                PlainRecord::Key { id, key } => drop(names.insert((batch.rank, *id), key.clone())),
                PlainRecord::Rows(rows) => points.extend(rows.iter().flat_map(|row| {
                    let name = |id: &u32| names.get(&(batch.rank, *id)).cloned();
                    let values = row
                        .points
                        .iter()
                        .map(|(id, value)| (batch.rank, name(id), row.step, *value));
                    values.collect::<Vec<_>>()
                })),
                _ => {}
            }
        }
    }
    points.sort();
    points
}

#[test]
fn a_cursor_goes_on_from_every_batch() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    two_ranks(&dir);
    let (whole, _) = follow_all(&dir);
    assert_eq!(whole.len(), 2 * 3 * 6);
    for taken in 0..=whole.len() {
        let mut follower = Follower::new(dir.clone());
        let mut before: Vec<Seen> = Vec::new();
        for _ in 0..taken {
            before.extend(follower.next_batch().unwrap().map(Seen::from));
        }
        let cursor = serde_json::to_string(&follower.cursor()).unwrap();
        drop(follower);
        let cursor: Cursor = serde_json::from_str(&cursor).unwrap();
        let mut resumed = Follower::resume(dir.clone(), &cursor).unwrap();
        assert_eq!(resumed.cursor(), cursor);
        let (after, damage) = drain(&mut resumed);
        assert_eq!(damage, []);

        let fresh: Vec<Seen> = after
            .iter()
            .filter(|seen| !seen.replayed)
            .cloned()
            .collect();
        for rank in [Rank(0), Rank(1)] {
            let of = |all: &[Seen]| {
                all.iter()
                    .filter(|s| s.rank == rank)
                    .cloned()
                    .collect::<Vec<_>>()
            };
            assert_eq!(
                [of(&before), of(&fresh)].concat(),
                of(&whole),
                "after {taken} batches"
            );
        }
        let mut all = points(&before);
        all.extend(points(&after));
        all.sort();
        assert_eq!(all, points(&whole), "names after {taken} batches");
    }
}

#[test]
fn a_cursor_does_not_take_another_log_for_its_own() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path().join("baseline"));
    two_ranks(&dir);
    let mut follower = Follower::new(dir.clone());
    for _ in 0..3 {
        follower.next_batch().unwrap();
    }
    let cursor = follower.cursor();
    std::fs::remove_dir_all(dir.path()).unwrap();
    two_ranks(&dir);
    let error = Follower::resume(dir.clone(), &cursor).unwrap_err();
    assert!(matches!(error, LogError::Replaced { .. }));
    assert!(
        error
            .to_string()
            .contains("the run was deleted and begun anew"),
        "{error}"
    );
    assert!(Follower::resume(dir, &Cursor::default()).is_ok());
}

#[test]
fn writers_take_turns() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    for rank in [0, 1] {
        let mut log = LogWriter::create(&dir, Rank(rank)).unwrap();
        for _ in 0..1000 {
            append(&mut log, &[samples::key(0, "a")]);
        }
    }
    let (seen, _) = follow_all(&dir);
    assert_eq!(seen.len(), 2000);
    let first_of_the_other = seen.iter().position(|s| s.rank == Rank(1)).unwrap();
    assert!(first_of_the_other < 1000, "rank 1 waited for all of rank 0");
    for rank in [Rank(0), Rank(1)] {
        let of_rank = seen.iter().filter(|s| s.rank == rank).map(|s| s.sequence);
        assert!(of_rank.eq(0..1000));
    }
}

#[test]
fn only_segments_are_read() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    append(
        &mut LogWriter::create(&dir, Rank(0)).unwrap(),
        &[samples::key(0, "a")],
    );
    for name in [
        "rank-0.1.log",
        "rank-00.000001.log",
        "rank-+0.000001.log",
        "rank-0.000001.log.new",
        "notes.log",
        "rank-0.000002.LOG",
    ] {
        std::fs::write(temp.path().join(name), b"not ours").unwrap();
    }
    std::fs::create_dir(temp.path().join("rank-0.000009.log")).unwrap();
    assert_eq!(dir.segments().unwrap(), [(Rank(0), 0)]);
    assert_eq!(follow_all(&dir).0.len(), 1);
}
