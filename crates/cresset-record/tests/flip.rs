//! A log in which a byte changed: the frames that were not touched are read, and the damage is named with its place.

mod common;

use common::plain::{self, PlainPart, plainly};
use common::{Seen, boundaries, follow_all, samples};
use cresset_record::*;

#[test]
fn every_byte_of_the_first_segment_changed() {
    change_every_byte(0);
}

#[test]
fn every_byte_of_the_last_segment_changed() {
    change_every_byte(1);
}

fn change_every_byte(segment: u32) {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path().join("run"));
    samples::write_run(&dir);
    let (batches, _) = follow_all(&dir);
    let path = dir.segment(Rank(0), segment);
    let whole = std::fs::read(&path).unwrap();
    let boundaries = boundaries(&whole);
    let first_frame = if segment == 0 {
        0
    } else {
        batches.len() + 1 - boundaries.len()
    };
    for at in 0..whole.len() {
        for mask in [0xFF, 1 << (at % 8)] {
            let mut bytes = whole.clone();
            bytes[at] ^= mask;
            std::fs::write(&path, &bytes).unwrap();
            let place = Place {
                segment,
                at: at as u64,
                first_frame,
            };
            place.check(&dir, &batches, &boundaries);
            // The plain decoder is slow.
            if at % 5 == 0 {
                agrees_with_the_plain_decoder(&bytes);
                RunView::open(dir.clone()).unwrap();
            }
        }
    }
}

struct Place {
    segment: u32,
    at: u64,
    /// How many frames the segments before have.
    first_frame: usize,
}

impl Place {
    fn check(&self, dir: &RunDir, whole: &[Seen], boundaries: &[u64]) {
        let (batches, damage) = follow_all(dir);
        let Some(hit) = boundaries.iter().rposition(|&b| b <= self.at) else {
            assert_eq!(batches, whole, "byte {} of the head", self.at);
            assert_eq!(damage, [self.damage(0, boundaries[0], DamageKind::Corrupt)]);
            return;
        };
        let frame = self.first_frame + hit;
        let expected = [&whole[..frame], &whole[frame + 1..]].concat();
        assert_eq!(
            batches, expected,
            "byte {} of segment {}",
            self.at, self.segment
        );

        let (from, to) = (boundaries[hit], boundaries[hit + 1]);
        let missing = DamageKind::MissingFrames { frames: 1 };
        let last_of_segment = hit + 2 == boundaries.len();
        let expected = if !last_of_segment {
            vec![
                self.damage(from, to, DamageKind::Corrupt),
                self.damage(to, to, missing),
            ]
        } else if frame + 1 < whole.len() {
            let next = Place {
                segment: self.segment + 1,
                ..*self
            };
            vec![
                self.damage(from, to, DamageKind::TornTail),
                next.damage(44, 44, missing),
            ]
        } else {
            vec![self.damage(from, to, DamageKind::TornTail)]
        };
        assert_eq!(
            damage, expected,
            "byte {} of segment {}",
            self.at, self.segment
        );
    }

    fn damage(&self, from: u64, to: u64, kind: DamageKind) -> Damage {
        Damage {
            rank: Rank(0),
            segment: self.segment,
            from,
            to,
            kind,
        }
    }
}

fn agrees_with_the_plain_decoder(bytes: &[u8]) {
    let (head, plain) = plain::read_segment(bytes);
    let mut parts = read_segment(std::io::Cursor::new(bytes), "test")
        .map(Result::unwrap)
        .peekable();
    if let Some(SegmentPart::Head(found)) =
        parts.next_if(|part| matches!(part, SegmentPart::Head(_)))
    {
        assert_eq!(head.map(|head| head.identity), Some(found.identity));
    } else {
        assert_eq!(head, None);
    }
    for part in plain {
        match (parts.next().unwrap(), part) {
            (
                SegmentPart::Frame { from, to, frame },
                PlainPart::Frame {
                    from: f,
                    to: t,
                    frame: plain,
                },
            ) => {
                assert_eq!((from, to), (f as u64, t as u64));
                assert_eq!(plain.sequence, Some(frame.sequence));
                let records = plain.records.into_iter().map(Option::unwrap);
                assert_eq!(plainly(&frame.records), plain::join_rows(records));
            }
            (
                SegmentPart::Damage {
                    from,
                    to,
                    kind: DamageKind::Corrupt,
                },
                PlainPart::Corrupt { from: f, to: t },
            )
            | (
                SegmentPart::Damage {
                    from,
                    to,
                    kind: DamageKind::TornTail,
                },
                PlainPart::TornTail { from: f, to: t },
            ) => {
                assert_eq!((from, to), (f as u64, t as u64));
            }
            (first, second) => panic!("{first:?} against {second:?}"),
        }
    }
    assert_eq!(parts.next(), None);
}
