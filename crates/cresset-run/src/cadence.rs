//! How often to observe a model.

use std::time::{Duration, Instant};

/// How often gradients and parameters are observed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cadence {
    /// Every so many steps; 0 never.
    Every(u64),
    /// As often as the measured cost on the training thread stays under this share of its time: 0.01 is 1 %.
    Budget(f64),
}

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
    /// What the last observation cost: the estimate for the next.
    last: Duration,
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
            last: Duration::ZERO,
            observed: 0,
        }
    }

    /// Whether to observe at `step`. Under a budget the first step is observed, to learn what it costs.
    pub fn is_due(&mut self, step: u64) -> bool {
        let began = *self.began.get_or_insert_with(Instant::now);
        match self.cadence {
            Cadence::Every(0) => false,
            Cadence::Every(n) => step.is_multiple_of(n),
            Cadence::Budget(_) if self.observed == 0 => true,
            Cadence::Budget(share) => {
                let cost = (self.spent + self.last).as_secs_f64();
                // What an observation costs counts on both sides, so the share of the whole is kept.
                cost <= share * began.elapsed().as_secs_f64()
            }
        }
    }

    /// Takes note of what an observation cost the training thread.
    pub fn spent(&mut self, cost: Duration) {
        self.spent += cost;
        self.last = cost;
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
        assert!(pacer.is_due(0));
        // Claimed, not waited: an hour spent cannot be one percent of the time since.
        pacer.spent(Duration::from_secs(3600));
        assert!(!pacer.is_due(1));
        let mut cheap = Pacer::new(Cadence::Budget(0.5));
        assert!(cheap.is_due(0));
        cheap.spent(Duration::ZERO);
        assert!(cheap.is_due(1));
        assert_eq!(cheap.observed(), 1);
    }
}
