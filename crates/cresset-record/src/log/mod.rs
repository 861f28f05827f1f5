//! The run log: frames of records in segments, one writer each. See `docs/run-log.md`.

mod bits;
mod follow;
mod format;
mod frame;
mod histogram;
mod rows;
mod segment;
mod varint;
mod writer;

pub use follow::{Batch, Cursor, Damage, DamageKind, Follower, Position};
pub use format::{MAJOR, MINOR};
pub use frame::{EncodeError, Frame, FrameBuilder, MAX_RECORD};
pub use segment::LogError;
pub use writer::{LogWriter, SEGMENT_BYTES};
