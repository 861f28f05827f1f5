//! A log in pieces of bytes, for those who carry it elsewhere and those who take it in.
//!
//! A piece is a segment's head or nothing, and then whole frames. Frames are numbered, so that whoever takes pieces in can tell what it
//! has from what is new, however often and in whatever cut they come. What is damaged is not carried. A carrier that leaves something out
//! leaves frames their numbers, so that the same holds of what goes.

use std::io::{Read, Seek};
use std::path::Path;

use super::decode::Frame;
use super::format::{FRAME_HEAD, FrameHead, MAJOR, MINOR, SegmentHead};
use super::frame::FrameBuilder;
use super::segment::{LogError, Next, SegmentReader};
use crate::durable::Kept;
use crate::ids::Rank;
use crate::layout::RunDir;
use crate::record::{LossReason, Lost, Record};
use crate::time::Timestamp;

/// Whole frames of a segment, after its head.
#[derive(Debug)]
pub struct Piece {
    /// The head, then frames.
    pub bytes: Vec<u8>,
    /// The number of the last frame.
    pub last: u64,
    /// How many frames there are.
    pub frames: u64,
    /// What they say.
    pub records: Vec<Record>,
}

/// Reads a segment in pieces, while it is being written or later.
#[derive(Debug)]
pub struct PieceReader {
    dir: RunDir,
    rank: Rank,
    index: u32,
    reader: SegmentReader,
    kept: Kept,
    /// The first frame's number, and what stands for the segment's identity if its head is lost: the same whenever it is read.
    first: Option<(u64, u64)>,
    /// Frames up to this number are passed over.
    after: Option<u64>,
}

impl PieceReader {
    /// Reads a segment's frames after the one with the number `after`, or all of them.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(
        dir: &RunDir,
        rank: Rank,
        index: u32,
        after: Option<u64>,
    ) -> Result<Self, LogError> {
        let path = dir.segment(rank, index);
        let reader = SegmentReader::open(&path).map_err(|source| LogError::Io { path, source })?;
        Ok(Self {
            dir: dir.clone(),
            rank,
            index,
            reader,
            kept: Kept::default(),
            first: None,
            after,
        })
    }

    /// How many bytes of the segment were read.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// The next piece: about `most` bytes, and one frame at least; `None` if there is no whole frame more now. `complete` says that
    /// nobody writes the segment any more. What a piece holds is on the disk here before anybody else gets it, see [`Kept`].
    ///
    /// # Errors
    /// If the segment cannot be read or synchronised, or is of a newer format; it is to be opened again then.
    pub fn next(&mut self, most: usize, complete: bool) -> Result<Option<Piece>, LogError> {
        self.read(most, complete, None)
    }

    /// The same with other records in the frames: those that `revise` gives for the ones that it is given. It sees all frames of the
    /// segment in order, also those that are passed over, and must give the same for the same, or a frame that comes twice is two. A
    /// frame that is left with no records goes without. Rows that come to stand beside each other are one record.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn next_revised(
        &mut self,
        most: usize,
        complete: bool,
        revise: &mut dyn FnMut(Vec<Record>) -> Vec<Record>,
    ) -> Result<Option<Piece>, LogError> {
        self.read(most, complete, Some(revise))
    }

    fn read(
        &mut self,
        most: usize,
        complete: bool,
        mut revise: Option<&mut dyn FnMut(Vec<Record>) -> Vec<Record>>,
    ) -> Result<Option<Piece>, LogError> {
        let mut piece = Piece {
            bytes: Vec::new(),
            last: 0,
            frames: 0,
            records: Vec::new(),
        };
        while piece.bytes.len() < most {
            let (minor, payload) = match self.reader.next_payload(complete)? {
                Next::Frame { minor, payload, .. } => (minor, payload),
                Next::Damage { .. } => continue,
                Next::Pending | Next::End => break,
            };
            let Some(mut frame) = Frame::decode(payload, minor) else {
                continue;
            };
            self.first
                .get_or_insert_with(|| (frame.sequence, stand_in(payload)));
            if let Some(revise) = &mut revise {
                frame.records = revise(frame.records);
            }
            if self.after.is_some_and(|after| frame.sequence <= after) {
                continue;
            }
            if revise.is_some() {
                piece.bytes.extend(encode(&frame));
            } else {
                let mut bytes = vec![0; FRAME_HEAD];
                bytes.extend_from_slice(payload);
                super::format::seal_frame(&mut bytes);
                piece.bytes.extend(bytes);
            }
            piece.last = frame.sequence;
            piece.frames += 1;
            piece.records.extend(frame.records);
        }
        let Some((first_frame, identity)) = self.first.filter(|_| piece.frames > 0) else {
            return Ok(None);
        };
        // The frames of a segment are read without its head, and go without it.
        let head = self.reader.head().copied().unwrap_or(SegmentHead {
            major: MAJOR,
            minor: MINOR,
            rank: self.rank,
            index: self.index,
            first_frame,
            identity,
        });
        let kept = self
            .kept
            .keep(&self.dir, self.rank, self.index, self.reader.offset());
        kept.map_err(|source| LogError::Sync {
            path: self.reader.path().to_owned(),
            source,
        })?;
        piece.bytes.splice(0..0, head.encode());
        self.after = Some(piece.last);
        Ok(Some(piece))
    }
}

/// An identity for a segment whose first frame is this one.
fn stand_in(payload: &[u8]) -> u64 {
    let hash = blake3::hash(payload);
    let first = hash.as_bytes().first_chunk().copied();
    u64::from_le_bytes(first.unwrap_or_default()).max(1)
}

/// The bytes of a frame. What has become too large for a record or a frame is counted in it as lost.
fn encode(frame: &Frame) -> Vec<u8> {
    let mut builder = FrameBuilder::default();
    let mut values = 0;
    for record in &frame.records {
        values += u64::from(builder.push(record).is_err());
    }
    if builder.is_oversized() {
        builder = FrameBuilder::default();
        values = frame.records.len() as u64;
    }
    if values > 0 {
        let lost = Record::Lost(Lost {
            // Of no clock, so that the same frame is the same bytes each time.
            time: Timestamp(0),
            reason: LossReason::BadValue,
            points: 0,
            values,
        });
        // A few bytes in a frame that has room for them.
        let _ = builder.push(&lost);
    }
    builder.seal(frame.sequence, <[u8]>::to_vec)
}

/// Why bytes are no piece of a log.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PieceError {
    /// It begins with something else.
    #[error("these bytes do not begin with the head of a segment")]
    Head,
    /// It was written by a newer Cresset.
    #[error(
        "the log has format version {0}, and {MAJOR} is the newest that is known here; update this Cresset"
    )]
    Newer(u16),
    /// The head says another place than the one that the bytes were sent to.
    #[error("these bytes are of segment {index} of {rank}, and were sent as another")]
    Place {
        /// What the head says.
        rank: Rank,
        /// What the head says.
        index: u32,
    },
    /// There is no whole frame.
    #[error("at byte {0} there is no whole frame; send whole ones")]
    Frame(usize),
    /// Frames are numbered upwards.
    #[error("frame {found} comes after frame {last}; send frames in order")]
    Order {
        /// The frame before.
        last: u64,
        /// The frame.
        found: u64,
    },
}

/// A piece that somebody sent, as it is to be kept.
#[derive(Debug)]
pub struct CheckedPiece {
    /// Its head.
    pub head: SegmentHead,
    /// The head's bytes.
    pub head_bytes: Vec<u8>,
    /// Frames that are new, as they came.
    pub frames: Vec<u8>,
    /// The number of the last frame of all; `None` if there is none.
    pub last: Option<u64>,
    /// Whether a new frame says that the writer has come to its end.
    pub ends: bool,
}

/// Checks bytes that somebody sent as a piece of segment `index` of `rank`: a head, then whole frames whose checksums are right, in
/// order, and nothing else. Frames up to the number `after` are known and left out. What the others say is for readers to judge, as
/// of any log.
///
/// # Errors
/// If they are no such piece, with the first thing that is wrong.
pub fn check_piece(
    bytes: &[u8],
    rank: Rank,
    index: u32,
    after: Option<u64>,
) -> Result<CheckedPiece, PieceError> {
    let head = bytes.first_chunk().and_then(SegmentHead::decode);
    let (head, length) = head.ok_or(PieceError::Head)?;
    if head.major > MAJOR {
        return Err(PieceError::Newer(head.major));
    }
    if (head.rank, head.index) != (rank, index) {
        let (rank, index) = (head.rank, head.index);
        return Err(PieceError::Place { rank, index });
    }
    let head_bytes = bytes.get(..length).ok_or(PieceError::Head)?.to_vec();
    let mut checked = CheckedPiece {
        head,
        head_bytes,
        frames: Vec::new(),
        last: None,
        ends: false,
    };
    let minor = head.minor;
    let mut at = length;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let frame = rest.first_chunk().and_then(FrameHead::decode);
        let payload = frame.and_then(|head| head.frames(rest));
        let payload = payload.ok_or(PieceError::Frame(at))?;
        let end = at + FRAME_HEAD + payload;
        let frame = Frame::decode(&bytes[at + FRAME_HEAD..end], minor);
        let frame = frame.ok_or(PieceError::Frame(at))?;
        let found = frame.sequence;
        if let Some(last) = checked.last.filter(|last| found <= *last) {
            return Err(PieceError::Order { last, found });
        }
        checked.last = Some(found);
        if after.is_none_or(|after| found > after) {
            checked.frames.extend_from_slice(&bytes[at..end]);
            let mut records = frame.records.iter();
            checked.ends |= records.any(|record| matches!(record, Record::End(_)));
        }
        at = end;
    }
    Ok(checked)
}

/// What is whole of a segment that was taken in piece by piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Its head.
    pub head: SegmentHead,
    /// The number of its last frame.
    pub last: Option<u64>,
    /// Bytes up to the end of that frame. After them stands what an interrupted write left, or what a loss of power left of frames that
    /// were taken in and not yet synchronised.
    pub bytes: u64,
}

/// Reads a segment up to the first byte that is damaged; `None` if it has no whole head.
///
/// # Errors
/// If it cannot be read.
pub fn whole(source: impl Read + Seek, name: &Path) -> Result<Option<Whole>, LogError> {
    let mut reader = SegmentReader::new(source, name);
    let mut whole: Option<Whole> = None;
    // Whole frames after damage are no good: whoever sends them again sends those that are damaged too.
    while let Next::Frame {
        to, minor, payload, ..
    } = reader.next_payload(true)?
    {
        let last = Frame::decode(payload, minor).map(|frame| frame.sequence);
        let Some(head) = reader.head().copied() else {
            break;
        };
        let before = whole.and_then(|whole| whole.last);
        whole = Some(Whole {
            head,
            last: last.or(before),
            bytes: to,
        });
    }
    Ok(whole.or_else(|| {
        let head = reader.head().copied()?;
        Some(Whole {
            head,
            last: None,
            bytes: head.encode().len() as u64,
        })
    }))
}
