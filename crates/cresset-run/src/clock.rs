//! The time of records.

use std::time::Instant;

use cresset_record::Timestamp;

/// Wall time that never jumps: the system's clock when the run began, plus monotonic time since.
#[derive(Debug)]
pub(crate) struct Clock {
    wall: Timestamp,
    began: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            wall: Timestamp::now(),
            began: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.wall.0 + self.began.elapsed().as_micros() as i64)
    }
}
