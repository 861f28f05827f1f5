//! What a writer leaves behind when things go wrong.

mod common;

use std::process::Command;

use common::{append, boundaries, follow_all, samples, segment_bytes};
use cresset_record::*;

const FOLDER: &str = "CRESSET_TEST_WRITER_FOLDER";

/// Runs a test of this file in a process of its own, in which files cannot grow beyond so many 512-byte blocks.
#[cfg(unix)]
fn with_small_files(test: &str, dir: &RunDir, blocks: u32) {
    // Ignored, so that a write fails instead of killing the process.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" --exact {test} --ignored");
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, dir.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

fn folder() -> Option<RunDir> {
    std::env::var_os(FOLDER).map(RunDir::new)
}

fn text(letter: char) -> Record {
    let text = letter.to_string().repeat(300);
    Record::Summary([("text".to_owned(), text.into())].into_iter().collect())
}

fn try_append(log: &mut LogWriter, record: &Record) -> std::io::Result<()> {
    let mut frame = FrameBuilder::default();
    frame.push(record).unwrap();
    log.append(&mut frame)
}

#[test]
#[ignore = "run by another test in a process of its own"]
fn fill_the_disk() {
    let Some(dir) = folder() else { return };
    let mut log = LogWriter::create(&dir, Rank(0)).unwrap();
    try_append(&mut log, &text('a')).unwrap();
    let length = segment_bytes(&dir, 0, 0).len();
    // Of these 300 bytes there is room for some.
    try_append(&mut log, &text('b')).unwrap_err();
    assert_eq!(
        segment_bytes(&dir, 0, 0).len(),
        length,
        "what was written of it was cut off"
    );
    assert!(!log.is_broken());
    try_append(&mut log, &samples::key(0, "small")).unwrap();
}

#[cfg(unix)]
#[test]
fn a_write_that_fails_halfway_leaves_whole_frames() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    with_small_files("fill_the_disk", &dir, 1);
    let (seen, damage) = follow_all(&dir);
    assert_eq!(
        seen.iter().map(|s| s.sequence).collect::<Vec<_>>(),
        [0, 2],
        "the lost frame keeps its number"
    );
    let at = boundaries(&segment_bytes(&dir, 0, 0))[1];
    let missing = Damage {
        rank: Rank(0),
        segment: 0,
        from: at,
        to: at,
        kind: DamageKind::MissingFrames { frames: 1 },
    };
    assert_eq!(damage, [missing]);
}

#[test]
#[ignore = "run by another test in a process of its own"]
fn begin_on_a_full_disk() {
    let Some(dir) = folder() else { return };
    LogWriter::create(&dir, Rank(0)).unwrap_err();
}

/// A reader that sees a segment takes the one before it as finished: there must be none without its head.
#[cfg(unix)]
#[test]
fn a_segment_appears_whole_or_not_at_all() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    with_small_files("begin_on_a_full_disk", &dir, 0);
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
}

#[test]
fn what_a_dead_writer_was_about_to_make_is_in_nobodys_way() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    std::fs::write(temp.path().join("rank-0.000000.log.new"), b"half a head").unwrap();
    let mut log = LogWriter::create(&dir, Rank(0)).unwrap();
    append(&mut log, &[samples::key(0, "a")]);
    assert_eq!(follow_all(&dir).0.len(), 1);
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
}

#[test]
fn a_writer_notices_that_its_log_is_gone_and_begins_anew() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path().join("run"));
    let mut log = LogWriter::create(&dir, Rank(0)).unwrap();
    append(&mut log, &[samples::key(0, "a")]);
    assert!(!log.is_broken());
    std::fs::remove_dir_all(dir.path()).unwrap();
    assert!(log.is_broken());
    log.rotate().unwrap();
    append(&mut log, &[samples::key(0, "b")]);
    assert!(!log.is_broken());
    log.sync().unwrap();
    let (seen, damage) = follow_all(&dir);
    assert_eq!((seen.len(), seen[0].sequence), (1, 1));
    assert_eq!(
        damage[0].kind,
        DamageKind::MissingFrames { frames: 1 },
        "what was deleted is missing"
    );
}

#[test]
fn every_segment_is_synchronised_that_is_still_there() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    let mut log = LogWriter::create(&dir, Rank(0)).unwrap();
    for _ in 0..3 {
        append(&mut log, &[samples::key(0, "a")]);
        log.rotate().unwrap();
    }
    std::fs::remove_file(dir.segment(Rank(0), 1)).unwrap();
    log.sync().unwrap();
    append(&mut log, &[samples::key(0, "a")]);
    log.sync().unwrap();
}

#[test]
fn a_segment_is_full_at_its_size() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    let mut log = LogWriter::create(&dir, Rank(0)).unwrap();
    let text = "x".repeat(MAX_RECORD - 8);
    let large = Record::Summary([("a".to_owned(), text.into())].into_iter().collect());
    for _ in 0..16 {
        assert!(!log.is_full());
        append(&mut log, std::slice::from_ref(&large));
    }
    assert!(log.is_full());
    append(&mut log, &[samples::key(0, "a")]);
    log.rotate().unwrap();
    assert!(!log.is_full());
    append(&mut log, &[samples::key(0, "b")]);
    let (seen, damage) = follow_all(&dir);
    assert_eq!((seen.len(), damage), (18, vec![]));
    assert_eq!(seen[17].sequence, 17);
}

#[test]
fn a_log_whose_last_segments_lost_everything_goes_on_from_the_one_before() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    let mut log = LogWriter::create(&dir, Rank(0)).unwrap();
    append(&mut log, &[samples::key(0, "a")]);
    append(&mut log, &[samples::key(0, "b")]);
    drop(log);
    std::fs::write(dir.segment(Rank(0), 1), b"").unwrap();
    std::fs::write(dir.segment(Rank(0), 2), [0; 5000]).unwrap();
    let mut log = LogWriter::create(&dir, Rank(0)).unwrap();
    append(&mut log, &[samples::key(0, "c")]);
    assert_eq!(dir.segments().unwrap().last(), Some(&(Rank(0), 3)));
    let (seen, damage) = follow_all(&dir);
    assert_eq!(
        seen.iter().map(|s| s.sequence).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    let [damage] = &damage[..] else {
        panic!("{damage:?}")
    };
    assert_eq!(
        (damage.segment, damage.to, damage.kind),
        (2, 5000, DamageKind::TornTail)
    );
}
