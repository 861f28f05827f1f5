//! The vocabulary of Cresset and its run log.
//!
//! A run is one append-only log a writer, in segments, with content-addressed blobs beside it. This crate has the words
//! ([`RunId`], [`Key`], [`Record`], …), the writer's side ([`FrameBuilder`], [`LogWriter`], [`WriterLock`]) and the
//! reader's ([`Follower`] for records as they come, [`RunView`] for a run as a whole). It starts no threads and knows no
//! network. The format is described in `docs/run-log.md`.
//!
//! It is for programs that read runs, and for writers other than `cresset-run`, which is what a training program uses. Start
//! from [`Record`] for what is kept, and from [`RunView`] to read it:
//!
//! ```
//! use cresset_record::*;
//!
//! # let place = tempfile::tempdir()?;
//! # let folder = place.path();
//! let root = Root::new(folder); // `.cresset`, where programs record
//! let (project, run) = (Project::try_from("solder".to_owned())?, RunId::generate());
//! let dir = root.run(&project, &run);
//! std::fs::create_dir_all(dir.path())?;
//! let now = Timestamp::now();
//! let holder = Holder { pid: std::process::id(), host: "bench-3".into(), since: now };
//! let lock = WriterLock::acquire(&dir, Rank(0), &holder)?;
//! let mut log = LogWriter::create(&dir, Rank(0))?;
//!
//! let mut frame = FrameBuilder::default();
//! frame.push(&Record::Start(Box::new(Start {
//!     run,
//!     project,
//!     name: "amber-harbor-7".into(),
//!     rank: Rank(0),
//!     world_size: None,
//!     time: now,
//!     group: None,
//!     job_type: None,
//!     tags: vec![],
//!     notes: String::new(),
//!     config: Default::default(),
//!     cresset_version: "a writer of our own".into(),
//! })))?;
//! frame.push(&Record::Key { id: KeyId(0), key: Key::new("train/loss")? })?;
//! for step in 0..100 {
//!     frame.push_row(step, Timestamp::now(), &[(KeyId(0), 1.0 / (1.0 + step as f64))]);
//! }
//! frame.push(&Record::End(End { time: Timestamp::now(), outcome: Outcome::Finished }))?;
//! log.append(&mut frame)?; // one write: a reader sees all of the frame or nothing
//! log.sync()?;
//! drop(lock);
//!
//! for dir in root.runs()? {
//!     let run = RunView::open(dir)?;
//!     assert_eq!((run.name(), run.state()), ("amber-harbor-7", State::Finished));
//!     assert_eq!(run.summary()["train/loss"], 0.01);
//!     assert_eq!(run.series_of("train/loss").map(|series| series.points().len()), Some(100));
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
pub use view::{Logged, Loss, RunView, json_number};
