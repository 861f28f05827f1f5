//! Runs at a real MLflow server: shipped there and read back by MLflow's own client, and logged by that and imported.
//!
//! `CRESSET_MLFLOW_PYTHON` is a Python that has MLflow; `cargo xtask test` sets it.

mod brought;
mod hostile;
mod proxy;
mod server;
mod support;
mod trouble;
mod whole;
