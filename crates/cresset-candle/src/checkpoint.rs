use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor, Var};
use candle_nn::VarMap;
use serde::{Deserialize, Serialize};

use crate::resumable::ResumableOptimizer;

mod error;
mod file;
mod optimizer;

pub use error::{CheckpointError, TensorProblem};
use file::{Blob, Contents, OptimizerHeader};
use optimizer::{Wanted, names_by_id, slot_name};

/// Prefix of the optimizer's tensors in the file; the model's have no prefix.
const OPTIMIZER: &str = "optimizer/";

/// Where in its training a run is, apart from tensors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainState {
    /// Optimizer steps taken, counted as the run counts them.
    pub step: u64,
    /// Epochs completed.
    pub epoch: u64,
    /// States of the run's random generators, by name, as words. A generator that implements serde can go to `extra`.
    #[serde(default)]
    pub rng: BTreeMap<String, Vec<u64>>,
    /// Anything else: best metric so far, architecture, position in a schedule. Numbers come back exactly, but JSON
    /// has no NaN and no infinity.
    #[serde(default)]
    pub extra: serde_json::Value,
}

/// A model, its optimizer and its place in training, copied at one moment.
///
/// The file is in the safetensors format. The model's tensors, batch-norm statistics included, have their `VarMap`
/// names, so `VarMap::load` and `VarBuilder::from_mmaped_safetensors` read the file as plain weights. The
/// optimizer's are named `optimizer/<moment>/<parameter>`. Version, checksums and the rest are in the
/// format's metadata.
///
/// In a run that is recorded, call [`Run::flush`](cresset_run::Run::flush) before a checkpoint is written: the log then has every step
/// that it has.
///
/// ```
/// # use candle_core::{DType, Device};
/// # use candle_nn::{Optimizer, VarBuilder, VarMap, linear};
/// # use cresset_candle::{AdamW, Checkpoint, TrainState};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("last.safetensors");
/// # let varmap = VarMap::new();
/// # linear(4, 3, VarBuilder::from_varmap(&varmap, DType::F32, &Device::Cpu))?;
/// let mut optimizer = AdamW::new_lr(varmap.all_vars(), 1e-3)?;
/// let state = TrainState { step: 1250, epoch: 10, ..TrainState::default() };
/// Checkpoint::save(&file, &varmap, Some(&optimizer), &state)?;
/// // In another process, after the same model and optimizer were built:
/// let state = Checkpoint::load(&file, &varmap, Some(&mut optimizer))?;
/// assert_eq!((state.step, state.epoch), (1250, 10));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Checkpoint {
    contents: Contents,
}

impl Checkpoint {
    /// Copies the state of a run and writes it to `path`: [`capture`](Self::capture), then [`write`](Self::write).
    ///
    /// # Errors
    /// As these two.
    pub fn save(
        path: impl AsRef<Path>,
        varmap: &VarMap,
        optimizer: Option<&dyn ResumableOptimizer>,
        state: &TrainState,
    ) -> Result<(), CheckpointError> {
        Self::capture(varmap, optimizer, state)?.write(path)
    }

    /// Copies the state of a run to host memory, from where another thread may write it while training goes on.
    ///
    /// # Errors
    /// Fails if a tensor cannot be read from its device, if a variable's name starts with `optimizer/`, or if the optimizer
    /// has a parameter that `varmap` does not name, or has one twice.
    pub fn capture(
        varmap: &VarMap,
        optimizer: Option<&dyn ResumableOptimizer>,
        state: &TrainState,
    ) -> Result<Self, CheckpointError> {
        let vars = sorted_vars(varmap);
        let mut tensors = BTreeMap::new();
        for (name, var) in &vars {
            if name.starts_with(OPTIMIZER) {
                return Err(CheckpointError::Unsaveable(format!(
                    "the variable `{name}` starts with `{OPTIMIZER}`, which is kept for the optimizer"
                )));
            }
            tensors.insert(name.clone(), Blob::copy(name, var)?);
        }
        let snapshot = optimizer.map(ResumableOptimizer::snapshot).transpose();
        let snapshot = snapshot.map_err(|e| CheckpointError::tensor("the optimizer's state", e))?;
        if let Some(snapshot) = &snapshot {
            let names = names_by_id(&vars);
            for slot in &snapshot.slots {
                let name = slot_name(slot, &names)?;
                let blob = Blob::copy(&name, &slot.value)?;
                if tensors.insert(name.clone(), blob).is_some() {
                    return Err(CheckpointError::Unsaveable(format!(
                        "the optimizer has `{name}` twice"
                    )));
                }
            }
        }
        let optimizer = snapshot.map(OptimizerHeader::from);
        Ok(Self {
            contents: Contents::new(tensors, state.clone(), optimizer),
        })
    }

    /// Writes the checkpoint: to a temporary file beside `path`, synced, then renamed onto it. Whoever reads
    /// `path` finds the old checkpoint or the new one, never a part of one.
    ///
    /// # Errors
    /// Fails if the file cannot be written; what was at `path` before is still there.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
        file::write(&self.contents, path.as_ref())
    }

    /// Puts the checkpoint at `path` into the variables of `varmap` and into `optimizer`, all or nothing: everything
    /// is read and checked before the first variable changes. The optimizer's hyperparameters are
    /// restored as well; set others afterwards to depart from them.
    ///
    /// Without an optimizer, the optimizer's part of the file is ignored.
    ///
    /// # Errors
    /// Fails if the file cannot be read, is damaged, is no checkpoint or a newer version's, or does not hold
    /// exactly the tensors that model and optimizer have, in their shapes and types.
    pub fn load(
        path: impl AsRef<Path>,
        varmap: &VarMap,
        optimizer: Option<&mut dyn ResumableOptimizer>,
    ) -> Result<TrainState, CheckpointError> {
        let path = path.as_ref();
        let bytes = file::read(path)?;
        let (header, tensors) = file::parse(path, &bytes)?;
        let vars = sorted_vars(varmap);
        let wanted = optimizer
            .map(|optimizer| Wanted::of(path, optimizer, header.optimizer, &vars))
            .transpose()?;
        let mut expected: BTreeMap<String, Tensor> = vars
            .iter()
            .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
            .collect();
        expected.extend(wanted.iter().flat_map(Wanted::tensors));
        let found = tensors
            .iter()
            .filter(|(name, _)| wanted.is_some() || !name.starts_with(OPTIMIZER));
        let values = file::decode(path, &expected, found, &header.crc32c)?;

        if let Some(wanted) = wanted {
            wanted.restore(&values)?;
        }
        for (name, var) in &vars {
            if let Some(value) = values.get(name) {
                var.set(value)
                    .map_err(|e| CheckpointError::tensor(name, e))?;
            }
        }
        Ok(header.state)
    }

    /// Reads the position in training without a model, for instance to learn from `extra` which model to build.
    ///
    /// # Errors
    /// Fails if the file cannot be read, is damaged in its header, is no checkpoint or a newer version's.
    pub fn read_state(path: impl AsRef<Path>) -> Result<TrainState, CheckpointError> {
        let path = path.as_ref();
        let bytes = file::read(path)?;
        Ok(file::parse(path, &bytes)?.0.state)
    }
}

fn sorted_vars(varmap: &VarMap) -> Vec<(String, Var)> {
    // A thread that panicked while it held the map leaves whole entries behind.
    let map = varmap
        .data()
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut vars: Vec<_> = map
        .iter()
        .map(|(name, var)| (name.clone(), var.clone()))
        .collect();
    vars.sort_by(|a, b| a.0.cmp(&b.0));
    vars
}

/// Where values are put before they go to a parameter's own device.
pub(crate) const HOST: Device = Device::Cpu;
