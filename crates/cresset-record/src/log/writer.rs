//! Appends frames to the segments of one writer.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use super::format::{MAJOR, MINOR, SEGMENT_HEAD, SegmentHead};
use super::frame::FrameBuilder;
use super::segment::{Next, SegmentReader};
use crate::ids::Rank;
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
    sequence: u64,
    /// A write failed and what it left could not be cut off.
    torn: bool,
}

impl LogWriter {
    /// Begins a new segment after those that are there, making the folder where needed.
    ///
    /// # Errors
    /// What the file system says.
    pub fn create(dir: &RunDir, rank: Rank) -> io::Result<Self> {
        fs::create_dir_all(dir.path())?;
        let last = dir.segments()?.into_iter().rfind(|(r, _)| *r == rank);
        let (index, sequence) = match last {
            Some((_, index)) => (index + 1, frames_end(dir, rank, index)?),
            None => (0, 0),
        };
        Self::begin(dir.clone(), rank, index, sequence)
    }

    fn begin(dir: RunDir, rank: Rank, index: u32, sequence: u64) -> io::Result<Self> {
        fs::create_dir_all(dir.path())?;
        let path = dir.segment(rank, index);
        let mut file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)?;
        let head = SegmentHead {
            major: MAJOR,
            minor: MINOR,
            rank,
            index,
            first_frame: sequence,
        };
        if let Err(e) = file.write_all(&head.encode()) {
            // A segment without a head would be read as damage.
            let _ = fs::remove_file(&path);
            return Err(e);
        }
        Ok(Self {
            dir,
            rank,
            file,
            path,
            index,
            length: SEGMENT_HEAD as u64,
            sequence,
            torn: false,
        })
    }

    /// Seals what `frame` holds and appends it in one write. Does nothing when it holds nothing.
    ///
    /// # Errors
    /// What the file system says. The frame is gone then; the log ends with the last whole frame.
    pub fn append(&mut self, frame: &mut FrameBuilder) -> io::Result<()> {
        if frame.is_empty() {
            return Ok(());
        }
        let sequence = self.sequence;
        // A lost frame keeps its number, so that the gap shows.
        self.sequence += 1;
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

    /// Goes on in a new segment.
    ///
    /// # Errors
    /// What the file system says; the writer stays in its segment then.
    pub fn rotate(&mut self) -> io::Result<()> {
        *self = Self::begin(self.dir.clone(), self.rank, self.index + 1, self.sequence)?;
        Ok(())
    }

    /// Waits until everything appended would survive a loss of power.
    ///
    /// # Errors
    /// What the file system says.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Whether `path` still leads to `file`.
#[cfg(unix)]
fn is_linked(file: &File, path: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let _ = path;
    file.metadata().is_ok_and(|m| m.nlink() > 0)
}

#[cfg(not(unix))]
fn is_linked(_: &File, path: &std::path::Path) -> bool {
    path.exists()
}

/// The sequence number after the last frame of a segment.
fn frames_end(dir: &RunDir, rank: Rank, index: u32) -> io::Result<u64> {
    let mut reader = SegmentReader::open(&dir.segment(rank, index))?;
    let mut end = 0;
    loop {
        match reader.next_payload(true).map_err(io::Error::other)? {
            Next::Frame { payload, .. } => {
                end = super::frame::sequence(payload).map_or(end, |s| s.saturating_add(1));
            }
            Next::Damage { .. } => {}
            Next::Pending | Next::End => break,
        }
    }
    Ok(end.max(reader.first_frame()))
}
