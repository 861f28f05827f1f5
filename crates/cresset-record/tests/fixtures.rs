//! Runs that earlier versions wrote, kept under `tests/fixtures/`, are read as they were meant.
//!
//! A folder there is never changed once its version was released. To write the one of a new version, with what it was
//! meant to say (look through `expected.json` before it is committed):
//! `CRESSET_WRITE_FIXTURES=v2 cargo test -p cresset-record --test fixtures every_version`

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use common::plain::{self, PlainPart, PlainRecord};
use common::{append, boundaries, follow_all, samples};
use cresset_record::*;
use serde_json::{Value as Json, json};

fn folder(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(version)
}

fn versions() -> Vec<String> {
    let entries = fs::read_dir(folder("")).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Two ranks; the first has every kind of record in two segments and a torn tail.
fn write(dir: &RunDir) {
    samples::write_run(dir);
    let path = dir.segment(Rank(0), 1);
    let frame = FrameBuilder::default();
    let torn = torn_frame(frame);
    fs::OpenOptions::new()
        .append(true)
        .open(path)
        .unwrap()
        .write_all(&torn)
        .unwrap();
    let mut log = LogWriter::create(dir, Rank(1)).unwrap();
    append(
        &mut log,
        &[
            samples::start(1),
            samples::key(0, "train/loss"),
            samples::key(1, "train/lr"),
        ],
    );
    append(
        &mut log,
        &[Record::Rows(
            (0..3)
                .map(|step| samples::row(step, step as i64, &[1.0, 1e-3]))
                .collect(),
        )],
    );
    let outcome = Outcome::Stopped {
        reason: "sweep".into(),
    };
    append(
        &mut log,
        &[Record::End(End {
            time: samples::at(40),
            outcome,
        })],
    );
}

/// The beginning of a frame, as a kill leaves it.
fn torn_frame(mut frame: FrameBuilder) -> Vec<u8> {
    frame.push(&samples::key(9, "never/declared")).unwrap();
    frame.seal(99, |bytes| bytes[..bytes.len() - 3].to_vec())
}

/// All that a view says, as JSON; numbers as text, as JSON has no NaN.
fn describe(view: &RunView) -> Json {
    let point = |step: u64, time: Timestamp, value: String| json!([step, time, value]);
    let scalars = view.series().map(|(key, rank, series)| {
        let points = series
            .points()
            .iter()
            .map(|p| point(p.step, p.time, p.value.to_string()));
        json!({"key": key, "rank": rank, "points": points.collect::<Vec<_>>()})
    });
    let histograms = view.histograms().map(|(key, rank, logged)| {
        let values = logged
            .iter()
            .map(|l| json!([l.step, l.time, statistics(&l.value)]));
        json!({"key": key, "rank": rank, "values": values.collect::<Vec<_>>()})
    });
    let media = view.media().map(|(key, rank, logged)| {
        let values = logged.iter().map(|l| json!([l.step, l.time, l.value]));
        json!({"key": key, "rank": rank, "values": values.collect::<Vec<_>>()})
    });
    let state = view.state();
    json!({
        "name": view.name(),
        "state": [state.word(), state.reason()],
        "seconds": view.duration_seconds(),
        "start": view.start(),
        "environment": view.environment(),
        "scalars": scalars.collect::<Vec<_>>(),
        "histograms": histograms.collect::<Vec<_>>(),
        "media": media.collect::<Vec<_>>(),
        "definition of val/auc": view.definition("val/auc"),
        "summary": view.summary(),
        "console": view.console(),
        "alerts": view.alerts(),
        "lost": view.lost().iter().map(|(reason, lost)| json!([reason, lost.points, lost.values])).collect::<Vec<_>>(),
        "damage": view.damage(),
    })
}

fn statistics(stats: &TensorStats) -> Json {
    let moments = [stats.min, stats.max, stats.sum, stats.sum_sq].map(|x| x.to_string());
    let h = &stats.histogram;
    let buckets =
        [&h.positive, &h.negative].map(|b| json!({"offset": b.offset, "counts": b.counts}));
    json!({
        "counters": [stats.count, stats.zeros, stats.nan, stats.pos_inf, stats.neg_inf],
        "moments": moments,
        "scale": h.scale,
        "zero_count": h.zero_count,
        "buckets": buckets,
    })
}

#[test]
fn every_version_is_read_as_it_was_meant() {
    if let Some(version) = std::env::var_os("CRESSET_WRITE_FIXTURES") {
        let folder = folder(version.to_str().unwrap());
        assert!(!folder.exists(), "{} is there already", folder.display());
        let dir = RunDir::new(folder.join("run"));
        write(&dir);
        let expected = describe(&RunView::open(dir).unwrap());
        fs::write(folder.join("expected.json"), format!("{expected:#}\n")).unwrap();
    }
    assert!(
        versions().contains(&format!("v{MAJOR}")),
        "the version that is written now has fixtures"
    );
    for version in versions() {
        let view = RunView::open(RunDir::new(folder(&version).join("run"))).unwrap();
        let expected = fs::read_to_string(folder(&version).join("expected.json")).unwrap();
        assert_eq!(format!("{:#}\n", describe(&view)), expected, "{version}");
    }
}

#[test]
fn the_plain_decoder_reads_them_too() {
    let dir = RunDir::new(folder("v1").join("run"));
    let mut kinds = std::collections::BTreeSet::new();
    let mut records = 0;
    let mut torn = 0;
    for (rank, index) in dir.segments().unwrap() {
        let (head, parts) = plain::read_segment(&fs::read(dir.segment(rank, index)).unwrap());
        assert_eq!(
            head.map(|h| (h.major, h.rank, h.index)),
            Some((1, rank.0.into(), index.into()))
        );
        for part in parts {
            match part {
                PlainPart::Frame { frame, .. } => {
                    records += frame.records.len();
                    kinds.extend(
                        frame
                            .records
                            .into_iter()
                            .map(|record| match record.unwrap() {
                                PlainRecord::Json { kind, .. }
                                | PlainRecord::Unknown { kind, .. } => kind,
                                PlainRecord::Key { .. } => 4,
                                PlainRecord::Rows(_) => 5,
                                PlainRecord::Histogram(_) => 6,
                                PlainRecord::Media { .. } => 7,
                            }),
                    );
                }
                PlainPart::TornTail { .. } => torn += 1,
                PlainPart::Corrupt { .. } => panic!("{part:?}"),
            }
        }
    }
    assert!(
        kinds.into_iter().eq(1..=15),
        "every kind of record is among the fixtures"
    );
    let (seen, damage) = follow_all(&dir);
    assert_eq!(seen.iter().map(|s| s.records.len()).sum::<usize>(), records);
    assert_eq!((damage.len(), torn), (1, 1));
}

#[test]
fn their_blobs_are_whole() {
    let dir = RunDir::new(folder("v1").join("run"));
    let view = RunView::open(dir.clone()).unwrap();
    let mut found = 0;
    for logged in view.media().flat_map(|(_, _, logged)| logged) {
        let mut blobs = Vec::new();
        if let Content::Blob(blob) = &logged.value.content {
            blobs.push(blob);
        }
        if let MediaDetail::Image(image) = &logged.value.detail {
            blobs.extend(image.masks.iter().map(|mask| &mask.blob));
        }
        for blob in blobs {
            dir.blobs().get(blob).unwrap();
            found += 1;
        }
        if let (MediaDetail::Table { rows, columns }, Content::Blob(blob)) =
            (&logged.value.detail, &logged.value.content)
        {
            let table: Table = serde_json::from_slice(&dir.blobs().get(blob).unwrap()).unwrap();
            assert_eq!(
                (table.rows.len() as u64, table.columns.len() as u64),
                (*rows, *columns)
            );
        }
        if let (MediaDetail::Figure { figure: name }, Content::Inline(text)) =
            (&logged.value.detail, &logged.value.content)
        {
            let figure: Figure = serde_json::from_str(text).unwrap();
            assert_eq!((figure.name(), figure.check()), (name.as_str(), Ok(())));
        }
    }
    assert_eq!(found, 7);
}

#[test]
fn the_torn_tail_is_where_it_was_made() {
    let path = RunDir::new(folder("v1").join("run")).segment(Rank(0), 1);
    let bytes = fs::read(path).unwrap();
    let torn = torn_frame(FrameBuilder::default());
    assert!(bytes.ends_with(&torn));
    let whole = &bytes[..bytes.len() - torn.len()];
    assert_eq!(boundaries(whole).last(), Some(&(whole.len() as u64)));
}

/// What the fuzzers begin with: the fixtures, whole and in pieces.
#[test]
#[ignore = "writes fuzz/seeds"]
fn seeds_of_the_fuzzers() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let keep = |target: &str, name: String, bytes: &[u8]| {
        fs::create_dir_all(seeds.join(target)).unwrap();
        fs::write(seeds.join(target).join(name), bytes).unwrap();
    };
    let dir = RunDir::new(folder("v1").join("run"));
    let mut run = Vec::new();
    for (rank, index) in dir.segments().unwrap() {
        let name = format!("rank-{}-{index}", rank.0);
        let bytes = fs::read(dir.segment(rank, index)).unwrap();
        keep("segment", name.clone(), &[&[1][..], &bytes].concat());
        for part in plain::read_segment(&bytes).1 {
            let PlainPart::Frame { from, to, frame } = part else {
                continue;
            };
            let payload = &bytes[from + 10..to];
            keep("frame", format!("{name}-{from}"), payload);
            run.extend((payload.len() as u16).to_le_bytes());
            run.extend(payload);
            let rows = frame.records.iter().filter_map(|record| match record {
                Some(PlainRecord::Rows(rows)) => Some(rows),
                _ => None,
            });
            for (i, rows) in rows.enumerate() {
                let mut builder = FrameBuilder::default();
                for row in rows {
                    let points = row
                        .points
                        .iter()
                        .map(|&(id, bits)| (KeyId(id), f64::from_bits(bits)));
                    builder.push_row(row.step, Timestamp(row.time), &points.collect::<Vec<_>>());
                }
                // Head, number, kind, and a length of one byte or two.
                let body = builder.seal(0, |bytes| {
                    bytes[if bytes[12] < 128 { 13 } else { 14 }..].to_vec()
                });
                keep("rows", format!("{name}-{from}-{i}"), &body);
            }
        }
    }
    keep("view", "run".into(), &run);
}
