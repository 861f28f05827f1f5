//! A faster 2-D convolution for *training* on the CPU with candle.
//!
//! candle computes the input gradient of a convolution by a transposed convolution that visits one
//! pixel at a time, and the kernel gradient by a convolution whose kernel is a whole feature map.
//! This crate computes both, and the forward pass, as matrix products over unfolded patches
//! (im2col), as an ordinary [`CustomOp2`](candle_core::CustomOp2): no fork of candle, no change to
//! the model but the import.
//!
//! It is for who trains convolutional networks with candle on CPUs; it knows nothing of experiment tracking. A model changes by its imports:
//!
//! ```
//! use candle_core::{DType, Device, Module, Tensor};
//! use candle_im2col::conv2d; // was: use candle_nn::conv2d;
//! use candle_nn::{Conv2dConfig, VarBuilder, VarMap};
//!
//! let varmap = VarMap::new();
//! let vb = VarBuilder::from_varmap(&varmap, DType::F32, &Device::Cpu);
//! let config = Conv2dConfig { padding: 1, stride: 2, ..Conv2dConfig::default() };
//! let conv = conv2d(3, 16, 3, config, vb.pp("stem"))?;
//!
//! let images = Tensor::randn(0f32, 1.0, (8, 3, 32, 32), &Device::Cpu)?;
//! let features = conv.forward(&images)?;
//! assert_eq!(features.dims(), [8, 16, 16, 16]);
//! let gradients = features.sqr()?.mean_all()?.backward()?;
//! assert_eq!(gradients.get(conv.weight()).map(Tensor::dims), Some(&[16, 3, 3, 3][..]));
//!
//! // The same weights in candle's own layer give the same features, but for the order of sums.
//! let theirs = candle_nn::Conv2d::from(conv).forward(&images)?;
//! let difference = (features - theirs)?.abs()?.max_all()?.to_scalar::<f32>()?;
//! assert!(difference < 1e-5);
//! # Ok::<(), candle_core::Error>(())
//! ```
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
