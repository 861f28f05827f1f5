//! Time of one AdamW step per parameter, candle's and this crate's, side by side.
//!
//! `CANDLE_NUM_THREADS=1 cargo run --release -p cresset-candle --example adamw_cost`

#![expect(clippy::print_stdout, reason = "the table is the point")]

use std::time::Instant;

use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};
use candle_nn::Optimizer;
use cresset_candle::AdamW;

const STEPS: u32 = 20;

fn nanoseconds_per_parameter(
    mut step: impl FnMut(&GradStore) -> Result<()>,
    grads: &GradStore,
    size: usize,
) -> Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..STEPS {
        let start = Instant::now();
        step(grads)?;
        least = least.min(start.elapsed().as_nanos() as f64 / size as f64);
    }
    Ok(least)
}

fn main() -> Result<()> {
    println!(
        "{:>12}  {:>10}  {:>10}   ns per parameter, least of {STEPS} steps",
        "parameters", "candle", "ours"
    );
    for size in [1 << 10, 1 << 14, 1 << 18, 1 << 22] {
        let var = Var::randn(0f32, 1f32, size, &Device::Cpu)?;
        let grads = (var.as_tensor() * Tensor::randn(0f32, 1f32, size, &Device::Cpu)?)?
            .sum_all()?
            .backward()?;
        let mut theirs = candle_nn::AdamW::new_lr(vec![var.clone()], 1e-3)?;
        let mut ours = AdamW::new_lr(vec![var.clone()], 1e-3)?;
        let candle = nanoseconds_per_parameter(|grads| theirs.step(grads), &grads, size)?;
        let ours = nanoseconds_per_parameter(|grads| ours.step(grads), &grads, size)?;
        println!("{size:>12}  {candle:>10.2}  {ours:>10.2}");
    }
    Ok(())
}
