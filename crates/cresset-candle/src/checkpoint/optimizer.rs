//! The optimizer's part of a checkpoint.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Tensor, TensorId, Var};

use super::file::OptimizerHeader;
use super::{CheckpointError, OPTIMIZER};
use crate::resumable::{OptimizerSlot, OptimizerSnapshot, ResumableOptimizer};

/// An optimizer that is to be restored, and what of the file it takes.
pub(super) struct Wanted<'a> {
    optimizer: &'a mut dyn ResumableOptimizer,
    saved: OptimizerHeader,
    /// The slots that it has now, in its order, by their names in the file.
    slots: Vec<(String, OptimizerSlot)>,
}

impl<'a> Wanted<'a> {
    /// Compares the optimizer with `saved`, what the file at `path` says of one.
    pub(super) fn of(
        path: &Path,
        optimizer: &'a mut dyn ResumableOptimizer,
        saved: Option<OptimizerHeader>,
        vars: &[(String, Var)],
    ) -> Result<Self, CheckpointError> {
        let Some(saved) = saved else {
            return Err(CheckpointError::NoOptimizer {
                path: path.to_owned(),
            });
        };
        let current = optimizer.snapshot().map_err(of_state)?;
        if current.algorithm != saved.algorithm {
            return Err(CheckpointError::OtherOptimizer {
                path: path.to_owned(),
                expected: current.algorithm,
                found: saved.algorithm,
            });
        }
        let names = names_by_id(vars);
        let slots = current.slots.into_iter();
        let slots = slots.map(|slot| Ok((slot_name(&slot, &names)?, slot)));
        Ok(Self {
            slots: slots.collect::<Result<_, CheckpointError>>()?,
            optimizer,
            saved,
        })
    }

    /// What the file must have for it, as it is now.
    pub(super) fn tensors(&self) -> impl Iterator<Item = (String, Tensor)> {
        let slots = self.slots.iter();
        slots.map(|(name, slot)| (name.clone(), slot.value.clone()))
    }

    /// Puts the file's values in.
    pub(super) fn restore(self, values: &BTreeMap<String, Tensor>) -> Result<(), CheckpointError> {
        let slots = self.slots.into_iter().filter_map(|(name, slot)| {
            let value = values.get(&name)?.clone();
            Some(OptimizerSlot { value, ..slot })
        });
        let OptimizerHeader {
            algorithm,
            step,
            hyperparameters,
        } = self.saved;
        let snapshot = OptimizerSnapshot {
            algorithm,
            step,
            hyperparameters,
            slots: slots.collect(),
        };
        self.optimizer.restore(&snapshot).map_err(of_state)
    }
}

fn of_state(error: candle_core::Error) -> CheckpointError {
    CheckpointError::tensor("the optimizer's state", error)
}

impl From<OptimizerSnapshot> for OptimizerHeader {
    fn from(snapshot: OptimizerSnapshot) -> Self {
        let OptimizerSnapshot {
            algorithm,
            step,
            hyperparameters,
            slots: _,
        } = snapshot;
        Self {
            algorithm,
            step,
            hyperparameters,
        }
    }
}

pub(super) fn names_by_id(vars: &[(String, Var)]) -> HashMap<TensorId, &str> {
    vars.iter()
        .map(|(name, var)| (var.id(), name.as_str()))
        .collect()
}

pub(super) fn slot_name(
    slot: &OptimizerSlot,
    names: &HashMap<TensorId, &str>,
) -> Result<String, CheckpointError> {
    match names.get(&slot.parameter) {
        Some(parameter) => Ok(format!("{OPTIMIZER}{}/{parameter}", slot.name)),
        None => Err(CheckpointError::Unsaveable(format!(
            "the optimizer has a parameter of shape {:?} that is not in the VarMap",
            slot.value.dims()
        ))),
    }
}
