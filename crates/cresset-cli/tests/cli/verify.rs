use std::path::{Path, PathBuf};

use cresset_record::{Content, Media, MediaDetail, Outcome, Rank, Record, RunDir};
use serde_json::Value as Json;

use crate::command::Project;
use crate::fixture::{Log, start};

/// A run of several frames with two files.
fn project() -> (Project, RunDir) {
    let project = Project::new();
    let mut log = Log::begin(&project.root(), start("0f3k2a0bcd104", "amber-harbor-1"));
    for (step, text) in [(0, "first"), (1, "second")] {
        let key = log.key("model");
        let blob = log
            .dir()
            .blobs()
            .put(text.as_bytes(), "application/octet-stream")
            .unwrap();
        let time = log.at(step as f64);
        log.record(Record::Media {
            key,
            step,
            time,
            media: Box::new(Media {
                content: Content::Blob(blob),
                caption: None,
                detail: MediaDetail::Html,
            }),
        });
    }
    for step in 0..20 {
        log.step(step, &[("train/loss", step as f64)]);
        log.flush();
    }
    let dir = log.end(20.0, Outcome::Finished);
    (project, dir)
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

fn report(project: &Project) -> (i32, Json) {
    let ended = project.cresset(&["verify", "--json"]);
    (ended.code, serde_json::from_str(&ended.stdout).unwrap())
}

fn blobs(dir: &RunDir) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(dir.path().join("blobs")).unwrap();
    let mut files: Vec<PathBuf> = folders
        .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Sizes change with the format.
fn without_sizes(text: &str) -> String {
    let line = |line: &str| match line.trim_start().starts_with("log ") {
        true => {
            line.rsplit_once(", ")
                .map_or("", |(before, _)| before)
                .to_owned()
                + ", N bytes\n"
        }
        false => line.to_owned() + "\n",
    };
    text.lines().map(line).collect()
}

#[test]
fn an_intact_run() {
    let (project, _) = project();
    let ended = project.cresset(&["verify"]);
    insta::assert_snapshot!(without_sizes(&ended.printed()));
    let (code, report) = report(&project);
    assert_eq!(
        (code, &report["intact"], &report["live"]),
        (0, &true.into(), &false.into())
    );
    assert_eq!(
        (&report["frames"], &report["blobs"]),
        (&21.into(), &2.into())
    );
    let names: Vec<&String> = report.as_object().unwrap().keys().collect();
    insta::assert_debug_snapshot!(names);
}

#[test]
fn damage_in_the_middle_is_named_with_its_place() {
    let (project, dir) = project();
    let segment = dir.segment(Rank(0), 0);
    let place = std::fs::read(&segment).unwrap().len() / 2;
    change(&segment, |bytes| bytes[place] ^= 0xff);
    let (code, report) = report(&project);
    assert_eq!((code, &report["intact"]), (4, &false.into()));
    let damage = &report["damage"][0];
    assert_eq!(damage["file"], "rank-0.000000.log");
    assert_eq!(damage["what"], "corrupt");
    let (from, to) = (
        damage["from"].as_u64().unwrap(),
        damage["to"].as_u64().unwrap(),
    );
    assert!(
        (from..to).contains(&(place as u64)),
        "{from}..{to}: {place}"
    );
    let text = project.cresset(&["verify"]).stdout;
    assert!(text.contains(&format!("bytes {from}..{to}: ")), "{text}");
    assert!(text.contains("is damaged"), "{text}");
}

#[test]
fn a_last_write_that_was_cut_short() {
    let (project, dir) = project();
    let segment = dir.segment(Rank(0), 0);
    change(&segment, |bytes| bytes.truncate(bytes.len() - 3));
    let (code, report) = report(&project);
    assert_eq!(
        (code, &report["damage"][0]["what"]),
        (4, &"torn_tail".into())
    );
    let length = std::fs::metadata(&segment).unwrap().len();
    assert_eq!(report["damage"][0]["to"], length);
}

#[test]
fn blobs_that_are_missing_or_changed() {
    let (project, dir) = project();
    let files = blobs(&dir);
    std::fs::remove_file(&files[0]).unwrap();
    change(&files[1], |bytes| bytes[0] ^= 1);
    let ended = project.cresset(&["verify"]);
    assert_eq!(ended.code, 4);
    insta::assert_snapshot!(without_sizes(&ended.stdout));
    let (_, first) = report(&project);
    let what = |i: usize| first["bad_blobs"][i]["what"].as_str().unwrap().to_owned();
    assert_eq!([what(0), what(1)], ["missing", "damaged"]);
    change(&files[1], |bytes| bytes.push(0));
    let (_, second) = report(&project);
    assert_eq!(second["bad_blobs"][1]["text"], "has 7 bytes instead of 6");
}

#[test]
fn a_run_that_is_being_written() {
    let project = Project::new();
    let mut log = Log::begin(&project.root(), start("live", "radiant-buoy-1"));
    log.step(0, &[("train/loss", 1.0)]);
    log.flush();
    let (code, report) = report(&project);
    assert_eq!((code, &report["live"]), (0, &true.into()));
    drop(log);
}
