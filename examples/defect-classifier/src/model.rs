use std::collections::HashMap;
use std::str::FromStr;

use candle_core::{Device, Module, ModuleT, Result, Tensor, Var};
use candle_im2col::{Conv2d, conv2d_no_bias};
use candle_nn::{BatchNorm, Conv2dConfig, Linear, VarBuilder, VarMap, batch_norm, linear};
use defect_workload::Rng;
use serde::{Deserialize, Serialize};

/// A residual network by its usual name (He et al., *Deep Residual Learning for Image Recognition*, 2016).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Architecture {
    /// Three stages of one block each: the shape of the paper's networks for small images, cut short.
    ResNet8,
    /// Three stages of two blocks.
    ResNet14,
    /// Three stages of three blocks, as in the paper.
    ResNet20,
    /// Four stages of two blocks, for large images.
    ResNet18,
    /// Four stages of 3, 4, 6 and 3 bottleneck blocks, for large images.
    ResNet50,
}

impl Architecture {
    pub(crate) const ALL: [Self; 5] = [
        Self::ResNet8,
        Self::ResNet14,
        Self::ResNet20,
        Self::ResNet18,
        Self::ResNet50,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ResNet8 => "resnet8",
            Self::ResNet14 => "resnet14",
            Self::ResNet20 => "resnet20",
            Self::ResNet18 => "resnet18",
            Self::ResNet50 => "resnet50",
        }
    }

    /// Blocks of each stage.
    fn stages(self) -> &'static [usize] {
        match self {
            Self::ResNet8 => &[1, 1, 1],
            Self::ResNet14 => &[2, 2, 2],
            Self::ResNet20 => &[3, 3, 3],
            Self::ResNet18 => &[2, 2, 2, 2],
            Self::ResNet50 => &[3, 4, 6, 3],
        }
    }

    fn is_for_large_images(self) -> bool {
        matches!(self, Self::ResNet18 | Self::ResNet50)
    }

    /// Channels of the first stage in the paper.
    pub(crate) fn usual_width(self) -> usize {
        if self.is_for_large_images() { 64 } else { 16 }
    }
}

impl FromStr for Architecture {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|architecture| architecture.name() == name)
            .ok_or_else(|| {
                let known = Self::ALL.map(Self::name).join(", ");
                format!("`{name}` is no architecture; known are {known}")
            })
    }
}

/// What a network is built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModelConfig {
    pub(crate) architecture: Architecture,
    /// Channels of the first stage; each further stage doubles them.
    pub(crate) width: usize,
    /// Stride of the first convolution.
    pub(crate) stem_stride: usize,
    pub(crate) classes: usize,
}

/// An image classifier. Parameters have torchvision's names.
#[derive(Debug)]
pub(crate) struct ResNet {
    stem: ConvNorm,
    max_pool: bool,
    blocks: Vec<Block>,
    head: Linear,
}

impl ResNet {
    /// A network over the variables of `vb`, which are made if there are none yet.
    pub(crate) fn new(config: &ModelConfig, vb: VarBuilder) -> Result<Self> {
        let large = config.architecture.is_for_large_images();
        let stem_kernel = if large { 7 } else { 3 };
        let stem = ConvNorm::new(
            (3, config.width),
            stem_kernel,
            config.stem_stride,
            vb.pp("conv1"),
            vb.pp("bn1"),
        )?;
        let mut blocks = Vec::new();
        let mut channels = config.width;
        for (stage, &count) in config.architecture.stages().iter().enumerate() {
            let width = config.width << stage;
            for i in 0..count {
                let stride = if stage > 0 && i == 0 { 2 } else { 1 };
                let vb = vb.pp(format!("layer{}.{i}", stage + 1));
                let block = if config.architecture == Architecture::ResNet50 {
                    Block::bottleneck(channels, width, stride, vb)?
                } else {
                    Block::basic(channels, width, stride, vb)?
                };
                channels = block.channels;
                blocks.push(block);
            }
        }
        let head = linear(channels, config.classes, vb.pp("fc"))?;
        Ok(Self {
            stem,
            max_pool: large,
            blocks,
            head,
        })
    }

    /// A network with weights that follow from `seed` alone, and the variables it trains.
    pub(crate) fn seeded(
        config: &ModelConfig,
        seed: u64,
        device: &Device,
    ) -> Result<(Self, VarMap)> {
        let varmap = VarMap::new();
        let model = Self::new(
            config,
            VarBuilder::from_varmap(&varmap, candle_core::DType::F32, device),
        )?;
        for (name, var) in named_vars(&varmap) {
            initialise(&name, &var, seed)?;
        }
        Ok((model, varmap))
    }

    /// The same network over the present weights of `varmap`, for evaluation: its weights are no variables,
    /// so that a forward pass keeps no graph.
    pub(crate) fn frozen(config: &ModelConfig, varmap: &VarMap, device: &Device) -> Result<Self> {
        let tensors: HashMap<_, _> = named_vars(varmap)
            .into_iter()
            .map(|(name, var)| (name, var.as_detached_tensor()))
            .collect();
        Self::new(
            config,
            VarBuilder::from_tensors(tensors, candle_core::DType::F32, device),
        )
    }
}

impl ModuleT for ResNet {
    /// Logits (batch, classes) of images (batch, 3, height, width).
    fn forward_t(&self, images: &Tensor, train: bool) -> Result<Tensor> {
        let mut x = self.stem.forward_t(images, train)?.relu()?;
        if self.max_pool {
            // The paper pools 3 × 3; candle has a gradient only where windows do not overlap.
            x = x.max_pool2d(2)?;
        }
        for block in &self.blocks {
            x = block.forward_t(&x, train)?;
        }
        self.head.forward(&x.mean((2, 3))?)
    }
}

/// Convolutions whose sum with a shortcut is the output.
#[derive(Debug)]
struct Block {
    layers: Vec<ConvNorm>,
    shortcut: Option<ConvNorm>,
    channels: usize,
}

impl Block {
    /// Two 3 × 3 convolutions.
    fn basic(c_in: usize, width: usize, stride: usize, vb: VarBuilder) -> Result<Self> {
        Self::new(&[(c_in, width, 3, stride), (width, width, 3, 1)], vb)
    }

    /// 1 × 1 down to `width`, 3 × 3, 1 × 1 up to four times `width`; the 3 × 3 has the stride, as in torchvision.
    fn bottleneck(c_in: usize, width: usize, stride: usize, vb: VarBuilder) -> Result<Self> {
        let out = 4 * width;
        Self::new(
            &[
                (c_in, width, 1, 1),
                (width, width, 3, stride),
                (width, out, 1, 1),
            ],
            vb,
        )
    }

    /// Layers as (channels in, channels out, kernel, stride).
    fn new(layers: &[(usize, usize, usize, usize)], vb: VarBuilder) -> Result<Self> {
        let c_in = layers.first().map_or(0, |layer| layer.0);
        let channels = layers.last().map_or(0, |layer| layer.1);
        let stride = layers.iter().map(|layer| layer.3).product();
        let layers = layers
            .iter()
            .zip(1..)
            .map(|(&(c_in, c_out, kernel, stride), i)| {
                let (conv, norm) = (vb.pp(format!("conv{i}")), vb.pp(format!("bn{i}")));
                ConvNorm::new((c_in, c_out), kernel, stride, conv, norm)
            });
        let layers = layers.collect::<Result<_>>()?;
        let shortcut = if stride == 1 && c_in == channels {
            None
        } else {
            let vb = vb.pp("downsample");
            Some(ConvNorm::new(
                (c_in, channels),
                1,
                stride,
                vb.pp("0"),
                vb.pp("1"),
            )?)
        };
        Ok(Self {
            layers,
            shortcut,
            channels,
        })
    }
}

impl ModuleT for Block {
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let mut y = x.clone();
        for (i, layer) in self.layers.iter().enumerate() {
            y = if i == 0 { y } else { y.relu()? };
            y = layer.forward_t(&y, train)?;
        }
        match &self.shortcut {
            None => (y + x)?.relu(),
            Some(shortcut) => (y + shortcut.forward_t(x, train)?)?.relu(),
        }
    }
}

/// A convolution without bias, padded to keep the size, and its batch normalisation.
#[derive(Debug)]
struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
}

impl ConvNorm {
    fn new(
        (c_in, c_out): (usize, usize),
        kernel: usize,
        stride: usize,
        conv: VarBuilder,
        norm: VarBuilder,
    ) -> Result<Self> {
        let config = Conv2dConfig {
            stride,
            padding: kernel / 2,
            ..Conv2dConfig::default()
        };
        Ok(Self {
            conv: conv2d_no_bias(c_in, c_out, kernel, config, conv)?,
            norm: batch_norm(c_out, 1e-5, norm)?,
        })
    }
}

impl ModuleT for ConvNorm {
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        self.norm.forward_t(&self.conv.forward(x)?, train)
    }
}

fn named_vars(varmap: &VarMap) -> Vec<(String, Var)> {
    let map = varmap
        .data()
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    map.iter()
        .map(|(name, var)| (name.clone(), var.clone()))
        .collect()
}

/// Number of values that an optimizer trains: all but batch-norm statistics.
pub(crate) fn parameter_count(varmap: &VarMap) -> usize {
    let is_parameter = |name: &str| !name.contains("running_");
    named_vars(varmap)
        .iter()
        .filter(|(name, _)| is_parameter(name))
        .map(|(_, var)| var.elem_count())
        .sum()
}

/// Sets a variable to its first values; see [`Rng::initial`].
fn initialise(name: &str, var: &Var, seed: u64) -> Result<()> {
    match Rng::initial(seed, name, var.dims()) {
        Some(values) => var.set(&Tensor::from_vec(values, var.shape(), var.device())?),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(architecture: Architecture) -> ModelConfig {
        let stem_stride = if architecture.is_for_large_images() {
            2
        } else {
            1
        };
        ModelConfig {
            architecture,
            width: architecture.usual_width(),
            stem_stride,
            classes: 10,
        }
    }

    #[test]
    fn sizes_are_those_of_the_paper() -> Result<()> {
        // torchvision's resnet18 and resnet50 with 10 instead of 1000 classes. The paper's ResNet-20 has 0.27 M; ours
        // has projections where the paper pads the shortcut.
        for (architecture, expected) in [
            (Architecture::ResNet18, 11_689_512 - 513 * 990),
            (Architecture::ResNet50, 25_557_032 - 2049 * 990),
            (Architecture::ResNet20, 272_474),
        ] {
            let (_, varmap) = ResNet::seeded(&config(architecture), 1, &Device::Cpu)?;
            assert_eq!(
                parameter_count(&varmap),
                expected,
                "{}",
                architecture.name()
            );
        }
        Ok(())
    }

    #[test]
    fn names_are_torchvisions() -> Result<()> {
        let (_, varmap) = ResNet::seeded(&config(Architecture::ResNet18), 1, &Device::Cpu)?;
        let vars = varmap.data().lock().unwrap();
        for name in [
            "conv1.weight",
            "bn1.running_mean",
            "layer1.0.conv1.weight",
            "layer2.0.downsample.0.weight",
            "layer4.1.bn2.bias",
            "fc.weight",
        ] {
            assert!(vars.contains_key(name), "{name}");
        }
        assert_eq!(
            vars.len(),
            122 - 20,
            "torchvision's 122 less the 20 counters of batches"
        );
        Ok(())
    }

    #[test]
    fn every_architecture_classifies_and_learns() -> Result<()> {
        for architecture in Architecture::ALL {
            let config = ModelConfig {
                width: 4,
                ..config(architecture)
            };
            let (model, varmap) = ResNet::seeded(&config, 1, &Device::Cpu)?;
            let images = Tensor::ones((2, 3, 64, 48), candle_core::DType::F32, &Device::Cpu)?;
            let logits = model.forward_t(&images, true)?;
            assert_eq!(logits.dims(), [2, 10]);
            let grads = logits.sqr()?.sum_all()?.backward()?;
            for (name, var) in named_vars(&varmap) {
                assert_eq!(
                    grads.get(&var).is_some(),
                    !name.contains("running_"),
                    "{name}"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn weights_follow_from_the_seed() -> Result<()> {
        let weights = |seed| -> Result<Vec<f32>> {
            let (_, varmap) = ResNet::seeded(&config(Architecture::ResNet8), seed, &Device::Cpu)?;
            let vars = varmap.data().lock().unwrap();
            vars["layer2.0.conv1.weight"].flatten_all()?.to_vec1()
        };
        assert_eq!(weights(3)?, weights(3)?);
        assert_ne!(weights(3)?, weights(4)?);
        Ok(())
    }

    #[test]
    fn a_frozen_network_computes_the_same_and_keeps_no_graph() -> Result<()> {
        let config = config(Architecture::ResNet8);
        let (model, varmap) = ResNet::seeded(&config, 1, &Device::Cpu)?;
        let images = Tensor::randn(0f32, 1f32, (4, 3, 32, 32), &Device::Cpu)?;
        model.forward_t(&images, true)?; // moves the statistics
        let frozen = ResNet::frozen(&config, &varmap, &Device::Cpu)?;
        let (expected, logits) = (
            model.forward_t(&images, false)?,
            frozen.forward_t(&images, false)?,
        );
        assert_eq!(logits.to_vec2::<f32>()?, expected.to_vec2::<f32>()?);
        assert!(expected.track_op() && !logits.track_op());
        Ok(())
    }
}
