//! Whatever is written comes back, and a second decoder, written from the description of the format, says the same.

mod common;

use common::plain::{self, PlainFrame, PlainPart, plainly};
use common::{append, follow_all, samples, segment_bytes, strategies};
use cresset_record::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// One sealed frame: head and payload.
fn seal(records: &[Record], sequence: u64) -> Vec<u8> {
    let mut builder = FrameBuilder::default();
    for record in records {
        builder.push(record).unwrap();
    }
    builder.seal(sequence, <[u8]>::to_vec)
}

fn plain_records(frame: &PlainFrame) -> Vec<plain::PlainRecord> {
    let all = frame.records.iter().cloned();
    plain::join_rows(all.map(|record| record.expect("no record is malformed")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_records_come_back_from_both_decoders(records in vec(strategies::record(), 0..12), sequence: u64) {
        let bytes = seal(&records, sequence);
        let payload = &bytes[10..];
        let first = Frame::decode(payload, MINOR).unwrap();
        prop_assert_eq!((first.sequence, first.malformed), (sequence, 0));
        prop_assert_eq!(plainly(&first.records), plainly(&records));
        let second = plain::read_payload(payload);
        prop_assert_eq!(second.sequence, Some(sequence));
        prop_assert_eq!(plain_records(&second), plainly(&records));
    }

    /// Rows with other records between them, in one builder that is used again and again.
    #[test]
    fn rows_come_back_bit_for_bit(frames in vec(vec(strategies::rows(), 1..4), 1..4)) {
        let mut builder = FrameBuilder::default();
        for (sequence, batches) in (0u64..).zip(&frames) {
            let mut written = Vec::new();
            for rows in batches {
                for row in rows {
                    builder.push_row(row.step, row.time, &row.points);
                }
                let mark = samples::key(0, "mark");
                builder.push(&mark).unwrap();
                written.extend([Record::Rows(rows.clone()), mark]);
            }
            let read = builder.seal(sequence, |bytes| Frame::decode(&bytes[10..], MINOR)).unwrap();
            prop_assert_eq!(plainly(&read.records), plainly(&written));
        }
    }

    #[test]
    fn logs_agree_in_every_byte(frames in vec(vec(strategies::record(), 1..6), 0..6), rank in 0..3u32) {
        let temp = tempfile::tempdir().unwrap();
        let dir = RunDir::new(temp.path());
        let mut log = LogWriter::create(&dir, Rank(rank)).unwrap();
        for records in &frames {
            append(&mut log, records);
        }
        let bytes = segment_bytes(&dir, rank, 0);
        let (head, parts) = plain::read_segment(&bytes);
        let head = head.unwrap();
        prop_assert_eq!((head.major, head.minor, head.length), (1, 0, 44));
        prop_assert_eq!((head.rank, head.index, head.first_frame), (u64::from(rank), 0, 0));
        prop_assert_ne!(head.identity, 0);
        let (batches, damage) = follow_all(&dir);
        prop_assert_eq!(damage, vec![]);
        // A frame of rows that are none is none.
        prop_assert!(batches.len() <= frames.len());
        prop_assert_eq!(parts.len(), batches.len());
        for (part, batch) in parts.iter().zip(&batches) {
            let PlainPart::Frame { frame, .. } = part else { panic!("{part:?}") };
            prop_assert_eq!(frame.sequence, Some(batch.sequence));
            prop_assert_eq!(&plain_records(frame), &batch.records);
        }
        let read = batches.into_iter().flat_map(|b| b.records);
        prop_assert_eq!(plain::join_rows(read), plainly(frames.iter().flatten()));
    }
}

#[test]
fn every_kind_comes_back() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path().join("run"));
    let written = samples::write_run(&dir);
    let (batches, damage) = follow_all(&dir);
    assert_eq!(damage, []);
    let read = batches.into_iter().flat_map(|b| b.records);
    assert_eq!(plain::join_rows(read), plainly(&written));
}

#[test]
fn values_that_are_not_finite_stay_where_they_are_in_json() {
    let temp = tempfile::tempdir().unwrap();
    let all = samples::every_kind(&BlobFolder::new(temp.path()));
    let read = Frame::decode(&seal(&all, 0)[10..], MINOR).unwrap();
    let image = read.records.iter().find_map(|record| match record {
        Record::Media { media, .. } => match &media.detail {
            MediaDetail::Image(image) => Some(image.clone()),
            _ => None,
        },
        _ => None,
    });
    let image = image.unwrap();
    assert!(image.boxes[0].y.is_nan());
    assert_eq!((image.boxes[0].x, image.boxes[0].score), (1.5, Some(0.75)));
}

#[test]
fn what_no_reader_takes_is_refused() {
    let mut frame = FrameBuilder::default();
    frame
        .push(&Record::Summary(strategies::nested(100)))
        .unwrap();
    let read = frame
        .seal(0, |bytes| Frame::decode(&bytes[10..], MINOR))
        .unwrap();
    assert_eq!((read.records.len(), read.malformed), (1, 0));

    let mut refused = |record: &Record| {
        let error = frame.push(record).unwrap_err();
        assert!(frame.is_empty());
        error.to_string()
    };
    let deep = refused(&Record::Summary(strategies::nested(101)));
    assert_eq!(
        deep,
        "a value nests 101 levels deep, more than 100; make it flatter"
    );
    let text = "x".repeat(MAX_RECORD);
    let large = refused(&Record::Summary(
        [("a".to_owned(), text.into())].into_iter().collect(),
    ));
    assert!(
        large.contains("4194312 bytes") && large.contains("keep large values as files"),
        "{large}"
    );
    let unknown = refused(&Record::Unknown { kind: 99, len: 0 });
    assert_eq!(unknown, "records of unknown kinds cannot be written");
    let mut stats = TensorStats::from_values([1.0]);
    stats.histogram.scale = 21;
    let fine = refused(&Record::Histogram {
        key: KeyId(0),
        step: 0,
        time: Timestamp(0),
        stats: Box::new(stats),
    });
    assert!(fine.contains("scale 21"), "{fine}");
}

#[test]
fn a_frame_beyond_the_limits_is_refused_whole() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    let mut log = LogWriter::create(&dir, Rank(0)).unwrap();
    let mut frame = FrameBuilder::default();
    let text = Record::Summary(
        [("a".to_owned(), "x".repeat(MAX_RECORD - 100).into())]
            .into_iter()
            .collect(),
    );
    for full in [false, true, true] {
        assert_eq!(frame.is_full(), full);
        frame.push(&text).unwrap();
    }
    assert_eq!(
        log.append(&mut frame).unwrap_err().kind(),
        std::io::ErrorKind::InvalidInput
    );
    assert!(frame.is_empty());

    let points = vec![(KeyId(0), 0.0); 1 << 16];
    for step in 0..64 {
        assert_eq!(frame.is_full(), step > 15, "at {step}");
        frame.push_row(step, Timestamp(0), &points);
    }
    assert!(
        log.append(&mut frame).is_err(),
        "64 rows beyond four million points"
    );
    for step in 0..63 {
        frame.push_row(step, Timestamp(0), &points);
    }
    log.append(&mut frame).unwrap();
    let (batches, damage) = follow_all(&dir);
    let [batch] = &batches[..] else {
        panic!("{} batches", batches.len())
    };
    assert_eq!(
        batch.sequence, 2,
        "frames that were refused keep their numbers"
    );
    let [plain::PlainRecord::Rows(rows)] = &batch.records[..] else {
        panic!()
    };
    assert_eq!((rows.len(), rows[62].points.len()), (63, 1 << 16));
    assert_eq!(damage[0].kind, DamageKind::MissingFrames { frames: 2 });
}

#[test]
fn any_key_number_costs_no_more_than_another() {
    let mut frame = FrameBuilder::default();
    let points = [
        (KeyId(u32::MAX), 1.0),
        (KeyId(0), 2.0),
        (KeyId(u32::MAX), 3.0),
    ];
    frame.push_row(7, Timestamp(-1), &points);
    let read = frame
        .seal(0, |bytes| Frame::decode(&bytes[10..], MINOR))
        .unwrap();
    let row = Row {
        step: 7,
        time: Timestamp(-1),
        points: points.to_vec(),
    };
    assert_eq!(read.records, [Record::Rows(vec![row])]);
}

#[test]
fn the_checksum_is_the_published_one() {
    // The check value of CRC-32/ISCSI in the catalogue of parametrised CRC algorithms.
    assert_eq!(plain::crc32c(b"123456789"), 0xE306_9283);
}
