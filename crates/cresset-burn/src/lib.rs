#![doc = include_str!("../README.md")]
//!
//! # A whole program
//!
//! A network that learns the absolute value, by the Learner:
//!
//! ```
//! use burn::data::dataloader::{DataLoaderBuilder, batcher::Batcher};
//! use burn::data::dataset::InMemDataset;
//! use burn::module::Module;
//! use burn::nn::{Linear, LinearConfig};
//! use burn::optim::AdamConfig;
//! use burn::tensor::activation::relu;
//! use burn::tensor::{Device, Tensor, TensorData};
//! use burn::train::metric::LossMetric;
//! use burn::train::{InferenceStep, Learner, RegressionOutput, SupervisedTraining, TrainOutput, TrainStep};
//! use cresset_burn::{CressetTraining, Watched};
//!
//! #[derive(Module, Debug)]
//! struct Net {
//!     hidden: Linear,
//!     output: Linear,
//! }
//!
//! impl Net {
//!     fn learn(&self, x: Tensor<2>) -> RegressionOutput {
//!         let targets = x.clone().abs();
//!         let output = self.output.forward(relu(self.hidden.forward(x)));
//!         let loss = (output.clone() - targets.clone()).square().mean();
//!         RegressionOutput::new(loss, output, targets)
//!     }
//! }
//!
//! impl TrainStep for Net {
//!     type Input = Tensor<2>;
//!     type Output = RegressionOutput;
//!
//!     fn step(&self, x: Tensor<2>) -> TrainOutput<RegressionOutput> {
//!         let output = self.learn(x);
//!         TrainOutput::new(self, output.loss.backward(), output)
//!     }
//! }
//!
//! impl InferenceStep for Net {
//!     type Input = Tensor<2>;
//!     type Output = RegressionOutput;
//!
//!     fn step(&self, x: Tensor<2>) -> RegressionOutput {
//!         self.learn(x)
//!     }
//! }
//!
//! struct Numbers;
//!
//! impl Batcher<f32, Tensor<2>> for Numbers {
//!     fn batch(&self, numbers: Vec<f32>, device: &Device) -> Tensor<2> {
//!         let shape = [numbers.len(), 1];
//!         Tensor::from_data(TensorData::new(numbers, shape), device)
//!     }
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #   let place = tempfile::tempdir()?;
//! #   let (runs, folder) = (place.path(), place.path().join("training"));
//!     let numbers = |n: u16| {
//!         let items = (0..n).map(|i| f32::from(i) / f32::from(n) - 0.5).collect();
//!         DataLoaderBuilder::new(Numbers).batch_size(32).shuffle(1).build(InMemDataset::new(items))
//!     };
//!     let device = Device::flex().autodiff();
//!     let net = Net {
//!         hidden: LinearConfig::new(1, 16).init(&device),
//!         output: LinearConfig::new(16, 1).init(&device),
//!     };
//!
//!     let run = cresset::init("absolute-value").dir(runs).start()?; // ← 1
//!     let net = Watched::new(net, &run); // ← 2: gradients, parameters, update ratios
//!     let result = SupervisedTraining::new(&folder, numbers(640), numbers(64))
//!         .metrics((LossMetric::new(),))
//!         .num_epochs(2)
//!         .cresset(&run, &folder) // ← 3: metrics, learning rate, progress, stop requests
//!         .launch(Learner::new(net, AdamConfig::new().init(), 0.01));
//!     assert!(result.error.is_none());
//!     let net: Net = result.model.into_inner();
//!
//!     assert_eq!(run.step(), Some(39)); // two epochs of twenty batches
//!     assert!(run.finish().complete);
//! #   let _ = net;
//!     Ok(())
//! }
//! ```

mod checkpoint;
mod device;
mod evaluator;
mod guard;
mod keys;
mod late;
mod learner;
mod logger;
mod observer;
mod once;
mod passes;
mod progress;
mod samples;
mod settings;
mod tensors;
mod together;
mod watched;

pub use cresset_run::samples::Pictures;
pub use cresset_run::watch::WatchAccount;
pub use evaluator::recorded;
pub use late::log_tensor;
pub use learner::{Callback, CressetTraining};
pub use once::{Watcher, watch_once};
pub use samples::{ClassScores, SampleBatch, Samples};
pub use settings::Watch;
pub use watched::Watched;

/// The programs of the guide, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/burn.md")]
struct BurnGuide;
