//! Arbitrary records.

use cresset_record::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

/// Any record that can be written.
pub fn record() -> BoxedStrategy<Record> {
    prop_oneof![
        4 => rows().prop_map(Record::Rows),
        2 => (0..6u32, key()).prop_map(|(id, key)| Record::Key { id: KeyId(id), key }),
        1 => (key_id(), any::<u64>(), time(), stats())
            .prop_map(|(key, step, time, stats)| Record::Histogram { key, step, time, stats: Box::new(stats) }),
        1 => (key_id(), any::<u64>(), time(), media())
            .prop_map(|(key, step, time, media)| Record::Media { key, step, time, media: Box::new(media) }),
        1 => start().prop_map(|start| Record::Start(Box::new(start))),
        1 => (time(), option::of(0..20u64)).prop_map(|(time, from_step)| Record::Resume(Resume { time, from_step })),
        1 => object().prop_map(Record::Environment),
        1 => definition().prop_map(Record::Define),
        1 => (time(), object()).prop_map(|(time, values)| Record::Config(ConfigUpdate { time, values })),
        1 => label().prop_map(Record::Label),
        1 => object().prop_map(Record::Summary),
        1 => console().prop_map(Record::Console),
        1 => alert().prop_map(Record::Alert),
        1 => (time(), prop::sample::select(&LossReason::ALL[..]), any::<u64>(), any::<u64>())
            .prop_map(|(time, reason, points, values)| Record::Lost(Lost { time, reason, points, values })),
        1 => (time(), outcome()).prop_map(|(time, outcome)| Record::End(End { time, outcome })),
    ]
    .boxed()
}

/// Rows as programs log them and as they do not: gaps, repeated keys, no keys, steps and times in any order.
pub fn rows() -> impl Strategy<Value = Vec<Row>> {
    let step = prop_oneof![0..20u64, any::<u64>(), Just(u64::MAX)];
    let points = prop_oneof![
        3 => vec(value(), 3).prop_map(|v| (0..).map(KeyId).zip(v).collect()),
        2 => vec((key_id(), value()), 0..5),
    ];
    let row = (step, time(), points).prop_map(|(step, time, points)| Row { step, time, points });
    let regular =
        (0..5u64, any::<u64>(), vec(vec(value(), 2), 1..20)).prop_map(|(stride, first, values)| {
            let rows = (0u64..).zip(values).map(|(i, v)| Row {
                step: first.wrapping_add(stride * i),
                time: Timestamp(1_700_000_000_000_000 + i as i64 * 997),
                points: (0..).map(KeyId).zip(v).collect(),
            });
            rows.collect()
        });
    prop_oneof![2 => vec(row, 1..20), 1 => regular]
}

pub fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        2 => any::<u64>().prop_map(f64::from_bits),
        2 => (0..1_000_000u32).prop_map(|n| f64::from(n) / 1e6),
        2 => any::<f32>().prop_map(f64::from),
        1 => prop::sample::select(vec![0.0, -0.0, 1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
    ]
}

pub fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        1_700_000_000_000_000..1_700_000_100_000_000i64,
        any::<i64>()
    ]
    .prop_map(Timestamp)
}

pub fn key_id() -> impl Strategy<Value = KeyId> {
    prop_oneof![8 => 0..6u32, 1 => any::<u32>()].prop_map(KeyId)
}

pub fn key() -> impl Strategy<Value = Key> {
    prop_oneof!["[a-z]{1,4}(/[a-z]{1,4})?", "[^\\pC]{1,20}"]
        .prop_filter_map("a key", |text| Key::new(&text).ok())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{0,8}",
        any::<String>(),
        "[\"\\\\\\x00-\\x1f{}\\[\\]]{0,9}"
    ]
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>()
            .prop_filter("finite", |f| f.is_finite())
            .prop_map(Json::from),
        text().prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::from),
            vec((text(), inner), 0..4).prop_map(|m| Json::Object(m.into_iter().collect()))
        ]
    })
}

pub fn object() -> impl Strategy<Value = Map<String, Json>> {
    vec((text(), json()), 0..4).prop_map(|pairs| pairs.into_iter().collect())
}

pub fn start() -> impl Strategy<Value = Start> {
    let names = ("[a-zA-Z0-9_-]{1,64}", "[a-z]{1,10}", text());
    let extras = (
        option::of(text()),
        option::of(text()),
        vec(text(), 0..3),
        text(),
    );
    (
        names,
        0..4u32,
        option::of(1..9u32),
        time(),
        extras,
        object(),
    )
        .prop_map(
            |(
                (run, project, name),
                rank,
                world_size,
                time,
                (group, job_type, tags, notes),
                config,
            )| Start {
                run: RunId::try_from(run).unwrap(),
                project: Project::try_from(project).unwrap(),
                name,
                rank: Rank(rank),
                world_size,
                time,
                group,
                job_type,
                tags,
                notes,
                config,
                cresset_version: "0.1.0".into(),
            },
        )
}

fn definition() -> impl Strategy<Value = Definition> {
    let rule = prop::sample::select(vec![
        SummaryRule::Last,
        SummaryRule::Min,
        SummaryRule::Max,
        SummaryRule::Mean,
        SummaryRule::Best,
        SummaryRule::None,
    ]);
    let goal = prop::sample::select(vec![Goal::Minimize, Goal::Maximize]);
    let pattern = prop_oneof![
        Just("*".to_owned()),
        "[a-z]{1,2}\\*",
        key().prop_map(String::from)
    ];
    (
        pattern,
        option::of(text()),
        option::of(goal),
        option::of(text()),
        option::of(rule),
        option::of(any::<bool>()),
    )
        .prop_map(
            |(pattern, unit, goal, step_metric, summary, hidden)| Definition {
                pattern,
                unit,
                goal,
                step_metric,
                summary,
                hidden,
            },
        )
}

fn label() -> impl Strategy<Value = LabelUpdate> {
    (
        option::of(text()),
        option::of(text()),
        option::of(text()),
        option::of(vec(text(), 0..3)),
    )
        .prop_map(|(name, group, notes, tags)| LabelUpdate {
            name,
            group,
            notes,
            tags,
        })
}

fn level() -> impl Strategy<Value = Level> {
    prop::sample::select(vec![
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
    ])
}

fn console() -> impl Strategy<Value = ConsoleLine> {
    (time(), level(), text(), text(), object()).prop_map(
        |(time, level, target, message, fields)| ConsoleLine {
            time,
            level,
            target,
            message,
            fields,
        },
    )
}

fn alert() -> impl Strategy<Value = Alert> {
    (time(), level(), text(), text(), option::of(any::<u64>())).prop_map(
        |(time, level, title, text, step)| Alert {
            time,
            level,
            title,
            text,
            step,
        },
    )
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Finished),
        text().prop_map(|reason| Outcome::Failed { reason }),
        text().prop_map(|reason| Outcome::Stopped { reason }),
    ]
}

/// Statistics that agree with themselves, and some that do not.
pub fn stats() -> impl Strategy<Value = TensorStats> {
    let honest = vec(value(), 0..50).prop_map(TensorStats::from_values);
    let buckets = || {
        (
            -(1 << 30) + 1..1 << 30,
            vec(prop_oneof![Just(0), Just(1), any::<u64>()], 0..9),
        )
            .prop_map(|(offset, counts)| Buckets::new(offset, counts))
    };
    let histogram = (-128..=20i8, any::<u64>(), buckets(), buckets()).prop_map(
        |(scale, zero_count, positive, negative)| ExpHistogram {
            scale,
            zero_count,
            positive,
            negative,
        },
    );
    let any_stats = (
        any::<[u64; 5]>(),
        [value(), value(), value(), value()],
        histogram,
    )
        .prop_map(
            |([count, zeros, nan, pos_inf, neg_inf], [min, max, sum, sum_sq], histogram)| {
                TensorStats {
                    count,
                    zeros,
                    nan,
                    pos_inf,
                    neg_inf,
                    min,
                    max,
                    sum,
                    sum_sq,
                    histogram,
                }
            },
        );
    prop_oneof![honest, any_stats]
}

pub fn media() -> impl Strategy<Value = Media> {
    let blob =
        (any::<Vec<u8>>(), any::<u64>(), text()).prop_map(|(bytes, length, media_type)| BlobRef {
            digest: Digest::of(&bytes),
            bytes: length,
            media_type,
        });
    let content = prop_oneof![
        text().prop_map(Content::Inline),
        blob.prop_map(Content::Blob)
    ];
    (content, option::of(text()), detail()).prop_map(|(content, caption, detail)| Media {
        content,
        caption,
        detail,
    })
}

fn detail() -> impl Strategy<Value = MediaDetail> {
    prop_oneof![
        Just(MediaDetail::Text),
        Just(MediaDetail::Html),
        Just(MediaDetail::Video),
        image().prop_map(MediaDetail::Image),
        (any::<u32>(), any::<u16>(), value()).prop_map(|(sample_rate, channels, seconds)| {
            MediaDetail::Audio {
                sample_rate,
                channels,
                seconds,
            }
        }),
        (any::<u64>(), any::<bool>())
            .prop_map(|(points, coloured)| MediaDetail::PointCloud { points, coloured }),
        (any::<u64>(), any::<u64>())
            .prop_map(|(rows, columns)| MediaDetail::Table { rows, columns }),
        text().prop_map(|figure| MediaDetail::Figure { figure }),
        (text(), option::of(text()), object()).prop_map(|(name, role, metadata)| {
            MediaDetail::File {
                name,
                role,
                metadata,
            }
        }),
    ]
}

fn image() -> impl Strategy<Value = ImageDetail> {
    let edge = || any::<u32>().prop_map(f32::from_bits);
    let bounding_box = ([edge(), edge(), edge(), edge()], text(), option::of(edge())).prop_map(
        |([x, y, width, height], label, score)| BoundingBox {
            x,
            y,
            width,
            height,
            label,
            score,
        },
    );
    let mask = (text(), any::<u64>(), vec(text(), 0..3)).prop_map(|(name, bytes, classes)| Mask {
        name,
        blob: BlobRef {
            digest: Digest::of(b"mask"),
            bytes,
            media_type: "image/png".into(),
        },
        classes,
    });
    let sample = (any::<u64>(), text(), text(), edge()).prop_map(
        |(dataset_index, true_class, predicted_class, confidence)| Sample {
            dataset_index,
            true_class,
            predicted_class,
            confidence,
        },
    );
    (
        any::<u32>(),
        any::<u32>(),
        vec(bounding_box, 0..3),
        vec(mask, 0..2),
        option::of(sample),
    )
        .prop_map(|(width, height, boxes, masks, sample)| ImageDetail {
            width,
            height,
            boxes,
            masks,
            sample,
        })
}

/// An object that nests so many levels deep.
pub fn nested(depth: usize) -> Map<String, Json> {
    let deep = (1..depth).fold(json!(1), |inner, _| json!([inner]));
    Map::from_iter([("deep".to_owned(), deep)])
}
