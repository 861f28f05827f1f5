//! cresset-record

mod histogram;

pub use histogram::{Bucket, Buckets, ExpHistogram, TensorStats};
