//! The vocabulary of Cresset and its run log.
//!
//! A run is one append-only log a writer, in segments, with content-addressed blobs beside it. This crate has the words
//! ([`RunId`], [`Key`], [`Record`], …), the writer's side ([`FrameBuilder`], [`LogWriter`], [`WriterLock`]) and the
//! reader's ([`Follower`] for records as they come, [`RunView`] for a run as a whole). It starts no threads and knows no
//! network. The format is described in `docs/run-log.md`.
//!
//! Start from [`Record`] for what is kept, and from [`RunView`] to read it:
//!
//! ```no_run
//! use cresset_record::{Root, RunView};
//!
//! for dir in Root::new(".cresset").runs()? {
//!     let run = RunView::open(dir)?;
//!     println!("{} {} {:?}", run.name(), run.state().word(), run.summary().get("val/auc"));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blob;
mod define;
mod durable;
mod figure;
mod histogram;
mod ids;
mod key;
mod layout;
mod lock;
mod log;
mod media;
mod nullable;
mod record;
mod removed;
mod series;
mod sniff;
mod state;
mod stop;
mod time;
mod view;

pub use blob::{BlobFolder, BlobRef, Digest};
pub use define::{Definition, Goal, SummaryRule, resolve};
pub use durable::{Kept, write_anew};
pub use figure::{Axes, Curve, Figure, FloatRow};
pub use histogram::{Bucket, Buckets, ExpHistogram, TensorStats};
pub use ids::{MAX_PROJECT, MAX_RUN_ID, NameError, Project, Rank, RunId, generate_name};
pub use key::{Key, KeyId, MAX_KEY, pattern_matches};
pub use layout::{Root, RunDir};
pub use lock::{Holder, LockError, WriterLock, is_live, lock_within};
pub use log::{
    Batch, CheckedPiece, Cursor, Damage, DamageKind, EncodeError, Follower, Frame, FrameBuilder,
    LogError, LogWriter, MAJOR, MAX_RECORD, MINOR, Piece, PieceError, PieceReader, Position,
    SEGMENT_BYTES, SegmentHead, SegmentPart, Whole, check_piece, read_segment, whole,
};
pub use media::{BoundingBox, Content, ImageDetail, Mask, Media, MediaDetail, Sample, Table};
pub use record::{
    Alert, ConfigUpdate, ConsoleLine, End, LabelUpdate, Level, LossReason, Lost, Outcome, Record,
    Resume, Row, Start,
};
pub use removed::Removed;
pub use series::{Point, Series};
pub use sniff::sniff;
pub use state::State;
pub use stop::StopRequest;
pub use time::Timestamp;
pub use view::{Logged, Loss, RunView};
