//! What is watched of a model, and how often.

use cresset_run::{Cadence, Run};

/// Settings of [`Watched`](crate::Watched) and [`watch_once`](crate::watch_once).
#[derive(Clone, Debug)]
pub struct Watch {
    pub(crate) run: Run,
    pub(crate) cadence: Cadence,
    pub(crate) prefix: String,
    pub(crate) gradients: bool,
    pub(crate) parameters: bool,
}

impl Watch {
    /// Gradients, parameters and update ratios within 1 % of the training thread's time.
    #[must_use]
    pub fn new(run: &Run) -> Self {
        Self {
            run: run.clone(),
            cadence: Cadence::default(),
            prefix: String::new(),
            gradients: true,
            parameters: true,
        }
    }

    /// How often gradients and parameters are observed.
    #[must_use]
    pub fn cadence(mut self, cadence: Cadence) -> Self {
        self.cadence = cadence;
        self
    }

    /// Tells several models of one run apart: `actor` gives `gradients/actor/…`.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = format!("{prefix}/");
        self
    }

    /// Whether gradients are observed: summed up over accumulated batches and devices, before the optimizer clips them.
    #[must_use]
    pub fn gradients(mut self, on: bool) -> Self {
        self.gradients = on;
        self
    }

    /// Whether parameters and their update ratios ‖Δw‖₂ / ‖w‖₂ are observed.
    #[must_use]
    pub fn parameters(mut self, on: bool) -> Self {
        self.parameters = on;
        self
    }
}
