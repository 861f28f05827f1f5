use std::collections::BTreeMap;

use candle_core::{Result, Tensor, TensorId};

/// An optimizer whose state can be read and put back, so that a resumed run continues exactly.
///
/// A wrapper around an optimizer implements it by passing both calls on.
pub trait ResumableOptimizer {
    /// Everything that the next step depends on, besides parameters and gradients.
    ///
    /// # Errors
    /// Fails if a tensor cannot be read from its device.
    fn snapshot(&self) -> Result<OptimizerSnapshot>;

    /// Takes over `snapshot`, or changes nothing and fails.
    ///
    /// # Errors
    /// Fails if the snapshot is of another algorithm, names a parameter that this optimizer does not have, lacks one
    /// that it has, or holds a value of another shape or type.
    fn restore(&mut self, snapshot: &OptimizerSnapshot) -> Result<()>;
}

/// The state of an optimizer at one moment.
#[derive(Clone, Debug)]
pub struct OptimizerSnapshot {
    /// Name of the algorithm, such as `adamw`.
    pub algorithm: String,
    /// Steps taken so far.
    pub step: u64,
    /// Learning rate and the like, by name.
    pub hyperparameters: BTreeMap<String, f64>,
    /// What is kept for each parameter.
    pub slots: Vec<OptimizerSlot>,
}

/// One tensor that an optimizer keeps for one parameter.
#[derive(Clone, Debug)]
pub struct OptimizerSlot {
    /// The parameter it belongs to.
    pub parameter: TensorId,
    /// What it is, such as `first_moment`.
    pub name: &'static str,
    /// Its value: a copy, which later steps do not change.
    pub value: Tensor,
}
