//! Where a run is carried to.

use std::fs;

use cresset_record::{Cursor, RunDir};

use crate::error::ShipError;

/// Carries one run to one place.
pub trait Target: Send {
    /// Carries what there is and is not yet there: some of it, for a second or so, or all.
    ///
    /// # Errors
    /// If it cannot go on; what was carried until then stays carried.
    fn carry(&mut self) -> Result<Progress, ShipError>;
}

/// How far a run is carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Frames that were carried this time.
    pub frames: u64,
    /// Bytes of the log that are gone through by now, what was carried earlier included.
    pub bytes: u64,
    /// Whether all is carried that is there now.
    pub is_level: bool,
    /// Whether the run has ended, or nobody writes it any more, and all of it is carried.
    pub is_done: bool,
}

/// Bytes of a run's log up to a place.
pub(crate) fn passed(run: &RunDir, to: &Cursor) -> u64 {
    let mut bytes = 0;
    for (rank, to) in &to.0 {
        for segment in 0..to.segment {
            let length = fs::metadata(run.segment(*rank, segment));
            bytes += length.map_or(0, |data| data.len());
        }
        bytes += to.offset;
    }
    bytes
}
