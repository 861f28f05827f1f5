//! A log that is cut at any byte: what was whole before the cut is read, the rest is reported, and writing goes on.

mod common;

use common::plain::plainly;
use common::{Seen, append, boundaries, drain, follow_all, samples};
use cresset_record::*;

/// A run of two segments, the last of which is cut.
struct Cut {
    _temp: tempfile::TempDir,
    dir: RunDir,
    /// The frames of the last segment and before, and where in that segment each ends.
    batches: Vec<Seen>,
    whole: Vec<u8>,
    boundaries: Vec<u64>,
    last: u32,
}

impl Cut {
    fn new(last: u32) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = RunDir::new(temp.path().join("run"));
        samples::write_run(&dir);
        if last == 0 {
            std::fs::remove_file(dir.segment(Rank(0), 1)).unwrap();
        }
        let whole = std::fs::read(dir.segment(Rank(0), last)).unwrap();
        let boundaries = boundaries(&whole);
        let (batches, damage) = follow_all(&dir);
        assert_eq!(damage, []);
        Self {
            _temp: temp,
            dir,
            batches,
            whole,
            boundaries,
            last,
        }
    }

    /// Cuts the last segment down to `length` bytes and checks all that can be asked of it.
    fn check(&self, length: usize) {
        let path = self.dir.segment(Rank(0), self.last);
        std::fs::write(&path, &self.whole[..length]).unwrap();
        let ends = &self.boundaries[1..];
        let lost = ends.iter().filter(|&&end| end > length as u64).count();
        let expected = &self.batches[..self.batches.len() - lost];
        let whole_until = self.boundaries.iter().rfind(|&&b| b <= length as u64);
        let whole_until = whole_until.copied().unwrap_or(0);
        let torn = (whole_until < length as u64).then_some(Damage {
            rank: Rank(0),
            segment: self.last,
            from: whole_until,
            to: length as u64,
            kind: DamageKind::TornTail,
        });

        let (batches, damage) = follow_all(&self.dir);
        assert_eq!(batches, expected, "cut at {length}");
        assert_eq!(damage, Vec::from_iter(torn.clone()), "cut at {length}");

        let mut before = Follower::new(self.dir.clone());
        drain(&mut before);
        self.go_on(length, expected, torn, &before.cursor());
    }

    /// A writer takes the cut log up.
    fn go_on(&self, length: usize, expected: &[Seen], torn: Option<Damage>, cursor: &Cursor) {
        let mut log = LogWriter::create(&self.dir, Rank(0)).unwrap();
        let added = [vec![samples::key(0, "a")], vec![samples::key(1, "b")]];
        for records in &added {
            append(&mut log, records);
        }
        let first = expected.last().map_or(0, |batch| batch.sequence + 1);
        let added = added
            .into_iter()
            .zip(first..)
            .map(|(records, sequence)| Seen {
                rank: Rank(0),
                sequence,
                replayed: false,
                records: plainly(&records),
            });
        let added: Vec<Seen> = added.collect();
        let (batches, damage) = follow_all(&self.dir);
        assert_eq!(
            batches,
            [expected, &added[..]].concat(),
            "after a cut at {length}"
        );
        assert_eq!(damage, Vec::from_iter(torn), "after a cut at {length}");

        let mut after = Follower::resume(self.dir.clone(), cursor).unwrap();
        let (mut resumed, damage) = drain(&mut after);
        resumed.retain(|seen| !seen.replayed);
        assert_eq!(resumed, added, "resumed after a cut at {length}");
        assert_eq!(damage, [], "what was reported is not reported again");
        std::fs::remove_file(self.dir.segment(Rank(0), self.last + 1)).unwrap();
    }
}

#[test]
fn the_last_segment_cut_at_every_byte() {
    let cut = Cut::new(1);
    (0..=cut.whole.len()).for_each(|length| cut.check(length));
}

#[test]
fn the_only_segment_cut_at_every_byte() {
    let cut = Cut::new(0);
    (0..=cut.whole.len()).for_each(|length| cut.check(length));
}

#[test]
fn an_earlier_segment_may_be_torn_too() {
    let cut = Cut::new(1);
    let first = cut.dir.segment(Rank(0), 0);
    let whole = std::fs::read(&first).unwrap();
    let frames = boundaries(&whole).len() - 1;
    std::fs::write(&first, &whole[..whole.len() - 1]).unwrap();
    let (batches, damage) = follow_all(&cut.dir);
    assert_eq!(batches.len(), cut.batches.len() - 1);
    assert_eq!(batches[..frames - 1], cut.batches[..frames - 1]);
    assert_eq!(batches[frames - 1..], cut.batches[frames..]);
    let kinds: Vec<DamageKind> = damage.iter().map(|d| d.kind).collect();
    assert_eq!(
        kinds,
        [
            DamageKind::TornTail,
            DamageKind::MissingFrames { frames: 1 }
        ]
    );
}

#[test]
fn a_whole_segment_that_is_gone_is_missed() {
    let cut = Cut::new(1);
    let frames = boundaries(&std::fs::read(cut.dir.segment(Rank(0), 0)).unwrap()).len() - 1;
    std::fs::remove_file(cut.dir.segment(Rank(0), 0)).unwrap();
    let (batches, damage) = follow_all(&cut.dir);
    assert_eq!(batches, cut.batches[frames..]);
    let [damage] = &damage[..] else {
        panic!("{damage:?}")
    };
    assert_eq!(
        damage.kind,
        DamageKind::MissingFrames {
            frames: frames as u64
        }
    );
    assert_eq!((damage.segment, damage.from), (1, 44));
}
