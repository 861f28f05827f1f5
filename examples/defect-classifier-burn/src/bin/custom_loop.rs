//! Cresset in a training loop of one's own, without burn's Learner: a network learns |x|.
//!
//! `cargo run --release -p defect-classifier-burn --bin custom_loop`

use anyhow::Result;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Distribution, Tensor};
use cresset_burn::{Watcher, log_tensor};

#[derive(Module, Debug)]
struct Net {
    hidden: Linear,
    output: Linear,
}

impl Net {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.output.forward(relu(self.hidden.forward(x)))
    }
}

fn main() -> Result<()> {
    let run = cresset::init("custom-loop").start()?;
    let device = Device::flex().autodiff();
    let mut net = Net {
        hidden: LinearConfig::new(1, 16).init(&device),
        output: LinearConfig::new(16, 1).init(&device),
    };
    let mut optim = AdamConfig::new().init();
    let mut watcher = Watcher::new(&run);
    let lr = 0.01;
    for step in 0..2000 {
        let x = Tensor::<2>::random([64, 1], Distribution::Uniform(-1.0, 1.0), &device);
        let y = x.clone().abs();
        let loss = (net.forward(x) - y).square().mean();
        log_tensor(&run, step, "train/loss", loss.clone());
        run.log(step, [("train/lr", lr)]);
        let grads = GradientsParams::from_grads(loss.backward(), &net);
        net = watcher.step(step, net, grads, |net, grads| optim.step(lr, net, grads));
        if let Some(reason) = run.stop_requested() {
            run.stop(reason);
            break;
        }
    }
    run.finish();
    Ok(())
}
