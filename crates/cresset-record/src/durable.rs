//! What survives a loss of power. Of a file that was synchronised nothing is found unless its folder was, too.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::ids::Rank;
use crate::layout::RunDir;

/// How much is written anew at a time.
const PART: usize = 1 << 20;

/// Which segments are on the disk, and how much of each, for those who carry a log elsewhere.
///
/// Frames are known elsewhere by their numbers, and a process that takes a log up goes on from the last number that it finds. So what has left
/// must not be lost here: the next process would give its numbers to other frames, which are then taken for known.
#[derive(Debug, Default)]
pub struct Kept(BTreeMap<(Rank, u32), u64>);

impl Kept {
    /// Waits until the first `bytes` of a segment, as they were read, would survive a loss of power here.
    ///
    /// # Errors
    /// If the disk says no; not if the file system has no such promise to give.
    pub fn keep(&mut self, dir: &RunDir, rank: Rank, segment: u32, bytes: u64) -> io::Result<()> {
        let kept = self.0.get(&(rank, segment)).copied();
        if kept >= Some(bytes) {
            return Ok(());
        }
        let file = open_to_sync(&dir.segment(rank, segment))?;
        let length = file.metadata()?.len();
        unless_unknown(file.sync_data())?;
        if kept.is_none() {
            unless_unknown(dir.sync_names())?;
        }
        self.0.insert((rank, segment), length);
        Ok(())
    }
}

/// File systems that cannot synchronise say so each time, and what cannot be written has nothing to lose.
fn unless_unknown(synced: io::Result<()>) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, ReadOnlyFilesystem, Unsupported};
    synced.or_else(|error| match error.kind() {
        InvalidInput | PermissionDenied | ReadOnlyFilesystem | Unsupported => Ok(()),
        _ => Err(error),
    })
}

/// A file that is there, to be synchronised by whoever may read it.
#[cfg(unix)]
fn open_to_sync(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Elsewhere only who may write it can.
#[cfg(not(unix))]
fn open_to_sync(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).open(path)
}

/// Writes the bytes of a file from `from` on once more and waits for the disk. After a disk has refused to synchronise a file, the system may
/// count what it refused as written, and the next try as a success: only what is written anew is really tried again. What is written can be lost until
/// then, so `from` must be where that begins which nobody was promised.
///
/// # Errors
/// If the file cannot be read or written, or the disk refuses again.
pub fn write_anew(path: &Path, from: u64) -> io::Result<()> {
    // The same bytes in the same place: who reads the file meanwhile sees nothing.
    pour(path, path, from)
}

/// The same for a file that nobody appends to any more, of which all may be promised: a copy takes its place once it is on the disk.
pub(crate) fn copy_anew(path: &Path) -> io::Result<()> {
    let copy = path.with_extension("log.new");
    let copied = File::create(&copy).and_then(|_| pour(path, &copy, 0));
    let placed = copied.and_then(|()| fs::rename(&copy, path));
    placed.inspect_err(|_| drop(fs::remove_file(&copy)))
}

/// Writes the bytes of `source` from `at` on to the same places in `target`, which may be the same file, and waits for the disk.
fn pour(source: &Path, target: &Path, at: u64) -> io::Result<()> {
    let mut source = File::open(source)?;
    let mut target = OpenOptions::new().write(true).open(target)?;
    let mut part = vec![0; PART];
    source.seek(SeekFrom::Start(at))?;
    target.seek(SeekFrom::Start(at))?;
    loop {
        let read = source.read(&mut part)?;
        if read == 0 {
            return target.sync_all();
        }
        target.write_all(&part[..read])?;
    }
}

#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}

/// Elsewhere a folder cannot be synchronised; file systems there keep names with the files.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The folders that a run brings with it: its project's, the root, and where that is. Without their names on the disk there is no run.
pub(crate) fn sync_ancestors(run: &Path) -> io::Result<()> {
    for folder in run.ancestors().skip(1).take(3) {
        match sync_folder(folder) {
            // Of a folder that we may not read we have not made the next one either.
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {}
            other => other?,
        }
    }
    Ok(())
}
