//! Runs at an MLflow server.
