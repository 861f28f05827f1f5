//! What the tests of the log share.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test is a crate of its own and uses a part of this"
)]

pub mod plain;
pub mod samples;
pub mod strategies;

use std::path::Path;

use cresset_record::{FrameBuilder, LogWriter, Rank, Record, RunDir, SegmentPart, read_segment};

/// Appends records as one frame.
pub fn append(log: &mut LogWriter, records: &[Record]) {
    let mut frame = FrameBuilder::default();
    for record in records {
        frame.push(record).unwrap();
    }
    log.append(&mut frame).unwrap();
}

/// The bytes of a segment.
pub fn segment_bytes(dir: &RunDir, rank: u32, index: u32) -> Vec<u8> {
    std::fs::read(dir.segment(Rank(rank), index)).unwrap()
}

/// Where each frame of an undamaged segment begins, and where the last one ends.
pub fn boundaries(bytes: &[u8]) -> Vec<u64> {
    let mut boundaries = Vec::new();
    let mut end = 0;
    for part in read_segment(std::io::Cursor::new(bytes), Path::new("test")) {
        match part.unwrap() {
            SegmentPart::Frame { from, to, .. } => {
                boundaries.push(from);
                end = to;
            }
            SegmentPart::Head(_) => {}
            SegmentPart::Damage { .. } => panic!("the segment is damaged"),
        }
    }
    boundaries.push(end);
    boundaries
}
