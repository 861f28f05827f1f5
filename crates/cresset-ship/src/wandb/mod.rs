//! Runs for W&B.
