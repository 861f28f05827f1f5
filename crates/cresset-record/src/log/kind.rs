//! Numbers of the kinds of records. None is ever used again; 0 is never used.

pub(super) const START: u64 = 1;
pub(super) const RESUME: u64 = 2;
pub(super) const ENVIRONMENT: u64 = 3;
pub(super) const KEY: u64 = 4;
pub(super) const ROWS: u64 = 5;
pub(super) const HISTOGRAM: u64 = 6;
pub(super) const MEDIA: u64 = 7;
pub(super) const DEFINE: u64 = 8;
pub(super) const CONFIG: u64 = 9;
pub(super) const LABEL: u64 = 10;
pub(super) const SUMMARY: u64 = 11;
pub(super) const CONSOLE: u64 = 12;
pub(super) const ALERT: u64 = 13;
pub(super) const LOST: u64 = 14;
pub(super) const END: u64 = 15;
