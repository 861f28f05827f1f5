//! A faster 2-D convolution for *training* on the CPU with candle.
//!
//! candle computes the input gradient of a convolution by a transposed convolution that visits one
//! pixel at a time, and the kernel gradient by a convolution whose kernel is a whole feature map.
//! This crate computes both, and the forward pass, as matrix products over unfolded patches
//! (im2col), as an ordinary [`CustomOp2`](candle_core::CustomOp2): no fork of candle, no change to
//! the model but the import.
//!
//! Start at [`conv2d`] and [`conv2d_no_bias`], which take the place of their namesakes in
//! `candle_nn`: same parameters, same names, same initialisation. [`ops::conv2d`] is the function
//! without a layer around it.
//!
//! The fast path serves `f32` on the CPU with one group. Everything else (CUDA, Metal, other types,
//! grouped convolutions) goes to candle's own kernel, so that one model runs everywhere.
//!
//! Results do not depend on the number of threads: sums are taken in an order that follows from the
//! shapes alone.

mod geometry;
mod kernel;
mod layer;
mod matmul;
pub mod ops;

pub use layer::{Conv2d, conv2d, conv2d_no_bias};
