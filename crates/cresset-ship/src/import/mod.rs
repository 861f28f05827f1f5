//! Runs of other trackers as runs of Cresset.
