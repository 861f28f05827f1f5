//! A small convolutional network on a device, for the tests and for the measurement in `src/bin`.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Int, Tensor, TensorData};

/// Convolutions of equal width and a head.
#[derive(Module, Debug)]
pub struct Net {
    pub convs: Vec<Conv2d>,
    pub head: Linear,
    pub scale: Param<Tensor<1>>,
}

impl Net {
    /// `depth` convolutions of `width` channels, for ten classes.
    #[must_use]
    pub fn new(depth: usize, width: usize, device: &Device) -> Self {
        let conv = |i: usize| {
            let channels = if i == 0 { 3 } else { width };
            Conv2dConfig::new([channels, width], [3, 3]).init(device)
        };
        Self {
            convs: (0..depth).map(conv).collect(),
            head: LinearConfig::new(width, 10).init(device),
            scale: Param::from_tensor(Tensor::ones([1], device)),
        }
    }

    /// The mean cross-entropy of images (batch, 3, height, width).
    #[must_use]
    pub fn loss(&self, images: Tensor<4>, targets: Tensor<1, Int>) -> Tensor<1> {
        let mut x = images;
        for conv in &self.convs {
            x = relu(conv.forward(x));
        }
        let [rows, channels, height, width] = x.dims();
        let x = x.reshape([rows, channels, height * width]).mean_dim(2);
        let logits = self.head.forward(x.reshape([rows, channels])) * self.scale.val().unsqueeze();
        let targets = targets.reshape([rows, 1]);
        log_softmax(logits, 1).gather(1, targets).mean().neg()
    }
}

/// The same images and targets each time.
#[must_use]
pub fn batch(rows: usize, side: usize, device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
    let n = rows * 3 * side * side;
    let pixels: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin()).collect();
    let targets: Vec<i32> = (0..rows).map(|i| (i * 7 % 10) as i32).collect();
    let images = Tensor::from_data(TensorData::new(pixels, [rows, 3, side, side]), device);
    (images, Tensor::from_data(&targets[..], device))
}
