use std::f64::consts::PI;

/// The learning rate over a run: a linear rise, then half a cosine (Loshchilov and Hutter, *SGDR*, 2017) down to
/// a hundredth of the peak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// The highest rate.
    pub peak: f64,
    /// Steps in which it rises.
    pub warmup_steps: u64,
    /// Steps of the whole run.
    pub total_steps: u64,
}

impl Schedule {
    const FLOOR: f64 = 0.01;

    /// A run in the first `warmup` (0 to 1) of which the rate rises.
    #[must_use]
    pub fn new(peak: f64, warmup: f64, total_steps: u64) -> Self {
        Self {
            peak,
            warmup_steps: (warmup * total_steps as f64) as u64,
            total_steps,
        }
    }

    /// The rate of step `step`, counted from 0.
    #[must_use]
    pub fn rate(&self, step: u64) -> f64 {
        if step < self.warmup_steps {
            return self.peak * (step + 1) as f64 / self.warmup_steps as f64;
        }
        let falling = self
            .total_steps
            .saturating_sub(self.warmup_steps + 1)
            .max(1);
        let progress = ((step - self.warmup_steps) as f64 / falling as f64).min(1.0);
        let cosine = 0.5 * (1.0 + (PI * progress).cos());
        self.peak * (Self::FLOOR + (1.0 - Self::FLOOR) * cosine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: Schedule = Schedule {
        peak: 0.01,
        warmup_steps: 10,
        total_steps: 111,
    };

    #[test]
    fn rises_to_the_peak_and_falls_to_a_hundredth() {
        assert_eq!(SCHEDULE.rate(0), 0.001);
        assert_eq!(SCHEDULE.rate(9), 0.01);
        assert_eq!(SCHEDULE.rate(10), 0.01);
        assert!((SCHEDULE.rate(60) - 0.00505).abs() < 1e-12);
        assert!((SCHEDULE.rate(110) - 0.0001).abs() < 1e-12);
        assert!((SCHEDULE.rate(5000) - 0.0001).abs() < 1e-12);
        for step in 10..110 {
            assert!(SCHEDULE.rate(step + 1) < SCHEDULE.rate(step));
        }
    }

    #[test]
    fn short_runs_have_finite_rates() {
        for (warmup_steps, total_steps) in [(0, 0), (0, 1), (1, 1), (5, 3)] {
            let schedule = Schedule {
                warmup_steps,
                total_steps,
                ..SCHEDULE
            };
            for step in 0..6 {
                let rate = schedule.rate(step);
                assert!(rate > 0.0 && rate <= SCHEDULE.peak, "{rate}");
            }
        }
    }
}
