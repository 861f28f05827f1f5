//! Folders as a failing disk, a full one, a foreign program or an attacker leaves them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cresset_record::{MediaDetail, Outcome, Rank, RunDir};

use crate::book::Book;

/// How many runs [`write`] takes.
pub(super) const KINDS: usize = 11;

type Damage = fn(&RunDir, PathBuf) -> Result<()>;

/// Each of `books` is filled, closed and then damaged in its own way.
pub(super) fn write(out: &Path, books: Vec<Book>) -> Result<()> {
    let kinds: [Damage; KINDS] = [
        |_, log| cut(&log, 0.6),
        |_, log| flip(&log, &[0.3, 0.31, 0.7]),
        |_, log| zeros(&log),
        |_, log| cut(&log, 0.0),
        |_, log| flip(&log, &[0.0]),
        |_, log| later_version(&log),
        |dir, _| blobs(dir),
        |dir, log| segments(dir, &log),
        |dir, _| foreign(dir),
        |_, log| insert(&log),
        |dir, log| elsewhere(dir, &log),
    ];
    for (mut book, damage) in books.into_iter().zip(kinds) {
        let dir = book.dir.clone();
        fill(&mut book)?;
        book.end(Outcome::Finished)?;
        damage(&dir, dir.segment(Rank(0), 0))
            .with_context(|| format!("cannot damage {}", dir.path().display()))?;
    }
    foreign_folders(out)
}

fn fill(book: &mut Book) -> Result<()> {
    for step in 0..2000u64 {
        book.row(
            step,
            &[("train/loss", 1.0 / (step + 1) as f64), ("train/lr", 1e-3)],
        )?;
        if step % 100 == 0 {
            let bytes = format!("blob {step}").into_bytes();
            book.bytes(
                step,
                "blobs",
                (&bytes, "text/plain"),
                MediaDetail::Text,
                None,
            )?;
            book.flush()?;
        }
    }
    Ok(())
}

fn change(path: &Path, how: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
    let mut bytes = fs::read(path)?;
    how(&mut bytes);
    Ok(fs::write(path, bytes)?)
}

fn cut(path: &Path, fraction: f64) -> Result<()> {
    change(path, |bytes| {
        bytes.truncate((bytes.len() as f64 * fraction) as usize);
    })
}

fn flip(path: &Path, places: &[f64]) -> Result<()> {
    change(path, |bytes| {
        for place in places {
            let at = (bytes.len() as f64 * place) as usize;
            bytes[at] ^= 0xFF;
        }
    })
}

fn zeros(path: &Path) -> Result<()> {
    change(path, |bytes| {
        let (from, to) = (bytes.len() / 3, bytes.len() / 2);
        bytes[from..to].fill(0);
        bytes.extend([0; 100_000]);
    })
}

fn insert(path: &Path) -> Result<()> {
    change(path, |bytes| {
        let at = bytes.len() / 2;
        let mut garbage = b"\xC5\x5E\xFF\xFF\xFF\xFF".repeat(2000);
        garbage.extend(b"<script>pwned()</script>");
        bytes.splice(at..at, garbage);
    })
}

/// Major version 9, with a head that is right otherwise but for its checksum.
fn later_version(path: &Path) -> Result<()> {
    change(path, |bytes| {
        bytes[8..10].copy_from_slice(&9u16.to_le_bytes());
    })
}

/// One blob is missing, one cut, one exchanged for another, one a folder.
fn blobs(dir: &RunDir) -> Result<()> {
    let mut files = Vec::new();
    for folder in fs::read_dir(dir.path().join("blobs"))? {
        let folder = folder?.path();
        if folder.is_dir() {
            for file in fs::read_dir(folder)? {
                files.push(file?.path());
            }
        }
    }
    files.sort();
    let [missing, short, other, folder, ..] = &files[..] else {
        bail!("too few blobs");
    };
    fs::remove_file(missing)?;
    fs::write(short, b"bl")?;
    fs::write(other, b"<script>pwned()</script>")?;
    fs::remove_file(folder)?;
    Ok(fs::create_dir(folder)?)
}

/// Segments with gaps between them, in the wrong place, and of the wrong rank.
fn segments(dir: &RunDir, log: &Path) -> Result<()> {
    fs::copy(log, dir.segment(Rank(0), 3))?;
    fs::copy(log, dir.segment(Rank(5), 0))?;
    fs::copy(log, dir.path().join("rank-0.000000.log.new"))?;
    fs::copy(log, dir.path().join("rank-00.000001.log"))?;
    fs::write(dir.segment(Rank(0), 4), b"")?;
    Ok(fs::create_dir(dir.segment(Rank(6), 0))?)
}

/// What other programs leave in a folder.
fn foreign(dir: &RunDir) -> Result<()> {
    let path = dir.path();
    fs::write(path.join("notes.txt"), b"mine")?;
    fs::write(path.join(".DS_Store"), [0, 1, 2])?;
    fs::write(path.join("stop.json"), b"{ not json")?;
    fs::create_dir_all(path.join("blobs/zz/not a digest"))?;
    fs::write(path.join("blobs/.tmp-left-behind"), b"half a blob")?;
    link("/etc", &path.join("blobs/et"))?;
    link(".", &path.join("loop"))
}

/// A run's log under an id that is not its own.
fn elsewhere(dir: &RunDir, log: &Path) -> Result<()> {
    let project = dir.path().parent().context("no folder above")?;
    let copy = project.join("copied-run");
    fs::create_dir_all(&copy)?;
    fs::copy(log, copy.join("rank-0.000000.log"))?;
    Ok(())
}

/// Projects and runs that are none.
fn foreign_folders(out: &Path) -> Result<()> {
    fs::write(out.join("README.md"), b"not a project")?;
    fs::create_dir_all(out.join("empty-project"))?;
    fs::create_dir_all(out.join("project/empty-run"))?;
    fs::write(out.join("project/a file"), b"not a run")?;
    fs::create_dir_all(out.join("project/not a run id!"))?;
    fs::create_dir_all(out.join("%zz/run"))?;
    fs::create_dir_all(out.join(".hidden/run"))?;
    let log = out.join("project/empty-log");
    fs::create_dir_all(&log)?;
    fs::write(log.join("rank-0.000000.log"), b"")?;
    link("..", &out.join("project/up"))?;
    link("/nowhere", &out.join("dangling"))
}

#[cfg(unix)]
fn link(to: &str, at: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(to, at)?)
}

#[cfg(not(unix))]
fn link(_: &str, _: &Path) -> Result<()> {
    Ok(())
}
