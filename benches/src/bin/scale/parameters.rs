//! What watching costs a model of so many parameters.

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use candle_core::{DType, Device, Tensor};
use candle_nn::{Init, Optimizer, VarMap};
use cresset_benches::{Curve, finish, median, thread_cpu_seconds};
use cresset_candle::{AdamW, Watch};
use cresset_run::Cadence;

use crate::start;

/// Parameters of a tensor, at most.
const TENSOR: u64 = 1_000_000;
/// Parameters that are stepped at each size, in all rounds together.
const WORK: u64 = 500_000_000;

/// Every step is watched: gradients, parameters and update ratios. Taken in turns with the same step that is not.
pub(crate) fn measure(most: u64) -> Result<[Curve; 2]> {
    let size = "parameters";
    let mut cost = Curve::new("watching a step", size, "ms");
    let mut share = Curve::new("the same, of what AdamW's step takes", size, "%");
    let sizes = [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
    for parameters in sizes.into_iter().filter(|size| *size <= most) {
        let (watch, optimizer) = of(parameters)?;
        cost.push(parameters as f64, watch * 1e3);
        share.push(parameters as f64, 100.0 * watch / optimizer);
    }
    Ok([cost, share])
}

/// Seconds that watching adds to a step of the optimizer, and seconds of that step.
fn of(parameters: u64) -> Result<(f64, f64)> {
    let rounds = (WORK / parameters).clamp(5, 200);
    let dir = tempfile::tempdir()?;
    let run = start(dir.path())?;
    let model = model(parameters)?;
    let plain = AdamW::new_lr(model.all_vars(), 1e-4)?;
    let watch = Watch::new(&run).cadence(Cadence::Every(1));
    let watched = watch.optimizer(AdamW::new_lr(model.all_vars(), 1e-4)?, &model);
    let (mut plain, mut watched) = (plain, watched);
    let (mut off, mut on) = (Vec::new(), Vec::new());
    for _ in 0..20 * rounds {
        off.push(step(&model, &mut plain)?);
        let before = watched.account().observed;
        let took = step(&model, &mut watched)?;
        // One that came before the last was dealt with is left out.
        if watched.account().observed > before {
            on.push(took);
        }
        if on.len() as u64 == rounds {
            break;
        }
        // The worker has something to work out, on a core of its own if there is one.
        thread::sleep(Duration::from_millis(1));
    }
    ensure!(on.len() as u64 == rounds, "steps were left out");
    drop((plain, watched));
    finish(run)?;
    let off = median(&mut off);
    Ok((median(&mut on) - off, off))
}

fn model(parameters: u64) -> Result<VarMap> {
    let model = VarMap::new();
    let init = Init::Randn {
        mean: 0.0,
        stdev: 1.0,
    };
    for i in 0..parameters.div_ceil(TENSOR) {
        let n = TENSOR.min(parameters - i * TENSOR) as usize;
        model.get(n, &format!("layer-{i}"), init, DType::F32, &Device::Cpu)?;
    }
    Ok(model)
}

/// Seconds of the optimizer's part of a step.
fn step(model: &VarMap, optimizer: &mut impl Optimizer) -> Result<f64> {
    let mut loss = Tensor::zeros((), DType::F32, &Device::Cpu)?;
    for parameter in model.all_vars() {
        loss = (loss + parameter.as_tensor().sqr()?.sum_all()?)?;
    }
    let gradients = loss.backward()?;
    let began = thread_cpu_seconds();
    optimizer.step(&gradients)?;
    Ok(thread_cpu_seconds() - began)
}
