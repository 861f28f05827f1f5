//! Reads one segment that nobody writes to, from any bytes.

use std::collections::VecDeque;
use std::io::{Read, Seek};
use std::path::Path;

use super::damage::DamageKind;
use super::decode::Frame;
use super::format::SegmentHead;
use super::segment::{LogError, Next, SegmentReader};

/// A part of a segment.
#[derive(Clone, Debug, PartialEq)]
pub enum SegmentPart {
    /// The head; the first part unless it is damaged.
    Head(SegmentHead),
    /// A whole frame.
    Frame {
        /// First byte of its head.
        from: u64,
        /// First byte after it.
        to: u64,
        /// What it holds.
        frame: Frame,
    },
    /// What is not as it was written.
    Damage {
        /// First bad byte.
        from: u64,
        /// First byte after the bad ones.
        to: u64,
        /// What is wrong there. Missing frames are left to the reader of the whole log, who knows what to expect.
        kind: DamageKind,
    },
}

/// The parts of a finished segment in order, from a file or any other bytes; `name` stands for it in errors. To read a run, use
/// [`RunView`](crate::RunView) or [`Follower`](crate::Follower).
///
/// Nothing in the bytes makes it panic. It needs less than a gigabyte of memory whatever they are, and a few megabytes
/// for a segment that Cresset wrote. An item is an error where the bytes cannot be read or are of a newer format; it is the last.
pub fn read_segment(
    source: impl Read + Seek,
    name: impl AsRef<Path>,
) -> impl Iterator<Item = Result<SegmentPart, LogError>> {
    let mut reader = SegmentReader::new(source, name.as_ref());
    let mut queue = VecDeque::new();
    let mut more = true;
    std::iter::from_fn(move || {
        while more && queue.is_empty() {
            match read_on(&mut reader, &mut queue) {
                Ok(read) => more = read,
                Err(e) => {
                    more = false;
                    return Some(Err(e));
                }
            }
        }
        queue.pop_front().map(Ok)
    })
}

/// Queues what comes next in the segment; `false` at its end.
fn read_on<R: Read + Seek>(
    reader: &mut SegmentReader<R>,
    queue: &mut VecDeque<SegmentPart>,
) -> Result<bool, LogError> {
    let had_head = reader.head().is_some();
    let (from, to, frame, kind) = match reader.next_payload(true)? {
        Next::Frame {
            from,
            to,
            minor,
            payload,
        } => {
            let frame = Frame::decode(payload, minor);
            let malformed = frame.as_ref().map_or(1, |frame| frame.malformed);
            let damage = (malformed > 0).then_some(DamageKind::Malformed { records: malformed });
            (from, to, frame, damage)
        }
        Next::Damage { from, to, at_end } => (from, to, None, Some(DamageKind::of_gap(at_end))),
        Next::Pending | Next::End => (0, 0, None, None),
    };
    let more = frame.is_some() || kind.is_some();
    if let Some(head) = reader.head().filter(|_| !had_head) {
        queue.push_back(SegmentPart::Head(*head));
    }
    queue.extend(kind.map(|kind| SegmentPart::Damage { from, to, kind }));
    queue.extend(frame.map(|frame| SegmentPart::Frame { from, to, frame }));
    Ok(more)
}
