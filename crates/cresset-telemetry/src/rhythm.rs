//! When samples are taken: on a fixed grid, so that no delay adds up.

use std::time::{Duration, Instant};

/// A grid of moments, one interval apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rhythm {
    began: Instant,
    interval: Duration,
    next: u32,
}

/// One moment of the grid that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Beat {
    /// Its number, from 0.
    pub(crate) number: u32,
    /// How long ago it was.
    pub(crate) late: Duration,
    /// How many moments before it went by unused.
    pub(crate) missed: u32,
}

impl Rhythm {
    pub(crate) fn new(began: Instant, interval: Duration) -> Self {
        Self {
            began,
            interval: interval.max(Duration::from_millis(1)),
            next: 0,
        }
    }

    /// When the next moment is.
    pub(crate) fn due(&self) -> Instant {
        self.began + self.interval * self.next
    }

    /// Takes the latest moment that has come; `now` is not before [`Self::due`].
    pub(crate) fn beat(&mut self, now: Instant) -> Beat {
        let since = now.saturating_duration_since(self.began);
        let latest = (since.as_nanos() / self.interval.as_nanos()).min(u128::from(u32::MAX - 1));
        let number = self.next.max(latest as u32);
        let beat = Beat {
            number,
            late: since.saturating_sub(self.interval * number),
            missed: number - self.next,
        };
        self.next = number + 1;
        beat
    }

    /// From when on a sample counts as late: a tenth of the interval, at most 50 ms.
    pub(crate) fn tolerance(&self) -> Duration {
        (self.interval / 10).min(Duration::from_millis(50))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_do_not_add_up_and_are_told() {
        let began = Instant::now();
        let ms = Duration::from_millis;
        let mut rhythm = Rhythm::new(began, ms(1000));
        // When the thread wakes, and what it should find.
        for (at, number, late, missed) in [
            (0, 0, 0, 0),
            (1030, 1, 30, 0),
            (2001, 2, 1, 0),
            (5400, 5, 400, 2),
            (6000, 6, 0, 0),
        ] {
            let beat = rhythm.beat(began + ms(at));
            let expected = Beat {
                number,
                late: ms(late),
                missed,
            };
            assert_eq!(beat, expected, "at {at} ms");
            assert_eq!(rhythm.due(), began + ms(1000) * (number + 1));
        }
    }
}
