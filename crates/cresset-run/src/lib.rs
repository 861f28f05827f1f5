//! cresset-run
