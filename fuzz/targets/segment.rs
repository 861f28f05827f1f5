//! Any bytes as a segment.
#![no_main]

#[path = "../../crates/cresset-record/tests/common/plain.rs"]
#[allow(dead_code, reason = "written for the tests")]
mod plain;

use std::io::Cursor;

use cresset_record::{DamageKind, Frame, Record, SegmentPart, read_segment};
use libfuzzer_sys::fuzz_target;
use plain::{PlainPart, PlainRecord};

fuzz_target!(|input: &[u8]| {
    let Some((&first, bytes)) = input.split_first() else {
        return;
    };
    let mut bytes = bytes.to_vec();
    if first % 2 == 1 {
        put_checksums(&mut bytes);
    }
    let mut parts = Vec::new();
    for part in read_segment(Cursor::new(&bytes), "fuzz") {
        match part {
            Ok(part) => parts.push(part),
            // A newer major version.
            Err(_) => return,
        }
    }
    follow_one_another(&parts, bytes.len() as u64);
    // The plain decoder takes the square of the length.
    if bytes.len() < 1 << 13 {
        agree(&parts, &bytes);
    }
});

/// Right checksums for the head and for whatever looks like a frame.
fn put_checksums(bytes: &mut [u8]) {
    if bytes.len() >= 44 {
        let crc = plain::crc32c(&bytes[..40]) as u32;
        bytes[40..44].copy_from_slice(&crc.to_le_bytes());
    }
    let mut at = 0;
    while at + 10 <= bytes.len() {
        let length =
            u32::from_le_bytes([bytes[at + 2], bytes[at + 3], bytes[at + 4], bytes[at + 5]]);
        let end = (at + 10).saturating_add(length as usize);
        if bytes[at..at + 2] != [0xC5, 0x5E] || end > bytes.len() {
            at += 1;
            continue;
        }
        let summed = [&bytes[at + 2..at + 6], &bytes[at + 10..end]].concat();
        let crc = plain::crc32c(&summed) as u32;
        bytes[at + 6..at + 10].copy_from_slice(&crc.to_le_bytes());
        at = end;
    }
}

fn follow_one_another(parts: &[SegmentPart], end: u64) {
    let mut at = None;
    for part in parts {
        match part {
            SegmentPart::Head(_) => assert_eq!(at, None, "the head comes first"),
            // A malformed record is damage within the frame that follows, or a frame without a number.
            SegmentPart::Damage {
                kind: DamageKind::Malformed { .. },
                from,
                ..
            } => {
                assert!(at.is_none_or(|at| at == *from || at <= end));
            }
            SegmentPart::Frame { from, to, .. } | SegmentPart::Damage { from, to, .. } => {
                assert!(from < to && *to <= end);
                assert!(at.is_none_or(|at| at <= *from));
                at = Some(*to);
            }
        }
    }
}

fn agree(parts: &[SegmentPart], bytes: &[u8]) {
    let (head, plain) = plain::read_segment(bytes);
    let mut parts = parts.iter().peekable();
    let found = parts.next_if(|part| matches!(part, SegmentPart::Head(_)));
    assert_eq!(head.is_some(), found.is_some());
    for plain in plain {
        let malformed = parts.next_if(|part| {
            matches!(
                part,
                SegmentPart::Damage {
                    kind: DamageKind::Malformed { .. },
                    ..
                }
            )
        });
        match plain {
            PlainPart::Frame { frame: plain, .. } if plain.sequence.is_none() => {
                assert!(malformed.is_some());
            }
            PlainPart::Frame {
                from,
                to,
                frame: plain,
            } => {
                let Some(SegmentPart::Frame {
                    from: f,
                    to: t,
                    frame,
                }) = parts.next()
                else {
                    panic!("a frame is missing at {from}")
                };
                assert_eq!(
                    (*f, *t, Some(frame.sequence)),
                    (from as u64, to as u64, plain.sequence)
                );
                let whole = frame.records.len() + frame.malformed as usize;
                assert_eq!(whole, plain.records.len());
                if frame.malformed == 0 {
                    same_records(frame, &plain.records);
                }
            }
            PlainPart::Corrupt { from, to } => damaged(parts.next(), from, to, DamageKind::Corrupt),
            PlainPart::TornTail { from, to } => {
                damaged(parts.next(), from, to, DamageKind::TornTail)
            }
        }
    }
    assert_eq!(parts.next(), None);
}

fn same_records(frame: &Frame, plain: &[Option<PlainRecord>]) {
    for (record, plain) in frame.records.iter().zip(plain) {
        // Not JSON, of which fields that we do not know may be anything, and not buckets, which may be empty at their ends.
        if let Record::Rows(_) | Record::Key { .. } = record {
            assert_eq!(Some(PlainRecord::of(record)), *plain);
        }
    }
}

fn damaged(part: Option<&SegmentPart>, from: usize, to: usize, expected: DamageKind) {
    let Some(SegmentPart::Damage {
        from: f,
        to: t,
        kind,
    }) = part
    else {
        panic!("{part:?} at {from}")
    };
    assert_eq!((*f, *t, *kind), (from as u64, to as u64, expected));
}
