//! A small run with every kind of record.

use cresset_record::*;
use serde_json::{Map, Value as Json, json};

use super::append;

/// When the samples begin.
pub const T0: i64 = 1_763_000_000_000_000;

/// A time so many milliseconds after the samples begin.
pub fn at(milliseconds: i64) -> Timestamp {
    Timestamp(T0 + milliseconds * 1000)
}

fn object(value: Json) -> Map<String, Json> {
    value.as_object().cloned().unwrap()
}

pub fn start(rank: u32) -> Record {
    Record::Start(Box::new(Start {
        run: RunId::try_from("fixture-1".to_owned()).unwrap(),
        project: Project::try_from("solder".to_owned()).unwrap(),
        name: "amber-harbor-7".into(),
        rank: Rank(rank),
        world_size: Some(2),
        time: at(0),
        group: Some("baselines".into()),
        job_type: Some("train".into()),
        tags: vec!["resnet".into(), "löt".into()],
        notes: "first try".into(),
        config: object(json!({"lr": 0.1, "model": {"depth": 18, "width": 64}, "seed": u64::MAX})),
        cresset_version: "0.1.0".into(),
    }))
}

pub fn key(id: u32, name: &str) -> Record {
    Record::Key {
        id: KeyId(id),
        key: Key::new(name).unwrap(),
    }
}

pub fn row(step: u64, milliseconds: i64, values: &[f64]) -> Row {
    Row {
        step,
        time: at(milliseconds),
        points: (0..).map(KeyId).zip(values.iter().copied()).collect(),
    }
}

/// One record of every kind and of every kind of media, in an order that makes sense.
pub fn every_kind(blobs: &BlobFolder) -> Vec<Record> {
    let image = blobs.put(b"not really a PNG", "image/png").unwrap();
    let mask = blobs.put(b"not really a mask", "image/png").unwrap();
    let table = Table {
        columns: vec!["class".into(), "recall".into()],
        rows: vec![
            vec![json!("void"), json!(0.91)],
            vec![json!("bridge"), json!(null)],
        ],
    };
    let table = blobs
        .put(&serde_json::to_vec(&table).unwrap(), "application/json")
        .unwrap();
    let figure = Figure::ConfusionMatrix {
        classes: vec!["void".into(), "bridge".into()],
        counts: vec![vec![90, 10], vec![3, 97]],
    };
    let media = |step, content, detail| Record::Media {
        key: KeyId(3),
        step,
        time: at(step as i64),
        media: Box::new(Media {
            content,
            caption: Some(format!("step {step}")),
            detail,
        }),
    };
    let image_detail = ImageDetail {
        width: 32,
        height: 24,
        boxes: vec![BoundingBox {
            x: 1.5,
            y: f32::NAN,
            width: 8.0,
            height: 9.0,
            label: "void".into(),
            score: Some(0.75),
        }],
        masks: vec![Mask {
            name: "ground_truth".into(),
            blob: mask,
            classes: vec!["background".into(), "void".into()],
        }],
        sample: Some(Sample {
            dataset_index: 4711,
            true_class: "void".into(),
            predicted_class: "bridge".into(),
            confidence: 0.99,
        }),
    };
    let blob = Content::Blob;
    let weights = [-1.5, -0.25, 0.0, 0.125, 3.0, f64::NAN, f64::INFINITY];
    vec![
        start(0),
        Record::Environment(
            json!({"git": {"commit": "deadbeef", "dirty": true}, "host": {"name": "box"}})
                .as_object()
                .cloned()
                .unwrap(),
        ),
        Record::Define(
            Definition::new("val/*")
                .maximize()
                .summary(SummaryRule::Best)
                .unit("1"),
        ),
        key(0, "train/loss"),
        key(1, "val/auc"),
        key(2, "parameters/fc.weight"),
        key(3, "examples"),
        Record::Rows(
            (0..4)
                .map(|i| row(i, i as i64, &[1.0 / (i + 1) as f64, 0.5]))
                .collect(),
        ),
        Record::Rows(vec![
            row(4, 4, &[f64::NAN]),
            row(2, 5, &[f64::NEG_INFINITY, 0.75]),
        ]),
        Record::Histogram {
            key: KeyId(2),
            step: 4,
            time: at(6),
            stats: Box::new(TensorStats::from_values(weights)),
        },
        media(10, Content::Inline("a line".into()), MediaDetail::Text),
        media(11, Content::Inline("<b>bold</b>".into()), MediaDetail::Html),
        media(12, blob(image.clone()), MediaDetail::Image(image_detail)),
        media(
            13,
            blob(image.clone()),
            MediaDetail::Audio {
                sample_rate: 44_100,
                channels: 2,
                seconds: 1.5,
            },
        ),
        media(14, blob(image.clone()), MediaDetail::Video),
        media(
            15,
            blob(image.clone()),
            MediaDetail::PointCloud {
                points: 2,
                coloured: true,
            },
        ),
        media(
            16,
            blob(table),
            MediaDetail::Table {
                rows: 2,
                columns: 2,
            },
        ),
        media(
            17,
            Content::Inline(serde_json::to_string(&figure).unwrap()),
            MediaDetail::Figure {
                figure: figure.name().into(),
            },
        ),
        media(
            18,
            blob(image),
            MediaDetail::File {
                name: "model.safetensors".into(),
                role: Some("checkpoint".into()),
                metadata: object(json!({"epoch": 3})),
            },
        ),
        Record::Config(ConfigUpdate {
            time: at(20),
            values: object(json!({"lr": 0.01})),
        }),
        Record::Label(LabelUpdate {
            notes: Some("better".into()),
            ..LabelUpdate::default()
        }),
        Record::Summary(object(json!({"verdict": "keep"}))),
        Record::Console(ConsoleLine {
            time: at(21),
            level: Level::Info,
            target: "trainer".into(),
            message: "epoch 1 \u{1F680}".into(),
            fields: object(json!({"epoch": 1})),
        }),
        Record::Alert(Alert {
            time: at(22),
            level: Level::Error,
            title: "loss is NaN".into(),
            text: "first in fc.weight".into(),
            step: Some(4),
        }),
        Record::Lost(Lost {
            time: at(23),
            reason: LossReason::Overflow,
            points: 12,
            values: 1,
        }),
        Record::Resume(Resume {
            time: at(24),
            from_step: Some(1000),
        }),
        Record::End(End {
            time: at(30),
            outcome: Outcome::Finished,
        }),
    ]
}

/// Writes [`every_kind`] as a log of two segments, a frame for every three records.
pub fn write_run(dir: &RunDir) -> Vec<Record> {
    let records = every_kind(&dir.blobs());
    let mut log = LogWriter::create(dir, Rank(0)).unwrap();
    let (first, second) = records.split_at(records.len() / 2);
    for frame in first.chunks(3) {
        append(&mut log, frame);
    }
    log.rotate().unwrap();
    for frame in second.chunks(3) {
        append(&mut log, frame);
    }
    records
}
