//! Reads one segment, whatever state it is in.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::format::{FRAME_HEAD, FrameHead, MAJOR, MARKER, SEGMENT_HEAD, SegmentHead};

/// Bytes asked of the file at a time.
const READ: usize = 1 << 18;
/// While a writer lives, damage before a whole frame must stand so long to be believed: on a network file system pages
/// may arrive out of order.
const SETTLE: Duration = Duration::from_secs(1);
/// Searching for the next frame may cost so many bytes of checksum, and so many more for every byte passed. Random bytes
/// cost an eighth of a byte each; a file made to have a false frame at every turn would cost its square.
const SEARCH: usize = 16 << 20;
const SEARCH_PER_BYTE: usize = 16;

/// What a segment gives next.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    /// A whole frame.
    Frame {
        /// First byte of its head.
        from: u64,
        /// First byte after it.
        to: u64,
        /// Minor version of the format that it is in.
        minor: u16,
        /// Its payload, whose checksum is right.
        payload: &'a [u8],
    },
    /// Bytes that are no frame, before the next frame or at the end.
    Damage {
        /// First of them.
        from: u64,
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
    /// The disk does not promise to keep it.
    #[error("cannot synchronise {}: {source}; nothing of it goes elsewhere before that", path.display())]
    Sync {
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
    /// The file is not the one that a cursor points into.
    #[error("{} is not the log that the cursor was taken from: the run was deleted and begun anew; read it from the beginning", path.display())]
    Replaced {
        /// Which file.
        path: PathBuf,
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
    /// The buffer was filled while the writer lived: what it cut off since, after a write that failed, may be in it.
    may_be_stale: bool,
    head: Option<SegmentHead>,
    /// Frames are next: the head was read, or given up as damaged.
    past_head: bool,
    /// Damage seen while the writer lives: its first byte, and since when.
    suspect: Option<(u64, Instant)>,
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
            may_be_stale: false,
            head: None,
            past_head: false,
            suspect: None,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the next frame begins or would begin.
    pub(crate) fn offset(&self) -> u64 {
        self.start + self.taken as u64
    }

    /// The segment's head; `None` while it was not read, and if it is damaged.
    pub(crate) fn head(&self) -> Option<&SegmentHead> {
        self.head.as_ref()
    }

    /// Goes on at `offset`, where a frame begins.
    pub(crate) fn go_to(&mut self, offset: u64) {
        self.buffer.clear();
        self.start = offset;
        self.taken = 0;
        self.may_be_stale = false;
    }

    /// The next frame. `complete` says that nobody is writing any more, so that whatever is unfinished stays so.
    pub(crate) fn next_payload(&mut self, complete: bool) -> Result<Next<'_>, LogError> {
        let mut whole = self.whole()?;
        if whole.is_none() && self.may_be_stale {
            self.go_to(self.offset());
            whole = self.whole()?;
        }
        self.may_be_stale |= !complete;
        let Some(length) = whole else {
            return self.next_damage(complete);
        };
        let from = self.offset();
        let begin = self.taken + FRAME_HEAD;
        self.taken = begin + length;
        Ok(Next::Frame {
            from,
            to: self.offset(),
            minor: self.head.map_or(0, |head| head.minor),
            payload: &self.buffer[begin..self.taken],
        })
    }

    /// What stands here is no whole frame: looks for the next one. A writer appends whole frames in order, so a
    /// frame further on proves damage here even while the log is live.
    fn next_damage(&mut self, complete: bool) -> Result<Next<'_>, LogError> {
        let from = self.offset();
        if self.fill(1)?.is_none() {
            // At rest it holds no memory: one process may follow thousands of logs.
            self.go_to(from);
            self.buffer = Vec::new();
            return Ok(if complete { Next::End } else { Next::Pending });
        }
        let found = self.find_frame()?;
        let is_final = complete || (found && self.has_settled(from));
        if !is_final {
            self.go_to(from);
            return Ok(Next::Pending);
        }
        self.past_head = true;
        Ok(Next::Damage {
            from,
            to: self.offset(),
            at_end: !found,
        })
    }

    fn has_settled(&mut self, at: u64) -> bool {
        match self.suspect {
            Some((suspected, since)) if suspected == at => since.elapsed() >= SETTLE,
            _ => {
                self.suspect = Some((at, Instant::now()));
                false
            }
        }
    }

    /// Goes past the head, and tells how long the payload of the whole frame is that stands there, if one does.
    fn whole(&mut self) -> Result<Option<usize>, LogError> {
        if !self.past_head && !self.take_head()? {
            return Ok(None);
        }
        let head = self
            .fill(FRAME_HEAD)?
            .and_then(|bytes| FrameHead::decode(bytes.first_chunk()?));
        let Some(head) = head else { return Ok(None) };
        let frame = self.fill(FRAME_HEAD + head.length)?;
        Ok(frame.and_then(|bytes| head.frames(bytes)))
    }

    fn take_head(&mut self) -> Result<bool, LogError> {
        let head = self
            .fill(SEGMENT_HEAD)?
            .and_then(|bytes| SegmentHead::decode(bytes.first_chunk()?));
        let Some((head, length)) = head else {
            return Ok(false);
        };
        if head.major > MAJOR {
            return Err(LogError::NewerFormat {
                path: self.path.clone(),
                major: head.major,
            });
        }
        if self.fill(length)?.is_none() {
            return Ok(false);
        }
        self.taken += length;
        self.head = Some(head);
        self.past_head = true;
        Ok(true)
    }

    /// Goes to the next whole frame after this byte, or to the end; whether there is one.
    fn find_frame(&mut self) -> Result<bool, LogError> {
        let mut allowance = SEARCH;
        let mut at_end = false;
        self.taken += 1;
        loop {
            let skip = self.buffer[self.taken..]
                .windows(MARKER.len())
                .position(|w| w == MARKER);
            let Some(skip) = skip else {
                // A marker may lie across the end of what was read.
                let rest = (self.buffer.len() - self.taken).min(MARKER.len() - 1);
                let passed = self.buffer.len() - self.taken - rest;
                allowance = allowance.saturating_add(SEARCH_PER_BYTE * passed);
                self.taken += passed;
                if at_end || self.fill(rest + 1)?.is_none() {
                    self.taken = self.buffer.len();
                    return Ok(false);
                }
                continue;
            };
            self.taken += skip;
            allowance = allowance.saturating_add(SEARCH_PER_BYTE * (skip + 1));
            if self.is_frame(&mut allowance, &mut at_end)? {
                return Ok(true);
            }
            self.taken += 1;
        }
    }

    /// Whether a whole frame begins here; checks no more bytes than `allowance` and reads no further once `at_end`.
    fn is_frame(&mut self, allowance: &mut usize, at_end: &mut bool) -> Result<bool, LogError> {
        let mut wanted = FRAME_HEAD;
        loop {
            if !*at_end && self.fill(wanted)?.is_none() {
                *at_end = true;
            }
            let available = &self.buffer[self.taken..];
            let Some(head) = available.first_chunk().and_then(FrameHead::decode) else {
                return Ok(false);
            };
            if head.length > *allowance {
                return Ok(false);
            }
            wanted = FRAME_HEAD + head.length;
            if available.len() >= wanted {
                *allowance -= head.length;
                return Ok(head.frames(available).is_some());
            }
            if *at_end {
                return Ok(false);
            }
        }
    }

    /// Everything read and not yet taken, if it is `wanted` bytes or more; reads on as far as needed.
    fn fill(&mut self, wanted: usize) -> Result<Option<&[u8]>, LogError> {
        if self.buffer.len() - self.taken < wanted {
            // Not at every turn: what is left may be long and have to be moved.
            if self.taken >= READ || self.taken == self.buffer.len() {
                self.buffer.drain(..self.taken);
                self.start += self.taken as u64;
                self.taken = 0;
            }
            self.read_on(self.taken + wanted)
                .map_err(|source| LogError::Io {
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
            let mut piece = self.source.by_ref().take(ask);
            if piece.read_to_end(&mut self.buffer)? == 0 {
                break;
            }
        }
        Ok(())
    }
}
