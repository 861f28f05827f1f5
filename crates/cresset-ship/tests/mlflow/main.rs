//! Runs at a real MLflow server, read back by MLflow's own client.
//!
//! `CRESSET_MLFLOW_PYTHON` is a Python that has MLflow; `cargo xtask test` sets it.

mod proxy;
mod server;
mod support;
mod trouble;
mod whole;
