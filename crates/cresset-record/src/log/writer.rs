//! Appends frames to the segments of one writer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::carry::whole;
use super::decode;
use super::format::{MAJOR, MINOR, SEGMENT_HEAD, SegmentHead};
use super::frame::FrameBuilder;
use super::segment::{Next, SegmentReader};
use crate::durable::{copy_anew, sync_ancestors, sync_folder, write_anew};
use crate::ids::{Rank, random_u64};
use crate::layout::RunDir;

/// A new segment is due after so many bytes.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// The log of one writer, open for appending. The caller holds its [`WriterLock`](crate::WriterLock).
///
/// A writer never touches what an earlier process wrote: it begins a new segment, so that a torn tail stays where
/// it is, as evidence. Each segment must begin with the keys that its rows use; the caller sees to that.
#[derive(Debug)]
pub struct LogWriter {
    dir: RunDir,
    rank: Rank,
    file: File,
    path: PathBuf,
    index: u32,
    /// Bytes of the segment that are known to be whole frames.
    length: u64,
    /// As many of them as are on the disk.
    kept: u64,
    sequence: u64,
    /// A write failed and what it left could not be cut off.
    torn: bool,
    /// Segments below this one are on the disk, and so are their names.
    synced: u32,
    /// Segments that the disk refused. It says so once: what it then claims to have of them it may not have.
    refused: BTreeSet<u32>,
    /// Whole frames, in bytes, of earlier segments that this process wrote and that may not be on the disk.
    written: BTreeMap<u32, u64>,
    /// What the disk refused could be read back to be written anew, each time.
    intact: bool,
}

impl LogWriter {
    /// Begins a new segment after those that are there, making the folder where needed.
    ///
    /// # Errors
    /// What the file system says, and if the log there is of a newer format.
    pub fn create(dir: &RunDir, rank: Rank) -> io::Result<Self> {
        let (index, sequence) = end_of(dir, rank)?;
        Self::begin(dir.clone(), rank, index, sequence)
    }

    fn begin(dir: RunDir, rank: Rank, mut index: u32, sequence: u64) -> io::Result<Self> {
        fs::create_dir_all(dir.path())?;
        while dir.segment(rank, index).exists() {
            index = after(index)?;
        }
        let path = dir.segment(rank, index);
        let head = SegmentHead {
            major: MAJOR,
            minor: MINOR,
            rank,
            index,
            first_frame: sequence,
            identity: random_u64().max(1),
        };
        // Once readers see a later segment they take this one as finished: it must appear whole or not at all.
        let temporary = path.with_extension("log.new");
        let made = make(&temporary, &head.encode()).and_then(|file| {
            fs::rename(&temporary, &path)?;
            Ok(file)
        });
        let file = made.inspect_err(|_| drop(fs::remove_file(&temporary)))?;
        Ok(Self {
            dir,
            rank,
            file,
            path,
            index,
            length: SEGMENT_HEAD as u64,
            kept: 0,
            sequence,
            torn: false,
            synced: 0,
            refused: BTreeSet::new(),
            written: BTreeMap::new(),
            intact: true,
        })
    }

    /// Seals what `frame` holds and appends it in one write. Does nothing when it holds nothing.
    ///
    /// # Errors
    /// What the file system says; [`io::ErrorKind::InvalidInput`] for a frame that no reader would take, see
    /// [`FrameBuilder::is_full`]. The frame is gone then; the log ends with the last whole frame.
    pub fn append(&mut self, frame: &mut FrameBuilder) -> io::Result<()> {
        if frame.is_empty() {
            return Ok(());
        }
        let sequence = self.sequence;
        // A lost frame keeps its number, so that the gap shows.
        self.sequence = sequence.saturating_add(1);
        if frame.is_oversized() {
            frame.clear();
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the frame is larger than readers take; seal it when it is full",
            ));
        }
        frame.seal(sequence, |bytes| {
            if self.torn {
                return Err(io::Error::other("the segment ends in a torn frame"));
            }
            match self.file.write_all(bytes) {
                Ok(()) => {
                    self.length += bytes.len() as u64;
                    Ok(())
                }
                Err(e) => {
                    self.torn = self.file.set_len(self.length).is_err();
                    Err(e)
                }
            }
        })
    }

    /// Whether a new segment is due.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.length >= SEGMENT_BYTES
    }

    /// Whether the segment can no longer be appended to, or nobody can find it any more.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.torn || !is_linked(&self.file, &self.path)
    }

    /// Whether the disk has refused to keep what was written, and [`Self::sync`] is to be tried again.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        !self.refused.is_empty()
    }

    /// Whether everything that the disk refused could be written anew: else something of the log is gone that was appended.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.intact
    }

    /// Goes on in a new segment.
    ///
    /// # Errors
    /// What the file system says; the writer stays in its segment then.
    pub fn rotate(&mut self) -> io::Result<()> {
        let next = after(self.index)?;
        self.go_on(next, self.sequence)
    }

    /// Goes on in a new segment after whatever is there now, also if the folder is gone. Frames go on being numbered: whoever has those that
    /// are gone must not take new ones for them.
    ///
    /// # Errors
    /// As [`Self::create`]; the writer stays in its segment then.
    pub fn begin_again(&mut self) -> io::Result<()> {
        let (index, sequence) = end_of(&self.dir, self.rank)?;
        self.go_on(index.max(after(self.index)?), sequence.max(self.sequence))?;
        // The folder may be another one.
        self.synced = 0;
        Ok(())
    }

    fn go_on(&mut self, index: u32, sequence: u64) -> io::Result<()> {
        let next = Self::begin(self.dir.clone(), self.rank, index, sequence)?;
        let mut before = std::mem::replace(self, next);
        before.written.insert(before.index, before.length);
        self.synced = before.synced.min(before.index);
        self.refused = before.refused;
        self.written = before.written;
        self.intact = before.intact;
        Ok(())
    }

    /// Waits until everything that was appended, in all segments and by earlier processes too, would survive a loss of power.
    ///
    /// # Errors
    /// What the file system says. What it refused is written anew at the next call, before it is asked again.
    pub fn sync(&mut self) -> io::Result<()> {
        let synced = self.synced;
        if synced < self.index {
            for (rank, index) in self.dir.segments()? {
                if rank == self.rank && (synced..self.index).contains(&index) {
                    self.sync_segment(index)?;
                }
            }
        }
        self.sync_segment(self.index)?;
        if synced <= self.index {
            sync_folder(self.dir.path())?;
        }
        if synced == 0 {
            sync_ancestors(self.dir.path())?;
        }
        self.synced = self.index.saturating_add(1);
        // Of those that are gone there is nothing left to keep.
        self.refused.clear();
        self.written.clear();
        Ok(())
    }

    fn sync_segment(&mut self, index: u32) -> io::Result<()> {
        let path = self.dir.segment(self.rank, index);
        let synced = if self.refused.contains(&index) {
            let anew = match index == self.index {
                true => write_anew(&path, self.kept),
                false => copy_anew(&path),
            };
            anew.and_then(|()| {
                self.intact &= self.has_all(index, &path)?;
                Ok(())
            })
        } else if index == self.index {
            self.file.sync_data()
        } else {
            let file = OpenOptions::new().append(true).open(&path);
            file.and_then(|file| file.sync_data())
        };
        match synced {
            Ok(()) => {
                if index == self.index {
                    self.kept = self.length;
                }
                self.refused.remove(&index);
                Ok(())
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => {
                self.refused.insert(index);
                Err(e)
            }
        }
    }

    /// Whether all frames of a segment that this process appended are there: the system may have let go of what the disk refused.
    fn has_all(&self, index: u32, path: &Path) -> io::Result<bool> {
        let appended = match index == self.index {
            true => Some(self.length),
            false => self.written.get(&index).copied(),
        };
        let found = whole(File::open(path)?, path).map_err(io::Error::other)?;
        Ok(found.map(|found| found.bytes) >= appended)
    }
}

/// The index of the segment after those that are there, and the number of the frame after theirs.
fn end_of(dir: &RunDir, rank: Rank) -> io::Result<(u32, u64)> {
    fs::create_dir_all(dir.path())?;
    let mut there = dir.segments()?;
    there.retain(|(r, _)| *r == rank);
    let index = match there.last() {
        Some((_, index)) => after(*index)?,
        None => 0,
    };
    // The last segment may have lost even its head: then the one before it tells.
    let mut sequence = 0;
    for (_, there) in there.into_iter().rev() {
        if let Some(end) = frames_end(&dir.segment(rank, there))? {
            sequence = end;
            break;
        }
    }
    Ok((index, sequence))
}

/// Makes a file anew that begins with `bytes`, to be appended to.
fn make(path: &Path, bytes: &[u8]) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .append(true)
        .create_new(true)
        .open(path)?;
    file.write_all(bytes)?;
    Ok(file)
}

fn after(index: u32) -> io::Result<u32> {
    index
        .checked_add(1)
        .ok_or_else(|| io::Error::other("the log has as many segments as can be numbered"))
}

/// Whether `path` still leads to `file`.
#[cfg(unix)]
fn is_linked(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let _ = path;
    match file.metadata() {
        Ok(metadata) => metadata.nlink() > 0,
        // What a network file system says of a file that was deleted elsewhere; no other error tells that it was.
        Err(e) => e.kind() != io::ErrorKind::StaleNetworkFileHandle,
    }
}

#[cfg(not(unix))]
fn is_linked(_: &File, path: &Path) -> bool {
    path.exists()
}

/// The sequence number after the last frame of a segment; `None` if it has neither a frame nor a head that tells.
fn frames_end(path: &Path) -> io::Result<Option<u64>> {
    let mut reader = SegmentReader::open(path)?;
    let mut end = None;
    loop {
        match reader.next_payload(true).map_err(io::Error::other)? {
            Next::Frame { payload, .. } => {
                end = end.max(decode::sequence(payload).map(|s| s.saturating_add(1)));
            }
            Next::Damage { .. } => {}
            Next::Pending | Next::End => break,
        }
    }
    Ok(end.max(reader.head().map(|head| head.first_frame)))
}
