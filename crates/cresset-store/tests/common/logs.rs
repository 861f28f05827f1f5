//! Random logs: regular series as programs log them, and everything that goes wrong.

use std::fs;
use std::io::Write;

use cresset_record::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, json};

use super::append;

/// What a writer does.
#[derive(Clone, Debug)]
pub enum Op {
    /// Regular rows.
    Rows {
        keys: Vec<u32>,
        n: usize,
        start: u64,
        stride: u64,
        /// Steps that come twice or in the wrong order now and then.
        messy: bool,
        kind: u8,
        seed: u64,
    },
    Resume(Option<u64>),
    Define(String, SummaryRule, Option<Goal>),
    Histogram(u32, u64, f64),
    Media(u32, u64, bool),
    Console(u8),
    Alert(u8),
    Summary(String, f64),
    Label(String),
    Config(String, i64),
    Lost(u64),
    End(bool),
    /// The rest goes into a new segment.
    Rotate,
}

/// The keys by their numbers.
pub const KEYS: [&str; 6] = [
    "train/loss",
    "val/auc",
    "lr",
    "a",
    "epoch",
    "gradients/conv1",
];

/// What several writers do, in turns.
pub fn ops() -> impl Strategy<Value = Vec<(u32, Op)>> {
    vec(
        (
            prop_oneof![6 => Just(0u32), 2 => Just(1), 1 => Just(7)],
            op(),
        ),
        1..25,
    )
}

fn op() -> impl Strategy<Value = Op> {
    let keys = prop_oneof![
        3 => Just(vec![0, 2, 4]),
        2 => vec(0..6u32, 0..5),
    ];
    let n = prop_oneof![4 => 1..60usize, 3 => 1..3000usize, 1 => 3000..9000usize];
    let start =
        prop_oneof![3 => Just(u64::MAX), 2 => 0..5000u64, 1 => any::<u64>().prop_map(|s| s >> 12)];
    let rules = prop::sample::select(vec![
        SummaryRule::Last,
        SummaryRule::Min,
        SummaryRule::Max,
        SummaryRule::Mean,
        SummaryRule::Best,
        SummaryRule::None,
    ]);
    let goals = option::of(prop::sample::select(vec![Goal::Minimize, Goal::Maximize]));
    prop_oneof![
        12 => (keys, n, start, 0..4u64, prop::bool::weighted(0.3), 0..5u8, any::<u64>())
            .prop_map(|(keys, n, start, stride, messy, kind, seed)| Op::Rows { keys, n, start, stride, messy, kind, seed }),
        2 => option::of(prop_oneof![0..6000u64, any::<u64>()]).prop_map(Op::Resume),
        1 => ("[a-z]{1,2}\\*|\\*|val/auc|train/loss", rules, goals).prop_map(|(p, r, g)| Op::Define(p, r, g)),
        1 => (0..6u32, 0..300u64, -3.0..3.0f64).prop_map(|(k, s, v)| Op::Histogram(k, s, v)),
        1 => (0..6u32, 0..300u64, any::<bool>()).prop_map(|(k, s, i)| Op::Media(k, s, i)),
        1 => (0..5u8).prop_map(Op::Console),
        1 => (0..5u8).prop_map(Op::Alert),
        1 => ("[a-z]{1,3}", -1e9..1e9f64).prop_map(|(k, v)| Op::Summary(k, v)),
        1 => "[a-z]{1,6}".prop_map(Op::Label),
        1 => ("[a-z]{1,2}", any::<i64>()).prop_map(|(k, v)| Op::Config(k, v)),
        1 => (0..9u64).prop_map(Op::Lost),
        1 => any::<bool>().prop_map(Op::End),
        1 => Just(Op::Rotate),
    ]
}

/// Writes what the ops do into the log of a run, one frame each.
pub fn write(dir: &RunDir, ops: &[(u32, Op)]) {
    let mut writers: std::collections::BTreeMap<u32, Writer> = std::collections::BTreeMap::new();
    for (number, (rank, op)) in ops.iter().enumerate() {
        let writer = writers
            .entry(*rank)
            .or_insert_with(|| Writer::new(dir, *rank));
        writer.apply(op, number as u64);
    }
}

struct Writer {
    log: LogWriter,
    rank: u32,
    time: i64,
    next_step: u64,
}

impl Writer {
    fn new(dir: &RunDir, rank: u32) -> Self {
        fs::create_dir_all(dir.path()).unwrap();
        let mut writer = Self {
            log: LogWriter::create(dir, Rank(rank)).unwrap(),
            rank,
            time: 1_700_000_000_000_000 + i64::from(rank),
            next_step: 0,
        };
        writer.head(dir.id_text());
        writer
    }

    fn head(&mut self, id: &str) {
        let mut records = vec![Record::Start(Box::new(Start {
            run: RunId::try_from(id.to_owned()).unwrap(),
            project: super::project(),
            name: format!("name of {}", self.rank),
            rank: Rank(self.rank),
            world_size: None,
            time: Timestamp(1_700_000_000_000_000),
            group: None,
            job_type: Some("train".into()),
            tags: vec!["a".into()],
            notes: String::new(),
            config: Map::from_iter([("lr".to_owned(), json!(0.1))]),
            cresset_version: "0.1.0".into(),
        }))];
        records.extend((0..).zip(KEYS).map(|(id, key)| Record::Key {
            id: KeyId(id),
            key: Key::new(key).unwrap(),
        }));
        append(&mut self.log, &records);
    }

    fn apply(&mut self, op: &Op, number: u64) {
        // Between writers there is no order: of what is the run's and not the writer's, only one says anything.
        let of_run = matches!(
            op,
            Op::Define(..) | Op::Summary(..) | Op::Label(_) | Op::Config(..)
        );
        if of_run && self.rank != 0 {
            return;
        }
        self.time += 1000;
        let time = Timestamp(self.time);
        let record = match op {
            Op::Rows {
                keys,
                n,
                start,
                stride,
                messy,
                kind,
                seed,
            } => {
                let rows = self.rows(keys, *n, *start, *stride, *messy, *kind, *seed);
                Record::Rows(rows)
            }
            Op::Resume(from_step) => Record::Resume(Resume {
                time,
                from_step: *from_step,
            }),
            Op::Define(pattern, rule, goal) => Record::Define(Definition {
                pattern: pattern.clone(),
                summary: Some(*rule),
                goal: *goal,
                ..Definition::default()
            }),
            Op::Histogram(key, step, value) => Record::Histogram {
                key: KeyId(*key),
                step: *step,
                time,
                stats: Box::new(TensorStats::from_values([*value, 0.0, value * 3.0])),
            },
            Op::Media(key, step, image) => Record::Media {
                key: KeyId(*key),
                step: *step,
                time,
                media: Box::new(Media {
                    content: Content::Inline(format!("text {number}")),
                    caption: None,
                    detail: if *image {
                        MediaDetail::Figure {
                            figure: "roc".into(),
                        }
                    } else {
                        MediaDetail::Text
                    },
                }),
            },
            Op::Console(level) => Record::Console(ConsoleLine {
                time,
                level: LEVELS[usize::from(*level)],
                target: "tests".into(),
                message: format!("line {number}"),
                fields: Map::new(),
            }),
            Op::Alert(level) => Record::Alert(Alert {
                time,
                level: LEVELS[usize::from(*level)],
                title: format!("alert {number}"),
                text: String::new(),
                step: Some(number),
            }),
            Op::Summary(name, value) => {
                Record::Summary(Map::from_iter([(name.clone(), json!(value))]))
            }
            Op::Label(name) => Record::Label(LabelUpdate {
                name: Some(name.clone()),
                ..LabelUpdate::default()
            }),
            Op::Config(name, value) => Record::Config(ConfigUpdate {
                time,
                values: Map::from_iter([(name.clone(), json!(value))]),
            }),
            Op::Lost(points) => Record::Lost(Lost {
                time,
                reason: LossReason::Overflow,
                points: *points,
                values: 1,
            }),
            Op::End(ok) => Record::End(End {
                time,
                outcome: if *ok {
                    Outcome::Finished
                } else {
                    Outcome::Failed {
                        reason: "because".into(),
                    }
                },
            }),
            Op::Rotate => {
                self.log.rotate().unwrap();
                self.head("r");
                return;
            }
        };
        append(&mut self.log, &[record]);
    }

    #[expect(clippy::too_many_arguments, reason = "one for each thing that varies")]
    fn rows(
        &mut self,
        keys: &[u32],
        n: usize,
        start: u64,
        stride: u64,
        messy: bool,
        kind: u8,
        seed: u64,
    ) -> Vec<Row> {
        let mut random = Random(seed);
        let first = if start == u64::MAX {
            self.next_step
        } else {
            start
        };
        let rows: Vec<Row> = (0..n as u64)
            .map(|i| {
                let mut step = first.wrapping_add(i.wrapping_mul(stride));
                self.time += if messy && random.next().is_multiple_of(9) {
                    -5000
                } else {
                    1000 + (random.next() % 200) as i64
                };
                if messy {
                    match random.next() % 8 {
                        0 => step = step.saturating_sub(random.next() % 2000),
                        1 => step = step.saturating_sub(1),
                        _ => {}
                    }
                }
                let points = keys
                    .iter()
                    .map(|&k| (KeyId(k), value(kind, step, &mut random)))
                    .collect();
                Row {
                    step,
                    time: Timestamp(self.time),
                    points,
                }
            })
            .collect();
        self.next_step = first.wrapping_add((n as u64).wrapping_mul(stride)) % (1 << 40);
        rows
    }
}

fn value(kind: u8, step: u64, random: &mut Random) -> f64 {
    let noise = (random.next() >> 11) as f64 / (1u64 << 53) as f64;
    match kind {
        0 => noise,
        1 => f64::from((noise * 100.0) as f32),
        2 => (step % 1000) as f64,
        3 => match random.next() % 12 {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2 => f64::NEG_INFINITY,
            3 => -0.0,
            4 => 0.0,
            _ => noise * 1e6 - 5e5,
        },
        _ => f64::NAN,
    }
}

const LEVELS: [Level; 5] = [
    Level::Trace,
    Level::Debug,
    Level::Info,
    Level::Warn,
    Level::Error,
];

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// A log that appears bit by bit in another folder, as it would while its writers live.
pub struct Growing {
    target: RunDir,
    /// By writer: segments that are to come, and how far the first of them is there.
    waiting: Vec<Vec<(u32, u32, Vec<u8>)>>,
    at: Vec<usize>,
    locks: Vec<WriterLock>,
}

impl Growing {
    pub fn new(source: &RunDir, target: RunDir) -> Self {
        fs::create_dir_all(target.path()).unwrap();
        let mut waiting: std::collections::BTreeMap<u32, Vec<(u32, u32, Vec<u8>)>> =
            std::collections::BTreeMap::new();
        for (rank, segment) in source.segments().unwrap() {
            let bytes = fs::read(source.segment(rank, segment)).unwrap();
            waiting
                .entry(rank.0)
                .or_default()
                .push((rank.0, segment, bytes));
        }
        let holder = Holder {
            pid: 1,
            host: "tests".into(),
            since: Timestamp(0),
        };
        let locks = waiting
            .keys()
            .map(|&rank| WriterLock::acquire(&target, Rank(rank), &holder).unwrap());
        let locks = locks.collect();
        let waiting: Vec<_> = waiting.into_values().collect();
        Self {
            target,
            at: vec![0; waiting.len()],
            waiting,
            locks,
        }
    }

    pub fn is_done(&self) -> bool {
        self.waiting.iter().all(Vec::is_empty)
    }

    /// Some more bytes of some writer.
    pub fn grow(&mut self, random: &mut Random) {
        let writer = random.next() as usize % self.waiting.len();
        let Some((rank, segment, bytes)) = self.waiting[writer].first() else {
            return;
        };
        let at = self.at[writer];
        let most = match random.next() % 3 {
            0 => 40,
            1 => 3000,
            _ => 400_000,
        };
        // A segment appears with its whole head.
        let n =
            ((random.next() as usize % most) + if at == 0 { 44 } else { 1 }).min(bytes.len() - at);
        let path = self.target.segment(Rank(*rank), *segment);
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        file.write_all(&bytes[at..at + n]).unwrap();
        self.at[writer] += n;
        if self.at[writer] == bytes.len() {
            self.at[writer] = 0;
            self.waiting[writer].remove(0);
        }
    }

    /// All writers are gone.
    pub fn die(&mut self) {
        self.locks.clear();
    }
}
