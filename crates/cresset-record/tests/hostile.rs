//! Files made to do harm: nothing panics, nothing asks for memory or time without bound, and what is right is read.

mod common;

use common::{follow_all, raw, strategies};
use cresset_record::*;
use proptest::collection::vec;
use proptest::prelude::*;

const ROWS: u64 = 5;
const HISTOGRAM: u64 = 6;

/// What a reader makes of one record.
fn decode(kind: u64, body: &[u8]) -> Frame {
    Frame::decode(&raw::payload(0, &[(kind, body)]), MINOR).unwrap()
}

fn is_malformed(kind: u64, body: &[u8]) -> bool {
    let frame = decode(kind, body);
    assert_eq!(frame.records.len() + frame.malformed as usize, 1);
    frame.malformed == 1
}

fn rows_body(rows: u64, heads: &[u8], values: &[u8]) -> Vec<u8> {
    [
        &raw::varint(rows)[..],
        &raw::varint(heads.len() as u64),
        heads,
        values,
    ]
    .concat()
}

#[test]
fn rows_that_promise_too_much() {
    let many = [raw::varint(1), vec![2], raw::varint(u64::MAX)].concat();
    for (what, body) in [
        ("rows without heads", rows_body(u64::MAX, &[], &[])),
        (
            "more rows than heads",
            rows_body(1 << 24, &[0b00_0110, 0], &[]),
        ),
        (
            "heads beyond the end",
            [raw::varint(1), raw::varint(u64::MAX)].concat(),
        ),
        (
            "a layout of more keys than bytes",
            rows_body(1, &many[1..], &[]),
        ),
        (
            "a layout that is not there",
            rows_body(1, &[0b00_0101, 7], &[]),
        ),
        (
            "the layout before the first",
            rows_body(1, &[0b00_0100], &[]),
        ),
        (
            "a key beyond 32 bits",
            rows_body(
                1,
                &[&[0b00_0110, 1][..], &raw::varint(1 << 32)].concat(),
                &[0],
            ),
        ),
        (
            "values beyond the end",
            rows_body(1, &[0b00_0110, 1, 0], &[]),
        ),
        ("an unknown code for keys", rows_body(1, &[0b00_0111], &[])),
        (
            "an unknown code for steps",
            rows_body(1, &[0b00_1110, 0], &[]),
        ),
        (
            "an unknown code for times",
            rows_body(1, &[0b11_0110, 0], &[]),
        ),
        (
            "bits that mean nothing",
            rows_body(1, &[0b0100_0110, 0], &[]),
        ),
        ("heads left over", rows_body(1, &[0b00_0110, 0, 0, 0], &[])),
        // 11, leading 63, width 2
        (
            "a window beyond 64 bits",
            rows_body(1, &[0b00_0110, 1, 0], &[0b1111_1111, 0b0000_0111, 0xFF]),
        ),
    ] {
        assert!(is_malformed(ROWS, &body), "{what}");
    }
    assert!(
        !is_malformed(ROWS, &rows_body(1, &[0b00_0110, 1, 0], &[0])),
        "one row of one zero is well"
    );
}

/// A constant value costs one bit and a row without keys a byte: small files may speak of many.
#[test]
fn rows_that_unfold() {
    let limit = 1 << 22;
    let key_repeated = |n: usize| [&[0b00_0110][..], &raw::varint(n as u64), &vec![0; n]].concat();
    // One layout of half a million keys, in eight rows, one too many.
    let n = 1 << 19;
    let heads = [key_repeated(n), vec![0b00_0100; 7]].concat();
    let values = vec![0; n];
    assert!(is_malformed(ROWS, &rows_body(8, &heads, &values)));
    assert!(!is_malformed(
        ROWS,
        &rows_body(7, &heads[..heads.len() - 1], &values)
    ));
    // Rows of nothing.
    let mut heads = vec![0b00_0100; limit + 1];
    heads.splice(..1, [0b00_0110, 0]);
    assert!(is_malformed(
        ROWS,
        &rows_body(limit as u64 + 1, &heads, &[])
    ));
    heads.pop();
    assert!(!is_malformed(ROWS, &rows_body(limit as u64, &heads, &[])));
    // The limit is for the frame, not for the record.
    let body = rows_body(limit as u64, &heads, &[]);
    let frame = Frame::decode(&raw::payload(0, &[(ROWS, &body), (ROWS, &body)]), MINOR).unwrap();
    assert_eq!((frame.records.len(), frame.malformed), (1, 1));
}

#[test]
fn histograms_that_promise_too_much() {
    let body = |offset: i64, n: u64, counts: &[u8], scale: i64| {
        let zigzag = |n: i64| raw::varint((n << 1 ^ n >> 63) as u64);
        let empty = [raw::varint(0), raw::varint(0)].concat();
        let fixed = [vec![0; 8], vec![0; 32]].concat();
        [
            fixed,
            zigzag(scale),
            raw::varint(0),
            zigzag(offset),
            raw::varint(n),
            counts.to_vec(),
            empty,
        ]
        .concat()
    };
    assert!(!is_malformed(HISTOGRAM, &body(0, 1, &[1], 1)));
    for (what, body) in [
        ("buckets without counts", body(0, 4200, &[], 1)),
        ("too many buckets", body(0, 4201, &[1; 4201], 1)),
        ("more buckets than memory", body(0, u64::MAX, &[1; 9], 1)),
        ("an offset out of this world", body(1 << 30, 1, &[1], 1)),
        ("an offset beyond 32 bits", body(i64::MIN, 1, &[1], 1)),
        ("a scale finer than any", body(0, 1, &[1], 21)),
        ("a scale beyond 8 bits", body(0, 1, &[1], -129)),
        ("half of it", body(0, 1, &[1], 1)[..30].to_vec()),
    ] {
        assert!(is_malformed(HISTOGRAM, &body), "{what}");
    }
}

#[test]
fn json_that_goes_too_deep_or_says_nothing() {
    let deep = format!("{}{}", "[".repeat(1 << 20), "]".repeat(1 << 20));
    let object = format!("{{\"a\":{deep}}}");
    for kind in [1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15] {
        for body in ["", "null", "[]", "{\"a\"", "\u{FEFF}{}", &deep, &object] {
            // What is not known is passed over, however deep.
            let tolerant = kind == 10 && (body == "[]" || body == object);
            assert!(
                tolerant || is_malformed(kind, body.as_bytes()),
                "kind {kind}: {body:.9}"
            );
        }
        assert!(kind == 10 || is_malformed(kind, b"{\"a\":\"\xFF\"}"));
    }
    let wide = format!("{{\"a\":[{}0]}}", "0,".repeat(2_000_000));
    assert!(!is_malformed(11, wide.as_bytes()), "wide is allowed");
}

#[test]
fn names_that_lead_elsewhere() {
    let start = |run: &str, project: &str| {
        let body = serde_json::json!({"run": run, "project": project, "name": "n", "time": 0});
        is_malformed(1, body.to_string().as_bytes())
    };
    assert!(!start("a", "p"));
    assert!(
        start("../../etc", "p")
            && start("a/b", "p")
            && start("", "p")
            && start("a", "")
            && start("a", "p\n")
    );
    let blob = r#"{"content":{"blob":{"digest":"../../../../etc/passwd","bytes":1,"media_type":"x"}},"detail":{"kind":"text"}}"#;
    assert!(is_malformed(7, &[&[0, 0, 0], blob.as_bytes()].concat()));
    for key in ["", "a\u{0}b", &"x".repeat(513)] {
        assert!(is_malformed(4, &[&[0], key.as_bytes()].concat()));
    }
}

#[test]
fn records_that_promise_too_much() {
    for payload in [
        [raw::varint(0), raw::varint(3), raw::varint(u64::MAX)].concat(),
        [
            raw::varint(0),
            raw::varint(u64::MAX),
            raw::varint(9),
            vec![1],
        ]
        .concat(),
        [raw::varint(0), vec![0x80; 20]].concat(),
        [raw::varint(0), vec![0xFF; 9], vec![0x7F]].concat(),
    ] {
        let frame = Frame::decode(&payload, MINOR).unwrap();
        assert_eq!((frame.records.len(), frame.malformed), (0, 1));
    }
    assert_eq!(Frame::decode(&[], MINOR), None);
    assert_eq!(Frame::decode(&[0xFF; 10], MINOR), None);
}

/// A segment in which every ten bytes claim to begin a frame of eight megabytes: a search that believed each would
/// read a hundred terabytes. The frame behind is found all the same.
#[test]
fn false_frames_at_every_turn() {
    let false_head = [&[0xC5, 0x5E][..], &8_000_000u32.to_le_bytes(), &[0; 4]].concat();
    let mut bytes = raw::head(1, 0, 0, &[]);
    bytes.extend(false_head.repeat(2_000_000));
    let garbage = bytes.len() as u64;
    bytes.extend(raw::frame(&raw::payload(0, &[(99, b"here")])));
    bytes.extend(false_head.repeat(2_000_000));
    let parts: Vec<SegmentPart> = read_segment(std::io::Cursor::new(&bytes), "made")
        .map(Result::unwrap)
        .collect();
    let [
        SegmentPart::Head(_),
        SegmentPart::Damage { from: 44, to, kind },
        SegmentPart::Frame { frame, .. },
        rest,
    ] = &parts[..]
    else {
        panic!("{} parts", parts.len())
    };
    assert_eq!((*to, *kind), (garbage, DamageKind::Corrupt));
    assert_eq!(frame.records, [Record::Unknown { kind: 99, len: 4 }]);
    let SegmentPart::Damage {
        to,
        kind: DamageKind::TornTail,
        ..
    } = rest
    else {
        panic!("{rest:?}")
    };
    assert_eq!(*to, bytes.len() as u64);
}

/// Damage before every frame, in a segment of full size: each search must end where the next frame is.
#[test]
fn damage_at_every_turn() {
    let mut bytes = raw::head(1, 0, 0, &[]);
    let frames = 400_000;
    for sequence in 0..frames {
        bytes.extend(b"damage");
        bytes.extend(raw::frame(&raw::payload(sequence, &[(99, &[0; 40])])));
    }
    let (mut damaged, mut whole) = (0, 0);
    for part in read_segment(std::io::Cursor::new(&bytes), "made") {
        match part.unwrap() {
            SegmentPart::Damage { .. } => damaged += 1,
            SegmentPart::Frame { .. } => whole += 1,
            SegmentPart::Head(_) => {}
        }
    }
    assert_eq!((damaged, whole), (frames, frames));
}

#[test]
fn sequence_numbers_at_the_end_of_numbers() {
    let temp = tempfile::tempdir().unwrap();
    let dir = RunDir::new(temp.path());
    let frames = [u64::MAX, 5].map(|sequence| raw::frame(&raw::payload(sequence, &[(99, &[])])));
    std::fs::write(
        dir.segment(Rank(0), u32::MAX - 1),
        [raw::head(1, 0, u64::MAX, &[]), frames.concat()].concat(),
    )
    .unwrap();
    assert_eq!(follow_all(&dir).0.len(), 2);
    let mut log = LogWriter::create(&dir, Rank(0)).unwrap();
    for _ in 0..3 {
        common::append(&mut log, &[common::samples::key(0, "a")]);
    }
    let error = log.rotate().unwrap_err().to_string();
    assert_eq!(error, "the log has as many segments as can be numbered");
    common::append(&mut log, &[common::samples::key(0, "a")]);
    assert_eq!(follow_all(&dir).0.len(), 6);
    assert!(LogWriter::create(&dir, Rank(0)).is_err());
}

/// Every question that can be asked of statistics.
fn ask(stats: &TensorStats) {
    for q in [0.0, 0.25, 0.5, 1.0, -1.0, f64::NAN] {
        if let Some(value) = stats.quantile(q) {
            assert!(!value.is_nan() || stats.min.is_nan() || stats.max.is_nan());
        }
    }
    let _ = (
        stats.mean(),
        stats.std(),
        stats.l2_norm(),
        stats.finite(),
        stats.non_finite(),
    );
    assert!(stats.histogram.buckets().count() <= 3 * ExpHistogram::MAX_BUCKETS);
    let _ = (stats.histogram.count(), stats.histogram.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Right checksums over wrong bytes.
    #[test]
    fn any_body_of_any_kind(kind in 0..17u64, body in vec(any::<u8>(), 0..300)) {
        for record in decode(kind, &body).records {
            if let Record::Histogram { stats, .. } = record {
                ask(&stats);
            }
        }
    }

    /// Bodies that were right before a few bytes changed reach deeper than random ones.
    #[test]
    fn bodies_that_are_nearly_right(records in vec(strategies::record(), 1..5), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut builder = FrameBuilder::default();
        records.iter().for_each(|record| builder.push(record).unwrap());
        let mut payload = builder.seal(0, |bytes| bytes[10..].to_vec());
        for (at, byte) in changes {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        let temp = tempfile::tempdir().unwrap();
        let dir = RunDir::new(temp.path());
        std::fs::write(dir.segment(Rank(0), 0), [raw::head(1, 0, 0, &[]), raw::frame(&payload)].concat()).unwrap();
        let view = RunView::open(dir).unwrap();
        let _ = (view.summary(), view.state(), view.duration_seconds());
        for (_, _, series) in view.series() {
            for rule in [SummaryRule::Last, SummaryRule::Min, SummaryRule::Mean, SummaryRule::Best] {
                let _ = series.summarise(rule, Some(Goal::Minimize));
            }
            assert!(series.by_step().is_sorted_by_key(|p| p.step));
        }
        let mut merged = TensorStats::default();
        for logged in view.histograms().flat_map(|(_, _, logged)| logged) {
            ask(&logged.value);
            merged.merge(&logged.value);
            ask(&merged);
        }
    }

    #[test]
    fn statistics_that_contradict_themselves(a in strategies::stats(), b in strategies::stats(), value in strategies::value()) {
        ask(&a);
        let mut merged = a.clone();
        merged.merge(&b);
        merged.insert(value);
        ask(&merged);
    }

    #[test]
    fn any_bytes_as_a_segment(bytes in vec(any::<u8>(), 0..400), headless: bool) {
        let mut segment = if headless { Vec::new() } else { raw::head(1, 0, 0, &[]) };
        segment.extend(&bytes);
        let mut end = if headless { 0 } else { 44 };
        for part in read_segment(std::io::Cursor::new(&segment), "any").map(Result::unwrap) {
            if let SegmentPart::Damage { from, to, .. } = part {
                assert_eq!(from, end);
                end = to;
            }
        }
        prop_assert_eq!(end, segment.len() as u64);
    }
}
