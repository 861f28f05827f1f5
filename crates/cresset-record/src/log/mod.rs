//! The run log: frames of records in segments, one writer each. See `docs/run-log.md`.

mod bits;
mod carry;
mod damage;
mod decode;
mod follow;
mod format;
mod frame;
mod histogram;
mod kind;
mod read;
mod rows;
mod segment;
mod tail;
mod varint;
mod writer;

pub use carry::{CheckedPiece, Piece, PieceError, PieceReader, Whole, check_piece, whole};
pub use damage::{Damage, DamageKind};
pub use decode::Frame;
pub use follow::{Batch, Cursor, Follower, Position};
pub use format::{MAJOR, MINOR, SegmentHead};
pub use frame::{EncodeError, FrameBuilder, MAX_RECORD};
pub use read::{SegmentPart, read_segment};
pub use segment::LogError;
pub use writer::{LogWriter, SEGMENT_BYTES};
