//! What is written is read, whatever happens to it in between.

use std::fs;
use std::path::Path;

use cresset_record::{Key, Outcome, Rank, RunDir, Start, State, Timestamp};

use super::log::Appended;
use super::read::{Next, Reader, Record, Value};
use super::{OfflineRun, record};
use crate::event::Event;
use crate::sink::{Memory, Sink};

fn start() -> Event {
    Event::Start(Box::new(Start {
        run: "abc123".to_owned().try_into().unwrap(),
        project: "harbor".to_owned().try_into().unwrap(),
        name: "n".to_owned(),
        rank: Rank(0),
        world_size: None,
        time: Timestamp(1_000_000),
        group: None,
        job_type: None,
        tags: Vec::new(),
        notes: String::new(),
        config: serde_json::Map::new(),
        cresset_version: String::new(),
    }))
}

fn scalar(step: u64, key: &str, value: f64) -> (Rank, Event) {
    let event = Event::Scalars {
        step,
        time: Timestamp(2_000_000 + step as i64),
        points: vec![(Key::new(key).unwrap(), value)],
    };
    (Rank(0), event)
}

/// Steps and values of a key, and how much damage there is.
fn read(file: &[u8]) -> (Vec<(u64, f64)>, usize, Option<i64>) {
    let mut reader = Reader::new(file).unwrap();
    let (mut points, mut damage, mut exit) = (Vec::new(), 0, None);
    while let Some(next) = reader.read().unwrap() {
        match next {
            Next::Record(Record::History { step, items }) => {
                let loss = items.iter().find(|item| item.path == ["loss"]);
                if let Some(Value::Number(value)) = loss.map(|item| &item.value) {
                    points.push((step.unwrap(), *value));
                }
            }
            Next::Record(Record::Exit { code }) => exit = Some(code),
            Next::Record(_) => {}
            Next::Damage { from, to, .. } => {
                assert!(from < to && to <= file.len() as u64);
                damage += 1;
            }
        }
    }
    (points, damage, exit)
}

fn file(within: &Path, memory: &Memory) -> Vec<u8> {
    let folder = OfflineRun::new(within).folder(memory).unwrap();
    fs::read(folder.join("run-abc123.wandb")).unwrap()
}

#[test]
fn records_of_all_lengths_come_back_across_blocks() {
    for beginning in (32_700..32_780).chain([0, 7, 40_000, 100_000]) {
        let mut appended = Appended::to(0);
        appended.record(&record::header(1));
        let mut lengths = vec![beginning, 0, 1, 5, 32_768, 70_000, 3];
        for length in &lengths {
            appended.record(&vec![7; *length]);
        }
        let mut reader = Reader::new(appended.bytes()).unwrap();
        // These bytes are no message: their places tell whether the chunks were put together as they were.
        lengths.retain(|length| *length > 0);
        let mut found = 0;
        while let Some(next) = reader.read().unwrap() {
            if let Next::Damage { reason, .. } = next {
                assert_eq!(reason, "a record is no message of W&B");
                found += 1;
            }
        }
        assert_eq!(found, lengths.len(), "{beginning}");
    }
}

#[test]
fn events_that_come_again_are_there_once() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::new(dir.path().join("run"));
    let within = dir.path().join("wandb");
    let mut sink = OfflineRun::new(&within);
    let mut memory = Memory::new();
    sink.take(
        &run,
        &[(Rank(0), start()), scalar(0, "loss", 0.0)],
        &mut memory,
    )
    .unwrap();
    let mut expected = vec![(0, 0.0)];
    for turn in 1..40u64 {
        let steps = turn * 1000..turn * 1000 + turn * 7;
        expected.extend(steps.clone().map(|step| (step, step as f64)));
        let events: Vec<_> = steps
            .map(|step| scalar(step, "loss", step as f64))
            .collect();
        if turn % 3 == 0 {
            // Killed after the write and before the ledger, and half of it lost.
            let mut forgotten = memory.clone();
            sink.take(&run, &events, &mut forgotten).unwrap();
        }
        if turn % 5 == 0 {
            // It came to its end, and somebody took it up again.
            sink.end(&run, &State::Finished, &mut memory).unwrap();
        }
        sink = OfflineRun::new(&within);
        sink.take(&run, &events, &mut memory).unwrap();
    }
    sink.end(&run, &State::Failed("NaN".into()), &mut memory)
        .unwrap();
    sink.end(&run, &State::Failed("NaN".into()), &mut memory)
        .unwrap();
    let (points, damage, exit) = read(&file(&within, &memory));
    assert_eq!((points, damage, exit), (expected, 0, Some(1)));
}

#[test]
fn what_is_before_and_behind_damage_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::new(dir.path().join("run"));
    let mut sink = OfflineRun::new(dir.path());
    let mut memory = Memory::new();
    let mut events = vec![(Rank(0), start())];
    events.extend((0..4000).map(|step| scalar(step, "loss", step as f64)));
    sink.take(&run, &events, &mut memory).unwrap();
    sink.end(&run, &State::Finished, &mut memory).unwrap();
    let whole = file(dir.path(), &memory);
    assert!(whole.len() > 5 * 32_768);
    assert_eq!(read(&whole).0.len(), 4000);

    let mut flipped = whole.clone();
    flipped[2 * 32_768 + 11_000] ^= 1;
    let (points, damage, exit) = read(&flipped);
    assert_eq!((damage, exit), (1, Some(0)));
    assert!(points.len() > 3500 && points.len() < 4000);
    assert_eq!(points.last(), Some(&(3999, 3999.0)));
    assert!(points.is_sorted_by(|a, b| a.0 < b.0));

    for cut in [8, 100, 32_767, 32_768, 32_770, 40_000, whole.len() - 1] {
        let (points, damage, exit) = read(&whole[..cut]);
        assert!(damage <= 1 && exit.is_none(), "{cut}");
        assert!(
            points.iter().enumerate().all(|(i, p)| p.0 == i as u64),
            "{cut}"
        );
    }
    // Nothing makes it panic or go on for ever.
    let mut state = 7u64;
    for _ in 0..200 {
        let mut wild = whole[..70_000].to_vec();
        for _ in 0..20 {
            state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            let at = 7 + (state >> 33) as usize % (wild.len() - 7);
            wild[at] = (state >> 24) as u8;
        }
        read(&wild);
    }
}

#[test]
fn rows_are_in_the_order_of_steps_and_what_is_left_out_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::new(dir.path().join("run"));
    let mut sink = OfflineRun::new(dir.path());
    let mut memory = Memory::new();
    let later = Event::Scalars {
        step: 3,
        time: Timestamp(60_000_000),
        points: vec![(Key::new("loss").unwrap(), 3.0)],
    };
    let events = [
        (Rank(0), start()),
        scalar(1, "loss", 1.0),
        scalar(1, "acc", 0.5),
        scalar(2, "loss", 2.0),
        // Of a step that goes back, and of another writer.
        scalar(0, "loss", 0.0),
        (Rank(1), scalar(2, "loss", 9.0).1),
        // A second value of a key and step takes the first one's place.
        scalar(1, "loss", 1.5),
        (Rank(0), later),
        // Too late.
        scalar(1, "other", 1.0),
    ];
    sink.take(&run, &events, &mut memory).unwrap();
    let end = cresset_record::End {
        time: Timestamp(9),
        outcome: Outcome::Finished,
    };
    sink.take(&run, &[(Rank(0), Event::End(end))], &mut memory)
        .unwrap();
    sink.end(&run, &State::Finished, &mut memory).unwrap();
    let file = file(dir.path(), &memory);
    let mut reader = Reader::new(file.as_slice()).unwrap();
    let (mut rows, mut said) = (Vec::new(), Vec::new());
    while let Some(next) = reader.read().unwrap() {
        match next {
            Next::Record(Record::History { step, items }) => {
                let own = items.iter().filter(|item| !item.path[0].starts_with('_'));
                let values: Vec<_> = own
                    .map(|item| format!("{}={:?}", item.path.join("|"), item.value))
                    .collect();
                rows.push((step.unwrap(), values.join(" ").replace("Number", "")));
            }
            Next::Record(Record::Output { text, .. }) => said.push(text),
            _ => {}
        }
    }
    let rows: Vec<_> = rows
        .iter()
        .map(|(step, row)| (*step, row.as_str()))
        .collect();
    let expected = [
        (0, "loss=(0.0)"),
        (1, "loss=(1.5) acc=(0.5)"),
        (2, "loss=(2.0) rank_1/loss=(9.0)"),
        (3, "loss=(3.0)"),
    ];
    assert_eq!(rows, expected);
    assert!(said[0].starts_with("cresset: a value of step 1 did not go"));
    assert!(said[1].starts_with("cresset: 2 values did not go"));
}
