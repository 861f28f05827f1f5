//! Where a run is carried to.

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
    /// Whether all is carried that is there now.
    pub is_level: bool,
    /// Whether the run has ended, or nobody writes it any more, and all of it is carried.
    pub is_done: bool,
}
