//! The network of the measurement.

use candle_core::{Module, ModuleT, Result, Tensor};
use candle_im2col::{Conv2d, conv2d_no_bias};
use candle_nn::{BatchNorm, Conv2dConfig, Linear, VarBuilder, batch_norm, linear};

/// ResNet-8 for 32 × 32 pixels (He et al., *Deep Residual Learning for Image Recognition*, 2016): three stages of one
/// block, 16, 32 and 64 channels wide, with projections where the shape changes.
pub(crate) struct ResNet8 {
    stem: ConvNorm,
    blocks: Vec<Block>,
    head: Linear,
}

struct Block {
    first: ConvNorm,
    second: ConvNorm,
    projection: Option<ConvNorm>,
}

struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
}

impl ResNet8 {
    pub(crate) fn new(classes: usize, vb: VarBuilder) -> Result<Self> {
        let block = |i: usize, c_in, c_out, stride| {
            let vb = vb.pp(format!("layer{i}"));
            let is_same = c_in == c_out && stride == 1;
            let project = || ConvNorm::new(c_in, c_out, 1, stride, vb.pp("projection"));
            Ok(Block {
                first: ConvNorm::new(c_in, c_out, 3, stride, vb.pp("1"))?,
                second: ConvNorm::new(c_out, c_out, 3, 1, vb.pp("2"))?,
                projection: (!is_same).then(project).transpose()?,
            })
        };
        Ok(Self {
            stem: ConvNorm::new(3, 16, 3, 1, vb.pp("stem"))?,
            blocks: [(16, 16, 1), (16, 32, 2), (32, 64, 2)]
                .into_iter()
                .enumerate()
                .map(|(i, (c_in, c_out, stride))| block(i + 1, c_in, c_out, stride))
                .collect::<Result<_>>()?,
            head: linear(64, classes, vb.pp("head"))?,
        })
    }

    /// Logits (batch, classes) of images (batch, 3, 32, 32), in training.
    pub(crate) fn forward(&self, images: &Tensor) -> Result<Tensor> {
        let mut x = self.stem.forward(images)?.relu()?;
        for block in &self.blocks {
            let y = block.second.forward(&block.first.forward(&x)?.relu()?)?;
            let shortcut = match &block.projection {
                Some(projection) => projection.forward(&x)?,
                None => x,
            };
            x = (y + shortcut)?.relu()?;
        }
        self.head.forward(&x.mean((2, 3))?)
    }
}

impl ConvNorm {
    fn new(
        c_in: usize,
        c_out: usize,
        kernel: usize,
        stride: usize,
        vb: VarBuilder,
    ) -> Result<Self> {
        let config = Conv2dConfig {
            stride,
            padding: kernel / 2,
            ..Conv2dConfig::default()
        };
        Ok(Self {
            conv: conv2d_no_bias(c_in, c_out, kernel, config, vb.pp("conv"))?,
            norm: batch_norm(c_out, 1e-5, vb.pp("norm"))?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.norm.forward_t(&self.conv.forward(x)?, true)
    }
}
