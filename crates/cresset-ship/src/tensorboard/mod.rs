//! Runs as event files that TensorBoard shows.
