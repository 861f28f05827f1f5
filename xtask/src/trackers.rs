//! Tests against the trackers that runs are shipped to: their own servers and readers, from PyPI.

use anyhow::Result;

use crate::{shell, tools};

/// A tracker, the variable that tells the tests where its Python is, and what that has.
pub(crate) struct Tracker {
    name: &'static str,
    variable: &'static str,
    pub(crate) packages: &'static [&'static str],
}

pub(crate) const MLFLOW: Tracker = Tracker {
    name: "MLflow",
    variable: "CRESSET_MLFLOW_PYTHON",
    packages: &["mlflow==3.17.2"],
};
pub(crate) const TENSORBOARD: Tracker = Tracker {
    name: "TensorBoard",
    variable: "CRESSET_TENSORBOARD_PYTHON",
    // The writer is tensorboardX's, which has no TensorFlow behind it.
    packages: &[
        "tensorboard==2.21.0",
        "tensorboardX==2.6.5",
        "setuptools<81",
    ],
};
const WANDB: Tracker = Tracker {
    name: "wandb",
    variable: "CRESSET_WANDB_PYTHON",
    // Its images are made from arrays or pictures of other packages.
    packages: &["wandb==0.31.0", "numpy==2.4.6", "pillow==13.0.0"],
};

/// The tests of `cresset-ship` that need them.
///
/// # Errors
/// If a tracker cannot be installed, or nothing can be built.
pub(crate) fn test() -> Result<(bool, Vec<String>)> {
    let trackers = "package(cresset-ship) & (binary(mlflow) | binary(tensorboard) | binary(wandb))";
    let mut nextest = tools::ignored(trackers)?;
    for tracker in [MLFLOW, TENSORBOARD, WANDB] {
        let python = tools::python_with(tracker.name, tracker.packages)?;
        nextest.env(tracker.variable, python);
    }
    shell::run_and_keep(&mut nextest)
}
