use candle_core::{Module, Result, Tensor};
use candle_nn::{Conv2dConfig, VarBuilder};

use crate::ops;

/// A two-dimensional convolution layer that trains fast on the CPU.
///
/// It holds the same tensors as [`candle_nn::Conv2d`] and converts from and into it, so weights and
/// checkpoints are interchangeable.
#[derive(Clone, Debug)]
pub struct Conv2d(candle_nn::Conv2d);

impl Conv2d {
    /// A layer from a `weight` of shape `(out, in / groups, kernel, kernel)` and a `bias` of shape `(out,)`.
    pub fn new(weight: Tensor, bias: Option<Tensor>, config: Conv2dConfig) -> Self {
        Self(candle_nn::Conv2d::new(weight, bias, config))
    }

    /// Stride, padding, dilation and groups.
    pub fn config(&self) -> &Conv2dConfig {
        self.0.config()
    }

    /// The kernel, of shape `(out, in / groups, kernel, kernel)`.
    pub fn weight(&self) -> &Tensor {
        self.0.weight()
    }

    /// The bias, of shape `(out,)`, if the layer has one.
    pub fn bias(&self) -> Option<&Tensor> {
        self.0.bias()
    }
}

impl Module for Conv2d {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        ops::conv2d_with(x, self.weight(), self.bias(), self.config())
    }
}

impl From<candle_nn::Conv2d> for Conv2d {
    fn from(layer: candle_nn::Conv2d) -> Self {
        Self(layer)
    }
}

impl From<Conv2d> for candle_nn::Conv2d {
    fn from(layer: Conv2d) -> Self {
        layer.0
    }
}

/// Takes the place of [`candle_nn::conv2d`]: same parameters (`weight`, `bias`), same initialisation.
///
/// # Errors
/// Fails as `candle_nn::conv2d` does, when `vb` lacks a tensor or holds one of another shape.
pub fn conv2d(
    in_channels: usize,
    out_channels: usize,
    kernel_size: usize,
    config: Conv2dConfig,
    vb: VarBuilder,
) -> Result<Conv2d> {
    candle_nn::conv2d(in_channels, out_channels, kernel_size, config, vb).map(Conv2d)
}

/// Takes the place of [`candle_nn::conv2d_no_bias`]: same parameter (`weight`), same initialisation.
///
/// # Errors
/// Fails as `candle_nn::conv2d_no_bias` does, when `vb` lacks a tensor or holds one of another shape.
pub fn conv2d_no_bias(
    in_channels: usize,
    out_channels: usize,
    kernel_size: usize,
    config: Conv2dConfig,
    vb: VarBuilder,
) -> Result<Conv2d> {
    candle_nn::conv2d_no_bias(in_channels, out_channels, kernel_size, config, vb).map(Conv2d)
}
