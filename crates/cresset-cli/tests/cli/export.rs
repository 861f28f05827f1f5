use std::fs::File;
use std::io::Read;
use std::process::Stdio;

use cresset_record::{Definition, Outcome, Rank, Record, Resume, TensorStats};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, RowAccessor};
use serde_json::{Value as Json, json};

use crate::command::Project;
use crate::fixture::{Log, start};

/// Two ranks, values that are not finite, a step logged twice, a key with a comma, and steps out of order.
fn project() -> Project {
    let project = Project::new();
    for rank in [0, 1] {
        let mut head = start("0f3k2a0bcd104", "amber-harbor-1");
        head.rank = Rank(rank);
        head.config = json!({"lr": 0.001}).as_object().cloned().unwrap();
        let mut log = Log::begin(&project.root(), head);
        log.record(Record::Define(Definition::new("val/auc").maximize()));
        log.step(0, &[("train/loss", 1.0 / 3.0), ("val/auc, macro", 0.5)]);
        log.step(2, &[("train/loss", f64::NAN)]);
        log.step(1, &[("train/loss", f64::INFINITY)]);
        log.step(
            1,
            &[
                ("train/loss", f64::NEG_INFINITY),
                ("val/auc, macro", 1e-300),
            ],
        );
        let (key, time) = (log.key("gradients/w"), log.at(1.0));
        let stats = Box::new(TensorStats::from_values([-1.0, 0.0, 1.0, f64::NAN]));
        log.record(Record::Histogram {
            key,
            step: 1,
            time,
            stats,
        });
        log.end(3.0, Outcome::Finished);
    }
    project
}

#[test]
fn csv() {
    let project = project();
    insta::assert_snapshot!("csv_wide", project.cresset(&["export"]).printed());
    let long = project.cresset(&["export", "--long", "--key", "train/*"]);
    insta::assert_snapshot!("csv_long", long.printed());
}

#[test]
fn jsonl() {
    let project = project();
    let text = project.cresset(&["export", "--format", "jsonl"]).printed();
    for line in text.lines() {
        serde_json::from_str::<Json>(line).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn jsonl_has_what_a_resumed_process_replaced_and_repeats_no_head() {
    let project = Project::new();
    let head = start("resumed", "amber-harbor-1");
    let mut log = Log::begin(&project.root(), head.clone());
    log.step(0, &[("loss", 3.0)]);
    log.step(1, &[("loss", 2.0)]);
    let dir = log.die();
    let mut log = Log::reopen(dir, Rank(0), head.time);
    log.record(Record::Start(Box::new(head)));
    let time = log.at(9.0);
    log.record(Record::Resume(Resume {
        time,
        from_step: Some(1),
    }));
    log.step(1, &[("loss", 2.5)]);
    log.end(10.0, Outcome::Finished);
    let jsonl = project.cresset(&["export", "-f", "jsonl"]).printed();
    let lines: Vec<Json> = jsonl
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let kinds: Vec<&str> = lines
        .iter()
        .map(|l| l["record"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["start", "point", "point", "resume", "point", "end"]);
    assert_eq!(lines[3]["from_step"], 1);
    let csv = project.cresset(&["export"]).printed();
    let values: Vec<&str> = csv
        .lines()
        .skip(1)
        .filter_map(|l| l.rsplit(',').next())
        .collect();
    assert_eq!(values, ["3", "2.5"]);
}

#[test]
fn parquet_reads_back_to_the_last_bit() {
    let project = project();
    let output = project.path().join("run.parquet");
    let ended = project.cresset(&["export", "--output", output.to_str().unwrap()]);
    assert_eq!(ended.printed(), "");
    let reader = SerializedFileReader::new(File::open(&output).unwrap()).unwrap();
    let about = reader.metadata().file_metadata().key_value_metadata();
    let about: Vec<(&str, &str)> = about
        .unwrap()
        .iter()
        .map(|kv| (kv.key.as_str(), kv.value.as_deref().unwrap()))
        .collect();
    assert!(about.contains(&("cresset.run", "0f3k2a0bcd104")));
    assert!(about.contains(&("cresset.config", r#"{"lr":0.001}"#)));
    let rows: Vec<_> = reader
        .get_row_iter(None)
        .unwrap()
        .map(|row| {
            let row = row.unwrap();
            assert!(matches!(
                row.get_column_iter().next(),
                Some((_, Field::UInt(_)))
            ));
            let key = row.get_string(1).unwrap().clone();
            let bits = row.get_double(4).unwrap().to_bits();
            (
                row.get_uint(0).unwrap(),
                key,
                row.get_ulong(2).unwrap(),
                row.get_long(3).unwrap(),
                bits,
            )
        })
        .collect();
    let begin = crate::fixture::EPOCH.0;
    let expected: Vec<_> = [0, 1]
        .into_iter()
        .flat_map(|rank| {
            [
                ("train/loss", 0, 0, 1.0 / 3.0),
                ("train/loss", 1, 1, f64::INFINITY),
                ("train/loss", 1, 1, f64::NEG_INFINITY),
                ("train/loss", 2, 2, f64::NAN),
                ("val/auc, macro", 0, 0, 0.5),
                ("val/auc, macro", 1, 1, 1e-300),
            ]
            .map(|(key, step, second, value): (&str, u64, i64, f64)| {
                (
                    rank,
                    key.to_owned(),
                    step,
                    begin + second * 1_000_000,
                    value.to_bits(),
                )
            })
        })
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn parquet_of_many_points_has_several_row_groups() {
    let project = Project::new();
    let mut log = Log::begin(&project.root(), start("many", "amber-harbor-1"));
    for step in 0..300_000 {
        log.step(step, &[("loss", step as f64)]);
    }
    log.end(1.0, Outcome::Finished);
    let output = project.path().join("many.parquet");
    let file = File::create(&output).unwrap();
    let mut command = project.command(&["export", "--format", "parquet"]);
    assert!(command.stdout(file).status().unwrap().success());
    let reader = SerializedFileReader::new(File::open(&output).unwrap()).unwrap();
    assert_eq!(reader.num_row_groups(), 2);
    assert_eq!(reader.metadata().file_metadata().num_rows(), 300_000);
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_and_leaves_nothing() {
    let project = project();
    let ended = project.cresset(&["export", "-o", "missing/run.csv"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.stderr.contains("cannot write missing/run.csv"),
        "{ended:?}"
    );
    std::fs::write(project.path().join("run.csv"), "old").unwrap();
    project.cresset(&["export", "-o", "run.csv"]).printed();
    let written = std::fs::read_to_string(project.path().join("run.csv")).unwrap();
    assert!(written.starts_with("rank,step,time_us,"));
    let mut files: Vec<_> = std::fs::read_dir(project.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, [".cresset", "run.csv"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let project = Project::new();
    let mut log = Log::begin(&project.root(), start("many", "amber-harbor-1"));
    for step in 0..100_000 {
        log.step(step, &[("loss", 0.5)]);
    }
    log.end(1.0, Outcome::Finished);
    for format in ["csv", "jsonl", "parquet"] {
        let mut child = project
            .command(&["export", "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 4];
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut first).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), errors.as_str()),
            (Some(0), ""),
            "{format}"
        );
    }
}
