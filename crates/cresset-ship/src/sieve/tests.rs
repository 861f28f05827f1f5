use std::collections::{BTreeMap, HashMap};

use cresset_record::{
    Alert, Definition, End, FrameBuilder, Goal, Key, KeyId, LogWriter, Outcome, PieceReader, Rank,
    Record, Row, RunDir, Timestamp, check_piece,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::{Map, Value as Json, json};

use super::Sieve;
use crate::selection::Selection;

#[path = "../../../cresset-record/tests/common/strategies.rs"]
#[expect(dead_code, unreachable_pub, reason = "what the tests of the log share")]
mod strategies;

/// What may be redacted, and the text that is planted there. No text is the beginning of another.
const SECRETS: [(&str, &str); 12] = [
    ("config.path", "s3cr3t-a"),
    ("config.nested.*", "s3cr3t-b"),
    ("config.list.1", "s3cr3t-c"),
    ("environment.git.diff", "s3cr3t-d"),
    ("summary.where", "s3cr3t-e"),
    ("name", "s3cr3t-f"),
    ("group", "s3cr3t-g"),
    ("job_type", "s3cr3t-h"),
    ("tags", "s3cr3t-i"),
    ("notes", "s3cr3t-j"),
    ("console", "s3cr3t-k"),
    ("alerts", "s3cr3t-l"),
];
const KEYS: [&str; 4] = [
    "",
    "keys=seen/*,where,number",
    "keys=*",
    "keys=seen/a*&keys=where",
];
const WITHOUT: [&str; 3] = ["without=hidden/*", "without=*den/*,seen/b*", "without=h*"];

fn secret(path: &str) -> &'static str {
    SECRETS.iter().find(|(p, _)| *p == path).unwrap().1
}

/// Plants secrets in a record, and names that are to be seen and not to be seen.
fn plant(record: Record) -> Record {
    let names = |text: &str| match text.len() % 2 {
        0 => format!("seen/{}", text.get(..1).unwrap_or("a")),
        _ => format!("hidden/{}", text.get(..1).unwrap_or("a")),
    };
    let config = |map: &mut Map<String, Json>| {
        map.insert("path".into(), secret("config.path").into());
        let deep = json!({"deep": [{"deeper": secret("config.nested.*")}]});
        map.insert("nested".into(), deep);
        map.insert("list".into(), json!([1, secret("config.list.1")]));
    };
    match record {
        Record::Key { id, key } => Record::Key {
            id,
            key: Key::new(&names(key.as_str())).unwrap(),
        },
        Record::Start(mut start) => {
            start.name = secret("name").into();
            start.group = Some(secret("group").into());
            start.job_type = Some(secret("job_type").into());
            start.tags = vec![secret("tags").into()];
            start.notes = secret("notes").into();
            config(&mut start.config);
            Record::Start(start)
        }
        Record::Config(mut update) => {
            config(&mut update.values);
            Record::Config(update)
        }
        Record::Environment(mut map) => {
            let git = json!({"commit": "abc", "diff": secret("environment.git.diff")});
            map.insert("git".into(), git);
            Record::Environment(map)
        }
        Record::Summary(mut map) => {
            map.insert("where".into(), secret("summary.where").into());
            map.insert("hidden/best".into(), 1.into());
            map.insert("number".into(), 2.into());
            Record::Summary(map)
        }
        Record::Label(mut label) => {
            label.name = Some(secret("name").into());
            label.tags = Some(vec![secret("tags").into()]);
            label.notes = Some(secret("notes").into());
            label.group = Some(secret("group").into());
            Record::Label(label)
        }
        Record::Console(mut line) => {
            line.message = secret("console").into();
            line.target = secret("console").into();
            line.fields.insert("x".into(), secret("console").into());
            Record::Console(line)
        }
        Record::Alert(mut alert) => {
            alert.title = secret("alerts").into();
            alert.text = secret("alerts").into();
            Record::Alert(alert)
        }
        Record::Define(mut definition) => {
            definition.pattern = match definition.pattern.as_str() {
                "*" => "*".into(),
                other => names(other),
            };
            definition.step_metric = definition.step_metric.map(|key| names(&key));
            Record::Define(definition)
        }
        other => other,
    }
}

/// A log of these frames.
fn log(frames: &[Vec<Record>]) -> (tempfile::TempDir, RunDir) {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::new(dir.path());
    let mut log = LogWriter::create(&run, Rank(0)).unwrap();
    for records in frames {
        let mut frame = FrameBuilder::default();
        for record in records {
            // One that is too large is no matter here.
            let _ = frame.push(record);
        }
        log.append(&mut frame).unwrap();
    }
    (dir, run)
}

/// All that is sent of a log, in pieces of about this size: bytes by the frame that they end with, and the records.
fn sent(
    run: &RunDir,
    selection: &Selection,
    most: usize,
    after: Option<u64>,
) -> (BTreeMap<u64, Vec<u8>>, Vec<Record>) {
    let mut sieve = Sieve::new(selection.clone());
    let mut reader = PieceReader::open(run, Rank(0), 0, after).unwrap();
    let (mut frames, mut records) = (BTreeMap::new(), Vec::new());
    loop {
        let mut revise = |records| sieve.pass(Rank(0), records);
        let Some(piece) = reader.next_revised(most, true, &mut revise).unwrap() else {
            return (frames, records);
        };
        records.extend(piece.records);
        // The frames of a piece one by one.
        let mut last = after;
        let checked = check_piece(&piece.bytes, Rank(0), 0, None).unwrap();
        assert_eq!(checked.last, Some(piece.last));
        for number in 0..=piece.last {
            let rest = check_piece(&piece.bytes, Rank(0), 0, last).unwrap().frames;
            let left = check_piece(&piece.bytes, Rank(0), 0, Some(number))
                .unwrap()
                .frames;
            let frame = rest[..rest.len() - left.len()].to_vec();
            if !frame.is_empty() {
                frames.insert(number, frame);
            }
            last = Some(number);
        }
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

/// The points of a log by the names of their series, as a dull reader sees them.
fn points(records: &[Record], is_wanted: impl Fn(&str) -> bool) -> Vec<(String, u64, u64)> {
    let (mut keys, mut points) = (HashMap::new(), Vec::new());
    for record in records {
        match record {
            Record::Key { id, key } => drop(keys.insert(*id, key.to_string())),
            Record::Rows(rows) => {
                for row in rows {
                    for (id, value) in &row.points {
                        let name = keys.get(id).map_or("?", String::as_str);
                        if is_wanted(name) {
                            points.push((name.to_owned(), row.step, value.to_bits()));
                        }
                    }
                }
            }
            _ => {}
        }
    }
    points
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn nothing_that_is_not_selected_is_in_any_byte(
        frames in vec(vec(strategies::record().prop_map(plant), 1..6), 1..12),
        keys in prop::sample::select(&KEYS[..]),
        without in prop::sample::select(&WITHOUT[..]),
        redacted in subsequence(&SECRETS[..], 0..=SECRETS.len()),
        most in 1..4000usize,
        cut in any::<prop::sample::Index>(),
    ) {
        let paths: Vec<&str> = redacted.iter().map(|(path, _)| *path).collect();
        let redact = if paths.is_empty() { String::new() } else { format!("redact={}", paths.join(",")) };
        let selection: Selection = format!("{keys}&{without}&{redact}").parse().unwrap();
        let (_dir, run) = log(&frames);
        let (whole, records) = sent(&run, &selection, 1 << 20, None);

        let bytes: Vec<u8> = whole.values().flatten().copied().collect();
        prop_assert!(!contains(&bytes, "hidden/"));
        for (path, text) in &redacted {
            prop_assert!(!contains(&bytes, text), "{path}");
        }
        // All frames go, each with its number, and the same bytes wherever the log is cut and carrying began.
        prop_assert_eq!(whole.keys().copied().collect::<Vec<_>>(), (0..frames.len() as u64).collect::<Vec<_>>());
        prop_assert_eq!(&sent(&run, &selection, most, None).0, &whole);
        let after = cut.index(frames.len()) as u64;
        let rest = sent(&run, &selection, most, Some(after)).0;
        prop_assert_eq!(rest, whole.into_iter().filter(|(number, _)| *number > after).collect());

        // And nothing is missing that is selected.
        let original: Vec<Record> = frames.concat();
        let is_wanted = |name: &str| name != "?" && selection.shows(name);
        prop_assert_eq!(points(&records, |_| true), points(&original, is_wanted));
        for (path, text) in SECRETS.iter().filter(|secret| !redacted.contains(secret)) {
            let is_there = original.iter().any(|record| said(record, text));
            let of_summary = *path == "summary.where" && !selection.shows("where");
            prop_assert_eq!(contains(&bytes, text), is_there && !of_summary, "{}", path);
        }
    }
}

/// Whether a record says this text anywhere, and can be written.
fn said(record: &Record, text: &str) -> bool {
    let mut frame = FrameBuilder::default();
    let is_written = frame.push(record).is_ok();
    is_written && frame.seal(0, |bytes| contains(bytes, text))
}

fn pass(selection: &str, records: Vec<Record>) -> Vec<Record> {
    let mut sieve = Sieve::new(selection.parse().unwrap());
    sieve.pass(Rank(0), records)
}

fn key(id: u32, name: &str) -> Record {
    Record::Key {
        id: KeyId(id),
        key: Key::new(name).unwrap(),
    }
}

fn row(points: &[(u32, f64)]) -> Row {
    Row {
        step: 1,
        time: Timestamp(2),
        points: points.iter().map(|(id, v)| (KeyId(*id), *v)).collect(),
    }
}

#[test]
fn what_a_wide_pattern_says_of_a_selected_key_goes_and_no_more() {
    let all = Record::Define(Definition::new("*").minimize());
    let auc = Record::Define(Definition::new("val/auc").maximize());
    let passed = pass(
        "keys=val/*",
        vec![
            all,
            auc.clone(),
            key(0, "val/auc"),
            key(1, "train/loss"),
            key(2, "val/loss"),
        ],
    );
    // Later ones win: what was said of the one key alone still does.
    let of = |name: &str, goal| {
        Record::Define(Definition {
            goal: Some(goal),
            ..Definition::new(name)
        })
    };
    assert_eq!(
        passed,
        [
            auc,
            key(0, "val/auc"),
            of("val/auc", Goal::Maximize),
            key(2, "val/loss"),
            of("val/loss", Goal::Minimize),
        ]
    );
    let late = pass(
        "keys=val/*",
        vec![
            key(0, "val/b"),
            key(1, "val/a"),
            key(2, "x"),
            Record::Define(Definition::new("*").minimize()),
        ],
    );
    assert_eq!(
        late[2..],
        [of("val/b", Goal::Minimize), of("val/a", Goal::Minimize)]
    );
}

#[test]
fn rows_keep_what_is_selected_of_them() {
    let rows = Record::Rows(vec![
        row(&[(0, 0.5), (1, 1.5)]),
        row(&[(1, 2.5)]),
        row(&[]),
        row(&[(7, 1.0)]),
    ]);
    let passed = pass("keys=loss", vec![key(0, "loss"), key(1, "other"), rows]);
    // One that was empty is a step that somebody logged; the number 7 has no name that could be selected.
    let kept = Record::Rows(vec![row(&[(0, 0.5)]), row(&[])]);
    assert_eq!(passed, [key(0, "loss"), kept]);
}

#[test]
fn wholes_are_left_empty_and_why_a_run_ended_is_a_text() {
    let records = vec![
        Record::Environment(Map::from_iter([("git".to_owned(), json!({"diff": "x"}))])),
        Record::End(End {
            time: Timestamp(1),
            outcome: Outcome::Failed {
                reason: "at /home/ada".to_owned(),
            },
        }),
        Record::Alert(Alert {
            time: Timestamp(1),
            level: cresset_record::Level::Warn,
            title: "seen".into(),
            text: String::new(),
            step: None,
        }),
    ];
    let passed = pass("redact=environment,reason", records.clone());
    assert_eq!(passed[0], Record::Environment(Map::new()));
    let Record::End(end) = &passed[1] else {
        panic!("{passed:?}");
    };
    let redacted = Outcome::Failed {
        reason: "(redacted)".into(),
    };
    assert_eq!(end.outcome, redacted);
    assert_eq!(passed[2], records[2]);
}

#[test]
fn a_record_that_grows_beyond_a_frame_is_counted_as_lost() {
    let long: Map<String, Json> = (0..300_000).map(|i| (i.to_string(), 1.into())).collect();
    let (_dir, run) = log(&[vec![Record::Summary(long)], vec![key(0, "loss")]]);
    let selection: Selection = "redact=summary.*".parse().unwrap();
    let mut sieve = Sieve::new(selection);
    let mut reader = PieceReader::open(&run, Rank(0), 0, None).unwrap();
    let mut revise = |records| sieve.pass(Rank(0), records);
    let piece = reader
        .next_revised(1 << 20, true, &mut revise)
        .unwrap()
        .unwrap();
    let there = tempfile::tempdir().unwrap();
    let arrived = RunDir::new(there.path());
    std::fs::write(arrived.segment(Rank(0), 0), &piece.bytes).unwrap();
    let mut follower = cresset_record::Follower::new(arrived);
    let first = follower.next_batch().unwrap().unwrap();
    assert!(matches!(&first.records[..], [Record::Lost(lost)] if lost.values == 1));
    let second = follower.next_batch().unwrap().unwrap();
    assert_eq!((second.sequence, second.records), (1, vec![key(0, "loss")]));
}
