//! cresset-record
