//! What the tests of the log share.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test is a crate of its own and uses a part of this"
)]

pub mod naive;
pub mod plain;
pub mod raw;
pub mod samples;
pub mod strategies;

use std::path::Path;

use cresset_record::*;
use plain::{PlainRecord, plainly};

/// Appends records as one frame.
pub fn append(log: &mut LogWriter, records: &[Record]) {
    let mut frame = FrameBuilder::default();
    for record in records {
        frame.push(record).unwrap();
    }
    log.append(&mut frame).unwrap();
}

/// A batch that can be compared: NaN is equal to itself in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub rank: Rank,
    pub sequence: u64,
    pub replayed: bool,
    pub records: Vec<PlainRecord>,
}

impl From<Batch> for Seen {
    fn from(batch: Batch) -> Self {
        Self {
            rank: batch.rank,
            sequence: batch.sequence,
            replayed: batch.replayed,
            records: plainly(&batch.records),
        }
    }
}

/// All that a follower gives until there is nothing more, and the damage.
pub fn drain(follower: &mut Follower) -> (Vec<Seen>, Vec<Damage>) {
    let mut seen = Vec::new();
    while let Some(batch) = follower.next_batch().unwrap() {
        seen.push(batch.into());
    }
    assert!(!follower.is_live());
    (seen, follower.damage().to_vec())
}

/// All frames of a run that nobody writes.
pub fn follow_all(dir: &RunDir) -> (Vec<Seen>, Vec<Damage>) {
    drain(&mut Follower::new(dir.clone()))
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
