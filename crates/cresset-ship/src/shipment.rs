//! One run on its way to one place, through outages.

use std::time::{Duration, Instant};

use cresset_record::RunDir;

use crate::destination::Destination;
use crate::error::ShipError;
use crate::target::{Progress, Target};

/// After the first failure; each further one in a row doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Nobody waits longer for a server that is back.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// One run on its way to one place.
pub struct Shipment {
    run: RunDir,
    to: Destination,
    secrets: Box<Keeper>,
    target: Option<Box<dyn Target>>,
    /// In a row.
    failures: u32,
    not_before: Instant,
}

/// Gives secrets by name, from thread to thread.
type Keeper = dyn Fn(&str) -> Option<String> + Send;

/// What came of a try.
#[derive(Debug)]
pub enum Step {
    /// It is carried so far.
    Carried(Progress),
    /// Nobody answers for now; it is tried again after a while.
    Waits {
        /// Why.
        error: ShipError,
        /// How long.
        pause: Duration,
    },
}

impl Shipment {
    /// Nothing is carried yet.
    #[must_use]
    pub fn new(
        run: RunDir,
        to: Destination,
        secrets: impl Fn(&str) -> Option<String> + Send + 'static,
    ) -> Self {
        Self {
            run,
            to,
            secrets: Box::new(secrets),
            target: None,
            failures: 0,
            not_before: Instant::now(),
        }
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> &RunDir {
        &self.run
    }

    /// Where it goes.
    #[must_use]
    pub fn to(&self) -> &Destination {
        &self.to
    }

    /// When it is time for another try.
    #[must_use]
    pub fn due(&self) -> Instant {
        self.not_before
    }

    /// Carries some more, for a second or so.
    ///
    /// # Errors
    /// If it makes no sense to go on before somebody has changed something.
    pub fn step(&mut self) -> Result<Step, ShipError> {
        match self.carry() {
            Ok(progress) => {
                self.failures = 0;
                Ok(Step::Carried(progress))
            }
            Err(error) if error.is_temporary() => {
                let pause = pause(self.failures, &error);
                self.failures = self.failures.saturating_add(1);
                self.not_before = Instant::now() + pause;
                Ok(Step::Waits { error, pause })
            }
            Err(error) => Err(error),
        }
    }

    fn carry(&mut self) -> Result<Progress, ShipError> {
        let target = match &mut self.target {
            Some(target) => target,
            None => {
                let target = self.to.open(&self.run, &*self.secrets)?;
                self.target.insert(target)
            }
        };
        target.carry()
    }
}

impl std::fmt::Debug for Shipment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shipment")
            .field("run", &self.run)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

/// Between half and all of what is due, so that those who lost a server together do not come back together.
pub(crate) fn pause(failures: u32, error: &ShipError) -> Duration {
    let doubled = FIRST_PAUSE
        .saturating_mul(1 << failures.min(16))
        .min(LONGEST_PAUSE);
    let jittered = doubled.mul_f64(0.5 + 0.5 * fastrand::f64());
    match error {
        ShipError::Unreachable {
            retry_after: Some(asked),
            ..
        } => jittered.max((*asked).min(LONGEST_PAUSE)),
        _ => jittered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreachable(retry_after: Option<u64>) -> ShipError {
        ShipError::Unreachable {
            message: String::new(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_heed_what_is_asked() {
        for failures in 0..100 {
            let due = FIRST_PAUSE.as_secs_f64() * 2f64.powi(failures.min(16));
            let due = due.min(60.0);
            let found = pause(failures as u32, &unreachable(None)).as_secs_f64();
            assert!((due / 2.0..=due).contains(&found), "{found} of {due}");
        }
        assert!(pause(0, &unreachable(Some(7))) >= Duration::from_secs(7));
        assert!(pause(0, &unreachable(Some(1 << 40))) <= LONGEST_PAUSE);
    }
}
