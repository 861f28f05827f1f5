//! Counts of what could not be kept.

use std::sync::atomic::Ordering;

use cresset_record::{LossReason, Lost, Timestamp};

use crate::sync::AtomicU64;

/// Counters by reason, added to on any thread and written to the log by the writer's.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    points: [Counter; LossReason::ALL.len()],
    values: [Counter; LossReason::ALL.len()],
}

#[derive(Debug, Default)]
struct Counter {
    total: AtomicU64,
    reported: AtomicU64,
}

impl Counter {
    fn add(&self, n: u64) {
        self.total.fetch_add(n, Ordering::Relaxed);
    }

    /// What was added since the last call. One caller at a time: whoever holds the storage.
    fn take(&self) -> u64 {
        let total = self.total.load(Ordering::Relaxed);
        total - self.reported.swap(total, Ordering::Relaxed)
    }
}

impl Losses {
    /// Counts lost scalar points.
    pub(crate) fn points(&self, reason: LossReason, n: u64) {
        self.points[reason as usize].add(n);
    }

    /// Counts lost values of other kinds.
    pub(crate) fn values(&self, reason: LossReason, n: u64) {
        self.values[reason as usize].add(n);
    }

    /// What was lost since the last call, a record a reason. One caller at a time.
    pub(crate) fn take(&self, time: Timestamp) -> Vec<Lost> {
        LossReason::ALL
            .into_iter()
            .map(|reason| Lost {
                time,
                reason,
                points: self.points[reason as usize].take(),
                values: self.values[reason as usize].take(),
            })
            .filter(|lost| lost.points + lost.values > 0)
            .collect()
    }

    /// Takes back what [`Self::take`] gave: it could not be written down either.
    pub(crate) fn give_back(&self, lost: &Lost) {
        let i = lost.reason as usize;
        self.points[i]
            .reported
            .fetch_sub(lost.points, Ordering::Relaxed);
        self.values[i]
            .reported
            .fetch_sub(lost.values, Ordering::Relaxed);
    }

    /// All that was lost so far.
    pub(crate) fn total(&self) -> u64 {
        let sum = |counters: &[Counter]| {
            counters
                .iter()
                .map(|c| c.total.load(Ordering::Relaxed))
                .sum::<u64>()
        };
        sum(&self.points) + sum(&self.values)
    }
}
