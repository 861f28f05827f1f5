//! Reads one segment, whatever state it is in.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::format::{FRAME_HEAD, FrameHead, MAJOR, MARKER, SEGMENT_HEAD, SegmentHead};

/// Bytes asked of the file at a time.
const READ: usize = 1 << 18;

/// What a segment gives next.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    /// A whole frame.
    Frame {
        /// Where it begins.
        offset: u64,
        /// Its payload, whose checksum is right.
        payload: &'a [u8],
    },
    /// Bytes that are no frame, before the next frame or at the end.
    Damage {
        /// First byte after them.
        to: u64,
        /// Whether nothing whole follows: a write that was cut short.
        at_end: bool,
    },
    /// Nothing whole yet, and more may come.
    Pending,
    /// Nothing more will come.
    End,
}

/// Why a log cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file system says no.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It was written by a newer Cresset.
    #[error("{} has format version {major}, this Cresset reads up to {MAJOR}; update Cresset to read it", path.display())]
    NewerFormat {
        /// Which file.
        path: PathBuf,
        /// Its major version.
        major: u16,
    },
}

/// A segment being read, from a file or from any bytes that can be sought.
#[derive(Debug)]
pub(crate) struct SegmentReader<R = File> {
    source: R,
    path: PathBuf,
    /// Bytes from `start` on.
    buffer: Vec<u8>,
    start: u64,
    /// How much of the buffer has been read out.
    taken: usize,
    head_read: bool,
    first_frame: u64,
}

enum Step {
    Frame { length: usize },
    Skip { to: u64, at_end: bool },
    Pending,
    End,
}

impl SegmentReader {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::new(File::open(path)?, path))
    }
}

impl<R: Read + Seek> SegmentReader<R> {
    pub(crate) fn new(source: R, path: &Path) -> Self {
        Self {
            source,
            path: path.to_owned(),
            buffer: Vec::new(),
            start: 0,
            taken: 0,
            head_read: false,
            first_frame: 0,
        }
    }

    /// Where the next frame begins or would begin.
    pub(crate) fn offset(&self) -> u64 {
        self.start + self.taken as u64
    }

    /// The sequence number that the segment says its first frame has; 0 until its head was read.
    pub(crate) fn first_frame(&self) -> u64 {
        self.first_frame
    }

    /// The next frame. `complete` says that nobody is writing any more, so that whatever is unfinished stays so.
    pub(crate) fn next_payload(&mut self, complete: bool) -> Result<Next<'_>, LogError> {
        let from = self.offset();
        match self.step(complete)? {
            Step::Frame { length } => {
                let begin = self.taken + FRAME_HEAD;
                self.taken = begin + length;
                Ok(Next::Frame {
                    offset: from,
                    payload: &self.buffer[begin..begin + length],
                })
            }
            Step::Skip { to, at_end } => {
                self.seek(to);
                Ok(Next::Damage { to, at_end })
            }
            Step::Pending => Ok(Next::Pending),
            Step::End => Ok(Next::End),
        }
    }

    fn step(&mut self, complete: bool) -> Result<Step, LogError> {
        if !self.head_read {
            let Some(available) = self.fill(SEGMENT_HEAD)? else {
                return self.resynchronise(complete);
            };
            let Some(head) = available.first_chunk().and_then(SegmentHead::decode) else {
                self.head_read = true;
                return self.resynchronise(complete);
            };
            if head.major > MAJOR {
                return Err(LogError::NewerFormat {
                    path: self.path.clone(),
                    major: head.major,
                });
            }
            self.first_frame = head.first_frame;
            self.taken = SEGMENT_HEAD;
            self.head_read = true;
        }
        let Some(available) = self.fill(FRAME_HEAD)? else {
            return self.resynchronise(complete);
        };
        let Some(head) = available.first_chunk().and_then(FrameHead::decode) else {
            return self.resynchronise(complete);
        };
        let whole = self.fill(FRAME_HEAD + head.length)?;
        match whole.and_then(|bytes| bytes.get(FRAME_HEAD..FRAME_HEAD + head.length)) {
            Some(payload) if head.matches(payload) => Ok(Step::Frame {
                length: head.length,
            }),
            _ => self.resynchronise(complete),
        }
    }

    /// What stands here is no whole frame: looks for the next one. A writer appends whole frames in order, so a
    /// frame further on proves damage here even while the log is live.
    fn resynchronise(&mut self, complete: bool) -> Result<Step, LogError> {
        let from = self.offset();
        let rest = self.read_rest(from).map_err(|source| LogError::Io {
            path: self.path.clone(),
            source,
        })?;
        if rest.is_empty() {
            return Ok(if complete { Step::End } else { Step::Pending });
        }
        if let Some(at) = find_frame(&rest) {
            self.head_read = true;
            return Ok(Step::Skip {
                to: from + at as u64,
                at_end: false,
            });
        }
        Ok(if complete {
            Step::Skip {
                to: from + rest.len() as u64,
                at_end: true,
            }
        } else {
            Step::Pending
        })
    }

    fn read_rest(&mut self, from: u64) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.source.seek(SeekFrom::Start(from))?;
        self.source.read_to_end(&mut rest)?;
        Ok(rest)
    }

    fn seek(&mut self, to: u64) {
        self.buffer.clear();
        self.start = to;
        self.taken = 0;
    }

    /// Everything read and not yet taken, if it is `wanted` bytes or more; reads on as far as needed.
    fn fill(&mut self, wanted: usize) -> Result<Option<&[u8]>, LogError> {
        if self.buffer.len() - self.taken < wanted {
            self.buffer.drain(..self.taken);
            self.start += self.taken as u64;
            self.taken = 0;
            self.read_on(wanted).map_err(|source| LogError::Io {
                path: self.path.clone(),
                source,
            })?;
        }
        let available = &self.buffer[self.taken..];
        Ok((available.len() >= wanted).then_some(available))
    }

    fn read_on(&mut self, wanted: usize) -> io::Result<()> {
        self.source
            .seek(SeekFrom::Start(self.start + self.buffer.len() as u64))?;
        while self.buffer.len() < wanted {
            let ask = (wanted - self.buffer.len()).max(READ) as u64;
            if self
                .source
                .by_ref()
                .take(ask)
                .read_to_end(&mut self.buffer)?
                == 0
            {
                break;
            }
        }
        Ok(())
    }
}

/// Where in `bytes`, after the first, a whole frame begins.
fn find_frame(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += bytes
            .get(at..)?
            .windows(MARKER.len())
            .position(|w| w == MARKER)?;
        if is_frame(&bytes[at..]) {
            return Some(at);
        }
        at += 1;
    }
}

fn is_frame(bytes: &[u8]) -> bool {
    bytes
        .first_chunk()
        .and_then(FrameHead::decode)
        .and_then(|head| Some((bytes.get(FRAME_HEAD..FRAME_HEAD + head.length)?, head)))
        .is_some_and(|(payload, head)| head.matches(payload))
}
