use burn::module::{Module, ModuleMapper, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Tensor, TensorData};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use defect_workload::Rng;

use crate::data::DefectBatch;

/// An image classifier: ResNet-8 (He et al., *Deep Residual Learning for Image Recognition*, 2016, cut short). Parameters have
/// torchvision's names, but for those that burn gives its layers.
#[derive(Module, Debug)]
pub struct ResNet {
    conv1: Conv2d,
    bn1: BatchNorm,
    layer1: Vec<Block>,
    layer2: Vec<Block>,
    layer3: Vec<Block>,
    fc: Linear,
}

impl ResNet {
    /// A network with weights that follow from `seed` alone: those of the candle example.
    #[must_use]
    pub fn seeded(width: usize, classes: usize, seed: u64, device: &Device) -> Self {
        let stage = |channels, width, stride| vec![Block::new(channels, width, stride, device)];
        let model = Self {
            conv1: conv([3, width], 3, 2, device),
            bn1: BatchNormConfig::new(width).init(device),
            layer1: stage(width, width, 1),
            layer2: stage(width, 2 * width, 2),
            layer3: stage(2 * width, 4 * width, 2),
            fc: LinearConfig::new(4 * width, classes).init(device),
        };
        model.map(&mut Seeded {
            seed,
            path: Vec::new(),
        })
    }

    /// Logits (batch, classes) of images (batch, 3, height, width).
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = relu(self.bn1.forward(self.conv1.forward(images)));
        for block in self.layer1.iter().chain(&self.layer2).chain(&self.layer3) {
            x = block.forward(x);
        }
        let [batch, channels, height, width] = x.dims();
        let pooled = x.reshape([batch, channels, height * width]).mean_dim(2);
        self.fc.forward(pooled.reshape([batch, channels]))
    }

    fn classify(&self, batch: DefectBatch) -> ClassificationOutput {
        let logits = self.forward(batch.images);
        let loss = weighted_cross_entropy(logits.clone(), &batch.targets, batch.weights);
        ClassificationOutput::new(loss, logits, batch.targets)
    }
}

impl TrainStep for ResNet {
    type Input = DefectBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DefectBatch) -> TrainOutput<ClassificationOutput> {
        let output = self.classify(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for ResNet {
    type Input = DefectBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DefectBatch) -> ClassificationOutput {
        self.classify(batch)
    }
}

/// Cross-entropy of logits (batch, classes), each sample weighed by its class.
fn weighted_cross_entropy(
    logits: Tensor<2>,
    targets: &Tensor<1, burn::tensor::Int>,
    weights: Tensor<1>,
) -> Tensor<1> {
    let rows = weights.dims()[0];
    let likelihood = log_softmax(logits, 1).gather(1, targets.clone().reshape([rows, 1]));
    let weighed = likelihood.reshape([rows]) * weights.clone();
    weighed.sum().div(weights.sum()).neg()
}

/// Two 3 × 3 convolutions whose sum with a shortcut is the output.
#[derive(Module, Debug)]
struct Block {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    downsample: Option<Shortcut>,
}

#[derive(Module, Debug)]
struct Shortcut {
    conv: Conv2d,
    bn: BatchNorm,
}

impl Block {
    fn new(channels: usize, width: usize, stride: usize, device: &Device) -> Self {
        let has_shortcut = stride != 1 || channels != width;
        Self {
            conv1: conv([channels, width], 3, stride, device),
            bn1: BatchNormConfig::new(width).init(device),
            conv2: conv([width, width], 3, 1, device),
            bn2: BatchNormConfig::new(width).init(device),
            downsample: has_shortcut.then(|| Shortcut {
                conv: conv([channels, width], 1, stride, device),
                bn: BatchNormConfig::new(width).init(device),
            }),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = relu(self.bn1.forward(self.conv1.forward(x.clone())));
        let y = self.bn2.forward(self.conv2.forward(y));
        let shortcut = match &self.downsample {
            None => x,
            Some(Shortcut { conv, bn }) => bn.forward(conv.forward(x)),
        };
        relu(y + shortcut)
    }
}

/// Without bias, padded to keep the size.
fn conv(channels: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Conv2d {
    let pad = kernel / 2;
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
        .with_bias(false)
        .init(device)
}

/// Gives parameters the first values that they have in the candle example.
struct Seeded {
    seed: u64,
    path: Vec<String>,
}

impl Seeded {
    /// `layer2.0.downsample.conv.weight` is torchvision's `layer2.0.downsample.0.weight`.
    fn name(&self) -> String {
        self.path
            .join(".")
            .replace("downsample.conv", "downsample.0")
    }
}

impl ModuleMapper for Seeded {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.name();
        param.map(|tensor| {
            let mut shape = tensor.dims().to_vec();
            // burn keeps the weights of a linear layer as (inputs, outputs), torchvision the other way round.
            if D == 2 {
                shape.reverse();
            }
            let Some(values) = Rng::initial(self.seed, &name, &shape) else {
                return tensor;
            };
            let values = match shape[..] {
                [outputs, inputs] => transposed(&values, outputs, inputs),
                _ => values,
            };
            let data = TensorData::new(values, tensor.dims());
            let device = tensor.device();
            let tensor = Tensor::from_data(data, &device);
            match device.is_autodiff() {
                true => tensor.require_grad(),
                false => tensor,
            }
        })
    }
}

fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let column = |c| (0..rows).map(move |r| values[r * columns + c]);
    (0..columns).flat_map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_the_first_values_of_the_candle_example() {
        let model = ResNet::seeded(8, 6, 7, &Device::flex());
        let values = |name: &str, shape: &[usize]| Rng::initial(7, name, shape).unwrap();
        let conv = model.layer2[0]
            .downsample
            .as_ref()
            .unwrap()
            .conv
            .weight
            .val();
        let found = conv.to_data().try_to_vec::<f32>().unwrap();
        assert_eq!(
            found,
            values("layer2.0.downsample.0.weight", &[16, 8, 1, 1])
        );
        let head = model
            .fc
            .weight
            .val()
            .transpose()
            .to_data()
            .try_to_vec::<f32>()
            .unwrap();
        assert_eq!(head, values("fc.weight", &[6, 32]));
        let bias = model.fc.bias.as_ref().unwrap().val().to_data();
        assert_eq!(bias.try_to_vec::<f32>().unwrap(), [0.0; 6]);
    }

    #[test]
    fn the_loss_is_the_weighted_mean_of_the_samples() {
        let device = Device::flex();
        let logits = Tensor::<2>::from_data([[2f32, 0.5, -1.0], [0.0, 1.0, 3.0]], &device);
        let targets = Tensor::from_data([0, 1], &device);
        let weights = Tensor::<1>::from_data([0.5f32, 2.0], &device);
        let of = |weights: [f32; 2]| {
            let weights = Tensor::<1>::from_data(weights, &device);
            weighted_cross_entropy(logits.clone(), &targets, weights).into_scalar::<f32>()
        };
        let expected = (0.5 * of([1.0, 0.0]) + 2.0 * of([0.0, 1.0])) / 2.5;
        let loss = weighted_cross_entropy(logits.clone(), &targets, weights).into_scalar::<f32>();
        assert!((loss - expected).abs() < 1e-6, "{loss} against {expected}");
    }
}
