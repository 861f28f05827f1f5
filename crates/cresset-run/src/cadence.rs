//! How often to observe a model.

use std::time::{Duration, Instant};

/// How often gradients and parameters are observed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cadence {
    /// Every so many steps; 0 never.
    Every(u64),
    /// As often as the cost on the training thread stays under this share of its time: 0.01 is 1 %. At most ten times a second,
    /// and less often the longer a run has gone on: some four thousand times in its first hour, eight thousand in a day.
    Budget(f64),
}

/// Of a budget, what the clock around observations may count. It does not see what they cost beside it: an optimizer that
/// allocates because an observation holds the memory that it would have reused, and caches that another thread has emptied. In
/// `cargo bench -p defect-classifier-burn` that was a fifth to three quarters more.
const SEEN: f64 = 0.5;
/// Within a budget, observations come no closer than this: nobody looks at more, however fast the steps are.
const CLOSEST: Duration = Duration::from_millis(100);
/// Nor than the time so far over this, so that a long run does not fill the disk: its first hour has some four thousand, a day eight thousand.
const DENSITY: u32 = 1000;

impl Default for Cadence {
    /// A budget of 1 %.
    fn default() -> Self {
        Self::Budget(0.01)
    }
}

/// Says when an observation is due and keeps account of what they cost.
#[derive(Debug)]
pub struct Pacer {
    cadence: Cadence,
    began: Option<Instant>,
    spent: Duration,
    /// When the last observation came, and what it cost: the estimate for the next.
    last: Option<(Instant, Duration)>,
    observed: u64,
}

impl Pacer {
    /// Nothing spent yet.
    #[must_use]
    pub fn new(cadence: Cadence) -> Self {
        Self {
            cadence,
            began: None,
            spent: Duration::ZERO,
            last: None,
            observed: 0,
        }
    }

    /// Whether to observe at `step`. Under a budget the first step is observed, to learn what it costs.
    pub fn is_due(&mut self, step: u64) -> bool {
        self.is_due_at(step, Instant::now())
    }

    fn is_due_at(&mut self, step: u64, now: Instant) -> bool {
        let so_far = now - *self.began.get_or_insert(now);
        match (self.cadence, self.last) {
            (Cadence::Every(0), _) => false,
            (Cadence::Every(n), _) => step.is_multiple_of(n),
            (Cadence::Budget(_), None) => true,
            (Cadence::Budget(share), Some((last, cost))) => {
                let expected = (self.spent + cost).as_secs_f64();
                // What an observation costs counts on both sides, so the share of the whole is kept.
                expected <= SEEN * share * so_far.as_secs_f64()
                    && now - last >= CLOSEST.max(so_far / DENSITY)
            }
        }
    }

    /// Takes note of what an observation cost the training thread.
    pub fn spent(&mut self, cost: Duration) {
        self.spent_at(cost, Instant::now());
    }

    fn spent_at(&mut self, cost: Duration, now: Instant) {
        self.spent += cost;
        self.last = Some((now, cost));
        self.observed += 1;
    }

    /// How many observations there were.
    #[must_use]
    pub fn observed(&self) -> u64 {
        self.observed
    }

    /// What all observations cost the training thread.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_n_steps() {
        let mut pacer = Pacer::new(Cadence::Every(10));
        assert_eq!(
            (0..30).filter(|s| pacer.is_due(*s)).collect::<Vec<_>>(),
            [0, 10, 20]
        );
        assert!(!Pacer::new(Cadence::Every(0)).is_due(0));
    }

    #[test]
    fn a_budget_spaces_observations_by_their_cost() {
        let mut pacer = Pacer::new(Cadence::Budget(0.01));
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        assert!(pacer.is_due_at(0, began), "to learn what one costs");
        pacer.spent_at(Duration::from_secs(1), began);
        // Two of them are 1 % of 200 s, and the clock sees half of what they cost.
        assert!(!pacer.is_due_at(1, at(399)));
        assert!(pacer.is_due_at(2, at(400)));
        pacer.spent_at(Duration::from_secs(1), at(400));
        assert!(!pacer.is_due_at(3, at(599)));
        assert!(pacer.is_due_at(4, at(600)));
        assert_eq!(
            (pacer.observed(), pacer.total()),
            (2, Duration::from_secs(2))
        );
    }

    #[test]
    fn observations_that_cost_nothing_do_not_fill_the_disk() {
        let mut pacer = Pacer::new(Cadence::default());
        let began = Instant::now();
        let mut counted = |seconds: u64| {
            for millisecond in 0..seconds * 1000 {
                let now = began + Duration::from_millis(millisecond);
                if pacer.is_due_at(0, now) {
                    pacer.spent_at(Duration::ZERO, now);
                }
            }
            pacer.observed()
        };
        assert_eq!(counted(1), 10);
        let hour = counted(3600);
        assert!((4000..5000).contains(&hour), "{hour}");
    }
}
