//! What is wrong with a log.

use serde::Serialize;

use crate::ids::Rank;

/// A part of a log that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// Whose log.
    pub rank: Rank,
    /// Which segment.
    pub segment: u32,
    /// First bad byte.
    pub from: u64,
    /// First byte after the bad ones.
    pub to: u64,
    /// What is wrong there.
    pub kind: DamageKind,
}

/// What is wrong with a part of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum DamageKind {
    /// The last write was cut short, as a kill or a loss of power does.
    TornTail,
    /// The bytes are no frame or fail their checksum.
    Corrupt,
    /// Frames that were written are not there.
    MissingFrames {
        /// How many.
        frames: u64,
    },
    /// A frame is whole, but some of its records are not what their kind promises.
    Malformed {
        /// How many.
        records: u32,
    },
}

impl DamageKind {
    /// What bytes are called that are no frame.
    pub(super) fn of_gap(at_end: bool) -> Self {
        if at_end {
            Self::TornTail
        } else {
            Self::Corrupt
        }
    }
}
