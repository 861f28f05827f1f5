//! cresset
