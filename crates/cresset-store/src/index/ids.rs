//! Ids of what is numbered within a run or series: all of an owner are neighbours in a table.

/// What the id of a run or series is shifted by, with the number of something within it behind it.
pub(crate) const PLACE_BITS: u32 = 32;
/// The same for alerts.
pub(crate) const ALERT_BITS: u32 = 24;

/// The id of something that is numbered within a run or series.
pub(crate) fn place_id(owner: i64, place: u64) -> i64 {
    owner << PLACE_BITS | place as i64
}

/// All ids of what is numbered within a run or series.
pub(crate) fn range_of(owner: i64) -> (i64, i64) {
    (place_id(owner, 0), place_id(owner, u64::from(u32::MAX)))
}
