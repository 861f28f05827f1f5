//! Losses of power where a run is recorded and carried to a server meanwhile: the server has what the disk kept and all that was logged after, once.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::disk::{Disk, Fate, Op, read_trace};
use crate::support::{all, dir, faulty, place, steps, trainer, view};

/// Ways of losing what was not synchronised, beside the extremes.
const WAYS: u64 = 2;

/// The server's runs as they were after it took what there was for the `taken`th time.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

fn steps_at(runs: &Path) -> Vec<u64> {
    match dir(runs).path().exists() {
        true => steps(&view(runs)),
        false => Vec::new(),
    }
}

#[test]
fn what_a_server_has_no_later_frame_takes_the_number_of() {
    let (place, disk_root) = place();
    fs::create_dir(&disk_root).unwrap();
    let server = place.path().join("server");
    let trace = place.path().join("trace");
    for words in [
        "written steps=10 end=abort",
        "written resume steps=8 end=abort",
        "resume steps=7",
    ] {
        let words = format!("{words} carry={}", server.display());
        let mode = format!("record:{}", trace.display());
        let mut command = faulty(&disk_root.join("runs"), &mode, &words);
        command
            .env("FAULT_DIR", &disk_root)
            .env("FAULT_MARKS", place.path().join("marks"));
        let output = command.output().unwrap();
        assert_eq!(
            output.status.success(),
            !words.contains("abort"),
            "{output:?}"
        );
    }

    let ops = read_trace(&trace);
    let mut disk = Disk::new(&disk_root, fs::metadata(&disk_root).unwrap().ino());
    let scratch = tempfile::tempdir().unwrap();
    let (mut taken, mut ends) = (0, Vec::new());
    for (at, op) in ops.iter().enumerate() {
        match disk.apply(op).map(|told| told.trim_end().split_once(' ')) {
            Some(Some(("carried", number))) => taken = number.parse().unwrap(),
            Some(_) => continue,
            None => {}
        }
        for way in 0..WAYS + 2 {
            let to = scratch.path().join(format!("{at}-{way}"));
            disk.lose_power(&mut Fate::new(way, at as u64 * WAYS + way), &to);
            ends.push((to, taken, at, way));
        }
    }
    assert!(taken > 6, "{taken}");
    assert!(matches!(ops.last(), Some(Op::Promise(_))));
    println!("the power went {} times", ends.len());
    all(ends, 2, |(disk, taken, at, way)| {
        let what = format!("way {way} after operation {at}, {:?}", ops[at]);
        let what = &what[..what.len().min(200)];
        let (runs, mine) = (disk.join("runs"), disk.join("server"));
        if taken > 0 {
            copy(&server.join(taken.to_string()), &mine.join("runs"));
        }
        let (kept, had) = (steps_at(&runs), steps_at(&mine.join("runs")));
        assert!(
            had.iter().all(|step| kept.contains(step)),
            "{had:?} left, and of it {kept:?} are on the disk: {what}"
        );
        let words = format!("written resume steps=4 carry={}", mine.display());
        let output = trainer(&runs, &words).output().unwrap();
        assert!(output.status.success(), "{output:?}: {what}");
        let now = steps_at(&runs);
        assert!(
            now.len() >= kept.len() + 4,
            "{kept:?} became {now:?}: {what}"
        );
        assert_eq!(
            steps_at(&mine.join("runs")),
            now,
            "{kept:?}, {had:?}: {what}"
        );
        fs::remove_dir_all(disk).unwrap();
    });
}
