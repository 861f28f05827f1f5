//! A segment from sources that are slow, short or broken.

mod common;

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use common::{raw, samples, segment_bytes};
use cresset_record::*;

/// Gives a few bytes at a time, is interrupted now and then, and breaks at a byte if it is told to.
struct Poor {
    inner: Cursor<Vec<u8>>,
    breaks_at: u64,
    reads: u32,
}

impl Poor {
    fn new(bytes: Vec<u8>, breaks_at: u64) -> Self {
        let inner = Cursor::new(bytes);
        Self {
            inner,
            breaks_at,
            reads: 0,
        }
    }
}

impl Read for Poor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        if self.reads.is_multiple_of(3) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let left = self.breaks_at - self.inner.position();
        if left == 0 {
            return Err(io::Error::other("bad sector"));
        }
        let n = buffer.len().min(7).min(left as usize);
        self.inner.read(&mut buffer[..n])
    }
}

impl Seek for Poor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

fn sample() -> Vec<u8> {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    samples::write_run(&dir);
    segment_bytes(&dir, 0, 0)
}

/// Debug text: some values are NaN.
fn parts(source: impl Read + Seek) -> Vec<String> {
    read_segment(source, "rank-0.000000.log")
        .map(|part| format!("{part:?}"))
        .collect()
}

#[test]
fn a_source_that_gives_little_at_a_time() {
    let mut bytes = sample();
    bytes[300] ^= 1;
    bytes.truncate(bytes.len() - 5);
    let expected = parts(Cursor::new(bytes.clone()));
    assert!(
        expected.iter().any(|part| part.contains("Corrupt"))
            && expected.last().unwrap().contains("TornTail")
    );
    assert_eq!(parts(Poor::new(bytes, u64::MAX)), expected);
}

#[test]
fn a_source_that_breaks_says_where_it_was() {
    let bytes = sample();
    let first_frame = common::boundaries(&bytes)[1];
    let mut parts = read_segment(Poor::new(bytes, first_frame + 3), "rank-0.000000.log");
    let error = parts.by_ref().find_map(Result::err).unwrap();
    assert_eq!(
        error.to_string(),
        "cannot read rank-0.000000.log: bad sector"
    );
    assert!(parts.next().is_none(), "it ends after an error");
}

#[test]
fn the_head_is_told() {
    let bytes = raw::head(1, 3, 77, b"later");
    let parts: Vec<SegmentPart> = read_segment(Cursor::new(bytes), "a")
        .map(Result::unwrap)
        .collect();
    let head = SegmentHead {
        major: 1,
        minor: 3,
        rank: Rank(0),
        index: 0,
        first_frame: 77,
        identity: 0x1234_5678,
    };
    assert_eq!(parts, [SegmentPart::Head(head)]);
}

#[test]
fn nothing_is_nothing() {
    assert_eq!(parts(Cursor::new(vec![])), Vec::<String>::new());
}
